/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Talking to systemd over D-Bus with a deadline, and nothing that the caller's environment says. Only for
 * cgroup_systemd.c.
 */
#ifndef CL_CGROUP_BUS_H
#define CL_CGROUP_BUS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "err.h"

struct cgroup_bus {
    sd_bus *bus;
    int64_t deadline_ms;
    sd_bus_slot *slot; /* of the JobRemoved match */
    char *job;         /* object path of the job waited for; NULL: none */
    char *result;      /* its result, once it has ended */
};

/* Connect. Functions fail with -ETIMEDOUT past the deadline. */
int cgroup_bus_open(struct cgroup_bus *bus, int64_t deadline_ms, struct cl_error *e) CL_WARN_UNUSED;
void cgroup_bus_close(struct cgroup_bus *bus);
#define cleanup_bus __attribute__((cleanup(cgroup_bus_close)))

/* A call of org.freedesktop.systemd1.Manager, to be filled and sent. */
int cgroup_bus_call_new(struct cgroup_bus *bus, const char *method, sd_bus_message **ret) CL_WARN_UNUSED;
/* Send it and wait for the answer. A D-Bus error becomes an errno: -EEXIST unit exists, -ENOENT no such unit,
 * -ESTALE it could not be loaded;
 * what names the attempt. ret_reply may be NULL. */
int cgroup_bus_call(struct cgroup_bus *bus, sd_bus_message *call, const char *what,
                    sd_bus_message **ret_reply, struct cl_error *e) CL_WARN_UNUSED;
/* The same for a call whose answer is a job (StartTransientUnit, StopUnit): waits for it to end, too. */
int cgroup_bus_call_job(struct cgroup_bus *bus, sd_bus_message *call, const char *what,
                        struct cl_error *e) CL_WARN_UNUSED;
/* Does this systemd know a property of scopes? Version numbers don't tell: distributions backport. */
int cgroup_bus_scope_has(struct cgroup_bus *bus, const char *property, bool *ret,
                         struct cl_error *e) CL_WARN_UNUSED;

#endif
