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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "close.h"
#include "decide.h"
#include "log.h"
#include "record.h"
#include "serve.h"
#include "session.h"
#include "util.h"

static bool is_unnamed(int (*get_name)(int, struct sockaddr *, socklen_t *), int sock)
{
    struct sockaddr_un name;
    socklen_t size = sizeof(name);
    union {
        struct sockaddr_un *un;
        struct sockaddr *any;
    } address = {.un = &name};

    return get_name(sock, address.any, &size) == 0 && name.sun_family == AF_UNIX &&
           size == sizeof(sa_family_t);
}

/* Both ends of a socket pair are unnamed, and only of a pair: unix(7). Of a connected socket, SO_PEERCRED may
 * name who listens, such as pid 1 for a socket that systemd made. */
static bool is_pair(int sock)
{
    int domain = 0, type = 0;
    socklen_t size = sizeof(int);

    return getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET &&
           is_unnamed(getsockname, sock) && is_unnamed(getpeername, sock);
}

/* The opener is whoever made the socket pair, as root, and it is our parent: only a login service can be
 * that. A user who starts the helper by hand has made the pair, or has none. Nothing is read before this is
 * known. */
static int find_opener(struct session *s, struct cl_error *e)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (!is_pair(s->sock))
        return cl_fail(e, EPERM, "hand-off is not a socket pair");
    if (getsockopt(s->sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return cl_fail(e, errno, "find out who made the hand-off");
    if (peer.uid != 0 || peer.pid <= 1 || peer.pid != getppid())
        return cl_fail(e, EPERM, "hand-off comes from uid %u, pid %d, not from the parent", peer.uid,
                       peer.pid);
    s->opener = peer.pid;
    s->opener_fd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (s->opener_fd < 0)
        return cl_fail(e, errno, "open the opener's pidfd");
    if (getppid() != peer.pid) /* it ended before we had the pidfd: the pid may be another's */
        return cl_fail(e, ESRCH, "the opener is gone");
    return 0;
}

static void log_refusal(const struct session *s, const struct cl_error *e)
{
    char why[1200];

    cl_log(LOG_ERR, "refused: user=%s service=%s rhost=%s tty=%s ref=%s %s", s->request->user,
           s->request->service, s->request->rhost, s->request->tty, s->id,
           cl_error_format(e, why, sizeof(why)));
}

static int refuse(struct session *s, const struct cl_error *cause, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_REFUSED};

    log_refusal(s, cause);
    (void)snprintf(reply.text, sizeof(reply.text),
                   "cloister: login refused (reference %s); ask the administrator", s->id);
    return session_reply(s, &reply, NULL, 0, e);
}

static int grant(struct session *s, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_EXEMPT};
    int r;

    if (s->outcome == OUTCOME_EXEMPT) {
        cl_log(LOG_INFO, "exempt: user=%s service=%s by=%s", s->user->name, s->request->service,
               s->exempt_why);
        (void)snprintf(reply.text, sizeof(reply.text), "%s", s->exempt_why);
        return session_reply(s, &reply, NULL, 0, e);
    }
    /* cloister-init holds the cell only from here: without this byte it ends it. */
    r = cl_write_all(s->init_go, "", 1);
    if (r < 0)
        return cl_fail(e, -r, "release cloister-init");
    cl_log(LOG_INFO, "open: id=%s user=%s policy=%s service=%s rhost=%s tty=%s init=%d", s->id, s->user->name,
           s->policy->name, s->request->service, s->request->rhost, s->request->tty, s->init);
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

static int serve_close(struct session *s, struct cl_error *e)
{
    struct cl_reply hello = {.type = CL_REPLY_HELLO}, reply = {.type = CL_REPLY_DONE};
    cleanup_record struct record *record = NULL;
    int r = record_open_dir(&s->run_fd, e);

    if (r == 0)
        r = close_find(s->run_fd, s->request->id, s->opener, &record, e);
    if (r == 0 && record) {
        hello.deadline_ms = CL_DEADLINE_MS + close_time_ms(record);
        r = session_reply(s, &hello, NULL, 0, e);
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

    if (r == 0)
        r = find_opener(&s, e);
    if (r == 0)
        r = receive_request(&s, &request, e);
    if (r == 0)
        r = session_reply(&s, &hello, NULL, 0, e);
    if (r == 0)
        r = handlers[request.verb](&s, e);
    session_clear(&s);
    return r;
}
