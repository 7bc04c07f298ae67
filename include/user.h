/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A user as NSS knows it: read once, then passed around as data, so that no later look-up can see another answer.
 */
#ifndef CL_USER_H
#define CL_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

struct cl_user {
    char *name;
    uid_t uid;
    gid_t gid; /* primary group, also in groups */
    char *group; /* name of the primary group, or its number in decimal where it has none */
    char *gecos;
    char *home;
    char *shell;
    gid_t *groups;       /* primary and supplementary, as getgrouplist(3) gives them, without duplicates */
    char **group_names;  /* NULL-terminated, same order and length as groups; a nameless gid as decimal */
    size_t n_groups;
    int groups_error; /* errno of a look-up of a group's name that NSS could not answer, else 0 */
};

/* Look name up. -ENOENT: no such user. -EINVAL: a name that is empty, too long, or holds ':', '/', or control
 * characters. Blocks for as long as NSS does. */
int cl_user_lookup(const char *name, struct cl_user **ret, struct cl_error *e) CL_WARN_UNUSED;
int cl_user_lookup_uid(uid_t uid, struct cl_user **ret, struct cl_error *e) CL_WARN_UNUSED;
/* Is there such a group? -errno where NSS cannot tell, because a service of it gives no answer. */
int cl_group_exists(const char *name, bool *ret) CL_WARN_UNUSED;
void cl_user_free(struct cl_user *user);
void cl_user_freep(struct cl_user **user);
#define cleanup_user __attribute__((cleanup(cl_user_freep)))

#endif
