/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Stands in for cloister-helper in test-module: records how it was called and what it was asked, then answers
 * as the control file says, rightly or in one of the ways that a broken or replaced helper could.
 */
#include "config.h"

#include <assert.h>
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

/* What an answer consists of: perhaps a hello, then one thing more, whole or spoilt. */
struct script {
    bool hello;
    size_t hello_fds;
    enum { NOTHING, PLAN, OTHER, NOISE } says;
    size_t n; /* descriptors, or bytes of noise */
    bool hangs;
};

static const struct script scripts[] = {
    [FAKE_PLAN] = {.hello = true, .says = PLAN, .n = 3},
    [FAKE_LINGER] = {.hello = true, .says = PLAN, .n = 3, .hangs = true},
    [FAKE_PLAN_BARE] = {.hello = true, .says = PLAN, .n = 1},
    [FAKE_SECCOMP_ONLY] = {.hello = true, .says = PLAN, .n = 2},
    [FAKE_NOTICE] = {.hello = true, .says = PLAN, .n = 3},
    [FAKE_BAD_NOTICE] = {.hello = true, .says = PLAN, .n = 3},
    [FAKE_EXEMPT] = {.hello = true, .says = OTHER},
    [FAKE_REFUSE] = {.hello = true, .says = OTHER},
    [FAKE_DONE] = {.hello = true, .says = OTHER},
    [FAKE_DIE] = {.says = NOTHING},
    [FAKE_DIE_HELLO] = {.hello = true},
    [FAKE_HANG_HELLO] = {.hello = true, .hangs = true},
    [FAKE_HANG] = {.hangs = true},
    [FAKE_SHORT] = {.says = NOISE, .n = 4},
    [FAKE_LONG] = {.says = NOISE, .n = sizeof(struct cl_reply) + 64},
    [FAKE_NOISE] = {.says = NOISE, .n = sizeof(struct cl_reply)},
    [FAKE_VERSION] = {.says = PLAN, .n = 3},
    [FAKE_HELLO_FD] = {.hello = true, .hello_fds = 1, .says = PLAN, .n = 3},
    [FAKE_FEW_FDS] = {.says = PLAN, .n = 2},
    [FAKE_MANY_FDS] = {.says = PLAN, .n = 3},
    [FAKE_FLOOD_FDS] = {.says = PLAN, .n = 8},
    [FAKE_ROOT_PLAN] = {.says = PLAN, .n = 3},
    [FAKE_UNTERMINATED] = {.says = PLAN, .n = 3},
};
static_assert(CL_ARRAY_SIZE(scripts) == FAKE_ANSWER_COUNT, "a script for each answer");

static struct cl_reply plan_for(enum fake_answer how)
{
    struct cl_reply reply = make_plan();

    if (how == FAKE_PLAN_BARE || how == FAKE_SECCOMP_ONLY || how == FAKE_MANY_FDS)
        reply.plan.has_cgroup = false;
    if (how == FAKE_PLAN_BARE || how == FAKE_MANY_FDS)
        reply.plan.has_seccomp = false;
    if (how == FAKE_NOTICE || how == FAKE_BAD_NOTICE)
        (void)snprintf(reply.notice, sizeof(reply.notice),
                       how == FAKE_NOTICE ? "one 100%%s\ntwo\n" : "one\033[2J\n");
    if (how == FAKE_VERSION)
        reply.version = CL_HANDOFF_VERSION + 1;
    if (how == FAKE_ROOT_PLAN)
        reply.plan.uid = 0;
    if (how == FAKE_UNTERMINATED)
        memset(reply.plan.apparmor, 'x', sizeof(reply.plan.apparmor));
    return reply;
}

static void answer(enum fake_answer how)
{
    struct cl_reply hello = {
        .version = CL_HANDOFF_VERSION, .type = CL_REPLY_HELLO, .deadline_ms = CL_DEADLINE_MS};
    struct cl_reply plan = plan_for(how);
    struct cl_reply other = {.version = CL_HANDOFF_VERSION,
                             .deadline_ms = CL_DEADLINE_MS,
                             .type = how == FAKE_EXEMPT   ? CL_REPLY_EXEMPT
                                     : how == FAKE_REFUSE ? CL_REPLY_REFUSED
                                                          : CL_REPLY_DONE,
                             .text = "the text of the answer"};
    char noise[sizeof(struct cl_reply) + 64];
    const struct script *script;

    if (how >= FAKE_ANSWER_COUNT)
        _exit(5);
    script = &scripts[how];
    memset(noise, 0x5a, sizeof(noise));
    if (script->hello)
        say(&hello, script->hello_fds);
    if (script->says == PLAN || script->says == OTHER)
        say(script->says == PLAN ? &plan : &other, script->n);
    if (script->says == NOISE)
        say_raw(noise, script->n);
    if (script->hangs)
        wait_forever();
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
