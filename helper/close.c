/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ending a cell: a courtesy to its processes, then cgroup.kill, which no fork outruns; without a cgroup, the
 * death of pid 1, which takes the pid namespace along.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "close.h"
#include "events.h"
#include "logins.h"
#include "logout.h"
#include "network.h"
#include "procs.h"
#include "session.h"
#include "story.h"
#include "util.h"

#define BARE_WAIT_MS  200
#define GRACE_POLL_MS 20

/* Does the cgroup, open as dir, hold this process? A pid that we read a moment ago may be another's by now.
 */
static bool holds(int dir, pid_t pid)
{
    FILE *procs = NULL;
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), member;
    bool found = false;

    procs = fd < 0 ? NULL : fdopen(fd, "r");
    while (procs && !found && fscanf(procs, "%d", &member) == 1)
        found = member == pid;
    if (procs)
        (void)fclose(procs);
    else
        cl_close(&fd);
    return found;
}

/* arg: the cell's init, which has no part in it. */
static void hang_up(int dir, pid_t pid, void *arg)
{
    static const int signals[] = {SIGHUP, SIGTERM, SIGCONT};
    const pid_t *init = arg;
    cleanup_fd int fd = pid == *init ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0 || !holds(dir, pid))
        return;
    for (size_t i = 0; i < CL_ARRAY_SIZE(signals); i++)
        (void)syscall(SYS_pidfd_send_signal, fd, signals[i], NULL, 0);
}

void close_grace(int dir, pid_t init, int grace_ms)
{
    const struct timespec pause = {.tv_nsec = GRACE_POLL_MS * 1000000L};
    int64_t until = cl_now_ms() + grace_ms;
    unsigned own = init > 0;

    if (grace_ms <= 0 || procs_each(dir, hang_up, &init) <= own)
        return;
    while (cl_now_ms() < until && procs_each(dir, NULL, NULL) > own)
        (void)nanosleep(&pause, NULL);
}

/* Its death takes the pid namespace along. It is not waited for when there is a cgroup to watch: pid 1 does
 * not end before every process of its namespace is reaped, and sshd's monitor reaps its child only after this
 * close. */
static int kill_init(const struct record *record, struct cl_error *e)
{
    cleanup_fd int fd = record_pidfd(record->init, record->init_start);
    struct pollfd ended = {.fd = fd, .events = POLLIN};

    if (fd < 0)
        return 0;
    if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
        return cl_fail(e, errno, "kill the cell's pid 1");
    if (!record->cgroup[0])
        (void)poll(&ended, 1, BARE_WAIT_MS);
    return 0;
}

int end_cell(int run_fd, const struct record *record, int grace_ms, int wait_ms, struct cl_error *e)
{
    struct story_usage usage = {0};
    int r;

    if (grace_ms > 0) {
        cleanup_fd int dir = cgroup_open(record->cgroup);

        close_grace(dir, record->init, grace_ms);
    }
    if (record->cgroup[0])
        story_measure(record, &usage); /* gone with the cgroup */
    r = kill_init(record, e);
    if (r == 0 && record->cgroup[0])
        r = cgroup_remove(record->manager, record->cgroup, record->uid, wait_ms, e);
    if (r < 0)
        return r;
    network_remove(run_fd, record);
    event_closed(record, &usage.session);
    story_end(record, &usage);
    if (record->lasting)
        logins_forget(run_fd, record->id);
    r = record_remove(run_fd, record->id);
    return r < 0 ? cl_fail(e, -r, "remove record %s", record->id) : 0;
}

int close_find(int run_fd, const char *id, pid_t opener, struct record **ret, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    struct cl_error why = {0};
    uint64_t opener_start;
    int r = record_load(run_fd, id, &record, &why);

    if (r == -ENOENT) {
        *ret = NULL;
        return 0;
    }
    if (r < 0)
        return cl_fail(e, -r, "%s", why.text);
    r = record_start_time(opener, &opener_start, e);
    if (r < 0)
        return r;
    if (record->opener != opener || record->opener_start != opener_start)
        return cl_fail(e, EPERM, "cell %s belongs to another process than %d", id, opener);
    *ret = record;
    record = NULL;
    return 0;
}

uint32_t close_time_ms(const struct record *record)
{
    return (uint32_t)record->grace * 1000 + CLOSE_KILL_MS + BARE_WAIT_MS;
}

int close_cell(int run_fd, const struct record *record, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_fd int lock = -1;
    int r;

    if (record->lasting)
        return logout_all(run_fd, record, deadline_ms, e);
    r = record_lock(run_fd, record->uid, deadline_ms, &lock, e);
    return r < 0 ? r : end_cell(run_fd, record, (int)record->grace * 1000, CLOSE_KILL_MS, e);
}

static int kill_login(int run_fd, const char *id, struct cl_error *e)
{
    cleanup_login struct login *login = NULL;
    int r = login_load(run_fd, id, &login, NULL);

    return r < 0 ? r : logout_kill(run_fd, login, cl_now_ms() + CL_DEADLINE_MS, e);
}

static int kill_cell(int run_fd, const char *id, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    int r = record_load(run_fd, id, &record, NULL);

    return r < 0 ? r : close_cell(run_fd, record, cl_now_ms() + CL_DEADLINE_MS, e);
}

/* The records, in which the id is looked up. */
static int open_records(const char *id, const char *of, int *ret_fd, struct cl_error *e)
{
    if (!cl_id_valid(id))
        return cl_fail(e, EINVAL, "\"%.32s\" is not the id of a %s", id, of);
    return record_open_dir(ret_fd, e);
}

/* The first login of a cell has the cell's id: then it is the cell that is meant. */
int kill_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    cleanup_fd int run_fd = -1;
    const char *id = arguments[0];
    int r = open_records(id, "cell", &run_fd, e);

    if (r < 0)
        return r;
    r = kill_cell(run_fd, id, e);
    if (r == -ENOENT && !e->err)
        r = kill_login(run_fd, id, e);
    return r < 0 && !e->err ? cl_fail(e, -r, "no live cell has the id %s, and no login", id) : r;
}

int kill_login_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    cleanup_fd int run_fd = -1;
    const char *id = arguments[0];
    int r = open_records(id, "login", &run_fd, e);

    if (r < 0)
        return r;
    r = kill_login(run_fd, id, e);
    return r < 0 && !e->err ? cl_fail(e, -r, "no login of a cell that lasts has the id %s", id) : r;
}
