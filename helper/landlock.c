/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The Landlock layer: an empty ruleset, made before the cell is. The builder of the view fills it (view_landlock.c), pid 1
 * of the cell keeps it for who enters later, and the placement binds itself by it.
 */
#include "config.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell.h"
#include "init/channel.h"
#include "landlock.h"
#include "log.h"
#include "session.h"
#include "util.h"

int stage_landlock(struct session *s, struct cl_error *e)
{
    const struct cl_policy *policy = s->policy;
    int abi, fd;

    if (!policy->files.landlock)
        return 0;
    abi = cl_landlock_abi();
    if (abi < CL_LANDLOCK_ABI_MIN) {
        if (policy->files.landlock_when_unavailable == CL_UNAVAILABLE_REFUSE)
            return cl_policy_fail(policy, CL_KEY_FILES_LANDLOCK, e, EOPNOTSUPP,
                                  "Landlock is not on in this kernel, or older than Linux 5.19's");
        cl_log(LOG_WARNING, "policy %s: this kernel has no Landlock that can be used; going on without", policy->name);
        return 0;
    }
    fd = cl_landlock_create(abi, e);
    if (fd < 0)
        return fd;
    s->landlock_abi = abi;
    s->landlock_fd = fd;
    return 0;
}

int landlock_of_cell(int init_fd, int *ret_fd, struct cl_error *e)
{
    int fd = (int)syscall(SYS_pidfd_getfd, init_fd, INIT_LANDLOCK_FD, 0); /* close-on-exec */

    if (fd < 0)
        return cl_fail(e, errno, "take the Landlock ruleset of the cell from its pid 1");
    *ret_fd = fd;
    return 0;
}
