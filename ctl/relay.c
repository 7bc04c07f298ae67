/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between a command in a cell and whoever started it. The command has pipes or a terminal of its own, never ours: what
 * passes is bytes. Theory of operation: each stream has one buffer, which is filled only when it is empty, and poll(2)
 * says when; signals come through signalfd(2), so that none is lost and none interrupts. Nothing of ours is set
 * non-blocking, for others share it: instead, what poll says can be written is written in pieces that do not block.
 *
 *   the command runs   everything passes, signals are forwarded
 *   it has ended       our terminal is restored, input is left alone; with end, the helper closes the cell, and what its
 *                      last processes say still passes; a signal now means that nobody wants to wait for that
 *   the end            what is left in the pipes, and no more: someone outside the cell may hold their other end
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "start.h"
#include "util.h"

#define BUFFER_SIZE 65536
#define REST_MAX    (2 * 1024 * 1024) /* of one stream: more than any pipe holds */

struct stream {
    int from, to; /* -1: has ended */
    bool to_ours; /* to is shared with others, and blocking */
    size_t start, end, taken;
    char buffer[BUFFER_SIZE];
};

struct relay {
    struct started *started;
    struct stream streams[CL_RUN_FDS];
    int signals;
    pid_t command, closer; /* 0: has ended, or was never started */
    int status;            /* to exit with */
    bool impatient;        /* a signal came after the command had ended */
    bool raw;
    struct termios modes;
};

/* Ours ---------------------------------------------------------------------------------------------------------- */

static void make_raw(struct relay *r)
{
    struct termios raw = r->modes;

    if (!r->started->terminal)
        return;
    cfmakeraw(&raw);
    r->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void restore_terminal(struct relay *r)
{
    if (r->raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &r->modes);
    r->raw = false;
}

/* Those that are ignored stay so: nohup(1), and what a shell starts in the background. */
static int catch_signals(int *ret_fd)
{
    static const int signals[] = {SIGCHLD, SIGWINCH, SIGTSTP, SIGCONT, SIGHUP,
                                  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1, SIGUSR2};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < CL_ARRAY_SIZE(signals); i++) {
        struct sigaction now;

        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            (void)sigaddset(&set, signals[i]);
    }
    (void)sigaction(SIGPIPE, &ignore, NULL); /* the command is told, by its own pipe's end */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    *ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret_fd < 0 ? -errno : 0;
}

/* Streams ------------------------------------------------------------------------------------------------------- */

static void end_input(struct relay *r, struct stream *s)
{
    s->from = -1; /* ours: it stays open */
    if (s->start < s->end)
        return; /* once all is written */
    if (!r->started->terminal)
        cl_close(&s->to);
    else if (r->command)
        (void)kill(r->command, SIGHUP); /* our terminal is gone */
}

static void end_stream(struct relay *r, struct stream *s)
{
    if (s == &r->streams[CL_RUN_IN]) {
        end_input(r, s);
    } else {
        cl_close(&s->from);
    }
}

static void fill(struct relay *r, struct stream *s)
{
    ssize_t n = read(s->from, s->buffer, sizeof(s->buffer));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 && s == &r->streams[CL_RUN_IN] && errno != EIO && errno != EBADF)
        (void)ctl_error("read standard input: %s", strerror(errno));
    if (n <= 0) {
        end_stream(r, s);
        return;
    }
    s->start = 0;
    s->end = (size_t)n;
    s->taken += (size_t)n;
}

static void drop(struct relay *r, struct stream *s)
{
    s->start = s->end = 0;
    if (s == &r->streams[CL_RUN_IN]) {
        s->from = -1;
        if (!r->started->terminal)
            cl_close(&s->to);
    } else {
        cl_close(&s->from); /* the command learns it from its next write */
    }
}

static void drain(struct relay *r, struct stream *s)
{
    size_t size = s->end - s->start;
    ssize_t n;

    if (s->to_ours && size > PIPE_BUF)
        size = PIPE_BUF;
    n = write(s->to, s->buffer + s->start, size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        if (s->to_ours && errno != EPIPE)
            (void)ctl_error("write: %s", strerror(errno));
        drop(r, s);
        return;
    }
    s->start += (size_t)n;
    if (s->start == s->end && s->from < 0 && s == &r->streams[CL_RUN_IN])
        end_input(r, s);
}

static bool wants_to_write(const struct stream *s)
{
    return s->start < s->end && s->to >= 0;
}

static bool wants_to_read(const struct stream *s)
{
    return s->start == s->end && s->from >= 0;
}

/* Signals ------------------------------------------------------------------------------------------------------- */

static int exit_status(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void reap(struct relay *r)
{
    int status;

    if (r->command && waitpid(r->command, &status, WNOHANG) == r->command) {
        r->command = 0;
        r->status = exit_status(status);
    }
    if (r->closer && waitpid(r->closer, &status, WNOHANG) == r->closer)
        r->closer = 0;
}

static void stop_ourselves(struct relay *r)
{
    restore_terminal(r);
    (void)raise(SIGSTOP);
    make_raw(r);
}

static void take_signal(struct relay *r, int sig)
{
    switch (sig) {
    case SIGCHLD:
        reap(r);
        break;
    case SIGTSTP:
        stop_ourselves(r);
        break;
    case SIGCONT: /* a shell may have set modes of its own meanwhile */
        if (r->command)
            make_raw(r);
        start_copy_size(r->started->fds[CL_RUN_IN]);
        break;
    case SIGWINCH:
        if (r->started->terminal)
            start_copy_size(r->started->fds[CL_RUN_IN]);
        break;
    default:
        if (r->command)
            (void)kill(r->command, sig); /* our child, not reaped: the pid is its */
        else
            r->impatient = true;
        break;
    }
}

static void take_signals(struct relay *r)
{
    struct signalfd_siginfo info;

    while (read(r->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        take_signal(r, (int)info.ssi_signo);
}

/* The loop ------------------------------------------------------------------------------------------------------ */

/* One round; timeout as poll(2). Returns how many streams can go on. */
static int turn(struct relay *r, bool input, int timeout)
{
    struct pollfd polled[1 + CL_RUN_FDS] = {{.fd = r->signals, .events = POLLIN}};
    int n = 0;

    for (size_t i = 0; i < CL_RUN_FDS; i++) {
        const struct stream *s = &r->streams[i];

        polled[1 + i].fd = -1;
        if (i == CL_RUN_IN && !input)
            continue;
        if (wants_to_write(s))
            polled[1 + i] = (struct pollfd){.fd = s->to, .events = POLLOUT};
        else if (wants_to_read(s))
            polled[1 + i] = (struct pollfd){.fd = s->from, .events = POLLIN};
    }
    if (poll(polled, 1 + CL_RUN_FDS, timeout) < 0)
        return 0;
    for (size_t i = 0; i < CL_RUN_FDS; i++) {
        struct stream *s = &r->streams[i];

        if (polled[1 + i].fd < 0 || !polled[1 + i].revents)
            continue;
        n++;
        if (wants_to_write(s))
            drain(r, s);
        else
            fill(r, s);
    }
    if (polled[0].revents)
        take_signals(r);
    return n;
}

static void begin_close(struct relay *r)
{
    char name[] = "cloister-helper", verb[] = "end";
    char *const arguments[] = {name, verb, r->started->id, NULL};
    int error = start_helper(arguments, &r->closer);

    if (error < 0) {
        r->closer = 0;
        (void)ctl_error("run " CL_HELPER_PATH ": %s", strerror(-error));
    }
}

/* What was written before the end is there by now, and poll makes a terminal give it. */
static void take_rest(struct relay *r)
{
    bool more = true;

    for (size_t i = 0; i < CL_RUN_FDS; i++)
        r->streams[i].taken = 0;
    while (more && !r->impatient) {
        bool writes = false;

        for (size_t i = CL_RUN_OUT; i < CL_RUN_FDS; i++) {
            struct stream *s = &r->streams[i];

            writes = writes || wants_to_write(s);
            if (s->taken > REST_MAX)
                cl_close(&s->from);
        }
        more = turn(r, false, writes ? -1 : 0) > 0 || writes;
    }
}

static void set_streams(struct relay *r)
{
    struct started *x = r->started;
    int out = x->terminal ? x->fds[CL_RUN_IN] : x->fds[CL_RUN_OUT];

    r->streams[CL_RUN_IN] = (struct stream){.from = STDIN_FILENO, .to = x->fds[CL_RUN_IN]};
    r->streams[CL_RUN_OUT] = (struct stream){
        .from = x->terminal ? fcntl(out, F_DUPFD_CLOEXEC, 3) : out, .to = STDOUT_FILENO, .to_ours = true};
    r->streams[CL_RUN_ERR] =
        (struct stream){.from = x->fds[CL_RUN_ERR], .to = STDERR_FILENO, .to_ours = true};
    if (r->streams[CL_RUN_IN].to >= 0)
        (void)fcntl(r->streams[CL_RUN_IN].to, F_SETFL, O_NONBLOCK); /* nobody else's */
}

static int relay_all(struct relay *r, bool end)
{
    r->command = r->started->pid;
    set_streams(r);
    if (r->started->terminal && tcgetattr(STDIN_FILENO, &r->modes) == 0)
        make_raw(r);
    reap(r); /* it may have ended before its signal was caught */
    while (r->command)
        (void)turn(r, true, -1);
    restore_terminal(r);
    if (end)
        begin_close(r);
    while (r->closer && !r->impatient)
        (void)turn(r, false, -1);
    take_rest(r);
    return r->status;
}

int relay(struct started *started, bool end)
{
    struct relay *r = calloc(1, sizeof(*r));
    int status = CTL_PROBLEM, error = r ? 0 : -ENOMEM;

    if (r) {
        r->started = started;
        error = catch_signals(&r->signals);
    }
    if (error == 0) {
        status = relay_all(r, end);
        (void)close(r->signals);
        for (size_t i = CL_RUN_OUT; i < CL_RUN_FDS; i++)
            cl_close(&r->streams[i].from);
        cl_close(&r->streams[CL_RUN_IN].to);
    } else {
        (void)ctl_error("relay: %s", strerror(-error)); /* and by our end the cell ends */
    }
    free(r);
    return status;
}
