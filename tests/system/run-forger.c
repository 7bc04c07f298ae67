/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * run-forger HELPER FILE: what a local user may try on the setuid helper's verb `run`, by hand. Each try has the helper
 * start "/bin/touch FILE" in a cell, and must end as the table says: "refused" (an answer that says so), "silent" (none: the
 * request is no request), or "started", for those that only make it hard. "RAN": FILE is there. One line each; one that
 * says HOLE is one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define ANSWER_MS     60000
#define TIMER_SECONDS 2 /* the helper has begun, and waits for the request */

struct try {
    const char *name, *expected;
    void (*forge)(struct cl_run_request *request); /* NULL: an honest one */
    enum { PARENT, SELF, ORPHAN, NO_PAIR } who;    /* made the pair */
    enum { GO, HANG_UP, FULL, ALARM } then;
};

static void ask_user(struct cl_run_request *request)
{
    (void)strcpy(request->user, "daemon");
}

static void ask_own_uid_by_name(struct cl_run_request *request)
{
    (void)strcpy(request->user, "root");
}

static void ask_policy(struct cl_run_request *request)
{
    (void)strcpy(request->policy, "default");
}

static void ask_service(struct cl_run_request *request)
{
    (void)strcpy(request->service, "sshd");
}

static void ask_config(struct cl_run_request *request)
{
    (void)strcpy(request->config, "/tmp");
}

static void spoil_version(struct cl_run_request *request)
{
    request->version = CL_RUN_VERSION + 1;
}

static void spoil_term(struct cl_run_request *request)
{
    (void)strcpy(request->term, "a\nLD_PRELOAD=/tmp/x");
}

static void spoil_end(struct cl_run_request *request)
{
    (void)memset(request->policy, 'x', sizeof(request->policy));
}

static const struct try tries[] = {
    {"no pair", "silent", NULL, NO_PAIR, GO},
    {"own pair", "silent", NULL, SELF, GO},
    {"orphan", "silent", NULL, ORPHAN, GO},
    {"another version", "silent", spoil_version, PARENT, GO},
    {"odd TERM", "silent", spoil_term, PARENT, GO},
    {"no end of a string", "silent", spoil_end, PARENT, GO},
    {"another user", "refused", ask_user, PARENT, GO},
    {"root", "refused", ask_own_uid_by_name, PARENT, GO},
    {"a policy", "refused", ask_policy, PARENT, GO},
    {"a service", "refused", ask_service, PARENT, GO},
    {"a configuration", "refused", ask_config, PARENT, GO},
    {"no room for an answer", "silent", NULL, PARENT, FULL},
    {"hanging up", "started", NULL, PARENT, HANG_UP},
    {"a timer that is about to end", "started RAN", NULL, PARENT, ALARM},
};

/* Fills the queue towards the caller, so that the helper's answers would block. */
static void fill_queue(int helper_end)
{
    char junk[sizeof(struct cl_reply)] = "";

    while (send(helper_end, junk, sizeof(junk), MSG_DONTWAIT) > 0)
        ;
}

static void become_helper(const struct try *t, const char *helper, const char *file, const int pair[2])
{
    const struct itimerval soon = {.it_value = {.tv_sec = TIMER_SECONDS}};
    int own[2], fd = t->who == NO_PAIR ? open("/dev/null", O_RDWR) : pair[1];

    if (t->who == SELF && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, own) == 0) {
        (void)!write(own[0], "", 1);
        fd = own[1];
    }
    if (dup2(fd, CL_HANDOFF_FD) < 0)
        _exit(3);
    (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    if (t->then == ALARM)
        (void)setitimer(ITIMER_REAL, &soon, NULL);
    (void)execl(helper, "cloister-helper", "run", "/bin/touch", file, (char *)NULL);
    _exit(3);
}

static pid_t start_helper(const struct try *t, const char *helper, const char *file, const int pair[2])
{
    pid_t pid = fork();

    if (pid == 0 && t->who == ORPHAN) {
        pid_t middle = getpid();

        if (fork() > 0)
            _exit(0);
        while (getppid() == middle)
            (void)usleep(1000);
        become_helper(t, helper, file, pair);
    }
    if (pid == 0)
        become_helper(t, helper, file, pair);
    return pid;
}

/* The end of the queue is the end of every helper that holds the other side. */
static const char *converse(const struct try *t, int sock)
{
    static struct cl_reply reply;
    struct pollfd answer = {.fd = sock, .events = POLLIN};

    while (poll(&answer, 1, ANSWER_MS) > 0) {
        ssize_t n = recv(sock, &reply, sizeof(reply), 0); /* descriptors that come along are closed */

        if (n <= 0)
            return "silent";
        if (n != (ssize_t)sizeof(reply) || reply.version != CL_HANDOFF_VERSION)
            continue; /* our own junk */
        if (reply.type == CL_REPLY_REFUSED)
            return "refused";
        if (reply.type != CL_REPLY_STARTED)
            continue;
        if (t->then != HANG_UP)
            (void)send(sock, "", 1, MSG_NOSIGNAL);
        return "started";
    }
    return "hangs";
}

static void attempt(const struct try *t, const char *helper, const char *file)
{
    struct cl_run_request request = {.version = CL_RUN_VERSION};
    const char *outcome;
    char seen[32];
    int pair[2];

    (void)unlink(file);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        exit(3);
    if (t->forge)
        t->forge(&request);
    if (t->then == FULL)
        fill_queue(pair[1]);
    (void)start_helper(t, helper, file, pair);
    (void)close(pair[1]);
    if (t->then == ALARM)
        (void)sleep(TIMER_SECONDS + 1);
    (void)send(pair[0], &request, sizeof(request), MSG_NOSIGNAL);
    if (t->then == FULL)
        while (waitpid(-1, NULL, 0) > 0)
            ; /* it must give up by itself */
    outcome = converse(t, pair[0]);
    (void)close(pair[0]);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
    (void)snprintf(seen, sizeof(seen), "%s%s", outcome, access(file, F_OK) == 0 ? " RAN" : "");
    (void)printf("%s: %s%s\n", t->name, strcmp(seen, t->expected) == 0 ? "as it should: " : "HOLE: ", seen);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
        attempt(&tries[i], argv[1], argv[2]);
    return 0;
}
