/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Answer pam_cloister: a table of request verbs, as OpenSSH's monitor has one. A refused open is one log
 * line, with the reference that the user is shown.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "close.h"
#include "decide.h"
#include "events.h"
#include "logout.h"
#include "opener.h"
#include "record.h"
#include "serve.h"
#include "session.h"
#include "story.h"
#include "user.h"
#include "util.h"

/* For another login of the user: what is missed is told again, or stands in the log. */
#define STORY_WAIT_MS 500

static int refuse(struct session *s, const struct cl_error *cause, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_REFUSED};

    event_refused(s, cause);
    (void)snprintf(reply.text, sizeof(reply.text),
                   "cloister: login refused (reference %s); ask the administrator", s->id);
    return session_reply(s, &reply, NULL, 0, e);
}

/* What the session was lent for its user has been on a terminal. */
static void keep_shown(int run_fd, const char *name, const char *id)
{
    cleanup_user struct cl_user *user = NULL;
    cleanup_fd int lock = -1;

    if (cl_user_lookup(name, &user, NULL) == 0 &&
        record_lock(run_fd, user->uid, cl_now_ms() + STORY_WAIT_MS, &lock, NULL) == 0)
        story_told(user->uid, user->name, id);
}

static int grant(struct session *s, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_EXEMPT};
    int r;

    if (s->outcome == OUTCOME_EXEMPT) {
        event_exempt(s);
        (void)snprintf(reply.text, sizeof(reply.text), "%s", s->exempt_why);
        return session_reply(s, &reply, NULL, 0, e);
    }
    /* cloister-init holds the cell only from here: without this byte it ends it. */
    r = s->joined ? 0 : cl_write_all(s->init_go, "", 1);
    if (r < 0)
        return cl_fail(e, -r, "release cloister-init");
    event_opened(s, NULL);
    if (s->notice[0] && s->request->terminal)
        keep_shown(s->run_fd, s->user->name, s->id);
    return 0;
}

static int serve_open(struct session *s, struct cl_error *e)
{
    struct cl_error cause = {0};
    int r = stages_run(s, &cause);

    return r < 0 ? refuse(s, &cause, e) : grant(s, e);
}

static int serve_exempt(struct session *s, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_DONE};
    int r = stage_user(s, e);

    if (r == 0)
        r = decide_exempt(s->user, reply.text, sizeof(reply.text), e);
    if (r > 0)
        reply.type = CL_REPLY_EXEMPT;
    return r < 0 ? r : session_reply(s, &reply, NULL, 0, e);
}

static int announce_close(struct session *s, const struct record *record, struct cl_error *e)
{
    struct cl_reply hello = {.type = CL_REPLY_HELLO, .deadline_ms = CL_DEADLINE_MS + close_time_ms(record)};

    return session_reply(s, &hello, NULL, 0, e);
}

/* 0 also when there is no such login: then the id is perhaps a cell's. */
static int close_login(struct session *s, bool *ret_found, struct cl_error *e)
{
    cleanup_record struct record *record = NULL;
    cleanup_login struct login *login = NULL;
    uint64_t opener_start;
    int r = login_load(s->run_fd, s->request->id, &login, NULL);

    *ret_found = r == 0;
    if (r < 0)
        return 0;
    r = record_start_time(s->opener, &opener_start, e);
    if (r == 0 && (login->opener != s->opener || login->opener_start != opener_start))
        r = cl_fail(e, EPERM, "login %s belongs to another process than %d", login->id, s->opener);
    if (r == 0 && record_load(s->run_fd, login->cell, &record, NULL) == 0)
        r = announce_close(s, record, e);
    return r < 0 ? r : logout(s->run_fd, login, s->deadline_ms, e);
}

static int serve_close(struct session *s, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_DONE};
    cleanup_record struct record *record = NULL;
    bool found = false;
    int r = record_open_dir(&s->run_fd, e);

    if (r == 0 && s->request->shown)
        keep_shown(s->run_fd, s->request->user, s->request->id);
    if (r == 0)
        r = close_login(s, &found, e);
    if (r == 0 && !found)
        r = close_find(s->run_fd, s->request->id, s->opener, &record, e);
    if (r == 0 && record && !record->lasting) { /* else this login has ended already, and others are in the cell */
        r = announce_close(s, record, e);
        if (r == 0)
            r = close_cell(s->run_fd, record, s->deadline_ms, e);
    }
    return r < 0 ? r : session_reply(s, &reply, NULL, 0, e);
}

static int (*const handlers[])(struct session *s, struct cl_error *e) = {
    [CL_VERB_OPEN] = serve_open,
    [CL_VERB_EXEMPT] = serve_exempt,
    [CL_VERB_CLOSE] = serve_close,
};
static_assert(CL_ARRAY_SIZE(handlers) == CL_VERB_COUNT, "one handler for each verb");

static int receive_request(struct session *s, struct cl_request *request, struct cl_error *e)
{
    int r = cl_receive(s->sock, request, sizeof(*request), NULL, 0, NULL, s->deadline_ms);

    if (r < 0)
        return cl_fail(e, -r, "receive the request");
    return cl_request_valid(request) ? 0 : cl_fail(e, EBADMSG, "request is malformed, or of another version");
}

int serve_handoff(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    struct cl_reply hello = {.type = CL_REPLY_HELLO, .deadline_ms = CL_DEADLINE_MS};
    struct cl_request request = {0};
    struct session s;
    int r = session_init(&s, &request, CL_HANDOFF_FD, e);

    if (r == 0) /* only a login service can be root, and our parent */
        r = opener_find(s.sock, 0, &s.opener, &s.opener_fd, e);
    if (r == 0)
        r = receive_request(&s, &request, e);
    if (r == 0)
        r = session_reply(&s, &hello, NULL, 0, e);
    if (r == 0)
        r = handlers[request.verb](&s, e);
    session_clear(&s);
    return r;
}
