/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The limits of a policy, as a record keeps them.
 */
#ifndef CL_POLICY_LIMITS_H
#define CL_POLICY_LIMITS_H

#include "policy.h"
#include "record.h"

/* The limits that an expanded policy sets, in the order of cloister.conf(5): those of cgroup, and
 * session.max. Returns how many. */
size_t policy_limits(const struct cl_policy *policy, struct record_limit ret[RECORD_LIMITS_MAX]);

#endif
