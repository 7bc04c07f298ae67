/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The plan of a live cell, kept beside its record for `cloister enter`: what the cell was given at its open, whatever
 * the policy says by now. CL_RUN_DIR/cells/ID.plan, root's; record_remove takes it away.
 */
#ifndef CL_KEPT_PLAN_H
#define CL_KEPT_PLAN_H

#include "err.h"
#include "handoff.h"

/* seccomp_fd: the filter, -1 where the plan has none. */
int kept_plan_save(int run_fd, const struct cl_plan *plan, int seccomp_fd, struct cl_error *e) CL_WARN_UNUSED;
/* *ret_seccomp_fd is a memfd, or -1. -ENOENT: none was kept; -ESTALE: by another version; -EBADMSG: it is damaged. */
int kept_plan_load(int run_fd, const char *id, struct cl_plan *ret, int *ret_seccomp_fd, struct cl_error *e)
    CL_WARN_UNUSED;

#endif
