/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Does a policy match a login?
 */
#ifndef CL_SELECT_H
#define CL_SELECT_H

#include "configuration.h"

/* Does every given part of match hold, and is there any? buf receives which: "group students, service cron".
 */
bool select_matches(const struct cl_policy *policy, const struct cl_user *user, const char *service,
                    char *buf, size_t size);

#endif
