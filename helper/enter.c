/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Joining a cell, which live.c proves to be the one of the record. The layers are those of its open, all of them, as for the
 * login itself. The user's lock is held until the command is placed, so that no close or sweep comes between.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "enter.h"
#include "handoff.h"
#include "launch.h"
#include "live.h"
#include "log.h"
#include "opener.h"
#include "record.h"
#include "run_verb.h"
#include "session.h"
#include "util.h"

#define LOCK_WAIT_MS 2000

struct enter {
    const char *id;
    int sock, opener_fd, run_fd, lock_fd;
    pid_t opener;
    struct record *record;
    struct cl_plan plan;
    struct cl_plan_fds fds;
    struct cl_user *user;
    struct streams streams;
    struct cl_run_request asked;
};

static void enter_clear(struct enter *x)
{
    cl_close(&x->opener_fd);
    cl_close(&x->run_fd);
    cl_close(&x->lock_fd);
    record_free(x->record);
    cl_plan_fds_close(&x->fds);
    cl_user_free(x->user);
    streams_clear(&x->streams);
}

#define cleanup_enter __attribute__((cleanup(enter_clear)))

/* Its record is read twice: the first time to learn whose lock it is. */
static int find_record(struct enter *x, struct cl_error *e)
{
    cleanup_record struct record *seen = NULL;
    int r;

    if (!cl_id_valid(x->id))
        return cl_fail(e, EINVAL, "\"%.32s\" is not the id of a cell", x->id);
    r = record_open_dir(&x->run_fd, e);
    if (r < 0)
        return r;
    if (record_load(x->run_fd, x->id, &seen, NULL) < 0 || !seen->live)
        return cl_fail(e, ENOENT, "no live cell has the id %s", x->id);
    r = record_lock(x->run_fd, seen->uid, cl_now_ms() + LOCK_WAIT_MS, &x->lock_fd, e);
    if (r < 0)
        return r;
    if (record_load(x->run_fd, x->id, &x->record, NULL) < 0 || !x->record->live || x->record->ending ||
        x->record->uid == 0 || x->record->uid != seen->uid)
        return cl_fail(e, ENOENT, "no live cell has the id %s", x->id);
    return 0;
}

static int open_cell(struct enter *x, struct cl_error *e)
{
    int r = live_open(x->run_fd, x->record, &x->plan, &x->fds, e);

    if (r < 0)
        return r;
    x->plan.placement = CL_PLACEMENT_CREDENTIALS; /* no service comes after us, whoever opened the cell */
    return cl_user_lookup_uid(x->plan.uid, &x->user, e);
}

static int open_cgroup(struct enter *x, struct cl_error *e)
{
    cleanup_fd int dir = -1;

    if (!x->plan.has_cgroup)
        return 0;
    dir = cgroup_open(x->record->cgroup);
    if (dir >= 0)
        x->fds.fd[CL_FD_CGROUP] = openat(dir, x->record->share == CL_SHARE_USER ? CGROUP_OF_CELL "/cgroup.procs" : "cgroup.procs",
                                         O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    return x->fds.fd[CL_FD_CGROUP] < 0 ? cl_fail(e, errno, "open the cgroup of cell %s", x->id) : 0;
}

static int join(struct enter *x, const struct caller *caller, char *const *command, int64_t deadline_ms,
                struct cl_error *e)
{
    struct launch l = {.caller = caller,
                       .sock = x->sock,
                       .opener_fd = x->opener_fd,
                       .plan = &x->plan,
                       .streams = &x->streams,
                       .term = x->asked.term,
                       .command = command,
                       .init_go = -1,
                       .dies_with_opener = true,
                       .deadline_ms = deadline_ms};
    cleanup_fd int pts = -1;
    int r = find_record(x, e);

    if (r == 0)
        r = open_cell(x, e);
    if (r == 0)
        r = open_cgroup(x, e);
    if (r == 0 && x->asked.terminal)
        r = streams_find_pts(x->record->init, x->fds.fd[CL_FD_INIT], &pts, e);
    if (r == 0)
        r = streams_open(pts, x->asked.terminal, x->asked.error_terminal, &x->streams, e);
    if (r < 0)
        return r;
    l.user = x->user;
    l.fds = x->fds;
    return launch(&l, e);
}

static int answer_refused(const struct enter *x, const struct cl_error *cause, struct cl_error *e)
{
    const struct cl_log_about about = {.id = x->id, .error = cause};
    struct cl_reply reply = {.version = CL_HANDOFF_VERSION, .type = CL_REPLY_REFUSED};
    int r;

    (void)cl_error_format(cause, reply.text, sizeof(reply.text));
    cl_log_about(LOG_ERR, &about, "enter refused: id=%s %s", x->id, reply.text);
    r = cl_send(x->sock, &reply, sizeof(reply), NULL, 0);
    return r < 0 ? cl_fail(e, -r, "answer the caller") : 0;
}

int enter_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    cleanup_enter struct enter x = {.sock = CL_HANDOFF_FD,
                                    .opener_fd = -1,
                                    .run_fd = -1,
                                    .lock_fd = -1,
                                    .fds = {.fd = CL_NO_FDS},
                                    .streams = {.inner = {-1, -1, -1}, .outer = {-1, -1, -1}}};
    int64_t deadline_ms = cl_now_ms() + CL_DEADLINE_MS;
    struct cl_log_about about;
    struct cl_error cause = {0};
    int r;

    run_hold_signals();
    x.id = arguments[0];
    if (!x.id)
        return cl_fail(e, EINVAL, "the id of a cell is missing");
    r = opener_find(x.sock, caller->uid, &x.opener, &x.opener_fd, e);
    if (r == 0)
        r = run_receive(x.sock, deadline_ms, &x.asked, e);
    if (r < 0)
        return r;
    if (join(&x, caller, arguments + 1, deadline_ms, &cause) < 0)
        return answer_refused(&x, &cause, e);
    about = (struct cl_log_about){
        .id = x.id, .user = x.user->name, .uid = x.user->uid, .policy = x.plan.policy};
    cl_log_about(LOG_NOTICE, &about, "enter: id=%s user=%s policy=%s opener=%d", x.id, x.user->name, x.plan.policy,
                 x.opener);
    return 0;
}
