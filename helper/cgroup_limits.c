/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The limits: which file, controller, systemd property and policy key each of them is, how its value is
 * written, and how to read back that the kernel holds it. Files as in the kernel's
 * Documentation/admin-guide/cgroup-v2.rst.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "log.h"
#include "util.h"

#define CPU_PERIOD_US 100000 /* the kernel's default, and systemd's */

#define LIMIT(c, f, reset, prop, field, k)                                                                   \
    {                                                                                                        \
        .controller = CGROUP_CONTROLLER_##c, .file = f, .unlimited = reset, .property = prop,                \
        .offset = offsetof(struct cl_limits, field), .key = {                                                \
            [CGROUP_USER] = CL_KEY_CGROUP_##k,                                                               \
            [CGROUP_SESSION] = CL_KEY_CGROUP_SESSION_##k                                                     \
        }                                                                                                    \
    }

const struct cgroup_limit_info cgroup_limit_table[CGROUP_LIMIT_COUNT] = {
    [CGROUP_PIDS_MAX] = LIMIT(PIDS, "pids.max", "max", "TasksMax", pids_max, PIDS_MAX),
    [CGROUP_MEMORY_MAX] = LIMIT(MEMORY, "memory.max", "max", "MemoryMax", memory_max, MEMORY_MAX),
    [CGROUP_MEMORY_HIGH] = LIMIT(MEMORY, "memory.high", "max", "MemoryHigh", memory_high, MEMORY_HIGH),
    [CGROUP_SWAP_MAX] = LIMIT(MEMORY, "memory.swap.max", "max", "MemorySwapMax", swap_max, SWAP_MAX),
    [CGROUP_CPU_MAX] = LIMIT(CPU, "cpu.max", "max", "CPUQuotaPerSecUSec", cpu_max, CPU_MAX),
    [CGROUP_CPU_WEIGHT] = LIMIT(CPU, "cpu.weight", "100", "CPUWeight", cpu_weight, CPU_WEIGHT),
    [CGROUP_IO_MAX] = LIMIT(IO, "io.max", NULL, NULL, io, IO),
};

#define RATE(w, prop, field)                                                                                 \
    {                                                                                                        \
        .word = w, .property = prop, .offset = offsetof(struct cl_io_limit, field)                           \
    }

const struct cgroup_rate_info cgroup_rate_table[CGROUP_RATE_COUNT] = {
    [CGROUP_READ_BYTES] = RATE("rbps", "IOReadBandwidthMax", rbps),
    [CGROUP_WRITE_BYTES] = RATE("wbps", "IOWriteBandwidthMax", wbps),
    [CGROUP_READ_OPS] = RATE("riops", "IOReadIOPSMax", riops),
    [CGROUP_WRITE_OPS] = RATE("wiops", "IOWriteIOPSMax", wiops),
};

static const char *const controller_names[CGROUP_CONTROLLER_COUNT] = {
    [CGROUP_CONTROLLER_PIDS] = "pids",
    [CGROUP_CONTROLLER_MEMORY] = "memory",
    [CGROUP_CONTROLLER_CPU] = "cpu",
    [CGROUP_CONTROLLER_IO] = "io",
};

const char *cgroup_controller_name(enum cgroup_controller controller)
{
    return controller_names[controller];
}

unsigned cgroup_controllers_parse(const char *text)
{
    unsigned mask = 0;

    while (*text) {
        size_t length = strcspn(text, " \n");

        for (unsigned c = 0; c < CGROUP_CONTROLLER_COUNT; c++)
            if (strlen(controller_names[c]) == length && memcmp(controller_names[c], text, length) == 0)
                mask |= 1U << c;
        text += length;
        text += strspn(text, " \n");
    }
    return mask;
}

bool cgroup_limit_is_set(const struct cgroup_limits *limits, enum cgroup_limit limit)
{
    return limit == CGROUP_IO_MAX ? limits->n_devices > 0 : limits->value[limit] != CL_UNLIMITED;
}

unsigned cgroup_controllers_needed(const struct cgroup_setup *setup)
{
    unsigned mask = 0;

    for (unsigned level = 0; level < CGROUP_LEVEL_COUNT; level++)
        for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
            if (cgroup_limit_is_set(&setup->limits[level], l))
                mask |= 1U << cgroup_limit_table[l].controller;
    return mask;
}

static const struct cl_limits *policy_limits(const struct cgroup_setup *setup, enum cgroup_level level)
{
    const struct cl_policy *policy = setup->request->policy;

    return level == CGROUP_USER ? &policy->cgroup.user : &policy->cgroup.session;
}

static uint64_t field_at(const void *base, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)base + offset, sizeof(value));
    return value;
}

/* Two paths may be on one disk: the stricter rate of each kind holds. */
static int add_device(struct cgroup_limits *limits, unsigned major, unsigned minor,
                      const struct cl_io_limit *io)
{
    struct cgroup_device *device = NULL;

    for (size_t i = 0; i < limits->n_devices && !device; i++)
        if (limits->device[i].major == major && limits->device[i].minor == minor)
            device = &limits->device[i];
    if (!device) {
        if (limits->n_devices == CGROUP_DEVICES_MAX)
            return -E2BIG;
        device = &limits->device[limits->n_devices++];
        *device = (struct cgroup_device){.major = major, .minor = minor};
        for (unsigned i = 0; i < CGROUP_RATE_COUNT; i++)
            device->rate[i] = CL_UNLIMITED;
    }
    for (unsigned i = 0; i < CGROUP_RATE_COUNT; i++) {
        uint64_t rate = field_at(io, cgroup_rate_table[i].offset);

        if (rate < device->rate[i])
            device->rate[i] = rate;
    }
    return 0;
}

static bool limits_a_rate(const struct cl_io_limit *io)
{
    for (unsigned i = 0; i < CGROUP_RATE_COUNT; i++)
        if (field_at(io, cgroup_rate_table[i].offset) != CL_UNLIMITED)
            return true;
    return false;
}

static int collect_devices(struct cgroup_setup *setup, enum cgroup_level level, struct cl_error *e)
{
    const struct cl_policy *policy = setup->request->policy;
    const struct cl_limits *from = policy_limits(setup, level);
    enum cl_key key = cgroup_limit_table[CGROUP_IO_MAX].key[level];

    for (size_t i = 0; i < from->n_io; i++) {
        unsigned major, minor;
        int r;

        if (!limits_a_rate(&from->io[i]))
            continue;
        r = cgroup_device_resolve(from->io[i].path, &major, &minor);
        if (r == -ENODEV)
            return cl_policy_fail(
                policy, key, e, ENODEV,
                "%s is on a filesystem without a block device of its own; name the block device",
                from->io[i].path);
        if (r < 0)
            return cl_policy_fail(policy, key, e, -r, "find the disk of %s", from->io[i].path);
        r = add_device(&setup->limits[level], major, minor, &from->io[i]);
        if (r < 0)
            return cl_policy_fail(policy, key, e, -r, "limit more than %d devices", CGROUP_DEVICES_MAX);
    }
    return 0;
}

static bool policy_sets(const struct cl_limits *limits, enum cgroup_limit limit)
{
    if (limit == CGROUP_IO_MAX)
        return limits->n_io > 0;
    return field_at(limits, cgroup_limit_table[limit].offset) != CL_UNLIMITED;
}

static int collect_limit(struct cgroup_setup *setup, enum cgroup_level level, enum cgroup_limit limit,
                         unsigned available, struct cl_error *e)
{
    const struct cl_limits *from = policy_limits(setup, level);
    const struct cgroup_limit_info *info = &cgroup_limit_table[limit];
    char why[64];

    if (!policy_sets(from, limit))
        return 0;
    if (!(available & 1U << info->controller)) {
        snprintf(why, sizeof(why), "cgroup v2 has no %s controller here", controller_names[info->controller]);
        return cgroup_limit_unavailable(setup, level, limit, why, e);
    }
    if (limit == CGROUP_IO_MAX)
        return collect_devices(setup, level, e);
    setup->limits[level].value[limit] = field_at(from, info->offset);
    return 0;
}

void cgroup_limits_none(struct cgroup_limits *limits)
{
    limits->n_devices = 0;
    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
        limits->value[l] = CL_UNLIMITED;
}

int cgroup_limits_collect_level(struct cgroup_setup *setup, enum cgroup_level level, unsigned available,
                                struct cl_error *e)
{
    int r = 0;

    cgroup_limits_none(&setup->limits[level]);
    for (unsigned l = 0; r == 0 && l < CGROUP_LIMIT_COUNT; l++)
        r = collect_limit(setup, level, l, available, e);
    return r;
}

int cgroup_limits_collect(struct cgroup_setup *setup, unsigned available, struct cl_error *e)
{
    int r = 0;

    for (unsigned level = 0; r == 0 && level < CGROUP_LEVEL_COUNT; level++)
        r = cgroup_limits_collect_level(setup, level, available, e);
    return r;
}

int cgroup_limit_unavailable(struct cgroup_setup *setup, enum cgroup_level level, enum cgroup_limit limit,
                             const char *why, struct cl_error *e)
{
    const struct cl_policy *policy = setup->request->policy;
    struct cgroup_limits *limits = &setup->limits[level];
    enum cl_key key = cgroup_limit_table[limit].key[level];
    char origin[300];

    if (policy->cgroup.when_unavailable == CL_UNAVAILABLE_REFUSE)
        return cl_policy_fail(policy, key, e, EOPNOTSUPP, "the limit is set, but %s", why);
    cl_log(LOG_WARNING, "uid %u runs without %s (%s): %s", (unsigned)setup->request->uid, cl_key_name(key),
           cl_policy_origin(policy, key, origin, sizeof(origin)), why);
    limits->value[limit] = CL_UNLIMITED;
    if (limit == CGROUP_IO_MAX)
        limits->n_devices = 0;
    return 0;
}

int cgroup_controller_unavailable(struct cgroup_setup *setup, enum cgroup_controller controller,
                                  const char *why, struct cl_error *e)
{
    for (unsigned level = 0; level < CGROUP_LEVEL_COUNT; level++)
        for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++) {
            int r;

            if (cgroup_limit_table[l].controller != controller ||
                !cgroup_limit_is_set(&setup->limits[level], l))
                continue;
            r = cgroup_limit_unavailable(setup, level, l, why, e);
            if (r < 0)
                return r;
        }
    return 0;
}

void cgroup_limit_format(enum cgroup_limit limit, uint64_t value, char *buf, size_t size)
{
    if (value == CL_UNLIMITED)
        snprintf(buf, size, "%s", cgroup_limit_table[limit].unlimited);
    else if (limit == CGROUP_CPU_MAX) /* percent of one CPU */
        snprintf(buf, size, "%" PRIu64 " %d", value * (CPU_PERIOD_US / 100), CPU_PERIOD_US);
    else
        snprintf(buf, size, "%" PRIu64, value);
}

void cgroup_device_format(const struct cgroup_device *device, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "%u:%u", device->major, device->minor);

    for (unsigned i = 0; i < CGROUP_RATE_COUNT && used < size; i++) {
        const char *word = cgroup_rate_table[i].word;

        if (device->rate[i] == CL_UNLIMITED)
            used += (size_t)snprintf(buf + used, size - used, " %s=max", word);
        else
            used += (size_t)snprintf(buf + used, size - used, " %s=%" PRIu64, word, device->rate[i]);
    }
}

bool cgroup_limit_in_force(enum cgroup_limit limit, uint64_t value, const char *text)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), quota, period;
    char want[64];

    if (limit == CGROUP_CPU_MAX && value != CL_UNLIMITED)
        return sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) == 2 && quota * 100 == period * value;
    if (limit == CGROUP_CPU_MAX)
        return strncmp(text, "max", 3) == 0;
    if (cgroup_limit_table[limit].controller == CGROUP_CONTROLLER_MEMORY && value != CL_UNLIMITED) {
        if (value / page >= INT64_MAX / page) /* more than the kernel counts */
            return strcmp(text, "max") == 0;
        value -= value % page;
    }
    cgroup_limit_format(limit, value, want, sizeof(want));
    return strcmp(text, want) == 0;
}

bool cgroup_device_in_force(const struct cgroup_device *device, const char *text)
{
    char want[160];
    size_t length;

    cgroup_device_format(device, want, sizeof(want));
    length = strlen(want);
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, want, length) == 0 && (line[length] == '\0' || line[length] == '\n'))
            return true;
    return false;
}
