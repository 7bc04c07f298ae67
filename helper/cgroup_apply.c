/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writing limits into a cgroup's files, and reading back that they are in force: what a policy promises is
 * checked at every login, with either manager, instead of trusted.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

/* A file is missing: because the kernel doesn't have it (0), or because the whole cgroup is gone (-ESTALE)?
 */
static int gone(int dir_fd)
{
    return faccessat(dir_fd, "cgroup.procs", F_OK, 0) < 0 ? -ESTALE : 0;
}

static bool has_device(const struct cgroup_limits *limits, unsigned major, unsigned minor)
{
    for (size_t i = 0; i < limits->n_devices; i++)
        if (limits->device[i].major == major && limits->device[i].minor == minor)
            return true;
    return false;
}

/* Lift the limits that an earlier policy put on devices which this one doesn't name. */
static int reset_devices(const struct cgroup_limits *limits, int dir_fd)
{
    cleanup_free char *text = NULL;
    int r = cl_read_file_at(dir_fd, "io.max", &text);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    for (char *next, *line = text; line && *line; line = next) {
        struct cgroup_device device;
        char buf[160];

        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (sscanf(line, "%u:%u", &device.major, &device.minor) != 2 ||
            has_device(limits, device.major, device.minor))
            continue;
        for (unsigned i = 0; i < CGROUP_RATE_COUNT; i++)
            device.rate[i] = CL_UNLIMITED;
        cgroup_device_format(&device, buf, sizeof(buf));
        r = cl_write_file_at(dir_fd, "io.max", buf);
        if (r < 0 && r != -ENODEV) /* a disk that was unplugged has no limits */
            return r;
    }
    return 0;
}

static int write_devices(struct cgroup_setup *setup, enum cgroup_level level, int dir_fd, struct cl_error *e)
{
    const struct cl_policy *policy = setup->request->policy;
    const struct cgroup_limits *limits = &setup->limits[level];
    enum cl_key key = cgroup_limit_table[CGROUP_IO_MAX].key[level];
    int r = reset_devices(limits, dir_fd);

    if (r < 0)
        return cl_policy_fail(policy, key, e, -r, "lift earlier limits in io.max");
    for (size_t i = 0; i < limits->n_devices; i++) {
        char buf[160];

        cgroup_device_format(&limits->device[i], buf, sizeof(buf));
        r = cl_write_file_at(dir_fd, "io.max", buf);
        if (r == -ENOENT && gone(dir_fd) == 0)
            return cgroup_limit_unavailable(setup, level, CGROUP_IO_MAX, "the kernel has no io.max", e);
        if (r == -ENOENT || (r == -ENODEV && gone(dir_fd) < 0))
            return -ESTALE;
        if (r < 0)
            return cl_policy_fail(policy, key, e, -r, "write \"%s\" to io.max", buf);
    }
    return 0;
}

static int write_limit(struct cgroup_setup *setup, enum cgroup_level level, enum cgroup_limit limit,
                       int dir_fd, struct cl_error *e)
{
    const struct cgroup_limit_info *info = &cgroup_limit_table[limit];
    uint64_t value = setup->limits[level].value[limit];
    char buf[64], why[64];
    int r;

    cgroup_limit_format(limit, value, buf, sizeof(buf));
    r = cl_write_file_at(dir_fd, info->file, buf);
    if ((r == -ENOENT || r == -ENODEV) && gone(dir_fd) < 0)
        return -ESTALE;
    if (r == -ENOENT && value == CL_UNLIMITED)
        return 0;
    if (r == -ENOENT) {
        snprintf(why, sizeof(why), "the kernel has no %s", info->file);
        return cgroup_limit_unavailable(setup, level, limit, why, e);
    }
    if (r < 0)
        return cl_policy_fail(setup->request->policy, info->key[level], e, -r, "write \"%s\" to %s", buf,
                              info->file);
    return 0;
}

int cgroup_limits_write(struct cgroup_setup *setup, enum cgroup_level level, unsigned which, int dir_fd,
                        struct cl_error *e)
{
    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++) {
        int r = !(which & 1U << l) ? 0
                : l == CGROUP_IO_MAX ? write_devices(setup, level, dir_fd, e)
                                       : write_limit(setup, level, l, dir_fd, e);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Does the text of its file say that a limit is in force? */
static bool says(const struct cgroup_limits *limits, enum cgroup_limit limit, const char *text)
{
    if (limit != CGROUP_IO_MAX)
        return cgroup_limit_in_force(limit, limits->value[limit], text);
    for (size_t i = 0; i < limits->n_devices; i++)
        if (!cgroup_device_in_force(&limits->device[i], text))
            return false;
    return true;
}

/* 0 in force, -ENOENT the file isn't there, -EAGAIN it says *ret_text. */
static int check_limit(const struct cgroup_limits *limits, enum cgroup_limit limit, int dir_fd,
                       char **ret_text)
{
    cleanup_free char *text = NULL;
    int r = cl_read_file_at(dir_fd, cgroup_limit_table[limit].file, &text);

    if (r < 0 || says(limits, limit, text))
        return r;
    *ret_text = text;
    text = NULL;
    return -EAGAIN;
}

/* A device that has a limit, and isn't to have one? */
static bool limits_others(const struct cgroup_limits *limits, const char *text)
{
    unsigned major, minor;

    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (sscanf(line, "%u:%u", &major, &minor) == 2 && !has_device(limits, major, minor))
            return true;
    return false;
}

unsigned cgroup_limits_differ(const struct cgroup_limits *limits, int dir_fd)
{
    unsigned which = 0;

    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++) {
        cleanup_free char *text = NULL;
        int r = cl_read_file_at(dir_fd, cgroup_limit_table[l].file, &text);
        bool same = r == -ENOENT && !cgroup_limit_is_set(limits, l);

        if (r == 0)
            same = says(limits, l, text) && !(l == CGROUP_IO_MAX && limits_others(limits, text));
        if (!same)
            which |= 1U << l;
    }
    return which;
}

static int verify_limit(struct cgroup_setup *setup, enum cgroup_level level, enum cgroup_limit limit,
                        int dir_fd, int64_t until_ms, struct cl_error *e)
{
    const struct cgroup_limit_info *info = &cgroup_limit_table[limit];
    cleanup_free char *text = NULL;
    char why[64];
    int r, pause_ms = 0;

    do {
        cl_freep(&text);
        text = NULL;
        r = check_limit(&setup->limits[level], limit, dir_fd, &text);
    } while ((r == -ENOENT || r == -EAGAIN) && cgroup_pause(&pause_ms, until_ms));

    if ((r == -ENOENT || r == -ENODEV) && gone(dir_fd) < 0)
        return cl_fail(e, ESTALE, "read %s: the cgroup is gone", info->file);
    if (r == -ENOENT) {
        snprintf(why, sizeof(why), "its cgroup has no %s", info->file);
        return cgroup_limit_unavailable(setup, level, limit, why, e);
    }
    if (r == -EAGAIN)
        return cl_policy_fail(setup->request->policy, info->key[level], e, EIO,
                              "the limit did not take effect: %s says \"%s\"", info->file, text);
    if (r < 0)
        return cl_policy_fail(setup->request->policy, info->key[level], e, -r, "read %s", info->file);
    return 0;
}

int cgroup_limits_verify(struct cgroup_setup *setup, enum cgroup_level level, int dir_fd, int settle_ms,
                         struct cl_error *e)
{
    int64_t until_ms = cl_now_ms() + settle_ms;

    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++) {
        int r;

        if (!cgroup_limit_is_set(&setup->limits[level], l))
            continue;
        r = verify_limit(setup, level, l, dir_fd, until_ms, e);
        if (r < 0)
            return r;
    }
    return 0;
}
