/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Loading cloister.conf and policy.d, and choosing the policy of a login. Implemented in config/, which may link
 * libconfig, libseccomp and libcap (names only). Never loaded into a login service's process: libconfig aborts
 * when memory runs out.
 */
#ifndef CL_CONFIGURATION_H
#define CL_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "policy.h"
#include "user.h"

enum cl_cgroup_manager { CL_MANAGER_AUTO, CL_MANAGER_SYSTEMD, CL_MANAGER_CGROUPFS };
/* Where a service's user process is put into the cell: at pam_setcred in the forked child (sshd), or in the
 * child's atfork handler (login, su, cron). */
enum cl_placement { CL_PLACEMENT_NONE, CL_PLACEMENT_CREDENTIALS, CL_PLACEMENT_FORK };

struct cl_service {
    char *name; /* PAM service name */
    enum cl_placement placement;
};

/* cloister.conf */
struct cl_settings {
    char **exempt_users, **exempt_groups;
    enum cl_cgroup_manager cgroup_manager;
    uint64_t deadline; /* seconds for a whole open */
    struct {
        char *name;          /* of the table, and with a 0 of the bridge */
        char *pool, *pool6; /* networks of the cells' addresses; pool6 NULL: no IPv6 */
    } network;
    struct cl_service *services; /* the built-in table, then `placement` of cloister.conf on top */
    size_t n_services;
    char *file;      /* of cloister.conf; NULL: all is built-in */
    unsigned *lines; /* of each setting in it; cl_settings_origin knows which is whose */
};

struct cl_config; /* settings and all policies, resolved through inheritance */

/* One problem found in the files. */
struct cl_problem {
    char *file;
    unsigned line;  /* 0: the file as a whole */
    bool warning;   /* does not make the configuration invalid */
    char *text;     /* what was found, what is allowed, the nearest known name */
};

struct cl_problems {
    struct cl_problem *items;
    size_t n;
};
void cl_problems_clear(struct cl_problems *problems);

/* Load DIR/cloister.conf and DIR/policy.d/ *.conf (a missing cloister.conf is the built-in settings; a missing or
 * empty policy.d is an error). All problems are collected. 0 when valid; -EINVAL when any problem is not a
 * warning; another -errno when the files could not be read at all (also in problems). *ret only on 0. With
 * trust_any_owner, ownership and mode are not checked (`cloister check` on a working copy). */
int cl_config_load(const char *dir, bool trust_any_owner, struct cl_config **ret, struct cl_problems *problems)
    CL_WARN_UNUSED;
void cl_config_free(struct cl_config *config);
void cl_config_freep(struct cl_config **config);
#define cleanup_config __attribute__((cleanup(cl_config_freep)))

/* Only cloister.conf, and of it all settings: what decides about exempt users before any policy is parsed. Errors
 * as cl_config_load. */
int cl_settings_load(const char *dir, bool trust_any_owner, struct cl_settings **ret, struct cl_problems *problems)
    CL_WARN_UNUSED;
/* The built-in settings: exempt users root, groups sudo and wheel. */
int cl_settings_default(struct cl_settings **ret) CL_WARN_UNUSED;
void cl_settings_free(struct cl_settings *settings);

const struct cl_settings *cl_config_settings(const struct cl_config *config);
size_t cl_config_count(const struct cl_config *config); /* policies, in file order */
const struct cl_policy *cl_config_policy(const struct cl_config *config, size_t i);

/* Where a setting ("network.pool") was written: "FILE:LINE" or "built-in"; "" where there is no such setting. Returns buf. */
const char *cl_settings_origin(const struct cl_settings *settings, const char *name, char *buf, size_t size);

/* Is the user exempt? uid 0 always is. ret_why receives "uid 0", "user root" or "group sudo"; may be NULL. */
bool cl_settings_exempt(const struct cl_settings *settings, const struct cl_user *user, char *ret_why,
                        size_t why_size);
/* The service's placement, CL_PLACEMENT_NONE when it is not in the table. */
enum cl_placement cl_settings_placement(const struct cl_settings *settings, const char *service);

struct cl_selection {
    const struct cl_policy *policy; /* owned by the configuration, strings not expanded; NULL: nothing matches */
    char matched_by[160]; /* "group students", "user eva", "service cron", "default" */
    const struct cl_policy **considered; /* all that match, best first; owned, the array only */
    size_t n_considered;
    const struct cl_policy *doubtful; /* would win if the user were in doubtful_group, which NSS cannot tell:
                                         then policy is NULL */
    const char *doubtful_group;
    int doubt; /* errno */
};
/* Choose: every given part of match must hold; highest priority, then first in file order; the policy "default"
 * when nothing else matches. A group that NSS cannot look up is not taken for one that the user is not in.
 * 0 (policy may be NULL) or -ENOMEM. */
int cl_config_select(const struct cl_config *config, const struct cl_user *user, const char *service,
                     struct cl_selection *ret) CL_WARN_UNUSED;
void cl_selection_clear(struct cl_selection *selection);
/* The doubt of a selection, as an error about match.groups. */
int cl_selection_fail(const struct cl_selection *selection, const struct cl_user *user, struct cl_error *e);

/* A copy of policy with %u %U %g %h %% expanded for user in every string that allows it (hostname, files.*, env
 * values). Origins are kept. */
int cl_policy_expand(const struct cl_policy *policy, const struct cl_user *user, struct cl_policy **ret,
                     struct cl_error *e) CL_WARN_UNUSED;
/* All that makes a cell of the policy, as text: two policies with the same make the same cell. Not of it: its name, where it
 * comes from, and whom it is for. 0 or -ENOMEM; document.c. */
int cl_policy_document(const struct cl_policy *policy, char **ret) CL_WARN_UNUSED;
void cl_policy_free(struct cl_policy *policy);
void cl_policy_freep(struct cl_policy **policy);

/* The raw files of a configuration, to keep the last valid one: copies dir's cloister.conf and policy.d/ *.conf to
 * to_dir, replacing what is there atomically (a new folder, then renameat2 EXCHANGE). to_dir's parent must exist
 * and be root's alone. No-op when the contents are the same. Symbolic links are not followed. */
int cl_config_keep(const char *dir, const char *to_dir, struct cl_error *e) CL_WARN_UNUSED;
/* Is what cl_config_keep() would copy already in to_dir? */
bool cl_config_is_kept(const char *dir, const char *to_dir);

#endif
