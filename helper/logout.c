/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * With "kill", what a login started ends with it, and the last one takes the cell along; otherwise all goes on, and is
 * cloister-init's to end. While processes have their grace, which may be minutes, the user's lock is free: the cell is marked,
 * so that a login meanwhile gets another.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "channel.h"
#include "close.h"
#include "events.h"
#include "idle.h"
#include "log.h"
#include "logout.h"
#include "procs.h"
#include "session.h"
#include "story.h"
#include "util.h"

#define ANSWER_MS 2000
#define ALONE_MS  300 /* for the service's own process to be gone */
#define PAUSE_MS  20

static int load_cell(int run_fd, const char *cell, struct record **ret, struct cl_error *e)
{
    struct cl_error why = {0};
    int r = record_load(run_fd, cell, ret, &why);

    return r < 0 && r != -ENOENT ? cl_fail(e, -r, "%s", why.text) : r;
}

/* From now on it is ours: nobody joins, and if we die, a sweep goes on. */
static int mark(int run_fd, struct record *record, struct cl_error *e)
{
    int r = record_start_time(getpid(), &record->helper_start, e);

    record->ending = true;
    record->helper = getpid();
    return r < 0 ? r : record_save(run_fd, record, e);
}

/* Another may have ended it while the lock was free. */
static int end_marked(int run_fd, const char *cell, uid_t uid, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    cleanup_fd int lock = -1;
    int r = record_lock(run_fd, uid, deadline_ms, &lock, e);

    if (r == 0)
        r = load_cell(run_fd, cell, &record, e);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return end_cell(run_fd, record, 0, CLOSE_KILL_MS, e);
}

static int64_t after_grace(const struct record *record)
{
    return cl_now_ms() + (int64_t)record->grace * 1000 + CL_DEADLINE_MS;
}

/* The lock is given back here. Without room for a mark, nobody has a grace. */
static int end_all(int run_fd, struct record *record, int *lock, struct cl_error *e)
{
    cleanup_fd int dir = cgroup_open(record->cgroup);
    int64_t until = after_grace(record);
    int r = mark(run_fd, record, e);

    if (r < 0)
        return end_cell(run_fd, record, 0, CLOSE_KILL_MS, e);
    cl_close(lock);
    close_grace(dir, record->init, (int)record->grace * 1000);
    return end_marked(run_fd, record->id, record->uid, until, e);
}

int logout_all(int run_fd, const struct record *record, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_record struct record *now = NULL;
    cleanup_fd int lock = -1;
    int r = record_lock(run_fd, record->uid, deadline_ms, &lock, e);

    if (r == 0)
        r = load_cell(run_fd, record->id, &now, e);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return end_all(run_fd, now, &lock, e);
}

static bool is_known(const char *id, void *arg)
{
    cleanup_login struct login *login = NULL;
    const int *run_fd = arg;

    return login_load(*run_fd, id, &login, NULL) != -ENOENT;
}

/* The limits that this login hit, before its cgroup goes. */
static void tell_story(const struct record *record, const struct login *login, int leaf_fd, bool kill)
{
    cleanup_fd int dir = cgroup_login_dir(leaf_fd, login->id);
    struct story_usage usage = {0};
    struct record own = *record;

    if (dir < 0 || (!kill && procs_each(dir, NULL, NULL) > 0))
        return; /* it goes on, and counts on */
    memcpy(own.id, login->id, sizeof(own.id));
    own.service = login->service;
    own.rhost = login->rhost;
    own.tty = login->tty;
    cl_usage_read(dir, &usage.session);
    story_end(&own, &usage);
}

/* Out of everybody's sight: the file, cloister-init's table, the cgroup if it is empty. */
static int forget(int run_fd, const struct record *record, const struct login *login, bool kill, int wait_ms, struct cl_error *e)
{
    const struct channel_call call = {.run_fd = run_fd,
                                      .cell = record->id,
                                      .init_fd = -1,
                                      .verb = INIT_LEAVE,
                                      .login = login->id,
                                      .kill_fd = -1,
                                      .timeout_ms = wait_ms < ANSWER_MS ? wait_ms : ANSWER_MS};
    cleanup_fd int dir = cgroup_open(record->cgroup);
    int r = 0;

    if (dir >= 0 && record->share == CL_SHARE_USER)
        tell_story(record, login, dir, kill);
    if (dir >= 0 && record->share == CL_SHARE_USER)
        r = cgroup_login_remove(dir, login->id, kill, wait_ms, e);
    (void)!channel_call(&call, NULL, NULL); /* it sees the end of the process in any case */
    if (r == 0)
        r = login_remove(run_fd, login->id);
    if (dir >= 0)
        cgroup_logins_prune(dir, is_known, &run_fd);
    return r < 0 ? cl_fail(e, -r, "remove login %s", login->id) : 0;
}

/* Without the lock: it is only this login that ends. */
static void let_end(const struct record *record, const struct login *login)
{
    cleanup_fd int leaf = cgroup_open(record->cgroup), dir = -1;

    if (leaf < 0 || record->share != CL_SHARE_USER)
        return;
    dir = cgroup_login_dir(leaf, login->id);
    close_grace(dir, 0, (int)record->grace * 1000);
}

/* The service's process for the user ends as we are called. Whatever stays longer was meant to. */
static bool is_alone(const struct record *record)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    cleanup_fd int dir = cgroup_open(record->cgroup);
    int64_t until = cl_now_ms() + ALONE_MS;

    while (dir >= 0 && procs_each(dir, NULL, NULL) > 1) {
        if (cl_now_ms() >= until)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return dir >= 0;
}

static int end_last(int run_fd, struct record *record, const struct login *login, int *lock, struct cl_error *e)
{
    int r;

    if (record->on_logout == CL_ON_LOGOUT_KILL)
        return end_all(run_fd, record, lock, e);
    r = forget(run_fd, record, login, false, CLOSE_KILL_MS, e);
    return r == 0 && is_alone(record) ? end_cell(run_fd, record, 0, CLOSE_KILL_MS, e) : r;
}

/* One of several. When the others have gone in its grace, it is the last after all. */
static int end_one(int run_fd, struct record *record, const struct login *login, int *lock, struct cl_error *e)
{
    cleanup_record struct record *now = NULL;
    int64_t until = after_grace(record);
    size_t others = 0;
    int r;

    if (record->on_logout != CL_ON_LOGOUT_KILL)
        return forget(run_fd, record, login, false, CLOSE_KILL_MS, e);
    cl_close(lock);
    let_end(record, login);
    r = record_lock(run_fd, record->uid, until, lock, e);
    if (r == 0)
        r = load_cell(run_fd, login->cell, &now, e);
    if (r == 0)
        r = logins_count(run_fd, login->cell, login->id, &others, e);
    if (r == 0)
        r = others > 0 ? forget(run_fd, now, login, true, CLOSE_KILL_MS, e) : end_cell(run_fd, now, 0, CLOSE_KILL_MS, e);
    return r == -ENOENT ? 0 : r;
}

int logout(int run_fd, const struct login *login, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    cleanup_login struct login *now = NULL;
    cleanup_fd int lock = -1;
    size_t others = 0;
    int r = record_lock(run_fd, login->uid, deadline_ms, &lock, e);

    if (r < 0)
        return r;
    if (login_load(run_fd, login->id, &now, NULL) == -ENOENT)
        return 0; /* the whole cell has ended */
    r = load_cell(run_fd, login->cell, &record, e);
    event_logout(login, r == 0 && idle_ends(run_fd, record, login) ? "idle" : NULL);
    if (r < 0)
        return r == -ENOENT ? login_remove(run_fd, login->id) : r;
    r = logins_count(run_fd, login->cell, login->id, &others, e);
    if (r < 0)
        return r;
    return others > 0 ? end_one(run_fd, record, login, &lock, e) : end_last(run_fd, record, login, &lock, e);
}

/* What the login started, but nothing of others', nor what earlier ones left. Its service sees that its process has gone, and
 * closes the session, perhaps before we are done, and perhaps leaving what runs on. */
static int kill_own(int run_fd, const struct record *record, const struct login *login, int *lock, struct cl_error *e)
{
    cleanup_record struct record *now = NULL;
    cleanup_login struct login *still = NULL;
    int64_t until = after_grace(record);
    size_t others = 0;
    int r;

    cl_close(lock);
    let_end(record, login);
    r = record_lock(run_fd, record->uid, until, lock, e);
    if (r < 0)
        return r;
    if (login_load(run_fd, login->id, &still, NULL) == 0)
        event_logout(login, "kill");
    r = load_cell(run_fd, login->cell, &now, e);
    if (r == 0)
        r = logins_count(run_fd, login->cell, login->id, &others, e);
    if (r == 0)
        r = forget(run_fd, now, login, true, CLOSE_KILL_MS, e);
    if (r == 0 && others == 0 && (now->on_logout == CL_ON_LOGOUT_KILL || is_alone(now)))
        r = end_cell(run_fd, now, 0, CLOSE_KILL_MS, e);
    return r == -ENOENT ? 0 : r;
}

static bool has_cgroup_of_own(const struct record *record, const struct login *login)
{
    cleanup_fd int leaf = cgroup_open(record->cgroup), dir = leaf < 0 ? -1 : cgroup_login_dir(leaf, login->id);

    return dir >= 0;
}

int logout_kill(int run_fd, const struct login *login, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    cleanup_fd int lock = -1;
    int r = record_lock(run_fd, login->uid, deadline_ms, &lock, e);

    if (r == 0)
        r = load_cell(run_fd, login->cell, &record, e);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (record->share != CL_SHARE_USER)
        return end_all(run_fd, record, &lock, e);
    if (!has_cgroup_of_own(record, login))
        return cl_fail(e, EOPNOTSUPP, "login %s has no cgroup that tells its processes from others' in cell %s", login->id,
                       login->cell);
    return kill_own(run_fd, record, login, &lock, e);
}

static unsigned sweep_one(int run_fd, const struct login *seen, int wait_ms)
{
    cleanup_record struct record *record = NULL;
    cleanup_login struct login *login = NULL;
    cleanup_fd int lock = -1;
    int r;

    if (login_in_use(seen) || record_lock(run_fd, seen->uid, cl_now_ms(), &lock, NULL) < 0 ||
        login_load(run_fd, seen->id, &login, NULL) < 0 || login_in_use(login))
        return 0;
    cl_log(LOG_NOTICE, "sweep: id=%s user=%s cell=%s: the login had ended without a close", login->id, login->user,
           login->cell);
    r = record_load(run_fd, login->cell, &record, NULL);
    if (r < 0)
        return r == -ENOENT && login_remove(run_fd, login->id) == 0;
    return forget(run_fd, record, login, record->on_logout == CL_ON_LOGOUT_KILL, wait_ms, NULL) == 0;
}

unsigned logout_sweep(int run_fd, uid_t uid, int wait_ms)
{
    cleanup_logins struct logins logins = {0};
    unsigned n = 0;

    if (logins_load(run_fd, NULL, &logins, NULL) < 0)
        return 0;
    for (size_t i = 0; i < logins.n; i++)
        if (uid == (uid_t)-1 || uid == logins.items[i]->uid)
            n += sweep_one(run_fd, logins.items[i], wait_ms);
    return n;
}
