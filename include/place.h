/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Placement: put the calling process into a cell and take its privilege away, in an order that matters. Used by
 * the module in a service's forked child, and by the helper for commands of its own.
 */
#ifndef CL_PLACE_H
#define CL_PLACE_H

#include "err.h"
#include "handoff.h"

/* Descriptors of a plan; closed by the owner, -1 where absent. */
struct cl_plan_fds {
    int fd[CL_FD_COUNT];
};
void cl_plan_fds_close(struct cl_plan_fds *fds);

/* Place the calling process, which must be single-threaded, root in the initial user namespace, and born in the
 * cell's pid namespace. With plan->placement CREDENTIALS it comes back as the user, with every layer on; with FORK
 * the service still sets groups, gid and uid. The supplementary groups are left as the service set them.
 *
 * Any failure leaves a process that is partly inside: the caller must log and _exit, and never run anything else.
 * See namespaces(7), capabilities(7), setns(2), seccomp(2), aa_change_profile(2). */
int cl_place(const struct cl_plan *plan, const struct cl_plan_fds *fds, struct cl_error *e) CL_WARN_UNUSED;

#endif
