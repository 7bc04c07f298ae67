/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the limits that a cell has to those that it is to have, as records have them. Nothing here touches the kernel.
 */
#ifndef CL_LIMITS_CHANGE_H
#define CL_LIMITS_CHANGE_H

#include "record.h"

struct limits {
    struct record_limit items[RECORD_LIMITS_MAX];
    size_t n;
};

/* Either is NULL: there was no limit before, or is none after. Borrowed. */
struct limit_change {
    const struct record_limit *before, *after;
};

#define LIMIT_CHANGES_MAX (2 * RECORD_LIMITS_MAX)

/* What is to hold: those of the user's cgroup by one policy, all others by another. NULL: as they are. */
void limits_target(const struct limits *now, const struct limits *user, const struct limits *own, struct limits *ret);
/* What holds after a change to target was tried: what is pending is as it was before. The bits are those of cgroup_pending. */
void limits_held(const struct limits *before, const struct limits *target, unsigned user_pending, unsigned session_pending,
                 struct limits *ret);
/* Which values differ, in the order of the limits. */
size_t limits_compare(const struct limits *before, const struct limits *after, struct limit_change ret[LIMIT_CHANGES_MAX]);

#endif
