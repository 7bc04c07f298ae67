/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The systemd manager: each cell is a transient scope, cloister-ID.scope, in the slice
 * user-UID-cloister.slice that carries the user's limits. systemd alone writes there; what it did is then
 * checked in the filesystem.
 *
 * The slice is made together with its first scope, as a transient unit too, so that its properties go when it
 * does (set on a plain slice, they would stay in /run/systemd/system.control). Its name makes it a child of
 * user-UID.slice and gives it the drop-ins of user-.slice.d, which systemd ships with a TasksMax= of its own
 * and administrators extend: those win over a transient unit's first properties, but not over
 * SetUnitProperties, so the user's limits are set that way at each open, after the scope has started and
 * keeps the slice from being stopped. Nothing of the user runs in the scope before. StopWhenUnneeded= ends
 * the slice after the last scope.
 *
 * Opens and closes of one user are kept apart by the caller, as with the other manager.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_bus.h"
#include "cgroup_internal.h"
#include "cgroup_unit.h"
#include "util.h"

#define SLICE_GRACE_MS 300 /* for systemd to stop the slice by itself */
#define SWEEP_GRACE_MS 200 /* for systemd to see that a scope is empty */
#define START_OVER     50  /* times */
#define ANSWER_MS      2000

bool cgroup_systemd_answers(void)
{
    struct cgroup_bus bus = {0};
    struct cl_error e = {0};
    bool any;
    int r = cgroup_bus_open(&bus, cl_now_ms() + ANSWER_MS, &e);

    if (r == 0)
        r = cgroup_bus_scope_has(&bus, "Result", &any, &e);
    cgroup_bus_close(&bus);
    return r == 0;
}

/* systemd names the property that it refuses: blame the key behind it. */
static int blame(const struct cgroup_setup *setup, enum cgroup_level level, const struct cl_error *cause,
                 struct cl_error *e)
{
    const struct cl_policy *policy = setup->request->policy;

    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
        if (cgroup_limit_table[l].property && strstr(cause->text, cgroup_limit_table[l].property))
            return cl_policy_fail(policy, cgroup_limit_table[l].key[level], e, cause->err, "%s", cause->text);
    for (unsigned i = 0; i < CGROUP_RATE_COUNT; i++)
        if (strstr(cause->text, cgroup_rate_table[i].property))
            return cl_policy_fail(policy, cgroup_limit_table[CGROUP_IO_MAX].key[level], e, cause->err, "%s",
                                  cause->text);
    return cl_fail(e, cause->err, "%s", cause->text);
}

static int start_once(struct cgroup_bus *bus, const struct cgroup_setup *setup,
                      const struct cgroup_unit_names *names, bool oom_policy, bool with_slice,
                      struct cl_error *e)
{
    sd_bus_message *m = NULL;
    char what[96];
    int r = cgroup_bus_call_new(bus, "StartTransientUnit", &m);

    if (r >= 0)
        r = cgroup_unit_fill_start(m, setup, names, oom_policy, with_slice);
    snprintf(what, sizeof(what), "start %s", names->scope);
    r = r < 0 ? cl_fail(e, -r, "put together the call to %s", what) : cgroup_bus_call_job(bus, m, what, e);
    sd_bus_message_unref(m);
    return r;
}

static bool exists(int mount_fd, const char *path)
{
    cleanup_fd int fd = cgroup_dir_open(mount_fd, path, O_PATH);

    return fd >= 0;
}

/* The user's cgroup is the directory of the leaf's path. */
static int open_above(int mount_fd, const char *path, int flags)
{
    char above[128];
    int length = (int)(strrchr(path, '/') - path);

    if (snprintf(above, sizeof(above), "%.*s", length, path) >= (int)sizeof(above))
        return -ENAMETOOLONG;
    return cgroup_dir_open(mount_fd, above, flags);
}

/* Whether the slice has to be made can't be known for sure, as systemd unloads it in its own time. A call
 * that guessed wrong leaves the scope loaded for a moment: hence both ways in turn, with pauses. */
static int start(struct cgroup_bus *bus, const struct cgroup_setup *setup,
                 const struct cgroup_unit_names *names, const char *path, struct cl_error *e)
{
    cleanup_fd int slice_fd = open_above(setup->mount_fd, path, O_PATH);
    bool with_slice = slice_fd < 0;
    struct cl_error cause;
    bool oom_policy = false;
    int pause_ms = 0, r = cgroup_bus_scope_has(bus, "OOMPolicy", &oom_policy, e);

    if (r < 0)
        return r;
    for (int try = 1;; try++, with_slice = !with_slice) {
        cause = (struct cl_error){0};
        r = start_once(bus, setup, names, oom_policy, with_slice, &cause);
        if ((r != -EEXIST && r != -ENOENT && r != -ESTALE) || try == START_OVER ||
            !cgroup_pause(&pause_ms, bus->deadline_ms))
            break;
    }
    return r < 0 ? blame(setup, CGROUP_SESSION, &cause, e) : 0;
}

static int limit_unit(struct cgroup_bus *bus, const struct cgroup_setup *setup, enum cgroup_level level,
                      const char *unit, unsigned which, struct cl_error *e)
{
    struct cl_error cause = {0};
    sd_bus_message *m = NULL;
    char what[96];
    int r = cgroup_bus_call_new(bus, "SetUnitProperties", &m);

    if (r >= 0)
        r = sd_bus_message_append(m, "sb", unit, 1);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = cgroup_unit_append_limits(m, &setup->limits[level], which);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    snprintf(what, sizeof(what), "limit %s", unit);
    r = r < 0 ? cl_fail(&cause, -r, "put together the call to %s", what)
              : cgroup_bus_call(bus, m, what, NULL, &cause);
    sd_bus_message_unref(m);
    return r < 0 ? blame(setup, level, &cause, e) : 0;
}

/* Most logins find the slice as it should be; each property that is set costs systemd a file. */
static int limit_slice(struct cgroup_bus *bus, const struct cgroup_setup *setup,
                       const struct cgroup_unit_names *names, const char *path, struct cl_error *e)
{
    cleanup_fd int slice_fd = open_above(setup->mount_fd, path, O_PATH);
    unsigned which;

    if (slice_fd < 0)
        return cl_fail(e, -slice_fd, "open the cgroup of %s", names->slice);
    which = cgroup_limits_differ(&setup->limits[CGROUP_USER], slice_fd);
    return which ? limit_unit(bus, setup, CGROUP_USER, names->slice, which, e) : 0;
}

int cgroup_systemd_update(struct cgroup_setup *setup, const char *path, enum cgroup_level level, unsigned which,
                          struct cl_error *e)
{
    const struct cgroup_unit_names names = cgroup_unit_names(setup->request->uid, setup->request->id);
    cleanup_bus struct cgroup_bus bus = {0};
    int r = cgroup_bus_open(&bus, setup->request->deadline_ms, e);

    (void)path;
    return r < 0 ? r
                 : limit_unit(&bus, setup, level, level == CGROUP_USER ? names.slice : names.scope, which, e);
}

int cgroup_systemd_create(struct cgroup_setup *setup, const char *path, struct cl_error *e)
{
    const struct cgroup_request *request = setup->request;
    const struct cgroup_unit_names names = cgroup_unit_names(request->uid, request->id);
    cleanup_bus struct cgroup_bus bus = {0};
    int r;

    r = cgroup_bus_open(&bus, request->deadline_ms, e);
    if (r < 0)
        return r;
    if (exists(setup->mount_fd, path))
        return cl_fail(e, EEXIST, "make the cgroup %s", path);
    r = start(&bus, setup, &names, path, e);
    if (r == 0)
        r = limit_slice(&bus, setup, &names, path, e);
    if (r < 0 && cgroup_systemd_remove(setup->mount_fd, path, request->uid, cl_now_ms() + 1000, NULL) < 0)
        return r; /* the scope goes with init, which the caller ends */
    return r;
}

static int stop_unit(const char *unit, const char *mode, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_bus struct cgroup_bus bus = {0};
    sd_bus_message *m = NULL;
    char what[96];
    int r = cgroup_bus_open(&bus, deadline_ms, e);

    if (r < 0)
        return r;
    snprintf(what, sizeof(what), "stop %s", unit);
    r = cgroup_bus_call_new(&bus, "StopUnit", &m);
    if (r >= 0)
        r = sd_bus_message_append(m, "ss", unit, mode);
    if (r < 0) {
        r = cl_fail(e, -r, "put together the call to %s", what);
    } else {
        struct cl_error cause = {0};

        r = cgroup_bus_call_job(&bus, m, what, &cause);
        if (r == -ENOENT) /* it has just been unloaded */
            r = 0;
        if (r < 0)
            r = cl_fail(e, cause.err, "%s", cause.text);
    }
    sd_bus_message_unref(m);
    return r;
}

static bool wait_gone(int mount_fd, const char *path, int64_t deadline_ms)
{
    int pause_ms = 0;

    while (exists(mount_fd, path))
        if (!cgroup_pause(&pause_ms, deadline_ms))
            return false;
    return true;
}

/* An empty scope ends by itself; ask only when it doesn't. */
static int end_scope(int mount_fd, const char *path, int64_t deadline_ms, struct cl_error *e)
{
    int64_t now = cl_now_ms();
    int r;

    if (wait_gone(mount_fd, path, now + (deadline_ms - now) / 2))
        return 0;
    r = stop_unit(strrchr(path, '/') + 1, "replace", deadline_ms, e);
    if (r < 0)
        return r;
    return wait_gone(mount_fd, path, deadline_ms)
               ? 0
               : cl_fail(e, ETIMEDOUT, "wait for systemd to remove %s", path);
}

/* The slice ends by itself too, where StopWhenUnneeded= holds. Otherwise stop it, but not when that would
 * need another job undone ("fail"). A slice that stays is empty, and the next close tries again. */
static void end_slice(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms)
{
    const struct cgroup_unit_names names = cgroup_unit_names(uid, "");
    int64_t grace = cl_now_ms() + SLICE_GRACE_MS;
    int pause_ms = 0, r;

    do {
        cleanup_fd int slice_fd = open_above(mount_fd, path, O_RDONLY);
        cleanup_strv char **scopes = NULL;

        if (slice_fd < 0 || cgroup_dir_list(slice_fd, "", "", &scopes) < 0 || cl_strv_length(scopes) > 0)
            return;
    } while (cgroup_pause(&pause_ms, grace < deadline_ms ? grace : deadline_ms));

    r = stop_unit(names.slice, "fail", deadline_ms, NULL);
    (void)r;
}

int cgroup_systemd_remove(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_fd int leaf_fd = cgroup_dir_open(mount_fd, path, O_RDONLY);
    int r = 0;

    if (leaf_fd < 0 && leaf_fd != -ENOENT)
        return cl_fail(e, -leaf_fd, "open the cgroup %s", path);
    if (leaf_fd >= 0) {
        r = cgroup_dir_kill(leaf_fd, deadline_ms, e);
        if (r == 0)
            r = end_scope(mount_fd, path, deadline_ms, e);
    }
    if (r == 0)
        end_slice(mount_fd, path, uid, deadline_ms);
    return r;
}

static bool is_empty(int mount_fd, const char *path)
{
    cleanup_fd int fd = cgroup_dir_open(mount_fd, path, O_PATH);

    return fd >= 0 && cgroup_dir_populated(fd) == 0;
}

/* systemd removes empty scopes itself, unless it missed their end; a scope that is just being started may
 * look empty for a moment. So: look twice. */
int cgroup_systemd_sweep(int mount_fd, bool (*is_known)(const char *path, void *arg), void *arg,
                         struct cl_error *e)
{
    cleanup_strv char **paths = NULL, **empty = NULL;
    int removed = 0, r = cgroup_systemd_leaves(mount_fd, &paths), pause_ms = 0;
    int64_t until = cl_now_ms() + SWEEP_GRACE_MS;

    for (char **path = paths; r == 0 && path && *path; path++)
        if (is_empty(mount_fd, *path) && !is_known(*path, arg))
            r = cl_strv_add(&empty, *path);
    if (r < 0)
        return cl_fail(e, -r, "list the cells' scopes");
    while (cl_strv_length(empty) > 0 && cgroup_pause(&pause_ms, until))
        ;
    for (char **path = empty; path && *path; path++) {
        if (!is_empty(mount_fd, *path) || is_known(*path, arg))
            continue;
        r = stop_unit(strrchr(*path, '/') + 1, "replace", cl_now_ms() + ANSWER_MS, e);
        if (r < 0)
            return r;
        removed++;
    }
    return removed;
}
