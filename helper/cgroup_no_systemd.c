/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Stands in for cgroup_systemd.c in a build --without-systemd: nothing answers, and a configuration that asks
 * for the manager by name is refused.
 */
#include "config.h"

#include <errno.h>

#include "cgroup_internal.h"

static int not_built(struct cl_error *e)
{
    return cl_fail_key(e, EOPNOTSUPP, "cgroup_manager", NULL, "this build has no systemd support");
}

bool cgroup_systemd_answers(void)
{
    return false;
}

int cgroup_systemd_create(struct cgroup_setup *setup, const char *path, struct cl_error *e)
{
    return not_built(e);
}

int cgroup_systemd_update(struct cgroup_setup *setup, const char *path, enum cgroup_level level, unsigned which,
                          struct cl_error *e)
{
    return not_built(e);
}

int cgroup_systemd_remove(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms, struct cl_error *e)
{
    return not_built(e);
}

int cgroup_systemd_sweep(int mount_fd, bool (*is_known)(const char *path, void *arg), void *arg,
                         struct cl_error *e)
{
    return not_built(e);
}
