/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister-init: pid 1 of a cell, and all that stays resident of Cloister. It reaps, and it ends the cell: when pid 1 of a pid
 * namespace exits, the kernel kills everything in it (pid_namespaces(7)). It runs as uid 0 of the cell, which is the nobody
 * "cloister" on the host: the tenant can neither signal nor trace it. It has no capability, opens nothing, and reads nothing
 * that a tenant writes; but for what ends logins without input (idle.c), where a policy says so.
 *
 * A cell of one login ends when that login does. A cell that lasts has any number of them, each watched by its pidfd, of
 * which root tells on the channel; after the last, the cell ends, or goes on while there are processes in it, with
 * "linger" for so long at most.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "idle.h"

#define FOREVER INT64_MAX
#define LOOK_MS 10000 /* how often a lingering cell is looked at: not every end of a process is told to pid 1 */

enum { POLL_GO, POLL_CHANNEL, POLL_LOGINS };

struct state {
    bool lasts;      /* past its last login */
    int64_t linger;  /* milliseconds past it, at most */
    int64_t until;   /* when it ends, on CLOCK_BOOTTIME; FOREVER: never, or not known yet */
    bool handed_over;
    int channel; /* -1: none */
    struct login logins[INIT_LOGINS_MAX];
    unsigned n;
    struct idle idle;
};

static void on_child(int sig)
{
    (void)sig; /* only to interrupt poll(2) */
}

static int prepare(sigset_t *while_waiting)
{
    const struct sigaction child = {.sa_handler = on_child};
    sigset_t all;

    if (prctl(PR_SET_NAME, "cloister-init", 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -1;
    if (sigfillset(&all) < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -1;
    if (sigfillset(while_waiting) < 0 || sigdelset(while_waiting, SIGCHLD) < 0)
        return -1;
    return sigaction(SIGCHLD, &child, NULL);
}

/* Time that the host sleeps counts. */
static int64_t now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void add_login(struct state *state, const char *id, int fd, int kill)
{
    struct login *login = &state->logins[state->n++];

    *login = (struct login){.fd = fd, .kill = kill, .terminal = -1, .at = now_ms()};
    memcpy(login->id, id, sizeof(login->id));
}

static int read_arguments(int argc, char **argv, struct state *state)
{
    static const char nameless[INIT_ID_SIZE];
    int64_t numbers[4];

    *state = (struct state){.until = FOREVER, .linger = FOREVER, .channel = argc > 1 ? INIT_CHANNEL_FD : -1};
    state->idle.proc = -1;
    if (argc == 1) {
        add_login(state, nameless, INIT_LOGIN_FD, -1);
        return 0;
    }
    if (argc != 2 + 4)
        return -1;
    for (int i = 0; i < 4; i++)
        numbers[i] = strtoll(argv[2 + i], NULL, 10);
    state->lasts = strcmp(argv[1], INIT_KILL) != 0;
    if (strcmp(argv[1], INIT_LINGER) == 0)
        state->linger = numbers[0] * 1000;
    return idle_start(numbers[1] * 1000, numbers[2] * 1000, (uid_t)numbers[3], INIT_DEVPTS_FD, &state->idle);
}

static void close_one(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void drop(struct state *state, unsigned i)
{
    close_one(state->logins[i].fd);
    close_one(state->logins[i].kill);
    close_one(state->logins[i].terminal);
    state->logins[i] = state->logins[--state->n];
}

/* The login has ended, and perhaps nobody closed it: what it started ends with it, if its policy says so. */
static void end_login(struct state *state, unsigned i)
{
    if (state->logins[i].kill >= 0)
        (void)!write(state->logins[i].kill, "1", 1);
    drop(state, i);
}

static int find(const struct state *state, const char *id)
{
    for (unsigned i = 0; i < state->n; i++)
        if (strcmp(state->logins[i].id, id) == 0)
            return (int)i;
    return -1;
}

/* Takes over the descriptors: -1 where there is none. */
static uint32_t join(struct state *state, const struct init_message *m, int fd, int kill)
{
    if (fd >= 0 && state->n < INIT_LOGINS_MAX) {
        add_login(state, m->id, fd, kill);
        return INIT_DONE;
    }
    close_one(fd);
    close_one(kill);
    return INIT_FULL;
}

/* Takes over the descriptor. */
static uint32_t take_terminal(struct state *state, int i, int fd)
{
    if (i < 0) {
        close_one(fd);
        return INIT_NO_SUCH_LOGIN;
    }
    close_one(state->logins[i].terminal);
    state->logins[i].terminal = fd;
    return INIT_DONE;
}

static uint32_t obey(struct state *state, const struct init_message *m, int fd, int kill)
{
    int i = find(state, m->id);

    if (m->verb == INIT_JOIN)
        return join(state, m, fd, kill);
    close_one(kill);
    if (m->verb == INIT_TERMINAL)
        return take_terminal(state, i, fd);
    close_one(fd);
    if (m->verb == INIT_ASK)
        return i >= 0 && state->logins[i].step != IDLE_WATCHED ? INIT_IDLE : INIT_DONE;
    if (m->verb != INIT_LEAVE)
        return INIT_DONE;
    if (i < 0)
        return INIT_NO_SUCH_LOGIN;
    drop(state, (unsigned)i);
    return INIT_DONE;
}

/* One datagram, with its descriptors in fds. Only root of the host can have sent it. */
static ssize_t receive(int channel, struct init_message *m, int fds[3])
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * 3)];
    } control = {0};
    struct iovec part = {.iov_base = m, .iov_len = sizeof(*m)};
    struct msghdr msg = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0)); /* no more than there is room for */
    m->id[INIT_ID_SIZE - 1] = '\0';
    return n;
}

static void reckon(struct state *state);

static void serve(struct state *state)
{
    struct init_answer answer = {.left = -1};
    struct init_message m = {0};
    int fds[3] = {-1, -1, -1};

    if (receive(state->channel, &m, fds) != (ssize_t)sizeof(m))
        m.verb = UINT32_MAX; /* nothing to obey, but perhaps descriptors to close */
    answer.status = obey(state, &m, fds[1], fds[2]);
    reckon(state);
    answer.logins = state->n;
    if (state->n == 0 && state->until != FOREVER)
        answer.left = (state->until - now_ms() + 999) / 1000;
    if (fds[0] >= 0) {
        (void)!write(fds[0], &answer, sizeof(answer)); /* SIGPIPE is blocked */
        (void)close(fds[0]);
    }
}

/* Is there a process but this one? No permission is needed to learn that: kill(2). */
static bool is_alone(void)
{
    return kill(-1, 0) < 0 && errno == ESRCH;
}

/* From the moment on that the last login is gone, the time runs; with the next one it stops. */
static void reckon(struct state *state)
{
    if (state->n > 0 || !state->handed_over)
        state->until = FOREVER;
    else if (!state->lasts)
        state->until = 0;
    else if (state->until == FOREVER && state->linger != FOREVER)
        state->until = now_ms() + state->linger;
}

static bool is_over(const struct state *state)
{
    return state->handed_over && state->n == 0 && (is_alone() || now_ms() >= state->until);
}

/* 0, or the end: 1 when the cell was never handed over. */
static int take_go(struct state *state)
{
    char byte;
    ssize_t n = read(INIT_GO_FD, &byte, 1);

    if (n < 0 && errno == EINTR)
        return 0;
    if (n != 1)
        return 1; /* the helper died, or took the cell back */
    (void)close(INIT_GO_FD);
    state->handed_over = true;
    return 0;
}

/* For ever while there are logins of which none is watched. */
static const struct timespec *wait_at_most(const struct state *state, struct timespec *buf)
{
    int64_t now = now_ms(), pause = LOOK_MS, left = state->until == FOREVER ? LOOK_MS : state->until - now;

    if (state->n > 0 && state->idle.proc < 0)
        return NULL;
    if (state->n > 0)
        left = state->idle.next - now;
    if (left < pause || state->n > 0)
        pause = left > 0 ? left : 0;
    *buf = (struct timespec){.tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000};
    return buf;
}

static void wait_for_news(const struct state *state, const sigset_t *while_waiting, struct pollfd *polled)
{
    struct timespec timeout;

    polled[POLL_GO] = (struct pollfd){.fd = state->handed_over ? -1 : INIT_GO_FD, .events = POLLIN};
    polled[POLL_CHANNEL] = (struct pollfd){.fd = state->channel, .events = POLLIN};
    for (unsigned i = 0; i < state->n; i++)
        polled[POLL_LOGINS + i] = (struct pollfd){.fd = state->logins[i].fd, .events = POLLIN};
    if (ppoll(polled, POLL_LOGINS + state->n, wait_at_most(state, &timeout), while_waiting) < 0)
        for (unsigned i = 0; i < POLL_LOGINS + state->n; i++)
            polled[i].revents = 0;
}

int main(int argc, char **argv)
{
    struct pollfd polled[POLL_LOGINS + INIT_LOGINS_MAX];
    struct state state;
    sigset_t while_waiting;

    if (read_arguments(argc, argv, &state) < 0 || prepare(&while_waiting) < 0)
        return 1;
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (is_over(&state))
            return 0;
        wait_for_news(&state, &while_waiting, polled);
        for (unsigned i = state.n; i-- > 0;) /* backwards: the last takes the place of one that goes */
            if (polled[POLL_LOGINS + i].revents)
                end_login(&state, i);
        if (polled[POLL_GO].revents && take_go(&state) != 0)
            return 1;
        if (polled[POLL_CHANNEL].revents)
            serve(&state);
        reckon(&state);
        idle_look(&state.idle, state.logins, state.n, now_ms());
    }
}
