/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The units that stand for a user and a cell in systemd, as names and D-Bus properties. Only for
 * cgroup_systemd.c and the test.
 */
#ifndef CL_CGROUP_UNIT_H
#define CL_CGROUP_UNIT_H

#include <systemd/sd-bus.h>

#include "cgroup_internal.h"

struct cgroup_unit_names {
    char scope[64], slice[64];
};

struct cgroup_unit_names cgroup_unit_names(uid_t uid, const char *id);

/* These return what sd-bus does: negative on failure, -errno. */

/* Append to an open array of properties, a(sv), the limits of which, bits 1 << enum cgroup_limit; one that
 * isn't set is reset. */
int cgroup_unit_append_limits(sd_bus_message *m, const struct cgroup_limits *limits,
                              unsigned which) CL_WARN_UNUSED;
/* All arguments of StartTransientUnit for the cell's scope, with its session limits; with_slice: make the
 * user's slice as well, without limits. oom_policy: this systemd has the property for scopes. */
int cgroup_unit_fill_start(sd_bus_message *m, const struct cgroup_setup *setup,
                           const struct cgroup_unit_names *names, bool oom_policy,
                           bool with_slice) CL_WARN_UNUSED;

#endif
