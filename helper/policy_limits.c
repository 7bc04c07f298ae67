/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The limits of a policy as text, for the record: what a session is told about them later is what was in
 * force, whatever the policy says by then.
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "policy_limits.h"
#include "schema.h"
#include "util.h"

enum unit { UNIT_NUMBER, UNIT_BYTES, UNIT_PERCENT };

/* In the order of enum cl_key, which is the same for the user's and the session's. */
static const struct {
    size_t offset;
    enum unit unit;
} rows[] = {
    {offsetof(struct cl_limits, pids_max), UNIT_NUMBER},
    {offsetof(struct cl_limits, memory_max), UNIT_BYTES},
    {offsetof(struct cl_limits, memory_high), UNIT_BYTES},
    {offsetof(struct cl_limits, swap_max), UNIT_BYTES},
    {offsetof(struct cl_limits, cpu_max), UNIT_PERCENT},
    {offsetof(struct cl_limits, cpu_weight), UNIT_NUMBER},
};
static_assert(CL_ARRAY_SIZE(rows) == CL_KEY_CGROUP_IO - CL_KEY_CGROUP_PIDS_MAX,
              "a row for each limit but io");
static_assert(CL_ARRAY_SIZE(rows) == CL_KEY_CGROUP_SESSION_IO - CL_KEY_CGROUP_SESSION_PIDS_MAX, "the same");
static_assert(2 * (CL_ARRAY_SIZE(rows) + 1) + 1 <= RECORD_LIMITS_MAX, "room for all, io and session.max too");

static void value_text(uint64_t value, enum unit unit, char *buf, size_t size)
{
    char bytes[32];

    if (unit == UNIT_BYTES)
        (void)snprintf(buf, size, "%s", schema_size_text(value, bytes, sizeof(bytes)));
    else
        (void)snprintf(buf, size, "%" PRIu64 "%s", value, unit == UNIT_PERCENT ? "%" : "");
}

static void add_rate(const char *word, uint64_t rate, bool bytes, char *buf, size_t size)
{
    size_t used = strlen(buf);
    char text[32];

    if (rate == CL_UNLIMITED)
        return;
    if (bytes)
        (void)snprintf(buf + used, size - used, " %s=%s", word, schema_size_text(rate, text, sizeof(text)));
    else
        (void)snprintf(buf + used, size - used, " %s=%" PRIu64, word, rate);
}

static void io_text(const struct cl_limits *limits, char *buf, size_t size)
{
    buf[0] = '\0';
    for (size_t i = 0; i < limits->n_io; i++) {
        const struct cl_io_limit *io = &limits->io[i];
        size_t used = strlen(buf);

        (void)snprintf(buf + used, size - used, "%spath=%s", i > 0 ? ", " : "", io->path);
        add_rate("rbps", io->rbps, true, buf, size);
        add_rate("wbps", io->wbps, true, buf, size);
        add_rate("riops", io->riops, false, buf, size);
        add_rate("wiops", io->wiops, false, buf, size);
    }
}

static struct record_limit *add(const struct cl_policy *policy, enum cl_key key, struct record_limit *ret,
                                size_t *n)
{
    struct record_limit *limit = &ret[(*n)++];

    (void)snprintf(limit->key, sizeof(limit->key), "%s", cl_key_name(key));
    (void)cl_policy_origin(policy, key, limit->source, sizeof(limit->source));
    return limit;
}

/* A limit of the session that only follows the user's is told once. */
static bool follows(const struct cl_policy *policy, enum cl_key key, size_t i)
{
    const struct cl_origin *own = &policy->origin[key], *user = &policy->origin[CL_KEY_CGROUP_PIDS_MAX + i];

    return own != user && own->file && own->file == user->file && own->line == user->line &&
           memcmp((const char *)&policy->cgroup.session + rows[i].offset,
                  (const char *)&policy->cgroup.user + rows[i].offset, sizeof(uint64_t)) == 0;
}

static void add_level(const struct cl_policy *policy, const struct cl_limits *limits, enum cl_key first,
                      enum cl_key io, struct record_limit *ret, size_t *n)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(rows); i++) {
        uint64_t value;

        memcpy(&value, (const char *)limits + rows[i].offset, sizeof(value));
        if (value != CL_UNLIMITED && !follows(policy, first + i, i))
            value_text(value, rows[i].unit, add(policy, first + i, ret, n)->value, sizeof(ret->value));
    }
    if (limits->n_io > 0)
        io_text(limits, add(policy, io, ret, n)->value, sizeof(ret->value));
}

size_t policy_limits(const struct cl_policy *policy, struct record_limit ret[RECORD_LIMITS_MAX])
{
    size_t n = 0;

    add_level(policy, &policy->cgroup.user, CL_KEY_CGROUP_PIDS_MAX, CL_KEY_CGROUP_IO, ret, &n);
    add_level(policy, &policy->cgroup.session, CL_KEY_CGROUP_SESSION_PIDS_MAX, CL_KEY_CGROUP_SESSION_IO, ret,
              &n);
    if (policy->session.max > 0)
        value_text(policy->session.max, UNIT_NUMBER, add(policy, CL_KEY_SESSION_MAX, ret, &n)->value,
                   sizeof(ret->value));
    return n;
}
