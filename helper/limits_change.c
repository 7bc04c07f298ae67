/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists of limits are short and in the order of cloister.conf(5).
 */
#include "config.h"

#include <string.h>

#include "limits_change.h"

static bool is_user(const struct record_limit *limit)
{
    return strncmp(limit->key, "cgroup.", 7) == 0 && strncmp(limit->key, "cgroup.session.", 15) != 0;
}

static const struct record_limit *find(const struct limits *limits, const char *key)
{
    for (size_t i = 0; i < limits->n; i++)
        if (strcmp(limits->items[i].key, key) == 0)
            return &limits->items[i];
    return NULL;
}

static void add(struct limits *limits, const struct record_limit *limit)
{
    if (limit && limits->n < RECORD_LIMITS_MAX)
        limits->items[limits->n++] = *limit;
}

static void add_all(struct limits *ret, const struct limits *from, bool user)
{
    for (size_t i = 0; i < from->n; i++)
        if (is_user(&from->items[i]) == user)
            add(ret, &from->items[i]);
}

void limits_target(const struct limits *now, const struct limits *user, const struct limits *own, struct limits *ret)
{
    ret->n = 0;
    add_all(ret, user ? user : now, true);
    add_all(ret, own ? own : now, false);
}

static void add_held(struct limits *ret, const struct limits *before, const struct limits *target, enum cl_key first,
                     enum cl_key last, unsigned pending)
{
    for (enum cl_key key = first; key <= last; key++)
        add(ret, find(pending & 1U << (key - first) ? before : target, cl_key_name(key)));
}

void limits_held(const struct limits *before, const struct limits *target, unsigned user_pending, unsigned session_pending,
                 struct limits *ret)
{
    ret->n = 0;
    add_held(ret, before, target, CL_KEY_CGROUP_PIDS_MAX, CL_KEY_CGROUP_IO, user_pending);
    add_held(ret, before, target, CL_KEY_CGROUP_SESSION_PIDS_MAX, CL_KEY_CGROUP_SESSION_IO, session_pending);
    add(ret, find(target, cl_key_name(CL_KEY_SESSION_MAX)));
}

size_t limits_compare(const struct limits *before, const struct limits *after, struct limit_change ret[LIMIT_CHANGES_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < before->n; i++) {
        const struct record_limit *old = &before->items[i], *new = find(after, old->key);

        if (!new || strcmp(old->value, new->value) != 0)
            ret[n++] = (struct limit_change){old, new};
    }
    for (size_t i = 0; i < after->n; i++)
        if (!find(before, after->items[i].key))
            ret[n++] = (struct limit_change){NULL, &after->items[i]};
    return n;
}
