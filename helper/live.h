/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A cell that lives, to be joined: by `cloister enter`, and by a later login of its user.
 */
#ifndef CL_LIVE_H
#define CL_LIVE_H

#include "err.h"
#include "place.h"
#include "record.h"

/* Prove that the cell is the one of the record, whose user's lock the caller holds: its pid 1 by pid and start time through a
 * pidfd, and each namespace by the inode number that the plan of its open has. The plan, its filter and the pidfd are the
 * caller's then; the cgroup is not among them. -ESRCH: it has ended. */
int live_open(int run_fd, const struct record *record, struct cl_plan *ret_plan, struct cl_plan_fds *ret_fds,
              struct cl_error *e) CL_WARN_UNUSED;

#endif
