/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The wire of the hand-off: whole messages with descriptors, checked on arrival.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "handoff.h"
#include "run.h"
#include "util.h"

#define FDS_MAX 8

int cl_send(int sock, const void *message, size_t size, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control = {0};
    union {
        const void *in;
        void *out;
    } data = {.in = message}; /* struct iovec is not const-correct */
    struct iovec part = {.iov_base = data.out, .iov_len = size};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    assert(n_fds <= FDS_MAX);
    if (n_fds > 0) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
    }
    do
        n = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return (size_t)n == size ? 0 : -EMSGSIZE;
}

static int wait_readable(int sock, int64_t deadline)
{
    for (;;) {
        struct pollfd p = {.fd = sock, .events = POLLIN};
        int64_t left = deadline < 0 ? -1 : deadline - cl_now_ms();
        int n;

        if (deadline >= 0 && left <= 0)
            return -ETIMEDOUT;
        n = poll(&p, 1, (int)left);
        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

/* Take every descriptor that came, so that none is left open by a malformed message. */
static size_t take_fds(struct msghdr *msg, int fds[FDS_MAX])
{
    size_t n = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        size_t here;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (here > FDS_MAX - n)
            here = FDS_MAX - n; /* cannot happen: the buffer holds FDS_MAX */
        memcpy(fds + n, CMSG_DATA(c), here * sizeof(int));
        n += here;
    }
    return n;
}

int cl_receive(int sock, void *message, size_t size, int *ret_fds, size_t max_fds, size_t *ret_n_fds,
               int64_t deadline)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
    } control = {0};
    struct iovec part = {.iov_base = message, .iov_len = size};
    struct msghdr msg = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    int fds[FDS_MAX];
    size_t n_fds;
    ssize_t n;
    int r = wait_readable(sock, deadline);

    if (r < 0)
        return r;
    do
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    n_fds = take_fds(&msg, fds);
    if (n == 0 && n_fds == 0)
        return -EPIPE;
    if ((size_t)n != size || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n_fds > max_fds) {
        for (size_t i = 0; i < n_fds; i++)
            cl_close(&fds[i]);
        return -EBADMSG;
    }
    for (size_t i = 0; i < n_fds; i++)
        ret_fds[i] = fds[i];
    if (ret_n_fds)
        *ret_n_fds = n_fds;
    return 0;
}

#define TERMINATED(array) (memchr((array), '\0', sizeof(array)) != NULL)

/* Names go into log lines of NAME=VALUE: none has a blank or a control character. */
static bool is_word(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f)
            return false;
    return true;
}

static bool is_notice(const char *s)
{
    for (; *s; s++)
        if (*s != '\n' && (*s < ' ' || *s == 0x7f))
            return false;
    return true;
}

bool cl_id_valid(const char *id)
{
    return strlen(id) == CL_ID_LENGTH && strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz") == CL_ID_LENGTH;
}

bool cl_request_valid(const struct cl_request *request)
{
    if (request->version != CL_HANDOFF_VERSION || request->verb >= CL_VERB_COUNT)
        return false;
    if (!TERMINATED(request->id) || !TERMINATED(request->user) || !TERMINATED(request->service) ||
        !TERMINATED(request->tty) || !TERMINATED(request->rhost))
        return false;
    if (!is_word(request->user) || !is_word(request->service) || !is_word(request->tty) ||
        !is_word(request->rhost))
        return false;
    return request->verb != CL_VERB_CLOSE || cl_id_valid(request->id);
}

bool cl_reply_valid(const struct cl_reply *reply)
{
    const struct cl_plan *plan = &reply->plan;

    if (reply->version != CL_HANDOFF_VERSION || reply->type >= CL_REPLY_COUNT || !TERMINATED(reply->text))
        return false;
    if (!TERMINATED(reply->notice) || !is_notice(reply->notice))
        return false;
    if (reply->type == CL_REPLY_STARTED)
        return reply->pid > 1 && TERMINATED(plan->id) && cl_id_valid(plan->id);
    if (reply->type != CL_REPLY_PLAN)
        return true;
    return TERMINATED(plan->id) && TERMINATED(plan->policy) && TERMINATED(plan->apparmor) &&
           plan->env[CL_ENV_MAX - 1] == '\0' && plan->env[CL_ENV_MAX - 2] == '\0' && cl_id_valid(plan->id) &&
           plan->uid != 0 && (plan->ambient & ~plan->bounding) == 0 &&
           (plan->placement == CL_PLACEMENT_CREDENTIALS || plan->placement == CL_PLACEMENT_FORK);
}

/* It becomes a part of the environment: terminfo's names have nothing else in them. */
static bool is_term(const char *s)
{
    return s[strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-+._")] == '\0';
}

bool cl_run_request_valid(const struct cl_run_request *request)
{
    if (request->version != CL_RUN_VERSION || request->terminal > 1 || request->error_terminal > 1)
        return false;
    if (!TERMINATED(request->term) || !TERMINATED(request->user) || !TERMINATED(request->policy) ||
        !TERMINATED(request->service) || !TERMINATED(request->config))
        return false;
    return is_term(request->term) && is_word(request->user) && is_word(request->policy) &&
           is_word(request->service) && (!request->config[0] || request->config[0] == '/');
}
