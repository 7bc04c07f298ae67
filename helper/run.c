/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `cloister run`: the stages of a login, for a command. What the caller may say, it says in one request: who is not root
 * chooses nothing but its command and whether it has a terminal. The caller is the opener: when it ends, however, so does
 * the cell, by cloister-init; in the end it asks for the close with `end`, as a login service does.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "close.h"
#include "events.h"
#include "launch.h"
#include "opener.h"
#include "record.h"
#include "run_verb.h"
#include "session.h"
#include "streams.h"
#include "util.h"

#define SEND_SECONDS 2

/* The session comes first: deliver finds the rest from it. */
struct run {
    struct session session;
    const struct caller *caller;
    char *const *command;
    struct cl_run_request asked;
    struct cl_request request; /* as a login's */
    struct choice choice;
    struct streams streams;
};

void run_hold_signals(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
}

/* Who holds our end of the pair, too, may have filled it. */
static int limit_sends(int sock, struct cl_error *e)
{
    const struct timeval limit = {.tv_sec = SEND_SECONDS};

    return setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0
               ? cl_fail(e, errno, "limit the time of an answer")
               : 0;
}

int run_receive(int sock, int64_t deadline_ms, struct cl_run_request *ret, struct cl_error *e)
{
    int r = limit_sends(sock, e);

    if (r < 0)
        return r;
    r = cl_receive(sock, ret, sizeof(*ret), NULL, 0, NULL, deadline_ms);
    if (r < 0)
        return cl_fail(e, -r, "receive the request");
    return cl_run_request_valid(ret) ? 0
                                     : cl_fail(e, EBADMSG, "request is malformed, or of another version");
}

static const char *given(const char *text)
{
    return text[0] ? text : NULL;
}

/* The boundary: only uid 0 says whom, by which policy of which folder, and as which service. */
static int authorize(struct run *run, struct cl_error *e)
{
    const struct cl_run_request *asked = &run->asked;
    struct cl_user *user = NULL;
    int r;

    run->choice = (struct choice){
        .config = given(asked->config), .policy = given(asked->policy), .service = given(asked->service)};
    if (run->caller->uid != 0 &&
        (asked->user[0] || run->choice.config || run->choice.policy || run->choice.service))
        return cl_fail(e, EPERM, "uid %u may choose neither user, policy, service nor configuration",
                       run->caller->uid);
    if (asked->user[0]) {
        (void)snprintf(run->request.user, sizeof(run->request.user), "%s", asked->user);
        return 0;
    }
    r = cl_user_lookup_uid(run->caller->uid, &user, e);
    if (r < 0)
        return r;
    if ((size_t)snprintf(run->request.user, sizeof(run->request.user), "%s", user->name) >=
        sizeof(run->request.user))
        r = cl_fail(e, ENAMETOOLONG, "name of uid %u is too long", run->caller->uid);
    else if (user->uid != run->caller->uid)
        r = cl_fail(e, ESTALE, "uid %u is another's", run->caller->uid);
    cl_user_free(user);
    return r;
}

/* A terminal is named in the record where the host knows it by that name. */
static int make_streams(struct session *s, struct cl_error *e)
{
    struct run *run = (struct run *)s;
    cleanup_fd int pts = -1;
    int r = run->asked.terminal ? streams_find_pts(s->init, s->init_fd, &pts, e) : 0;

    if (r == 0)
        r = streams_open(pts, run->asked.terminal, run->asked.error_terminal, &run->streams, e);
    if (r == 0 && s->policy->files.pts == CL_PTS_HOST)
        (void)snprintf(run->request.tty, sizeof(run->request.tty), "%s", run->streams.tty);
    return r;
}

/* The last stage: the cell stands, and waits for its first process. */
static int start_command(struct session *s, struct cl_reply *reply, const int *fds, size_t n_fds,
                         struct cl_error *e)
{
    struct run *run = (struct run *)s;
    const struct launch l = {
        .caller = run->caller,
        .sock = s->sock,
        .opener_fd = s->opener_fd,
        .user = s->user,
        .plan = &reply->plan,
        .fds = {.fd = {[CL_FD_INIT] = s->init_fd,
                       [CL_FD_CGROUP] = s->cgroup.procs_fd,
                       [CL_FD_SECCOMP] = s->seccomp_fd,
                       [CL_FD_LANDLOCK] = s->landlock_fd}},
        .streams = &run->streams,
        .term = run->asked.term,
        .command = run->command,
        .init_go = s->init_go,
        .deadline_ms = s->deadline_ms,
    };

    (void)fds; /* as above */
    (void)n_fds;
    /* A name that means two uids, or that changed hands: the uid that asked is the one that gets. */
    if (run->caller->uid != 0 && reply->plan.uid != run->caller->uid)
        return cl_fail(e, EPERM, "user %s is not uid %u", s->user->name, run->caller->uid);
    return launch(&l, e);
}

/* Root is told why; others, as at a login, what to tell root. */
static int refuse(struct run *run, const struct cl_error *cause, struct cl_error *e)
{
    struct session *s = &run->session;
    struct cl_reply reply = {.type = CL_REPLY_REFUSED};

    event_refused(s, cause);
    if (run->caller->uid == 0)
        (void)cl_error_format(cause, reply.text, sizeof(reply.text));
    else
        (void)snprintf(reply.text, sizeof(reply.text), "refused (reference %s); ask the administrator",
                       s->id);
    return session_reply(s, &reply, NULL, 0, e);
}

static int exempt(struct run *run, struct cl_error *e)
{
    struct session *s = &run->session;
    struct cl_reply reply = {.type = CL_REPLY_EXEMPT};

    (void)snprintf(reply.text, sizeof(reply.text), "user %.64s is exempt (%s): no policy applies",
                   s->user->name, s->exempt_why);
    return session_reply(s, &reply, NULL, 0, e);
}

static int open_and_start(struct run *run, struct cl_error *e)
{
    struct session *s = &run->session;
    struct cl_error cause = {0};
    int r = authorize(run, &cause);

    if (r == 0)
        r = stages_run(s, &cause);
    if (r < 0)
        return refuse(run, &cause, e);
    if (s->outcome == OUTCOME_EXEMPT)
        return exempt(run, e);
    event_opened(s, &run->caller->uid);
    return 0;
}

int run_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    struct run run = {.caller = caller,
                      .command = arguments,
                      .request = {.version = CL_HANDOFF_VERSION, .verb = CL_VERB_OPEN, .setcred_calls = 1},
                      .streams = {.inner = {-1, -1, -1}, .outer = {-1, -1, -1}}};
    struct session *s = &run.session;
    int r;

    run_hold_signals();
    (void)snprintf(run.request.service, sizeof(run.request.service), CL_RUN_SERVICE);
    r = session_init(s, &run.request, CL_HANDOFF_FD, e);
    s->furnish = make_streams;
    s->deliver = start_command;
    s->choice = &run.choice;
    if (r == 0)
        r = opener_find(s->sock, caller->uid, &s->opener, &s->opener_fd, e);
    if (r == 0)
        r = run_receive(s->sock, s->deadline_ms, &run.asked, e);
    if (r == 0)
        r = open_and_start(&run, e);
    streams_clear(&run.streams);
    session_clear(s);
    return r;
}

int end_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    cleanup_fd int run_fd = -1;
    const char *id = arguments[0];
    int r;

    run_hold_signals();
    if (!cl_id_valid(id))
        return cl_fail(e, EINVAL, "\"%.32s\" is not the id of a cell", id);
    r = record_open_dir(&run_fd, e);
    if (r == 0)
        r = close_find(run_fd, id, getppid(), &record, e);
    if (r < 0 || !record)
        return r;
    if ((caller->uid != 0 && record->uid != caller->uid) || strcmp(record->service, CL_RUN_SERVICE) != 0)
        return cl_fail(e, EPERM, "cell %s is not uid %u's to end", id, caller->uid);
    return close_cell(run_fd, record, cl_now_ms() + CL_DEADLINE_MS, e);
}
