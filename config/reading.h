/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One value while it is read from a file: between value.c and structure.c.
 */
#ifndef CL_READING_H
#define CL_READING_H

#include "loader.h"

struct reading {
    struct loader *l;
    const struct schema_key *key;
    const char *name; /* of the key, in messages */
    config_setting_t *setting;
    void *base;
};

/* What a setting holds, for a message. Returns buf. */
const char *reading_found(const config_setting_t *setting, char *buf, size_t size);
/* "KEY: found X (why); allowed: Y; note". setting is the reading's, or an element of it; why and note may be
 * empty. Returns -EINVAL. */
int reading_refuse(const struct reading *r, const config_setting_t *setting, const char *why,
                   const char *note);
/* Remember it in the loader. Returns -ENOMEM. */
int reading_out_of_memory(const struct reading *r);
/* The letters that may follow % in strings of this key, NULL when it does not expand. */
const char *reading_letters(const struct schema_key *key);
/* "512M": digits, then at most one letter of the kind. -EINVAL, -ERANGE. */
int reading_quantity(enum schema_kind kind, const char *text, uint64_t *ret) CL_WARN_UNUSED;

int reading_records(const struct reading *r) CL_WARN_UNUSED;
int reading_env(const struct reading *r) CL_WARN_UNUSED;
int reading_options(const struct reading *r) CL_WARN_UNUSED;

#endif
