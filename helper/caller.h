/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The helper distrusts its caller: argv, environment, descriptors, limits, umask, working directory and signals.
 */
#ifndef CL_CALLER_H
#define CL_CALLER_H

#include <sys/resource.h>
#include <sys/types.h>

#include "err.h"
#include "schedule.h"

/* What is kept of the caller: who it is, and the limits and priorities that a command of its own is to have again. */
struct caller {
    uid_t uid; /* the real one */
    struct rlimit limits[RLIM_NLIMITS];
    struct schedule schedule;
};

/* First thing in main. keep_fd: the highest descriptor to leave open; all above are closed, 0 to 2 are made to
 * exist. Makes the process non-dumpable, gives it a fixed environment, unlimited resources, usual priorities, default signals, the
 * working directory "/" and root's identity with no supplementary groups, and stops its timers. 0 or -errno. */
int caller_distrust(int keep_fd, struct caller *ret, struct cl_error *e) CL_WARN_UNUSED;

/* Before a lock that others wait for: out of the cgroup, the session and the process group of the caller, who may own the
 * first, and so freeze it, and has a say in how much time the second gets. */
int caller_leave(struct cl_error *e) CL_WARN_UNUSED;

#endif
