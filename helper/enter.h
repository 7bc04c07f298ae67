/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `cloister enter`: a command more in a cell that lives. Root's alone.
 */
#ifndef CL_ENTER_H
#define CL_ENTER_H

#include "caller.h"
#include "err.h"

/* `cloister-helper enter ID [COMMAND...]`, with a hand-off. */
int enter_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
