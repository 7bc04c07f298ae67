/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a tenant may do to a machine, in small, and countable. Static, as it runs inside cells.
 *
 *   load forks MAX     forks until it can't or MAX children live, and says how many
 *   load memory MIB    dirties that much memory, and says when it has
 *   load spin N        N busy loops
 *   load daemon        leaves a process behind: session of its own, no parent, no terminal, every signal
 * ignored load term FILE     ignores SIGHUP, and at SIGTERM takes a moment before it writes FILE and ends
 *
 * The first three stay until their standard input ends.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHILDREN_MAX 5000
#define MIB          (1024L * 1024L)

static void await_end_of_input(void)
{
    char buf[256];

    while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
        ;
}

static void wait_forever(void)
{
    for (;;)
        (void)pause();
}

static void spin_forever(void)
{
    for (volatile unsigned long n = 0;; n++)
        ;
}

static long fork_many(long max, void (*child)(void), pid_t *pids)
{
    for (long n = 0; n < max; n++) {
        pids[n] = fork();
        if (pids[n] < 0)
            return n;
        if (pids[n] == 0) {
            child();
            _exit(0);
        }
    }
    return max;
}

static int run_children(long max, void (*child)(void), const char *what)
{
    static pid_t pids[CHILDREN_MAX];
    long n;

    if (max < 0 || max > CHILDREN_MAX)
        return 2;
    errno = 0;
    n = fork_many(max, child, pids);
    (void)dprintf(STDOUT_FILENO, "%s=%ld errno=%d\n", what, n, n < max ? errno : 0);
    await_end_of_input();
    for (long i = 0; i < n; i++)
        (void)kill(pids[i], SIGKILL);
    return 0;
}

static int use_memory(long mib)
{
    size_t size = (size_t)mib * MIB;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < size; i += 4096)
        memset(memory + i, (int)(i / 4096 % 251) + 1, 4096);
    (void)dprintf(STDOUT_FILENO, "touched=%ld\n", mib);
    await_end_of_input();
    return 0;
}

static int become_daemon(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (fork() != 0)
        return 0;
    (void)setsid();
    if (fork() != 0)
        _exit(0);
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &ignore, NULL);
    for (int fd = 0; fd < 256; fd++)
        (void)close(fd);
    wait_forever();
    return 0;
}

static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
    (void)sig;
    terminated = 1;
}

static int await_term(const char *file)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN}, handle = {.sa_handler = on_term};
    int fd;

    (void)sigaction(SIGHUP, &ignore, NULL);
    (void)sigaction(SIGTERM, &handle, NULL);
    (void)dprintf(STDOUT_FILENO, "waiting\n");
    for (int null = open("/dev/null", O_RDWR), i = 0; i <= 2; i++)
        (void)dup2(null, i);
    while (!terminated)
        (void)pause();
    (void)usleep(300000);
    fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    return fd >= 0 && write(fd, "terminated\n", 11) == 11 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

    if (strcmp(verb, "forks") == 0)
        return run_children(n, wait_forever, "forks");
    if (strcmp(verb, "spin") == 0)
        return run_children(n, spin_forever, "spinning");
    if (strcmp(verb, "memory") == 0)
        return use_memory(n);
    if (strcmp(verb, "daemon") == 0)
        return become_daemon();
    if (strcmp(verb, "term") == 0 && argc > 2)
        return await_term(argv[2]);
    (void)dprintf(STDERR_FILENO, "usage: load forks MAX | memory MIB | spin N | daemon | term FILE\n");
    return 2;
}
