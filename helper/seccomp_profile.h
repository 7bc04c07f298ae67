/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A Docker/OCI seccomp profile as data, after includes and excludes are decided. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_PROFILE_H
#define CL_SECCOMP_PROFILE_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* What includes and excludes ask about. */
struct seccomp_host {
    uint32_t arch; /* SCMP_ARCH_ token, native */
    unsigned kernel_major, kernel_minor;
    uint64_t bounding; /* bit n is capability n */
};

struct seccomp_rule {
    char **names;    /* string vector */
    uint32_t action; /* SCMP_ACT_ */
    struct scmp_arg_cmp *args;
    size_t n_args;
    size_t index; /* in the file's list of rules */
};

struct seccomp_profile {
    uint32_t default_action;
    uint32_t *arches; /* SCMP_ARCH_ tokens beside the native one, those that libseccomp has */
    size_t n_arches;
    struct seccomp_rule *rules; /* those that apply to the host, in the order of the file */
    size_t n_rules;
};

/* Parse a profile. name stands in messages: "NAME:LINE:COLUMN: …" for malformed JSON, "NAME:
 * syscalls[3].action: …" for anything else. -EINVAL: malformed; -EOPNOTSUPP: SCMP_ACT_NOTIFY or
 * SCMP_ACT_TRACE; -ENOMEM. */
int seccomp_profile_parse(const char *name, const char *text, size_t size, const struct seccomp_host *host,
                          struct seccomp_profile **ret, struct cl_error *e) CL_WARN_UNUSED;
void seccomp_profile_free(struct seccomp_profile *profile);
void seccomp_profile_freep(struct seccomp_profile **profile);
#define cleanup_profile __attribute__((cleanup(seccomp_profile_freep)))

#endif
