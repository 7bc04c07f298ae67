/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AppArmor: is it there, and is the policy's profile loaded in enforce mode?
 */
#ifndef CL_APPARMOR_H
#define CL_APPARMOR_H

#include "err.h"
#include "policy.h"

/* In audit mode, a cell runs under the profile of this name: the same rules, but in complain mode. */
#define APPARMOR_TWIN "-audit"

/* The profile that the placement must change to: *ret_profile is a new string, or NULL for "unconfined" and where
 * AppArmor (or the profile) is missing and the policy says continue, which is logged. -EOPNOTSUPP: AppArmor is not
 * in this kernel; -ENOENT: the profile is not loaded; -EINVAL: it is loaded, but not in enforce mode. Of a policy
 * in audit mode, the profile is the twin, or the policy's own where that is in complain mode; -ENOENT: neither is loaded so.
 * Errors blame apparmor.profile and name the command that mends it. */
int apparmor_profile(const struct cl_policy *policy, char **ret_profile, struct cl_error *e) CL_WARN_UNUSED;

#endif
