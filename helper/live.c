/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Joining a cell begins with proof (CVE-2022-31214); cl_place looks once more, after the join.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "cell.h"
#include "kept_plan.h"
#include "live.h"
#include "util.h"

/* The inodes of /proc/PID/ns are its own if it has not ended since we have its pidfd. */
static int verify_init(const struct record *record, const struct cl_plan *plan, int init_fd, struct cl_error *e)
{
    struct pollfd ended = {.fd = init_fd, .events = POLLIN};
    uint64_t inodes[CL_NS_COUNT];
    cleanup_fd int dir = -1;
    char path[32];
    int r;

    (void)snprintf(path, sizeof(path), "/proc/%d/ns", record->init);
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = dir < 0 ? -errno : cl_ns_inodes(dir, false, inodes);
    if (r == 0 && poll(&ended, 1, 0) != 0)
        r = -ESRCH;
    if (r < 0)
        return cl_fail(e, -r, "read the namespaces of cell %s", record->id);
    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++)
        if (plan->inodes[ns] && plan->inodes[ns] != inodes[ns])
            return cl_fail(e, EXDEV, "the %s namespace of cell %s is not that of its open",
                           cl_ns_info(ns)->name, record->id);
    return 0;
}

int live_open(int run_fd, const struct record *record, struct cl_plan *ret_plan, struct cl_plan_fds *ret_fds,
              struct cl_error *e)
{
    cleanup_fd int init_fd = record_pidfd(record->init, record->init_start), filter = -1, ruleset = -1;
    struct cl_plan plan;
    int r;

    if (init_fd < 0)
        return cl_fail(e, ESRCH, "cell %s has ended", record->id);
    r = kept_plan_load(run_fd, record->id, &plan, &filter, e);
    if (r < 0)
        return r;
    if (plan.uid != record->uid)
        return cl_fail(e, EBADMSG, "plan and record of cell %s differ", record->id);
    r = verify_init(record, &plan, init_fd, e);
    if (r == 0 && plan.has_landlock)
        r = landlock_of_cell(init_fd, &ruleset, e);
    if (r < 0)
        return r;
    *ret_plan = plan;
    ret_fds->fd[CL_FD_LANDLOCK] = cl_take_fd(&ruleset);
    ret_fds->fd[CL_FD_INIT] = cl_take_fd(&init_fd);
    ret_fds->fd[CL_FD_SECCOMP] = cl_take_fd(&filter);
    return 0;
}
