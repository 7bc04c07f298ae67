/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The connection to systemd: its private socket first, as systemctl uses it for root (no message bus in
 * between that could be slow, full or down), then the system bus. The addresses are fixed;
 * DBUS_SYSTEM_BUS_ADDRESS of whoever started the helper is not looked at. Both sockets are below /run, where
 * only root can put them.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "cgroup_bus.h"
#include "util.h"

#define SERVICE   "org.freedesktop.systemd1"
#define PATH      "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"
#define ANY_SCOPE "/org/freedesktop/systemd1/unit/init_2escope" /* systemd's own: always there */

struct address {
    const char *address;
    bool is_bus; /* a message bus, with names and matches; else the peer itself */
};

static const struct address addresses[] = {
    {"unix:path=/run/systemd/private", false},
    {"unix:path=/run/dbus/system_bus_socket", true},
};

static int64_t left_us(const struct cgroup_bus *bus)
{
    int64_t left = bus->deadline_ms - cl_now_ms();

    return left > 0 ? left * 1000 : 0;
}

/* Handle one message, or wait for the next. */
static int step(struct cgroup_bus *bus)
{
    int r = sd_bus_process(bus->bus, NULL);
    int64_t left = left_us(bus);

    if (r != 0)
        return r < 0 ? r : 0;
    if (left == 0)
        return -ETIMEDOUT;
    r = sd_bus_wait(bus->bus, (uint64_t)left);
    return r < 0 && r != -EINTR ? r : 0;
}

/* sd_bus_call would authenticate on its own, with a time-out of minutes. */
static int connect_to(struct cgroup_bus *bus, const struct address *address)
{
    int r = sd_bus_new(&bus->bus);

    if (r >= 0)
        r = sd_bus_set_address(bus->bus, address->address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus->bus, address->is_bus);
    if (r >= 0)
        r = sd_bus_set_method_call_timeout(bus->bus, (uint64_t)left_us(bus) + 1);
    if (r >= 0)
        r = sd_bus_start(bus->bus);
    while (r >= 0) {
        r = sd_bus_is_ready(bus->bus);
        if (r != 0)
            break;
        r = step(bus);
    }
    return r < 0 ? r : 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
    struct cgroup_bus *bus = userdata;
    const char *job, *unit, *result;
    uint32_t id;

    (void)ret_error;
    if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0)
        return 0;
    if (bus->job && !bus->result && strcmp(job, bus->job) == 0)
        bus->result = strdup(result);
    return 0;
}

/* Whoever starts a job hears of its end without Manager.Subscribe. On the bus, the sender is given so that no
 * one else's signal counts. */
static int watch_jobs(struct cgroup_bus *bus, bool is_bus)
{
    return sd_bus_match_signal(bus->bus, &bus->slot, is_bus ? SERVICE : NULL, PATH, INTERFACE, "JobRemoved",
                               on_job_removed, bus);
}

int cgroup_bus_open(struct cgroup_bus *bus, int64_t deadline_ms, struct cl_error *e)
{
    int r = -ENOENT;

    *bus = (struct cgroup_bus){.deadline_ms = deadline_ms};
    for (size_t i = 0; i < CL_ARRAY_SIZE(addresses); i++) {
        r = connect_to(bus, &addresses[i]);
        if (r == 0)
            r = watch_jobs(bus, addresses[i].is_bus);
        if (r >= 0)
            return 0;
        cgroup_bus_close(bus);
    }
    if (left_us(bus) == 0) /* sd-bus may call it a reset connection */
        r = -ETIMEDOUT;
    return cl_fail(e, -r, "connect to systemd");
}

void cgroup_bus_close(struct cgroup_bus *bus)
{
    bus->slot = sd_bus_slot_unref(bus->slot);
    bus->bus = sd_bus_flush_close_unref(bus->bus);
    cl_freep(&bus->job);
    cl_freep(&bus->result);
}

int cgroup_bus_call_new(struct cgroup_bus *bus, const char *method, sd_bus_message **ret)
{
    return sd_bus_message_new_method_call(bus->bus, ret, SERVICE, PATH, INTERFACE, method);
}

static int error_number(const sd_bus_error *error, int r)
{
    if (sd_bus_error_has_name(error, SERVICE ".UnitExists"))
        return EEXIST;
    if (sd_bus_error_has_name(error, SERVICE ".NoSuchUnit"))
        return ENOENT;
    if (sd_bus_error_has_name(error, SERVICE ".LoadFailed"))
        return ESTALE;
    if (sd_bus_error_is_set(error))
        return sd_bus_error_get_errno(error);
    return -r;
}

int cgroup_bus_call(struct cgroup_bus *bus, sd_bus_message *call, const char *what,
                    sd_bus_message **ret_reply, struct cl_error *e)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    int64_t left = left_us(bus);
    int r;

    if (left == 0)
        return cl_fail(e, ETIMEDOUT, "ask systemd to %s", what);
    r = sd_bus_call(bus->bus, call, (uint64_t)left, &error, ret_reply);
    if (r < 0)
        r = cl_fail(e, error_number(&error, r), "ask systemd to %s: %s", what,
                    error.message ? error.message : "no answer");
    sd_bus_error_free(&error);
    return r < 0 ? r : 0;
}

static int wait_job(struct cgroup_bus *bus, const char *what, struct cl_error *e)
{
    while (!bus->result) {
        int r = step(bus);

        if (r < 0)
            return cl_fail(e, -r, "wait for systemd to %s", what);
    }
    if (strcmp(bus->result, "done") != 0)
        return cl_fail(e, ECANCELED, "wait for systemd to %s: its job ended as \"%s\"", what, bus->result);
    return 0;
}

int cgroup_bus_call_job(struct cgroup_bus *bus, sd_bus_message *call, const char *what, struct cl_error *e)
{
    sd_bus_message *reply = NULL;
    const char *job;
    int r = cgroup_bus_call(bus, call, what, &reply, e);

    if (r < 0)
        return r;
    cl_freep(&bus->job);
    cl_freep(&bus->result);
    r = sd_bus_message_read(reply, "o", &job);
    if (r < 0)
        r = cl_fail(e, -r, "read systemd's answer to %s", what);
    else if (!(bus->job = strdup(job)))
        r = cl_fail(e, ENOMEM, "remember a job");
    else
        r = wait_job(bus, what, e);
    sd_bus_message_unref(reply);
    return r;
}

int cgroup_bus_scope_has(struct cgroup_bus *bus, const char *property, bool *ret, struct cl_error *e)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    cleanup_free char *value = NULL;
    int r = sd_bus_set_method_call_timeout(bus->bus, (uint64_t)left_us(bus) + 1);

    if (r >= 0)
        r = sd_bus_get_property_string(bus->bus, SERVICE, ANY_SCOPE, SERVICE ".Scope", property, &error,
                                       &value);
    if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_PROPERTY)) {
        r = cl_fail(e, error_number(&error, r), "ask systemd for %s of a scope: %s", property,
                    error.message ? error.message : "no answer");
        sd_bus_error_free(&error);
        return r;
    }
    sd_bus_error_free(&error);
    *ret = r >= 0;
    return 0;
}
