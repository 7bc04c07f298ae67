/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The environment of a command that no login made: what a login would give, and nothing of the caller's.
 */
#ifndef CL_ENVIRONMENT_H
#define CL_ENVIRONMENT_H

#include "err.h"
#include "user.h"

/* HOME, USER, LOGNAME, SHELL, PATH, TERM unless term is empty, LANG as the host's locale says (locale_files: paths, up to
 * NULL; the first that has it), then plan_env, which is that of a plan: NAME=VALUE sets, NAME alone unsets. A string
 * vector. 0 or -ENOMEM. */
int environment_make(const struct cl_user *user, const char *term, const char *const *locale_files,
                     const char *plan_env, char ***ret) CL_WARN_UNUSED;

/* Where Debian, and everyone else, keep the host's locale: locale.conf(5). */
extern const char *const environment_locale_files[];

#endif
