/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Take away what a crash left.
 */
#ifndef CL_SWEEP_H
#define CL_SWEEP_H

#include "caller.h"
#include "err.h"

/* End the cell of every record of a user, or of all ((uid_t)-1), that nobody needs any more (record_in_use), and wait up to
 * wait_ms for each to be gone. Users whose lock is held are left to whoever holds it. Failures are logged. Returns how many
 * were ended. */
unsigned sweep_records(int run_fd, uid_t uid, int wait_ms);

/* `cloister-helper sweep`: records, then cgroups without a record. Prints what was removed. */
int sweep_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
