/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Theory of operation: the command's process is born of clone3(2) with CLONE_PARENT, in the cell's pid namespace, so that
 * the caller, who stays, is its parent, and not the helper, which goes. It is root of the host and a copy of the helper
 * until cl_place has put it into the cell; in that time it is non-dumpable, which keeps processes of the cell from tracing
 * it or looking at its descriptors, and reads nothing but one byte from the helper.
 *
 *   helper                                 the command's process
 *   clone3                                 new session, terminal, streams, limits, groups, cl_place
 *                                  <- error, or none
 *   tells the caller, who answers
 *   releases cloister-init
 *                              byte ->     home, signals, execve
 *
 * Both pipes are read and written with read(2) and write(2) alone: the cell's seccomp filter is on by then.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "handoff.h"
#include "launch.h"
#include "util.h"

/* A command that is not there, and one that cannot be executed, as a shell has it. */
#define EXIT_NOT_FOUND  127
#define EXIT_NOT_USABLE 126

struct pipes {
    int status[2], go[2];
};

static rlim_t lower(rlim_t a, rlim_t b)
{
    return a < b ? a : b;
}

/* What caller_distrust raised must not stay so: the limits are the administrator's, of the caller's login. */
static int set_limits(const struct caller *caller, struct cl_error *e)
{
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        __rlimit_resource_t resource = (__rlimit_resource_t)i;
        struct rlimit limit = caller->limits[i], now;

        if (setrlimit(resource, &limit) == 0)
            continue;
        /* A container's root may lack CAP_SYS_RESOURCE: then less than the caller's is the best there is. */
        if (errno != EPERM || getrlimit(resource, &now) < 0)
            return cl_fail(e, errno, "give back the caller's resource limit %d", i);
        limit.rlim_max = lower(limit.rlim_max, now.rlim_max);
        limit.rlim_cur = lower(limit.rlim_cur, limit.rlim_max);
        if (setrlimit(resource, &limit) < 0)
            return cl_fail(e, errno, "give back the caller's resource limit %d", i);
    }
    return 0;
}

/* The caller may have chosen its limits so that something after them fails: then nothing is run. */
static int enter_cell(const struct launch *l, struct cl_error *e)
{
    int r;

    if (setsid() < 0)
        return cl_fail(e, errno, "start a session");
    r = streams_adopt(l->streams, e);
    if (r < 0)
        return r;
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return cl_fail(e, errno, "have all descriptors closed at exec");
    (void)umask(022);
    if (setgroups(l->user->n_groups, l->user->groups) < 0)
        return cl_fail(e, errno, "set the groups of user %s", l->user->name);
    schedule_restore(&l->caller->schedule);
    r = set_limits(l->caller, e);
    return r < 0 ? r : cl_place(l->plan, &l->fds, e);
}

/* Set when the identity does not change any more, for that clears it; whoever ended before is seen, too. */
static void die_with_opener(int opener_fd)
{
    struct pollfd opener = {.fd = opener_fd, .events = POLLIN};

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (poll(&opener, 1, 0) != 0)
        _exit(1);
}

static void reset_signals(void)
{
    const struct sigaction defaults = {.sa_handler = SIG_DFL};
    sigset_t none;

    (void)sigaction(SIGPIPE, &defaults, NULL); /* the only one that caller_distrust did not leave so */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void execute(const struct launch *l, char **env) __attribute__((noreturn));
static void execute(const struct launch *l, char **env)
{
    const char *shell = l->user->shell[0] ? l->user->shell : "/bin/sh", *base = strrchr(shell, '/');
    const char *what = l->command[0] ? l->command[0] : shell;
    char name[256];
    char *const login[] = {name, NULL};

    (void)snprintf(name, sizeof(name), "-%s", base ? base + 1 : shell);
    reset_signals();
    environ = env; /* execvp(3) looks for PATH there */
    if (l->command[0])
        (void)execvp(l->command[0], l->command);
    else
        (void)execv(shell, login);
    (void)dprintf(STDERR_FILENO, "cloister: %s: %s\n", what, strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_USABLE);
}

static void child_main(const struct launch *l, const struct pipes *pipes, char **env)
    __attribute__((noreturn));
static void child_main(const struct launch *l, const struct pipes *pipes, char **env)
{
    struct cl_error e = {0};
    char go;

    (void)close(pipes->status[0]);
    (void)close(pipes->go[1]); /* else its end would not be seen */
    (void)!enter_cell(l, &e);
    if (write(pipes->status[1], &e, sizeof(e)) != (ssize_t)sizeof(e) || e.err)
        _exit(1);
    if (read(pipes->go[0], &go, 1) != 1)
        _exit(1); /* the helper failed, or was killed */
    if (l->dies_with_opener)
        die_with_opener(l->opener_fd);
    if (chdir(l->user->home) < 0)
        (void)!chdir("/");
    execute(l, env);
}

/* exit_signal must be 0 with CLONE_PARENT: it is the one of our own process, SIGCHLD. */
static pid_t clone_child(int init_fd, int *ret_pidfd, struct cl_error *e)
{
    struct clone_args args = {.flags = CLONE_PARENT | CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)ret_pidfd};
    cleanup_fd int own = open("/proc/self/ns/pid_for_children", O_RDONLY | O_CLOEXEC);
    pid_t pid;

    if (own < 0 || setns(init_fd, CLONE_NEWPID) < 0)
        return cl_fail(e, errno, "enter the cell's pid namespace for the command");
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    if (pid == 0)
        return 0;
    if (pid < 0)
        return cl_fail(e, errno, "clone the command's process");
    if (setns(own, CLONE_NEWPID) < 0)
        return cl_fail(e, errno, "leave the cell's pid namespace");
    return pid;
}

static int await_placement(int status_fd, int64_t deadline_ms, struct cl_error *e)
{
    struct pollfd readable = {.fd = status_fd, .events = POLLIN};
    int64_t left = deadline_ms - cl_now_ms();
    struct cl_error placed;

    if (poll(&readable, 1, left > 0 ? (int)left : 0) <= 0)
        return cl_fail(e, ETIMEDOUT, "wait for the command's process to be placed");
    if (read(status_fd, &placed, sizeof(placed)) != (ssize_t)sizeof(placed))
        return cl_fail(e, ECHILD, "the command's process ended while it was placed");
    if (placed.err && e && !e->err)
        *e = placed;
    return -placed.err;
}

static int tell_caller(const struct launch *l, pid_t pid, struct cl_error *e)
{
    struct cl_reply reply = {.version = CL_HANDOFF_VERSION, .type = CL_REPLY_STARTED, .pid = pid};
    int outer[3], r;
    char ready;
    size_t n = streams_outer(l->streams, outer);

    memcpy(reply.plan.id, l->plan->id, sizeof(reply.plan.id));
    r = cl_send(l->sock, &reply, sizeof(reply), outer, n);
    if (r == 0)
        r = cl_receive(l->sock, &ready, 1, NULL, 0, NULL, l->deadline_ms);
    return r < 0 ? cl_fail(e, -r, "hand the command over to the caller") : 0;
}

static int conduct(const struct launch *l, const struct pipes *pipes, pid_t pid, struct cl_error *e)
{
    int r = await_placement(pipes->status[0], l->deadline_ms, e);

    if (r == 0)
        r = tell_caller(l, pid, e);
    if (r < 0)
        return r;
    /* cloister-init holds the cell only from here: without this byte it ends it. */
    if (l->init_go >= 0)
        r = cl_write_all(l->init_go, "", 1);
    if (r == 0)
        r = cl_write_all(pipes->go[1], "", 1);
    return r < 0 ? cl_fail(e, -r, "release the command") : 0;
}

static int run_child(const struct launch *l, struct pipes *pipes, char **env, struct cl_error *e)
{
    cleanup_fd int pidfd = -1;
    pid_t pid = clone_child(l->fds.fd[CL_FD_INIT], &pidfd, e);
    int r;

    if (pid == 0)
        child_main(l, pipes, env);
    cl_close(&pipes->status[1]);
    cl_close(&pipes->go[0]);
    streams_close_inner(l->streams);
    r = pid < 0 ? pid : conduct(l, pipes, pid, e);
    if (r < 0 && pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    return r;
}

int launch(const struct launch *l, struct cl_error *e)
{
    struct pipes pipes = {{-1, -1}, {-1, -1}};
    cleanup_strv char **env = NULL;
    int r;

    if (l->plan->placement != CL_PLACEMENT_CREDENTIALS) /* nobody else would set the uid */
        return cl_fail(e, EINVAL, "the plan is not for a command");
    r = environment_make(l->user, l->streams->terminal ? l->term : "", environment_locale_files, l->plan->env,
                         &env);
    if (r < 0)
        return cl_fail(e, -r, "make the environment");
    r = streams_give(l->streams, l->user->uid, l->user->gid, e);
    if (r == 0 && (pipe2(pipes.status, O_CLOEXEC) < 0 || pipe2(pipes.go, O_CLOEXEC) < 0))
        r = cl_fail(e, errno, "make pipes");
    if (r == 0)
        r = run_child(l, &pipes, env, e);
    for (int end = 0; end < 2; end++) {
        cl_close(&pipes.status[end]);
        cl_close(&pipes.go[end]);
    }
    return r;
}
