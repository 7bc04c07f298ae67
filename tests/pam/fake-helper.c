/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Stands in for cloister-helper in test-module: records how it was called and what it was asked, then answers
 * as the control file says, rightly or in one of the ways that a broken or replaced helper could.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "util.h"

extern char **environ;

static struct fake_record record;

static void load(const char *path, void *to, size_t size)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, to, size) != (ssize_t)size)
        memset(to, 0, size);
}

static void store(const char *path, const void *from, size_t size)
{
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, from, size) != (ssize_t)size)
        _exit(3);
}

static unsigned count_ignored(void)
{
    unsigned n = 0;

    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction action;

        n += sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
    }
    return n;
}

static unsigned count_blocked(void)
{
    sigset_t mask;
    unsigned n = 0;

    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int sig = 1; sig < NSIG; sig++)
        n += sigismember(&mask, sig) == 1;
    return n;
}

static void record_call(void)
{
    static const char letters[CL_VERB_COUNT] = {
        [CL_VERB_OPEN] = 'o', [CL_VERB_EXEMPT] = 'x', [CL_VERB_CLOSE] = 'c'};
    struct cl_request request;
    unsigned descriptors = 0;

    for (int fd = 0; fd < 32; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            descriptors |= 1u << fd;
    load(FAKE_RECORD, &record, sizeof(record));
    record.descriptors = descriptors;
    record.pid = getpid();
    record.blocked = count_blocked();
    record.ignored = count_ignored();
    record.environment = 0;
    while (environ && environ[record.environment])
        record.environment++;
    if (cl_receive(CL_HANDOFF_FD, &request, sizeof(request), NULL, 0, NULL, -1) == 0) {
        record.request = request;
        if (record.calls + 1 < sizeof(record.verbs) && request.verb < CL_VERB_COUNT)
            record.verbs[record.calls] = letters[request.verb];
    }
    record.calls++;
    store(FAKE_RECORD, &record, sizeof(record));
}

static void say(const struct cl_reply *reply, size_t n_fds)
{
    int fds[8];
    int r;

    for (size_t i = 0; i < n_fds; i++)
        fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    r = cl_send(CL_HANDOFF_FD, reply, sizeof(*reply), fds, n_fds);
    if (r < 0)
        _exit(4);
}

static void say_raw(const void *data, size_t size)
{
    if (cl_send(CL_HANDOFF_FD, data, size, NULL, 0) < 0)
        _exit(4);
}

static struct cl_reply make_plan(void)
{
    struct cl_reply reply = {
        .version = CL_HANDOFF_VERSION, .type = CL_REPLY_PLAN, .deadline_ms = CL_DEADLINE_MS};
    static const char env[] = "GREETING=hello\0EMPTY=\0GONE\0NEVER_THERE\0";

    reply.plan.placement = CL_PLACEMENT_CREDENTIALS;
    reply.plan.uid = 65534;
    reply.plan.gid = 65534;
    reply.plan.has_cgroup = true;
    reply.plan.has_seccomp = true;
    (void)snprintf(reply.plan.id, sizeof(reply.plan.id), "abcdefghij01");
    (void)snprintf(reply.plan.policy, sizeof(reply.plan.policy), "test");
    memcpy(reply.plan.env, env, sizeof(env));
    return reply;
}

static void wait_forever(void)
{
    for (;;)
        (void)pause();
}

static void answer(enum fake_answer how)
{
    struct cl_reply hello = {
        .version = CL_HANDOFF_VERSION, .type = CL_REPLY_HELLO, .deadline_ms = CL_DEADLINE_MS};
    struct cl_reply plan = make_plan();
    struct cl_reply other = {.version = CL_HANDOFF_VERSION, .deadline_ms = CL_DEADLINE_MS};
    char noise[sizeof(struct cl_reply) + 64];

    memset(noise, 0x5a, sizeof(noise));
    switch (how) {
    case FAKE_PLAN:
    case FAKE_LINGER:
        say(&hello, 0);
        say(&plan, 3);
        if (how == FAKE_LINGER)
            wait_forever();
        return;
    case FAKE_PLAN_BARE:
        plan.plan.has_cgroup = plan.plan.has_seccomp = false;
        say(&hello, 0);
        say(&plan, 1);
        return;
    case FAKE_SECCOMP_ONLY:
        plan.plan.has_cgroup = false;
        say(&hello, 0);
        say(&plan, 2);
        return;
    case FAKE_NOTICE:
    case FAKE_BAD_NOTICE:
        (void)snprintf(plan.notice, sizeof(plan.notice),
                       how == FAKE_NOTICE ? "one 100%%s\ntwo\n" : "one\033[2J\n");
        say(&hello, 0);
        say(&plan, 3);
        return;
    case FAKE_EXEMPT:
    case FAKE_REFUSE:
    case FAKE_DONE:
        other.type = how == FAKE_EXEMPT   ? CL_REPLY_EXEMPT
                     : how == FAKE_REFUSE ? CL_REPLY_REFUSED
                                          : CL_REPLY_DONE;
        (void)snprintf(other.text, sizeof(other.text), "the text of the answer");
        say(&hello, 0);
        say(&other, 0);
        return;
    case FAKE_DIE:
        return;
    case FAKE_DIE_HELLO:
        say(&hello, 0);
        return;
    case FAKE_HANG_HELLO:
        say(&hello, 0);
        wait_forever();
        return;
    case FAKE_HANG:
        wait_forever();
        return;
    case FAKE_SHORT:
        say_raw(noise, 4);
        return;
    case FAKE_LONG:
        say_raw(noise, sizeof(noise));
        return;
    case FAKE_NOISE:
        say_raw(noise, sizeof(struct cl_reply));
        return;
    case FAKE_VERSION:
        plan.version = CL_HANDOFF_VERSION + 1;
        say(&plan, 3);
        return;
    case FAKE_HELLO_FD:
        say(&hello, 1);
        say(&plan, 3);
        return;
    case FAKE_FEW_FDS:
        say(&plan, 2);
        return;
    case FAKE_MANY_FDS:
        plan.plan.has_cgroup = plan.plan.has_seccomp = false;
        say(&plan, 3);
        return;
    case FAKE_FLOOD_FDS:
        say(&plan, 8);
        return;
    case FAKE_ROOT_PLAN:
        plan.plan.uid = 0;
        say(&plan, 3);
        return;
    case FAKE_UNTERMINATED:
        memset(plan.plan.apparmor, 'x', sizeof(plan.plan.apparmor));
        say(&plan, 3);
        return;
    case FAKE_ANSWER_COUNT:
        break;
    }
    _exit(5);
}

/* A close is always answered rightly: what is tested is how a session begins. */
int main(void)
{
    enum fake_answer how = FAKE_ANSWER_COUNT;

    load(FAKE_CONTROL, &how, sizeof(how));
    record_call();
    answer(record.request.verb == CL_VERB_CLOSE ? FAKE_DONE : how);
    return 0;
}
