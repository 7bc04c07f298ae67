/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From counters to what a person is told. The same limit may be set for the session and for the user; which
 * of the two a counter means is the kernel's to say (memory.events.local, pids.events.local, cpu.stat), and
 * where it cannot, both are named.
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hits.h"
#include "util.h"

struct kind_info {
    const char *name, *one, *many; /* "3 processes killed": of one, of more; NULL: a time is told */
    const char *key;               /* below "cgroup." and "cgroup.session." */
    const char *otherwise;         /* where no limit of the policy did it */
    const char *brief;
};

static const struct kind_info kinds[] = {
    [HIT_OOM_KILLS] = {"oom_kills", "process killed", "processes killed", "memory_max",
                       "for want of memory on the host", "killed"},
    [HIT_FORKS] = {"forks_refused", "fork refused", "forks refused", "pids_max", "by a limit of the host", "forks"},
    [HIT_MEMORY_MAX] = {"memory_max_reached", "time memory reclaimed", "times memory reclaimed", "memory_max",
                        "by a limit of the host", "memory"},
    [HIT_MEMORY_HIGH] = {"memory_high_reached", "time memory reclaimed", "times memory reclaimed",
                         "memory_high", "by a limit of the host", "memory_high"},
    [HIT_SWAP] = {"swap_refused", "time swapping refused", "times swapping refused", "swap_max",
                  "by a limit of the host", "swap"},
    [HIT_CPU] = {"cpu_throttled", NULL, NULL, "cpu_max", "by a limit of the host", "cpu"},
};
static_assert(CL_ARRAY_SIZE(kinds) == HIT_KIND_COUNT, "a row for each kind of hit");

/* What hits_find works on. */
struct finding {
    const struct cl_usage *session, *user;
    const struct record_limit *limits;
    size_t n_limits;
    struct hit *hits;
    size_t n;
};

/* A session without a limit of its own has the user's, see config/resolve.c. */
static const struct record_limit *find_limit(const struct finding *f, enum hit_kind kind, bool of_user)
{
    char key[sizeof(f->limits->key)];

    (void)snprintf(key, sizeof(key), "cgroup.%s%s", of_user ? "" : "session.", kinds[kind].key);
    for (size_t i = 0; i < f->n_limits; i++)
        if (strcmp(f->limits[i].key, key) == 0)
            return &f->limits[i];
    return of_user ? NULL : find_limit(f, kind, true);
}

static struct hit *add(struct finding *f, enum hit_kind kind, uint64_t count, bool of_user)
{
    struct hit *hit = &f->hits[f->n];

    if (count == 0)
        return NULL;
    f->n++;
    *hit = (struct hit){.kind = kind, .count = count, .of_user = of_user};
    return hit;
}

/* A counter that says whose limit it was. */
static struct hit *add_own(struct finding *f, enum hit_kind kind, enum cl_use use, bool of_user)
{
    const struct cl_usage *usage = of_user ? f->user : f->session;
    struct hit *hit = usage ? add(f, kind, usage->n[use], of_user) : NULL;

    if (hit)
        hit->limit = find_limit(f, kind, of_user);
    return hit;
}

/* A counter of the session that may mean the user's limit as well. */
static void add_either(struct finding *f, enum hit_kind kind, enum cl_use use)
{
    struct hit *hit = add(f, kind, f->session->n[use], false);

    if (!hit)
        return;
    hit->limit = find_limit(f, kind, false);
    hit->or_limit = find_limit(f, kind, true);
    if (hit->or_limit == hit->limit)
        hit->or_limit = NULL;
}

static void find_forks(struct finding *f)
{
    if (!f->session->known[CL_USE_PIDS_MAX_OWN]) {
        add_either(f, HIT_FORKS, CL_USE_PIDS_MAX_HITS);
        return;
    }
    (void)add_own(f, HIT_FORKS, CL_USE_PIDS_MAX_OWN, false);
    (void)add_own(f, HIT_FORKS, CL_USE_PIDS_MAX_OWN, true);
}

/* The kill is counted where the process was, what caused it where the limit is. Returns whether the session's
 * limit, and whether the user's, killed: that it was reached is not told again. */
static void find_kills(struct finding *f, bool *ret_session, bool *ret_user)
{
    struct hit *hit = add(f, HIT_OOM_KILLS, f->session->n[CL_USE_OOM_KILLS], false);

    *ret_session = hit && f->session->n[CL_USE_OOM_OWN] > 0;
    *ret_user = hit && f->user && f->user->n[CL_USE_OOM_OWN] > 0;
    if (!hit)
        return;
    if (*ret_session)
        hit->limit = find_limit(f, HIT_OOM_KILLS, false);
    if (*ret_user || (!*ret_session && !f->user))
        *(hit->limit ? &hit->or_limit : &hit->limit) = find_limit(f, HIT_OOM_KILLS, true);
    if (hit->or_limit == hit->limit)
        hit->or_limit = NULL;
}

static void find_cpu(struct finding *f, bool of_user)
{
    struct hit *hit = add_own(f, HIT_CPU, CL_USE_CPU_THROTTLED, of_user);

    if (hit)
        hit->usec = (of_user ? f->user : f->session)->n[CL_USE_CPU_THROTTLED_USEC];
}

size_t hits_find(const struct cl_usage *session, const struct cl_usage *user,
                 const struct record_limit *limits, size_t n_limits, struct hit ret[HITS_MAX])
{
    struct finding f = {
        .session = session, .user = user, .limits = limits, .n_limits = n_limits, .hits = ret};
    bool killed_session, killed_user;

    find_kills(&f, &killed_session, &killed_user);
    find_forks(&f);
    if (!killed_session)
        (void)add_own(&f, HIT_MEMORY_MAX, CL_USE_MEMORY_MAX_OWN, false);
    if (!killed_user)
        (void)add_own(&f, HIT_MEMORY_MAX, CL_USE_MEMORY_MAX_OWN, true);
    (void)add_own(&f, HIT_MEMORY_HIGH, CL_USE_MEMORY_HIGH_OWN, false);
    (void)add_own(&f, HIT_MEMORY_HIGH, CL_USE_MEMORY_HIGH_OWN, true);
    add_either(&f, HIT_SWAP, CL_USE_SWAP_MAX_HITS);
    find_cpu(&f, false);
    find_cpu(&f, true);
    return f.n;
}

/* "session.pids_max 100, set in 50-students.conf:12": what the administrator wrote, and where. */
static void limit_text(const struct record_limit *limit, char *buf, size_t size)
{
    const char *key = strncmp(limit->key, "cgroup.", 7) == 0 ? limit->key + 7 : limit->key;
    const char *file = strrchr(limit->source, '/');
    bool written = strchr(limit->source, ':') != NULL;

    (void)snprintf(buf, size, "%s %s, %s%s", key, limit->value, written ? "set in " : "",
                   file ? file + 1 : limit->source);
}

const char *hit_text(const struct hit *hit, char *buf, size_t size)
{
    const struct kind_info *kind = &kinds[hit->kind];
    char what[96], limit[480] = "", other[480] = "";

    if (kind->one)
        (void)snprintf(what, sizeof(what), "%" PRIu64 " %s", hit->count,
                       hit->count == 1 ? kind->one : kind->many);
    else
        (void)snprintf(what, sizeof(what), "processors held back for %" PRIu64 ".%02" PRIu64 " s",
                       hit->usec / 1000000, hit->usec / 10000 % 100);
    if (hit->limit)
        limit_text(hit->limit, limit, sizeof(limit));
    if (hit->or_limit)
        limit_text(hit->or_limit, other, sizeof(other));
    (void)snprintf(buf, size, "%s %s%s%s%s", what, hit->limit ? "at " : kind->otherwise, limit,
                   hit->or_limit ? ", or at " : "", other);
    for (char *p = buf; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    return buf;
}

const char *hit_brief(const struct hit *hit, char *buf, size_t size)
{
    const char *whose = hit->of_user ? "user: " : "", *brief = kinds[hit->kind].brief;

    if (hit->kind == HIT_CPU)
        (void)snprintf(buf, size, "%s%" PRIu64 ".%02" PRIu64 "s %s", whose, hit->usec / 1000000,
                       hit->usec / 10000 % 100, brief);
    else
        (void)snprintf(buf, size, "%s%" PRIu64 " %s", whose, hit->count, brief);
    return buf;
}

static void append_limit(json_t *array, const struct record_limit *limit)
{
    if (limit)
        (void)json_array_append_new(array, record_limit_json(limit));
}

json_t *hit_json(const struct hit *hit)
{
    json_t *object = json_object(), *limits = json_array();
    char text[1000];

    append_limit(limits, hit->limit);
    append_limit(limits, hit->or_limit);
    (void)json_object_set_new(object, "what", json_string(kinds[hit->kind].name));
    (void)json_object_set_new(object, "count", json_integer((json_int_t)hit->count));
    if (hit->kind == HIT_CPU)
        (void)json_object_set_new(object, "usec", json_integer((json_int_t)hit->usec));
    (void)json_object_set_new(object, "of_user", json_boolean(hit->of_user));
    (void)json_object_set_new(object, "limits", limits);
    (void)json_object_set_new(object, "text", json_string(hit_text(hit, text, sizeof(text))));
    return object;
}

json_t *hits_json(const struct hit *hits, size_t n, bool of_user)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        if (hits[i].of_user == of_user)
            (void)json_array_append_new(array, hit_json(&hits[i]));
    return array;
}

json_t *usage_json(const struct cl_usage *usage)
{
    json_t *object = json_object();

    for (enum cl_use use = 0; use < CL_USE_COUNT; use++)
        (void)json_object_set_new(object, cl_use_name(use),
                                  !usage->known[use]                 ? json_null()
                                  : usage->n[use] == CL_USAGE_MAX ? json_string("max")
                                                                  : json_integer((json_int_t)usage->n[use]));
    return object;
}
