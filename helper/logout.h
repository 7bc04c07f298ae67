/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The end of one login in a cell that lasts.
 */
#ifndef CL_LOGOUT_H
#define CL_LOGOUT_H

#include <stdint.h>

#include "err.h"
#include "logins.h"

/* What its cell's policy says of a logout. The last one ends the cell, with "kill", or when nothing is left in it. Waits for the
 * user's lock until deadline_ms, and does not hold it while processes have their grace. */
int logout(int run_fd, const struct login *login, int64_t deadline_ms, struct cl_error *e) CL_WARN_UNUSED;
/* End a cell, whatever its policy says: with the grace, in which nobody joins it any more. */
int logout_all(int run_fd, const struct record *record, int64_t deadline_ms, struct cl_error *e) CL_WARN_UNUSED;
/* End one login, and what it started, whatever its cell's policy says: with the grace. What is not shared ends with it.
 * -EOPNOTSUPP: the logins of the cell cannot be told apart. */
int logout_kill(int run_fd, const struct login *login, int64_t deadline_ms, struct cl_error *e) CL_WARN_UNUSED;
/* Forget logins whose opener has ended without a close; cloister-init has seen to the rest. Returns how many. */
unsigned logout_sweep(int run_fd, uid_t uid, int wait_ms);

#endif
