/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pam_cloister: the PAM entry points. The stack lists it last, in auth (for its pam_setcred) and in session:
 *
 *   auth     required   pam_cloister.so
 *   session  required   pam_cloister.so
 *
 * open_session has the helper build a cell. setcred is called twice by sshd: before that, in the monitor,
 * where it only leaves a mark that the line is there; and again in the forked child, where it places the
 * child. A session that was refused stays refused for every process that sshd may still start for it (`ssh
 * -N`): such a child ends.
 */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#include "module.h"
#include "util.h"

#define DATA_SESSION "cloister_session"
#define DATA_SETCRED "cloister_setcred"
#define EXPORT       __attribute__((visibility("default")))

/* errno to PAM code, here only. sudo takes PAM_SESSION_ERR for harmless: it is not used for refusals. */
static int pam_code(int r)
{
    if (r == 0)
        return PAM_SUCCESS;
    return r == -EACCES || r == -EPERM ? PAM_PERM_DENIED : PAM_SYSTEM_ERR;
}

static void free_session(pam_handle_t *pamh, void *data, int status)
{
    struct session *session = data;

    fork_disarm(session);
    if (fork_is_child(session))
        return; /* the child may still look at it in a fork handler's state; its memory goes with the process
                 */
    cl_close(&session->own_pid_ns);
    cl_plan_fds_close(&session->fds);
    notice_clear(session);
    free(session);
}

static struct session *get_session(pam_handle_t *pamh)
{
    const void *data = NULL;

    if (pam_get_data(pamh, DATA_SESSION, &data) != PAM_SUCCESS)
        return NULL;
    return (struct session *)(uintptr_t)data; /* pam_get_data is const for others' data; this is ours */
}

static struct session *new_session(pam_handle_t *pamh)
{
    struct session *session = calloc(1, sizeof(*session));

    if (!session)
        return NULL;
    session->pamh = pamh;
    session->opener = getpid();
    session->own_pid_ns = -1;
    for (size_t i = 0; i < CL_FD_COUNT; i++)
        session->fds.fd[i] = -1;
    if (pam_set_data(pamh, DATA_SESSION, session, free_session) != PAM_SUCCESS) {
        free(session);
        return NULL;
    }
    return session;
}

/* Left by the first pam_setcred: that the auth line is there, and which process it was. */
struct setcred_mark {
    pid_t pid;
    uint32_t calls;
};

static struct setcred_mark get_mark(pam_handle_t *pamh)
{
    const struct setcred_mark none = {.pid = getpid()};
    const void *data = NULL;

    return pam_get_data(pamh, DATA_SETCRED, &data) == PAM_SUCCESS ? *(const struct setcred_mark *)data : none;
}

static void free_data(pam_handle_t *pamh, void *data, int status)
{
    free(data);
}

static int put_mark(pam_handle_t *pamh, struct setcred_mark mark)
{
    struct setcred_mark *copy = malloc(sizeof(*copy));

    if (!copy)
        return PAM_BUF_ERR;
    *copy = mark;
    copy->calls++;
    if (pam_set_data(pamh, DATA_SETCRED, copy, free_data) == PAM_SUCCESS)
        return PAM_IGNORE;
    free(copy);
    return PAM_SYSTEM_ERR;
}

/* An item that does not fit is an attack or a mistake: refused, never cut. Absent items are empty. */
static int copy_item(pam_handle_t *pamh, int type, char *to, size_t size)
{
    const void *item = NULL;
    int n;

    if (pam_get_item(pamh, type, &item) != PAM_SUCCESS || !item)
        item = "";
    n = snprintf(to, size, "%s", (const char *)item);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int make_request(pam_handle_t *pamh, enum cl_verb verb, struct cl_request *request)
{
    int r;

    memset(request, 0, sizeof(*request));
    request->version = CL_HANDOFF_VERSION;
    request->verb = verb;
    request->setcred_calls = get_mark(pamh).calls;
    r = copy_item(pamh, PAM_USER, request->user, sizeof(request->user));
    if (r == 0)
        r = copy_item(pamh, PAM_SERVICE, request->service, sizeof(request->service));
    if (r == 0)
        r = copy_item(pamh, PAM_TTY, request->tty, sizeof(request->tty));
    if (r == 0)
        r = copy_item(pamh, PAM_RHOST, request->rhost, sizeof(request->rhost));
    return r;
}

static bool is_root(pam_handle_t *pamh, const char *user)
{
    const struct passwd *pw = pam_modutil_getpwnam(pamh, user);

    return pw && pw->pw_uid == 0;
}

/* The helper could not do its work. Root, and only root, gets in all the same: someone has to mend it. */
static int without_helper(pam_handle_t *pamh, const struct cl_request *request, const struct cl_error *e)
{
    char why[1024];

    (void)cl_error_format(e, why, sizeof(why));
    if (is_root(pamh, request->user)) {
        pam_syslog(pamh, LOG_ALERT, "root is let in without a cell: %s", why);
        return 0;
    }
    pam_syslog(pamh, LOG_ERR, "refused: user=%s service=%s stage=handoff: %s", request->user,
               request->service, why);
    (void)pam_error(pamh, "cloister: login refused; the administrator finds the reason in the system log");
    return -EACCES;
}

static int put_environment(pam_handle_t *pamh, const struct cl_plan *plan)
{
    for (const char *pair = plan->env; *pair; pair += strlen(pair) + 1) {
        if (!strchr(pair, '=') && !pam_getenv(pamh, pair)) /* a bare NAME unsets */
            continue;
        if (pam_putenv(pamh, pair) != PAM_SUCCESS)
            return -ENOMEM;
    }
    return 0;
}

static int adopt_plan(pam_handle_t *pamh, struct session *session, const struct cl_plan *plan,
                      const struct cl_plan_fds *fds)
{
    struct cl_error e = {0};

    session->plan = *plan;
    session->fds = *fds;
    if (fork_arm(session, &e) < 0 || put_environment(pamh, plan) < 0) {
        fork_disarm(session);
        pam_syslog(pamh, LOG_ERR, "refused: user uid=%u id=%s: cannot prepare the fork: %s", plan->uid,
                   plan->id, e.err ? e.text : "out of memory");
        return -EACCES; /* the cell ends with this process, or at the next sweep */
    }
    session->state = SESSION_OPEN;
    return 0;
}

static int open_session(pam_handle_t *pamh, struct session *session, int flags)
{
    struct cl_plan_fds fds = {.fd = CL_NO_FDS};
    struct cl_request request;
    struct cl_reply reply = {0};
    struct cl_error e = {0};
    int r = make_request(pamh, CL_VERB_OPEN, &request);

    if (r < 0) {
        pam_syslog(pamh, LOG_ERR, "refused: a PAM item is too long");
        return -EACCES;
    }
    request.terminal = notice_terminal(flags);
    if (helper_call(&request, &reply, &fds, &e) < 0) {
        r = without_helper(pamh, &request, &e);
        if (r == 0)
            session->state = SESSION_EXEMPT;
        return r;
    }
    switch ((enum cl_reply_type)reply.type) {
    case CL_REPLY_PLAN:
        r = adopt_plan(pamh, session, &reply.plan, &fds);
        if (r == 0)
            notice_show(pamh, session, reply.notice);
        return r;
    case CL_REPLY_EXEMPT:
        session->state = SESSION_EXEMPT;
        return 0;
    case CL_REPLY_REFUSED:
        if (is_root(pamh, request.user)) { /* who is exempt always: the helper could not even find that out */
            pam_syslog(pamh, LOG_ALERT, "root is let in without a cell: %s", reply.text);
            session->state = SESSION_EXEMPT;
            return 0;
        }
        (void)pam_error(pamh, "%s", reply.text);
        return -EACCES;
    case CL_REPLY_HELLO:
    case CL_REPLY_DONE:
    case CL_REPLY_STARTED:
    case CL_REPLY_COUNT:
        break;
    }
    pam_syslog(pamh, LOG_ERR, "refused: unexpected answer %u of " CL_HELPER_PATH, reply.type);
    return -EACCES;
}

static int close_cell(pam_handle_t *pamh, struct session *session)
{
    struct cl_plan_fds fds = {.fd = CL_NO_FDS};
    struct cl_request request;
    struct cl_reply reply = {0};
    struct cl_error e = {0};
    int r = make_request(pamh, CL_VERB_CLOSE, &request);

    fork_disarm(session);
    if (r == 0) {
        memcpy(request.id, session->plan.id, sizeof(request.id));
        request.shown = notice_shown(session);
        r = helper_call(&request, &reply, &fds, &e);
    }
    if (r < 0) {
        char why[1024];

        pam_syslog(pamh, LOG_ERR, "close of id=%s left to the next sweep: %s", session->plan.id,
                   cl_error_format(&e, why, sizeof(why)));
    }
    cl_plan_fds_close(&session->fds);
    return r;
}

/* sshd ignores a refused open for `ssh -N`; other services may, too. */
static void refuse_children(pam_handle_t *pamh, struct session *session)
{
    struct cl_error e = {0};

    if (fork_refuse(session, &e) == 0)
        return;
    pam_syslog(pamh, LOG_CRIT, "the children of a refused session cannot be stopped (%s): the service ends",
               e.text);
    _exit(1);
}

/* The same module twice in the session stack: whatever the first call did, the session is refused. */
static int refuse_second(pam_handle_t *pamh, struct session *session)
{
    const void *service = NULL;

    if (session->state == SESSION_EXEMPT)
        return PAM_SUCCESS;
    (void)pam_get_item(pamh, PAM_SERVICE, &service);
    pam_syslog(
        pamh, LOG_ERR,
        "refused: pam_cloister.so opened this session already: keep one session line for it in /etc/pam.d/%s",
        service ? (const char *)service : "SERVICE");
    if (session->state == SESSION_OPEN)
        (void)close_cell(pamh, session);
    session->state = SESSION_REFUSED;
    refuse_children(pamh, session);
    return PAM_PERM_DENIED;
}

EXPORT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct session *session = get_session(pamh);
    int r;

    if (session)
        return refuse_second(pamh, session);
    session = new_session(pamh); /* its state is REFUSED until open_session knows better */
    if (!session) {              /* and so nothing to refuse its children with */
        pam_syslog(pamh, LOG_CRIT, "out of memory: the service ends");
        _exit(1);
    }
    r = open_session(pamh, session, flags);
    if (r < 0)
        refuse_children(pamh, session);
    return pam_code(r);
}

EXPORT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct session *session = get_session(pamh);
    int r = 0;

    if (!session || session->opener != getpid() || fork_is_child(session))
        return PAM_SUCCESS;
    if (session->state == SESSION_OPEN)
        r = close_cell(pamh, session);
    (void)pam_set_data(pamh, DATA_SESSION, NULL,
                       NULL); /* the handle may open again: free_session runs here */
    return r < 0 ? PAM_SESSION_ERR : PAM_SUCCESS;
}

/* setcred without an open session, in what must be a forked child: the session line is missing. */
static void child_without_session(pam_handle_t *pamh)
{
    struct cl_plan_fds fds = {.fd = CL_NO_FDS};
    struct cl_request request;
    struct cl_reply reply = {0};
    struct cl_error e = {0};

    if (make_request(pamh, CL_VERB_EXEMPT, &request) < 0)
        _exit(1);
    if (is_root(pamh, request.user))
        return;
    if (helper_call(&request, &reply, &fds, &e) == 0 && reply.type == CL_REPLY_EXEMPT)
        return;
    pam_syslog(
        pamh, LOG_ERR,
        "refused: user=%s: add `session required pam_cloister.so` as the last session line of /etc/pam.d/%s",
        request.user, request.service);
    _exit(1);
}

/* sshd ignores our failure here when a public key authenticated the user: a child that must not run ends. */
static void child_of_session(pam_handle_t *pamh, struct session *session)
{
    switch (session->state) {
    case SESSION_EXEMPT:
        return;
    case SESSION_OPEN:
        if (fork_is_child(session)) {
            if (session->plan.placement == CL_PLACEMENT_CREDENTIALS && session->fds.fd[CL_FD_INIT] >= 0)
                place_or_exit(session);
            return;
        }
        pam_syslog(pamh, LOG_ERR, "refused: id=%s: a process of the session, born outside the cell",
                   session->plan.id);
        _exit(1);
    case SESSION_REFUSED:
        break;
    }
    pam_syslog(pamh, LOG_NOTICE, "a process of a refused session ends");
    _exit(1);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct session *session = get_session(pamh);
    struct setcred_mark mark = get_mark(pamh);

    if (flags & PAM_DELETE_CRED)
        return PAM_IGNORE;
    if (session) {
        if (session->opener != getpid() || fork_is_child(session))
            child_of_session(pamh, session);
        return PAM_IGNORE;
    }
    if (mark.pid != getpid()) {
        child_without_session(pamh);
        return PAM_IGNORE;
    }
    return put_mark(pamh, mark);
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return PAM_IGNORE;
}
