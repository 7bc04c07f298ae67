/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The steps of the process that becomes the cell's pid 1; cell.c tells the story.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cell.h"
#include "init/channel.h"
#include "session.h"
#include "util.h"

static void answer(int sock, const struct cl_error *e)
{
    struct cell_answer message = {.error = *e};

    if (cl_send(sock, &message, sizeof(message), NULL, 0) < 0 || e->err)
        _exit(1);
}

static void await(int sock, char wanted)
{
    char got = 0;

    if (cl_receive(sock, &got, 1, NULL, 0, NULL, -1) < 0 || got != wanted)
        _exit(1);
}

/* The caps count for this user namespace alone and are written by a process inside it: see namespaces(7),
 * "The /proc/sys/user directory". The pid, mount and user namespaces nest only if user namespaces do. */
static int cap_nesting(uint64_t nested, struct cl_error *e)
{
    char value[24];
    int r;

    (void)snprintf(value, sizeof(value), "%llu", (unsigned long long)nested);
    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++) {
        cleanup_fd int dir = open("/proc/sys/user", O_PATH | O_DIRECTORY | O_CLOEXEC);

        r = dir < 0 ? -errno : cl_write_file_at(dir, cl_ns_info(ns)->max_file, value);
        if (r < 0)
            return cl_fail(e, -r, "write /proc/sys/user/%s", cl_ns_info(ns)->max_file);
    }
    return 0;
}

static int loopback_up(struct cl_error *e)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &request) < 0) /* netdevice(7) */
        return cl_fail(e, errno, "bring the loopback device up");
    return 0;
}

/* ping(8) must do without the capability of its file: ping sockets are for whom this range of groups names, and in a
 * new network namespace it names nobody (icmp(7)). Only ids that the cell maps can be written; without, no ping. */
static void allow_ping(gid_t gid)
{
    cleanup_fd int dir = open("/proc/sys/net/ipv4", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char range[32];

    (void)snprintf(range, sizeof(range), "%u %u", gid, gid);
    if (dir >= 0)
        (void)!cl_write_file_at(dir, "ping_group_range", range);
}

static int set_hostname(const char *hostname, struct cl_error *e)
{
    if (hostname && sethostname(hostname, strlen(hostname)) < 0)
        return cl_fail(e, errno, "set the hostname %s", hostname);
    return 0;
}

static int unshare_rest(const struct session *s, struct cl_error *e)
{
    uint32_t later = s->namespaces & ~(uint32_t)(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS);
    const struct cl_policy *policy = s->policy;
    int r;

    if (unshare((int)later) < 0)
        return cl_fail(e, errno, "unshare namespaces");
    r = cap_nesting(policy->namespaces.nested, e);
    if (r == 0 && policy->namespaces.net)
        r = loopback_up(e);
    if (r == 0 && policy->namespaces.net)
        allow_ping(s->user->gid);
    if (r == 0 && policy->namespaces.uts)
        r = set_hostname(policy->namespaces.hostname, e);
    return r;
}

/* Where logins end without input, pid 1 signals their first processes, and tells them as wall(1) does. Its capability counts in
 * the cell alone. */
static int drop_everything(const struct session *s, struct cl_error *e)
{
    bool ends_logins = s->devpts >= 0;

    if (setgroups(ends_logins && s->tty_gid ? 1 : 0, &s->tty_gid) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return cl_fail(e, errno, "become uid 0 of the cell");
    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
        if (!(ends_logins && cap == CAP_KILL) && cap_drop_bound(cap) < 0)
            return cl_fail(e, errno, "empty the bounding set of the cell's pid 1");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return cl_fail(e, errno, "set no_new_privs on the cell's pid 1");
    return 0;
}

/* Put each descriptor where cloister-init looks for it, and close all others at exec. In a cell that lasts, it is told of the
 * login as of any other. */
static int arrange_descriptors(const struct session *s, int go, int *sock, int *binary, struct cl_error *e)
{
    int login = s->opener_fd, channel = s->channel, ruleset = s->landlock_fd, devpts = s->devpts;
    int *const from[] = {&login, &go, &channel, &ruleset, &devpts, sock, binary};
    static const int to[] = {INIT_LOGIN_FD, INIT_GO_FD, INIT_CHANNEL_FD, INIT_LANDLOCK_FD, INIT_DEVPTS_FD};

    if (channel >= 0)
        login = -1;
    for (size_t i = 0; i < CL_ARRAY_SIZE(from); i++) {
        if (*from[i] < 0)
            continue;
        *from[i] = fcntl(*from[i], F_DUPFD_CLOEXEC, 10);
        if (*from[i] < 0)
            return cl_fail(e, errno, "duplicate descriptors for cloister-init");
    }
    for (int fd = 0; fd < 10; fd++)
        (void)close(fd);
    for (size_t i = 0; i < CL_ARRAY_SIZE(to); i++)
        if (*from[i] >= 0 && dup2(*from[i], to[i]) < 0)
            return cl_fail(e, errno, "arrange descriptors for cloister-init");
    for (int fd = 10; fd < 1024; fd++) /* the limit that caller.c set */
        if (fd != *sock && fd != *binary)
            (void)close(fd);
    return 0;
}

#define ARGUMENTS_MAX 6

struct arguments {
    char *argv[ARGUMENTS_MAX + 1];
    char numbers[4][24];
};

/* What becomes of logins, and of the cell after the last. */
static void fill_arguments(const struct session *s, struct arguments *ret)
{
    static char name[] = "cloister-init", kill[] = INIT_KILL, linger[] = INIT_LINGER, keep[] = INIT_KEEP;
    char *const modes[] = {[CL_ON_LOGOUT_KILL] = kill, [CL_ON_LOGOUT_LINGER] = linger, [CL_ON_LOGOUT_KEEP] = keep};
    const uint64_t numbers[] = {s->policy->session.linger, s->policy->session.idle, s->policy->session.grace, s->user->uid};

    memset(ret, 0, sizeof(*ret));
    ret->argv[0] = name;
    if (!s->lasting)
        return;
    ret->argv[1] = modes[s->policy->session.on_logout];
    for (size_t i = 0; i < CL_ARRAY_SIZE(numbers); i++) {
        (void)snprintf(ret->numbers[i], sizeof(ret->numbers[i]), "%llu", (unsigned long long)numbers[i]);
        ret->argv[2 + i] = ret->numbers[i];
    }
}

void cell_main(const struct session *s, int sock, int go_fd, int binary_fd)
{
    static char *const envp[] = {NULL};
    struct arguments arguments;
    struct cl_error e = {0};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        _exit(1);
    await(sock, 'c');
    if (unshare(CLONE_NEWUSER) < 0)
        (void)cl_fail(&e, errno, "unshare the user namespace");
    answer(sock, &e);
    await(sock, 'm');
    (void)!unshare_rest(s, &e);
    answer(sock, &e);
    await(sock, 'x');
    if (drop_everything(s, &e) == 0)
        (void)!arrange_descriptors(s, go_fd, &sock, &binary_fd, &e);
    answer(sock, &e);
    fill_arguments(s, &arguments);
    (void)execveat(binary_fd, "", arguments.argv, envp, AT_EMPTY_PATH);
    (void)!cl_send(sock, "!", 1, NULL, 0);
    _exit(1);
}
