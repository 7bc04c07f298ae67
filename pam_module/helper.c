/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Run cloister-helper for one request, within a deadline, whatever state the service's signals are in.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module.h"
#include "util.h"

/* The helper keeps the deadline itself, names the stage that missed it, and takes back what it built: time
 * for that. */
#define UNDO_MS 3000

static int spawn_actions(posix_spawn_file_actions_t *actions, int sock)
{
    int r = posix_spawn_file_actions_adddup2(actions, sock, CL_HANDOFF_FD);

    for (int fd = 0; r == 0 && fd < CL_HANDOFF_FD; fd++)
        r = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    if (r == 0)
        r = posix_spawn_file_actions_addclosefrom_np(actions, CL_HANDOFF_FD + 1);
    return r;
}

static int spawn_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    int r;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attributes, &all);
    if (r == 0)
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return r;
}

/* posix_spawn(3) runs no fork handlers: neither ours nor the service's. */
static int spawn_helper(int sock, pid_t *ret_pid)
{
    static char name[] = "cloister-helper", verb[] = "handoff";
    static char *const argv[] = {name, verb, NULL}, *const envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r = posix_spawn_file_actions_init(&actions);

    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = spawn_actions(&actions, sock);
        if (r == 0)
            r = spawn_attributes(&attributes);
        if (r == 0)
            r = posix_spawn(ret_pid, CL_HELPER_PATH, &actions, &attributes, argv, envp);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/* They came without gaps. */
static void sort_descriptors(const struct cl_plan *plan, struct cl_plan_fds *fds)
{
    const bool has[CL_FD_COUNT] = {[CL_FD_INIT] = true,
                                   [CL_FD_CGROUP] = plan->has_cgroup,
                                   [CL_FD_SECCOMP] = plan->has_seccomp,
                                   [CL_FD_LANDLOCK] = plan->has_landlock};
    struct cl_plan_fds sorted = {.fd = CL_NO_FDS};

    for (size_t i = 0, came = 0; i < CL_FD_COUNT; i++)
        if (has[i])
            sorted.fd[i] = fds->fd[came++];
    *fds = sorted;
}

static int converse(int sock, const struct cl_request *request, struct cl_reply *reply,
                    struct cl_plan_fds *fds, struct cl_error *e)
{
    int64_t start = cl_now_ms(), deadline = start + CL_DEADLINE_MS + UNDO_MS;
    size_t n_fds = 0, wanted;
    int r = cl_send(sock, request, sizeof(*request), NULL, 0);

    if (r < 0 && r != -EPIPE) /* it may have ended before it read: the next call says so */
        return cl_fail(e, -r, "send the request to " CL_HELPER_PATH);
    do {
        r = cl_receive(sock, reply, sizeof(*reply), fds->fd, CL_FD_COUNT, &n_fds, deadline);
        if (r == -EPIPE)
            return cl_fail(e, EPIPE, CL_HELPER_PATH " ended without an answer");
        if (r < 0)
            return cl_fail(e, -r, "wait for the answer of " CL_HELPER_PATH);
        if (!cl_reply_valid(reply))
            return cl_fail(e, EBADMSG, "answer of " CL_HELPER_PATH " is not of this version");
        deadline = start + reply->deadline_ms + UNDO_MS;
    } while (reply->type == CL_REPLY_HELLO && n_fds == 0);
    wanted = reply->type == CL_REPLY_PLAN ? 1u + reply->plan.has_cgroup + reply->plan.has_seccomp + reply->plan.has_landlock : 0;
    if (n_fds != wanted)
        return cl_fail(e, EBADMSG, "answer of " CL_HELPER_PATH " carries %zu descriptors, not %zu", n_fds,
                       wanted);
    if (wanted > 0)
        sort_descriptors(&reply->plan, fds);
    return 0;
}

/* The helper holds its end of the pair until it exits; one that lingers after its answer is ended. */
static void reap_helper(int sock, pid_t pid, bool answered)
{
    struct cl_reply surplus;
    struct cl_plan_fds fds = {.fd = CL_NO_FDS};

    if (!answered || cl_receive(sock, &surplus, sizeof(surplus), fds.fd, CL_FD_COUNT, NULL,
                                cl_now_ms() + CL_DEADLINE_MS) != -EPIPE)
        (void)kill(pid, SIGKILL); /* not reaped yet: the pid is still the helper's */
    cl_plan_fds_close(&fds);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* A service may ignore SIGCHLD, or reap all its children in a handler: neither must take the helper from us.
 */
struct sigchld_state {
    sigset_t mask;
    struct sigaction action;
    bool changed;
};

static void hold_sigchld(struct sigchld_state *state)
{
    static const struct sigaction defaults = {.sa_handler = SIG_DFL};
    sigset_t sigchld;

    (void)sigemptyset(&sigchld);
    (void)sigaddset(&sigchld, SIGCHLD);
    (void)pthread_sigmask(SIG_BLOCK, &sigchld, &state->mask);
    state->changed = sigaction(SIGCHLD, NULL, &state->action) == 0 &&
                     (state->action.sa_handler == SIG_IGN || (state->action.sa_flags & SA_NOCLDWAIT)) &&
                     sigaction(SIGCHLD, &defaults, NULL) == 0;
}

static void release_sigchld(const struct sigchld_state *state)
{
    if (state->changed)
        (void)sigaction(SIGCHLD, &state->action, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &state->mask, NULL);
}

int helper_call(const struct cl_request *request, struct cl_reply *ret_reply, struct cl_plan_fds *ret_fds,
                struct cl_error *e)
{
    struct cl_plan_fds fds = {.fd = CL_NO_FDS};
    struct sigchld_state sigchld;
    int pair[2];
    pid_t pid;
    int r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return cl_fail(e, errno, "make a socket pair");
    hold_sigchld(&sigchld);
    r = spawn_helper(pair[1], &pid);
    cl_close(&pair[1]);
    if (r < 0) {
        r = cl_fail(e, -r, "run " CL_HELPER_PATH);
    } else {
        r = converse(pair[0], request, ret_reply, &fds, e);
        reap_helper(pair[0], pid, r == 0);
    }
    release_sigchld(&sigchld);
    cl_close(&pair[0]);
    if (r < 0)
        cl_plan_fds_close(&fds);
    else
        *ret_fds = fds;
    return r;
}
