/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The part of apparmor.c that a test can run without AppArmor in its kernel.
 */
#ifndef CL_APPARMOR_INTERNAL_H
#define CL_APPARMOR_INTERNAL_H

#include "apparmor.h"

/* apparmor_profile() with the kernel's list of profiles at list, a file of lines "NAME (MODE)"; NULL: this
 * kernel has no AppArmor. */
int apparmor_profile_in(const struct cl_policy *policy, const char *list, char **ret_profile,
                        struct cl_error *e) CL_WARN_UNUSED;

#endif
