/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzing of the hand-off: a message of any size and content, with any number of descriptors, arrives at either end.
 * What is taken as valid must hold what both ends rely on, and no descriptor may stay open that nobody was given.
 */
#include "config.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fuzz.h"
#include "handoff.h"

#define FDS_SENT_MAX 10 /* more than either end takes, and than its buffer holds */

union message {
    struct cl_request request;
    struct cl_reply reply;
    uint8_t bytes[sizeof(struct cl_reply) + 64];
};

static const struct cl_request request_template = {.version = CL_HANDOFF_VERSION,
                                                   .verb = CL_VERB_CLOSE,
                                                   .id = "abcdef012345",
                                                   .user = "eva",
                                                   .service = "sshd",
                                                   .tty = "ssh",
                                                   .rhost = "198.51.100.7"};
static const struct cl_reply reply_template = {.version = CL_HANDOFF_VERSION,
                                               .type = CL_REPLY_PLAN,
                                               .deadline_ms = 10000,
                                               .text = "text",
                                               .plan = {.placement = CL_PLACEMENT_FORK,
                                                        .uid = 1000,
                                                        .gid = 1000,
                                                        .bounding = 3,
                                                        .ambient = 1,
                                                        .id = "abcdef012345",
                                                        .policy = "students",
                                                        .apparmor = "cloister-default",
                                                        .env = "A=1\0B=2\0"}};

/* The input changes a valid message: pieces of an offset (two bytes), a length (one byte) and so many bytes. */
static void apply(union message *message, size_t size, const uint8_t *data, size_t left)
{
    while (left > 3) {
        size_t offset = (size_t)(data[0] | data[1] << 8) % size, n = data[2];

        data += 3;
        left -= 3;
        n = n < left ? n : left;
        n = n < size - offset ? n : size - offset;
        memcpy(message->bytes + offset, data, n);
        data += n;
        left -= n;
    }
}

static void send_message(int sock, const union message *message, size_t size, size_t n_fds)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int) * FDS_SENT_MAX)];
    } control = {0};
    union message copy = *message;
    struct iovec part = {.iov_base = &copy, .iov_len = size};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    int fds[FDS_SENT_MAX];

    for (size_t i = 0; i < n_fds; i++)
        fds[i] = sock;
    if (n_fds > 0) {
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
    }
    MUST(sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size);
}

static void check_words(const char *s)
{
    for (; *s; s++)
        MUST((unsigned char)*s > ' ' && *s != 0x7f);
}

static void check_request(const struct cl_request *request)
{
    MUST(request->verb < CL_VERB_COUNT);
    MUST(strnlen(request->id, sizeof(request->id)) < sizeof(request->id));
    MUST(strnlen(request->user, sizeof(request->user)) < sizeof(request->user));
    MUST(strnlen(request->service, sizeof(request->service)) < sizeof(request->service));
    MUST(strnlen(request->tty, sizeof(request->tty)) < sizeof(request->tty));
    MUST(strnlen(request->rhost, sizeof(request->rhost)) < sizeof(request->rhost));
    MUST(request->verb != CL_VERB_CLOSE || strlen(request->id) == CL_ID_LENGTH);
    check_words(request->user);
    check_words(request->service);
    check_words(request->tty);
    check_words(request->rhost);
}

static void check_reply(const struct cl_reply *reply)
{
    const struct cl_plan *plan = &reply->plan;
    const char *pair = plan->env;

    MUST(reply->type < CL_REPLY_COUNT && strnlen(reply->text, sizeof(reply->text)) < sizeof(reply->text));
    if (reply->type != CL_REPLY_PLAN)
        return;
    MUST(plan->uid != 0 && (plan->ambient & ~plan->bounding) == 0);
    MUST(strnlen(plan->policy, sizeof(plan->policy)) < sizeof(plan->policy));
    MUST(strnlen(plan->apparmor, sizeof(plan->apparmor)) < sizeof(plan->apparmor));
    for (; *pair; pair += strlen(pair) + 1) /* as the module does */
        MUST(pair + strlen(pair) + 1 < plan->env + sizeof(plan->env));
}

/* The lowest free descriptor: if it is the same before and after, none was left open. */
static int lowest_free(void)
{
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    MUST(fd >= 0);
    close(fd);
    return fd;
}

static void deliver(const union message *message, size_t size, size_t n_fds, bool to_helper)
{
    union message got = {0};
    int before = lowest_free(), pair[2], fds[CL_FD_COUNT] = CL_NO_FDS, r;
    size_t taken = 0, wanted = to_helper ? sizeof(got.request) : sizeof(got.reply);
    size_t max_fds = to_helper ? 0 : CL_FD_COUNT;

    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    send_message(pair[0], message, size, n_fds);
    r = cl_receive(pair[1], &got, wanted, fds, max_fds, &taken, cl_now_ms() + 1000);
    MUST((r == 0) == (size == wanted && n_fds <= max_fds));
    MUST(taken == (r == 0 ? n_fds : 0));
    if (r == 0 && to_helper && cl_request_valid(&got.request))
        check_request(&got.request);
    if (r == 0 && !to_helper && cl_reply_valid(&got.reply))
        check_reply(&got.reply);
    for (size_t i = 0; i < CL_FD_COUNT; i++)
        cl_close(&fds[i]);
    cl_close(&pair[0]);
    cl_close(&pair[1]);
    MUST(lowest_free() == before);
}

/* The first byte: which end, and how many descriptors; the second: by how much the size is wrong, mostly not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    union message message = {0};
    bool to_helper;
    size_t n_fds, length;

    if (size < 2)
        return 0;
    to_helper = data[0] & 1;
    n_fds = (data[0] >> 1) % (FDS_SENT_MAX + 1);
    if (to_helper)
        message.request = request_template;
    else
        message.reply = reply_template;
    length = to_helper ? sizeof(message.request) : sizeof(message.reply);
    apply(&message, length, data + 2, size - 2);
    if (data[1] >= 0xc0)
        length += data[1] == 0xc0 ? 1 : (size_t)0 - (data[1] - 0xc0u);
    deliver(&message, length, n_fds, to_helper);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    MUST(lowest_free() > STDERR_FILENO);
    return 0;
}
