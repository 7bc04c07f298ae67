/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The decision about exempt users, for more than one verb.
 */
#ifndef CL_DECIDE_H
#define CL_DECIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "caller.h"
#include "configuration.h"
#include "err.h"
#include "user.h"

/* 1: exempt, with the reason in ret_why; 0: not; -errno. Falls back to the last valid list, then to the built-in
 * one, when cloister.conf is not valid. */
int decide_exempt(const struct cl_user *user, char *ret_why, size_t why_size, struct cl_error *e) CL_WARN_UNUSED;

/* The configuration of today, if it is valid; nothing of an earlier one. With keep, it is the last valid one from now on, as after a
 * login. */
int decide_load_valid(bool keep, struct cl_config **ret, struct cl_error *e) CL_WARN_UNUSED;

/* `cloister-helper exempt UID`: 0 when the user is exempt, else -EACCES, quietly. */
int exempt_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
