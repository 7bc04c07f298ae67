/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One datagram there, with a pipe for the answer. Who is frozen, or dies, keeps nobody waiting.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"
#include "handoff.h"
#include "util.h"

/* By the descriptor of the folder: a sockaddr has no room for long paths, and none is walked. */
static int use_name(int (*use)(int, const struct sockaddr *, socklen_t), int sock, int run_fd, const char *cell)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    union {
        struct sockaddr_un *un;
        struct sockaddr *any;
    } address = {.un = &name};

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "/proc/self/fd/%d/cells/%s.sock", run_fd, cell);
    return use(sock, address.any, sizeof(name)) < 0 ? -errno : 0;
}

int channel_make(int run_fd, const char *cell, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? -errno : use_name(bind, fd, run_fd, cell);

    if (r < 0)
        return cl_fail(e, -r, "make the socket of cell %s", cell);
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

static int connect_to(const struct channel_call *call, int *ret_fd)
{
    const struct timeval limit = {.tv_sec = call->timeout_ms / 1000, .tv_usec = call->timeout_ms % 1000 * 1000L};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -errno;
    r = use_name(connect, fd, call->run_fd, call->cell);
    if (r < 0)
        return r == -ENOENT || r == -ECONNREFUSED ? -ESRCH : r;
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

static int send_call(const struct channel_call *call, int sock, int answer_fd)
{
    struct init_message message = {.verb = call->verb};
    int fds[3] = {answer_fd, call->login_fd, call->kill_fd}, r;
    bool passes_on = call->verb == INIT_JOIN || call->verb == INIT_TERMINAL;
    size_t n = !passes_on ? 1 : call->kill_fd < 0 ? 2 : 3;

    (void)snprintf(message.id, sizeof(message.id), "%s", call->login ? call->login : "");
    r = cl_send(sock, &message, sizeof(message), fds, n);
    if (r == -EAGAIN)
        return -ETIMEDOUT;
    return r == -ECONNREFUSED || r == -ECONNRESET || r == -EPIPE ? -ESRCH : r;
}

/* The pipe's other end is cloister-init's alone by now: its end of file is the death of who should answer. */
static int await_answer(const struct channel_call *call, int fd, struct init_answer *ret)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = call->init_fd, .events = POLLIN}};
    int64_t until = cl_now_ms() + call->timeout_ms, left;
    ssize_t n;

    for (;;) {
        left = until - cl_now_ms();
        n = poll(polled, 2, left > 0 ? (int)left : 0);
        if (n >= 0 || errno != EINTR)
            break;
    }
    if (n < 0)
        return -errno;
    if (n == 0)
        return -ETIMEDOUT;
    if (!polled[0].revents)
        return -ESRCH;
    n = read(fd, ret, sizeof(*ret));
    return n == (ssize_t)sizeof(*ret) ? 0 : -ESRCH;
}

static int exchange(const struct channel_call *call, struct init_answer *ret)
{
    cleanup_fd int sock = -1, in = -1, out = -1;
    int ends[2], r = connect_to(call, &sock);

    if (r < 0)
        return r;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    in = ends[0];
    out = ends[1];
    r = send_call(call, sock, out);
    cl_close(&out);
    return r < 0 ? r : await_answer(call, in, ret);
}

int channel_call(const struct channel_call *call, struct init_answer *ret, struct cl_error *e)
{
    static const int errors[] = {
        [INIT_DONE] = 0, [INIT_FULL] = EUSERS, [INIT_NO_SUCH_LOGIN] = ENOENT, [INIT_IDLE] = 0};
    struct init_answer answer = {0};
    int r = exchange(call, &answer);

    if (r == -ESRCH)
        return cl_fail(e, ESRCH, "cell %s has ended", call->cell);
    if (r == -ETIMEDOUT)
        return cl_fail(e, ETIMEDOUT, "cell %s does not answer: its cgroup may be frozen", call->cell);
    if (r < 0)
        return cl_fail(e, -r, "reach pid 1 of cell %s", call->cell);
    if (answer.status >= CL_ARRAY_SIZE(errors))
        return cl_fail(e, EBADMSG, "understand pid 1 of cell %s", call->cell);
    if (answer.status == INIT_FULL)
        return cl_fail(e, EUSERS, "cell %s has %u logins: no more can be in one", call->cell, answer.logins);
    if (errors[answer.status])
        return cl_fail(e, errors[answer.status], "cell %s knows no login %s", call->cell, call->login);
    if (ret)
        *ret = answer;
    return 0;
}
