/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hand-off's side of the helper: one request on CL_HANDOFF_FD, one answer.
 */
#ifndef CL_SERVE_H
#define CL_SERVE_H

#include "caller.h"
#include "err.h"
#include "session.h"

int serve_handoff(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
