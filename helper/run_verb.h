/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `cloister run`: a command in a cell of its own, without a login. Open to every user, for that user.
 */
#ifndef CL_RUN_VERB_H
#define CL_RUN_VERB_H

#include "caller.h"
#include "err.h"
#include "run.h"

/* `cloister-helper run [COMMAND...]`, with a hand-off. */
int run_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;
/* `cloister-helper end ID`, by the process that ran it: close the cell. */
int end_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

/* For enter, too. A caller's terminal and a user's other processes must not stop the helper half-way. */
void run_hold_signals(void);
/* Receive and check the request on the hand-off, whose other end may be hostile: nothing here waits for long. */
int run_receive(int sock, int64_t deadline_ms, struct cl_run_request *ret, struct cl_error *e) CL_WARN_UNUSED;

#endif
