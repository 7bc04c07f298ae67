/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The caller's side of run.h.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "start.h"
#include "util.h"

#define ARGUMENTS_FIXED 2 /* the name and the verb */

void start_fix_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

void start_copy_size(int master)
{
    struct winsize size;

    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        (void)ioctl(master, TIOCSWINSZ, &size);
}

/* Signals are let through to the helper, which has its own mind about them. */
static int spawn(int sock, int out, char *const *arguments, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int r = posix_spawn_file_actions_init(&actions);

    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        (void)sigemptyset(&none);
        (void)posix_spawnattr_setsigmask(&attributes, &none);
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        for (int fd = STDIN_FILENO; r == 0 && fd <= STDOUT_FILENO; fd++)
            r = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
        if (r == 0 && out >= 0)
            r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (r == 0 && sock >= 0)
            r = posix_spawn_file_actions_adddup2(&actions, sock, CL_HANDOFF_FD);
        if (r == 0)
            r = posix_spawn(ret_pid, CL_HELPER_PATH, &actions, &attributes, arguments, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return -r;
}

int start_helper(char *const *arguments, pid_t *ret_pid)
{
    return spawn(-1, -1, arguments, ret_pid);
}

int start_reading(char *const *arguments, size_t max, char **ret_text, size_t *ret_size)
{
    const struct sigaction defaults = {.sa_handler = SIG_DFL};
    int ends[2], r, status = 0;
    pid_t pid;

    (void)sigaction(SIGCHLD, &defaults, NULL); /* an ignored one would take the helper's status */
    if (pipe2(ends, O_CLOEXEC) < 0)
        return ctl_error("make a pipe: %s", strerror(errno));
    r = spawn(-1, ends[1], arguments, &pid);
    cl_close(&ends[1]);
    if (r < 0) {
        cl_close(&ends[0]);
        return ctl_error("run " CL_HELPER_PATH ": %s", strerror(-r));
    }
    r = cl_read_all(ends[0], max, ret_text, ret_size);
    cl_close(&ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return ctl_error("read from " CL_HELPER_PATH ": %s", strerror(-r));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CTL_OK : CTL_PROBLEM; /* it said why */
}

/* All of a cell is mounted nosuid, and most run with no_new_privs: there the helper would have no power. */
bool start_is_inert(void)
{
    struct statvfs fs;

    return getuid() != 0 && (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
                             (statvfs(CL_HELPER_PATH, &fs) == 0 && (fs.f_flag & ST_NOSUID)));
}

/* Until the command is ready, or why it is not. */
static int converse(int sock, const struct cl_run_request *request, struct cl_reply *reply,
                    int fds[CL_RUN_FDS], size_t *ret_n)
{
    int r = cl_send(sock, request, sizeof(*request), NULL, 0);

    do {
        *ret_n = 0;
        if (r == 0)
            r = cl_receive(sock, reply, sizeof(*reply), fds, CL_RUN_FDS, ret_n, -1);
        if (r == 0 && !cl_reply_valid(reply))
            r = -EBADMSG;
    } while (r == 0 && reply->type == CL_REPLY_HELLO && *ret_n == 0);
    return r;
}

static void close_all(int fds[CL_RUN_FDS])
{
    for (size_t i = 0; i < CL_RUN_FDS; i++)
        cl_close(&fds[i]);
}

/* Put the ends where enum cl_run_fd has them. */
static int adopt(const struct cl_run_request *request, const struct cl_reply *reply, int fds[CL_RUN_FDS],
                 size_t n, struct started *ret)
{
    size_t wanted = !request->terminal ? CL_RUN_FDS : request->error_terminal ? 1 : 2;

    if (reply->type == CL_REPLY_REFUSED || reply->type == CL_REPLY_EXEMPT)
        return ctl_error("%s", reply->text);
    if (reply->type != CL_REPLY_STARTED || n != wanted)
        return ctl_error("unexpected answer of " CL_HELPER_PATH);
    if (wanted == 2) {
        fds[CL_RUN_ERR] = fds[CL_RUN_OUT];
        fds[CL_RUN_OUT] = -1;
    }
    ret->pid = reply->pid;
    ret->terminal = request->terminal;
    memcpy(ret->id, reply->plan.id, sizeof(ret->id));
    for (size_t i = 0; i < CL_RUN_FDS; i++)
        ret->fds[i] = cl_take_fd(&fds[i]);
    return CTL_OK;
}

/* The modes of our terminal become those of the command's: through the master, they are the other side's. */
static void prepare_terminal(const struct started *started)
{
    struct termios modes;

    if (!started->terminal)
        return;
    start_copy_size(started->fds[CL_RUN_IN]);
    if (tcgetattr(STDIN_FILENO, &modes) == 0)
        (void)tcsetattr(started->fds[CL_RUN_IN], TCSANOW, &modes);
}

static int negotiate(int sock, const struct cl_run_request *request, struct started *ret)
{
    int fds[CL_RUN_FDS] = {-1, -1, -1};
    struct cl_reply reply;
    size_t n = 0;
    int r = converse(sock, request, &reply, fds, &n);

    if (r == 0)
        r = adopt(request, &reply, fds, n, ret);
    else if (r == -EPIPE)
        r = ctl_error(CL_HELPER_PATH " ended without an answer");
    else
        r = ctl_error("talk to " CL_HELPER_PATH ": %s", strerror(-r));
    close_all(fds);
    if (r != CTL_OK)
        return r;
    prepare_terminal(ret);
    if (cl_send(sock, "", 1, NULL, 0) == 0)
        return CTL_OK;
    close_all(ret->fds);
    return ctl_error(CL_HELPER_PATH " ended before the command began");
}

static char **make_arguments(const char *verb, char *const *arguments)
{
    char **all = NULL;
    int r = cl_strv_add(&all, "cloister-helper");

    if (r == 0)
        r = cl_strv_add(&all, verb);
    for (; r == 0 && *arguments; arguments++)
        r = cl_strv_add(&all, *arguments);
    if (r == 0)
        return all;
    cl_strv_free(all);
    return NULL;
}

static void ask_for_terminal(struct cl_run_request *request)
{
    const char *term = getenv("TERM");

    request->version = CL_RUN_VERSION;
    request->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    request->error_terminal = request->terminal && isatty(STDERR_FILENO);
    if (request->terminal && term && strlen(term) < sizeof(request->term))
        (void)snprintf(request->term, sizeof(request->term), "%s", term);
    if (!cl_run_request_valid(request)) /* an odd TERM: none */
        request->term[0] = '\0';
}

static int run_helper(const char *verb, const struct cl_run_request *request, char *const *arguments,
                      struct started *ret)
{
    cleanup_strv char **all = make_arguments(verb, arguments);
    int pair[2], r;
    pid_t pid;

    if (!all)
        return ctl_error("%s", strerror(ENOMEM));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return ctl_error("make a socket pair: %s", strerror(errno));
    r = spawn(pair[1], -1, all, &pid);
    cl_close(&pair[1]);
    if (r < 0) {
        r = ctl_error("run " CL_HELPER_PATH ": %s", strerror(-r));
    } else {
        r = negotiate(pair[0], request, ret);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    cl_close(&pair[0]);
    return r;
}

int start(const char *verb, struct cl_run_request *request, char *const *arguments, struct started *ret)
{
    const struct sigaction defaults = {.sa_handler = SIG_DFL};

    start_fix_descriptors();
    if (start_is_inert())
        return ctl_error("setuid programs have no effect here, inside a cell or under no_new_privs: a cell cannot "
                         "be made or entered");
    (void)sigaction(SIGCHLD, &defaults, NULL); /* an ignored one would take the command's status */
    ask_for_terminal(request);
    return run_helper(verb, request, arguments, ret);
}
