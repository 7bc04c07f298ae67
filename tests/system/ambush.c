/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ambush TARGET DELAY PROGRAM: waits for the next start of PROGRAM, waits DELAY microseconds more, and kills
 * with SIGKILL, so that a test can hit any moment of an open. The kernel names the process (fanotify(7),
 * FAN_OPEN_EXEC): nothing is polled, and no other process of that name is mistaken for it. TARGET is
 *
 *   helper     the process that executes PROGRAM
 *   parent     the one that started it
 *   children   what it has forked by then
 *   none       nothing; says how long it ran
 *
 * "ready" on standard output means that the next start is seen; then one line, "killed N", "gone" or "ran
 * MICROSECONDS".
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 120000

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int watch(const char *program)
{
    int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC, AT_FDCWD, program) < 0) {
        perror("ambush: fanotify");
        return -1;
    }
    return fd;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], text[512] = "";
    int fd, parent = -1;
    const char *after;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && (after = strrchr(text, ')')))
        (void)!sscanf(after + 1, " %*c %d", &parent);
    if (fd >= 0)
        (void)close(fd);
    return parent;
}

static pid_t next_start(int fd)
{
    struct fanotify_event_metadata event;
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (poll(&p, 1, WAIT_MS) != 1 || read(fd, &event, sizeof(event)) != (ssize_t)sizeof(event))
        return -1;
    (void)close(event.fd);
    return event.pid;
}

/* user@.service asks the helper whom it may start for. */
static int of_user_manager(pid_t pid)
{
    char path[64], text[512] = "";
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    if (fd >= 0)
        (void)close(fd);
    return strstr(text, "/user@") != NULL;
}

/* What the service manager starts is no login's. */
static pid_t await_start(int fd)
{
    pid_t pid = next_start(fd);

    while (pid > 0 && (parent_of(pid) <= 1 || of_user_manager(pid)))
        pid = next_start(fd);
    return pid;
}

static int open_pid(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int kill_fd(int fd)
{
    return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
}

static int kill_children(pid_t pid)
{
    char path[64];
    FILE *children;
    int n = 0, child;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    children = fopen(path, "re");
    while (children && fscanf(children, "%d", &child) == 1)
        n += kill_fd(open_pid(child));
    if (children)
        (void)fclose(children);
    return n;
}

static int strike(const char *target, pid_t pid, int helper, int parent)
{
    if (strcmp(target, "helper") == 0)
        return kill_fd(helper);
    if (strcmp(target, "parent") == 0)
        return kill_fd(parent);
    return kill_children(pid);
}

int main(int argc, char **argv)
{
    int fd, helper, parent, n;
    struct pollfd ended;
    int64_t start;
    pid_t pid;

    if (argc != 4)
        return 2;
    fd = watch(argv[3]);
    if (fd < 0)
        return 1;
    (void)dprintf(STDOUT_FILENO, "ready\n");
    pid = await_start(fd);
    if (pid <= 0)
        return 1;
    start = now_us();
    helper = open_pid(pid);
    parent = open_pid(parent_of(pid));
    ended = (struct pollfd){.fd = helper, .events = POLLIN};
    if (strcmp(argv[1], "none") == 0) {
        (void)poll(&ended, 1, WAIT_MS);
        (void)dprintf(STDOUT_FILENO, "ran %lld\n", (long long)(now_us() - start));
        return 0;
    }
    (void)usleep((useconds_t)strtoul(argv[2], NULL, 10));
    /* What it did last is only of interest while it is at work. */
    n = poll(&ended, 1, 0) == 0 ? strike(argv[1], pid, helper, parent) : 0;
    (void)dprintf(STDOUT_FILENO, n > 0 ? "killed %d\n" : "gone\n", n);
    return 0;
}
