/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Around the service's forks. A process cannot change its pid namespace, only that of its children: so the
 * parent points pid_for_children at the cell just before it forks, and back just after. The child of a
 * service that has no PAM call after the fork is placed right here, before fork(3) returns in it. And since
 * services go on after a refused open (`ssh -N`), every child of a refused session ends here.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "module.h"
#include "raise.h"
#include "util.h"

/* Fork handlers take no argument: this is the one place where the module keeps state outside the PAM handle.
 */
static struct {
    bool registered;
    bool by_module;        /* the fork under way is another PAM module's */
    struct session *armed; /* in the parent: whose processes the service's children are */
    struct session *child; /* in the child: the session that it belongs to */
} fork_state;

/* Does a module of the stack run now, or the service? libpam gives PAM_AUTHTOK to modules only:
 * pam_get_item(3). pam_exec and pam_mount fork as well, at open and at close, and have their work to do on
 * the host. */
static bool inside_pam(const pam_handle_t *pamh)
{
    const void *item;

    return pam_get_item(pamh, PAM_AUTHTOK, &item) != PAM_BAD_ITEM;
}

/* With what privilege the service has, if it does not use it just now. */
static int set_pid_namespace(int fd)
{
    cap_t before = NULL;
    int r = cl_raise_begin(&before), back;

    if (r < 0)
        return r;
    r = setns(fd, CLONE_NEWPID) < 0 ? -errno : 0;
    back = cl_raise_end(before);
    return r < 0 ? r : back;
}

static void before_fork(void)
{
    struct session *session = fork_state.armed;
    int r;

    fork_state.by_module = session && inside_pam(session->pamh);
    if (!session || fork_state.by_module || session->state != SESSION_OPEN)
        return;
    r = set_pid_namespace(session->fds.fd[CL_FD_INIT]);
    if (r == 0)
        return;
    (void)cl_fail(&session->fork_error, -r, "enter the cell's pid namespace for the next child");
    (void)snprintf(session->fork_error.stage, sizeof(session->fork_error.stage), "place-pid-namespace");
}

static void after_fork_in_parent(void)
{
    const struct session *session = fork_state.armed;
    int r;

    if (!session || fork_state.by_module || session->state != SESSION_OPEN)
        return;
    r = set_pid_namespace(session->own_pid_ns);
    if (r < 0)
        syslog(LOG_AUTHPRIV | LOG_ERR, "pam_cloister: cannot leave the cell's pid namespace: %s", strerror(-r));
}

static void after_fork_in_child(void)
{
    struct session *session = fork_state.armed;

    if (fork_state.child)
        notice_in_child(fork_state.child);
    if (!session || fork_state.by_module)
        return;
    if (session->state != SESSION_OPEN)
        _exit(1);
    fork_state.armed = NULL;
    fork_state.child = session;
    if (session->plan.placement == CL_PLACEMENT_FORK)
        place_or_exit(session);
}

static int register_handlers(struct cl_error *e)
{
    int r =
        fork_state.registered ? 0 : pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);

    if (r != 0)
        return cl_fail(e, r, "register fork handlers");
    fork_state.registered = true;
    return 0;
}

int fork_refuse(struct session *session, struct cl_error *e)
{
    int r = register_handlers(e);

    if (r == 0)
        fork_state.armed = session;
    return r;
}

int fork_arm(struct session *session, struct cl_error *e)
{
    int r = register_handlers(e);

    if (r < 0)
        return r;
    session->own_pid_ns = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
    if (session->own_pid_ns < 0)
        return cl_fail(e, errno, "open /proc/self/ns/pid_for_children");
    fork_state.armed = session;
    return 0;
}

void fork_disarm(const struct session *session)
{
    if (fork_state.armed == session)
        fork_state.armed = NULL;
}

bool fork_is_child(const struct session *session)
{
    return session && fork_state.child == session;
}

void place_or_exit(struct session *session)
{
    int log_fd = report_open();
    struct cl_error e = session->fork_error;

    if (e.err || cl_place(&session->plan, &session->fds, &e) < 0)
        report_failure(log_fd, &session->plan, &e);
    cl_close(&log_fd);
    cl_close(&session->own_pid_ns);
    cl_plan_fds_close(&session->fds);
}
