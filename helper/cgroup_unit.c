/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What systemd is told: the names of a user's slice and a cell's scope, and their properties as D-Bus
 * messages. org.freedesktop.systemd1(5), systemd.resource-control(5).
 */
#include "config.h"

#include <stdio.h>

#include "cgroup_unit.h"

#define STOP_TIMEOUT_US 5000000 /* between SIGTERM and SIGKILL when the host shuts down */

struct cgroup_unit_names cgroup_unit_names(uid_t uid, const char *id)
{
    struct cgroup_unit_names names = {0};

    snprintf(names.slice, sizeof(names.slice), "user-%u-cloister.slice", (unsigned)uid);
    snprintf(names.scope, sizeof(names.scope), "cloister-%s.scope", id);
    return names;
}

/* One of the four lists of I/O limits, "a(st)": systemd keeps what a list doesn't name, and an empty one
 * resets. */
static int append_rates(sd_bus_message *m, const struct cgroup_limits *limits, enum cgroup_rate rate)
{
    int r = sd_bus_message_open_container(m, 'r', "sv");

    if (r >= 0)
        r = sd_bus_message_append(m, "s", cgroup_rate_table[rate].property);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "a(st)");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(st)");
    for (size_t i = 0; r >= 0 && limits && i < limits->n_devices; i++) {
        const struct cgroup_device *device = &limits->device[i];
        char path[64];

        snprintf(path, sizeof(path), "/dev/block/%u:%u", device->major, device->minor);
        if (device->rate[rate] != CL_UNLIMITED)
            r = sd_bus_message_append(m, "(st)", path, device->rate[rate]);
    }
    for (int i = 0; r >= 0 && i < 3; i++)
        r = sd_bus_message_close_container(m);
    return r;
}

static int append_io(sd_bus_message *m, const struct cgroup_limits *limits)
{
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < CGROUP_RATE_COUNT; i++) {
        r = append_rates(m, NULL, i);
        if (r >= 0 && limits->n_devices > 0)
            r = append_rates(m, limits, i);
    }
    return r;
}

/* UINT64_MAX is systemd's "infinity" as well. */
int cgroup_unit_append_limits(sd_bus_message *m, const struct cgroup_limits *limits, unsigned which)
{
    int r = which & 1U << CGROUP_IO_MAX ? append_io(m, limits) : 0;

    for (unsigned l = 0; r >= 0 && l < CGROUP_LIMIT_COUNT; l++) {
        uint64_t value = limits->value[l];

        if (!cgroup_limit_table[l].property || !(which & 1U << l))
            continue;
        if (l == CGROUP_CPU_MAX && value != CL_UNLIMITED)
            value *= 10000; /* percent of a second, in microseconds */
        r = sd_bus_message_append(m, "(sv)", cgroup_limit_table[l].property, "t", value);
    }
    return r;
}

/* What is below the scope is ours; the controllers that its logins' limits need are to be there. */
static int append_delegation(sd_bus_message *m, const struct cgroup_limits *limits)
{
    unsigned needed = 0;
    int r = sd_bus_message_open_container(m, 'r', "sv");

    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
        if (cgroup_limit_is_set(limits, l))
            needed |= 1U << cgroup_limit_table[l].controller;
    if (r >= 0)
        r = sd_bus_message_append(m, "s", "DelegateControllers");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "as");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "s");
    for (unsigned c = 0; r >= 0 && c < CGROUP_CONTROLLER_COUNT; c++)
        if (needed & 1U << c)
            r = sd_bus_message_append(m, "s", cgroup_controller_name(c));
    for (int i = 0; r >= 0 && i < 3; i++)
        r = sd_bus_message_close_container(m);
    return r;
}

static int append_limits(sd_bus_message *m, const struct cgroup_setup *setup)
{
    const struct cgroup_limits *limits = &setup->limits[CGROUP_SESSION];
    unsigned which = 1U << CGROUP_PIDS_MAX; /* even if unlimited: DefaultTasksMax= is not */
    struct cgroup_limits none;
    int r;

    if (setup->request->shared) {
        cgroup_limits_none(&none);
        r = append_delegation(m, limits);
        return r < 0 ? r : cgroup_unit_append_limits(m, &none, which);
    }
    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
        if (cgroup_limit_is_set(limits, l))
            which |= 1U << l;
    return cgroup_unit_append_limits(m, limits, which);
}

static int append_scope(sd_bus_message *m, const struct cgroup_setup *setup,
                        const struct cgroup_unit_names *names, bool oom_policy)
{
    const struct cgroup_request *request = setup->request;
    char description[96];
    int r;

    snprintf(description, sizeof(description), "Cloister cell %s of user %u", request->id,
             (unsigned)request->uid);
    r = sd_bus_message_append(m, "(sv)", "Description", "s", description);
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)", "Slice", "s", names->slice);
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)request->init);
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed");
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)", "TimeoutStopUSec", "t", (uint64_t)STOP_TIMEOUT_US);
    if (r >= 0) /* as logind's sessions: at shutdown, the cell ends before homes are unmounted */
        r = sd_bus_message_append(m, "(sv)", "After", "as", 1, "systemd-user-sessions.service");
    if (r >= 0 && oom_policy) /* a memory hog is killed, not the whole cell */
        r = sd_bus_message_append(m, "(sv)", "OOMPolicy", "s", "continue");
    return r < 0 ? r : append_limits(m, setup);
}

static int append_slice(sd_bus_message *m, const struct cgroup_setup *setup,
                        const struct cgroup_unit_names *names)
{
    char description[96];

    snprintf(description, sizeof(description), "Cloister cells of user %u", (unsigned)setup->request->uid);
    return sd_bus_message_append(m, "(sa(sv))", names->slice, 2, "Description", "s", description,
                                 "StopWhenUnneeded", "b", 1);
}

/* StartTransientUnit(name, mode, properties, auxiliary units). "replace": a stop of the slice, queued when
 * its last scope ended, gives way. */
int cgroup_unit_fill_start(sd_bus_message *m, const struct cgroup_setup *setup,
                           const struct cgroup_unit_names *names, bool oom_policy, bool with_slice)
{
    int r = sd_bus_message_append(m, "ss", names->scope, "replace");

    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = append_scope(m, setup, names, oom_policy);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sa(sv))");
    if (r >= 0 && with_slice)
        r = append_slice(m, setup, names);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r;
}
