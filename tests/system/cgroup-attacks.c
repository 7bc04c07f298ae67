/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a tenant does to the limits of a cell: forks, memory, CPU time, disk reads.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup-attacks.h"
#include "util.h"

#define IN_CELL_MAX 250

pid_t in_cell(const struct cell *cell, int (*task)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (cl_write_all(cell->place.procs_fd, "0", 1) < 0 || setresuid(cell->uid, cell->uid, cell->uid) < 0)
            _exit(IN_CELL_MAX + 1);
        _exit(task());
    }
    return pid;
}

int wait_for(pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    return status;
}

/* A bomb tells through full how many processes it could fork, and keeps them until hold is closed. */
static int full[2], hold[2];

static int fork_bomb(void)
{
    unsigned char n = 0;
    char byte;

    cl_close(&hold[1]);
    for (; n < IN_CELL_MAX; n++) {
        pid_t pid = fork();

        if (pid < 0)
            break;
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                pause();
        }
    }
    if (write(full[1], &n, 1) != 1)
        return 1;
    return read(hold[0], &byte, 1) != 0;
}

static int wait_full(void)
{
    unsigned char n = 0;

    return read(full[0], &n, 1) == 1 ? n : -1;
}

int fork_once(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid < 0 ? 1 : WEXITSTATUS(wait_for(pid));
}

void attack_pids(const struct cell *first, const struct cell *second, const struct cell *other)
{
    struct cl_usage usage = {0};
    pid_t bomb, bomb2;
    int n, n2, others, host, r;

    if (pipe2(full, O_CLOEXEC) < 0 || pipe2(hold, O_CLOEXEC) < 0)
        exit(99);
    bomb = in_cell(first, fork_bomb);
    n = wait_full();
    bomb2 = in_cell(second, fork_bomb);
    n2 = wait_full();
    others = wait_for(in_cell(other, fork_once));
    host = fork_once();
    r = cgroup_usage(first->place.path, &usage);
    for (int i = 0; i < 2; i++) {
        cl_close(&full[i]);
        cl_close(&hold[i]);
    }
    wait_for(bomb);
    wait_for(bomb2);
    check(n == 18, "a fork bomb in a cell with pids_max 20 got %d processes", n);
    check(n2 == 8, "with that, one in the user's other cell, with pids_max 30 for both, got %d", n2);
    check(others == 0 && host == 0, "another user's cell and the host fork meanwhile");
    check(r == 0 && usage.n[CL_USE_PIDS_MAX_HITS] > 0, "events count %" PRIu64 " refused forks",
          usage.n[CL_USE_PIDS_MAX_HITS]);
}

static int memory_hog(void)
{
    char *p = mmap(NULL, 256 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < 256 * MIB; i += 4096)
        p[i] = 1;
    return 0;
}

void attack_memory(const struct cell *first, const struct cell *second)
{
    struct cl_usage usage = {0};
    int status = wait_for(in_cell(first, memory_hog)), r;

    sleep(1); /* a manager that ends the whole cell needs a moment for it */
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a memory hog is killed (status %#x)", status);
    check(kill(first->init, 0) == 0 && kill(second->init, 0) == 0, "nothing else is");
    check(wait_for(in_cell(first, fork_once)) == 0, "its cell goes on");
    r = cgroup_usage(first->place.path, &usage);
    check(r == 0 && usage.n[CL_USE_OOM_KILLS] == 1 && usage.n[CL_USE_MEMORY_MAX_HITS] > 0,
          "events count %" PRIu64 " kill", usage.n[CL_USE_OOM_KILLS]);
}

static int spin(void)
{
    time_t end = time(NULL) + 60;

    while (time(NULL) < end)
        ;
    return 0;
}

static double cpu_seconds(const struct cell *cell)
{
    cleanup_free char *text = NULL;
    uint64_t us = 0;

    if (cl_read_file_at(cell->place.dir_fd, "cpu.stat", &text) == 0)
        (void)!sscanf(text, "usage_usec %" SCNu64, &us);
    return (double)us / 1e6;
}

/* Percent of one CPU that the cell uses. */
static double cpu_share(const struct cell *cell)
{
    int64_t start = cl_now_ms();
    double used = cpu_seconds(cell);

    sleep(4);
    used = cpu_seconds(cell) - used;
    return used * 100000 / (double)(cl_now_ms() - start);
}

void attack_cpu(const struct cell *cell)
{
    struct cl_usage usage = {0};
    pid_t pid[3];
    double share = 0, most = 0;
    int r;

    for (size_t i = 0; i < CL_ARRAY_SIZE(pid); i++)
        pid[i] = in_cell(cell, spin);
    sleep(1);
    for (int i = 0; i < 4 && share <= 45; i++) { /* less is the machine's doing: it may be busy with others */
        share = cpu_share(cell);
        most = share > most ? share : most;
    }
    r = cgroup_usage(cell->place.path, &usage);
    for (size_t i = 0; i < CL_ARRAY_SIZE(pid); i++) {
        kill(pid[i], SIGKILL);
        wait_for(pid[i]);
    }
    check(most > 45 && most < 55, "three spinning processes with cpu_max 50%% use %.1f%%", most);
    check(r == 0 && usage.n[CL_USE_CPU_THROTTLED] > 0, "events count %" PRIu64 " throttled periods",
          usage.n[CL_USE_CPU_THROTTLED]);
}

/* Milliseconds to read 4 MiB of a disk past the page cache, or -1. As root: it is the cgroup that is asked.
 */
static int64_t read_disk(const struct cell *cell, unsigned major, unsigned minor)
{
    char node[64];
    int64_t start = cl_now_ms();
    int status;
    pid_t pid;

    snprintf(node, sizeof(node), "/dev/cgroup-probe-%u-%u", major, minor);
    if (mknod(node, S_IFBLK | 0600, makedev(major, minor)) < 0 && errno != EEXIST)
        return -1;
    pid = fork();
    if (pid == 0) {
        char *buf = mmap(NULL, MIB / 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int fd = open(node, O_RDONLY | O_DIRECT);

        if (fd < 0 || buf == MAP_FAILED || (cell && cl_write_all(cell->place.procs_fd, "0", 1) < 0))
            _exit(1);
        for (int i = 0; i < 16; i++)
            if (pread(fd, buf, MIB / 4, i * (off_t)(MIB / 4)) != (ssize_t)(MIB / 4))
                _exit(1);
        _exit(0);
    }
    status = wait_for(pid);
    unlink(node);
    return status == 0 ? cl_now_ms() - start : -1;
}

void attack_io(const struct cell *cell, unsigned io_major, unsigned io_minor)
{
    unsigned major, minor;
    int64_t limited = read_disk(cell, io_major, io_minor), host = read_disk(NULL, io_major, io_minor);
    int64_t elsewhere = -1;

    if (cgroup_device_resolve("/", &major, &minor) == 0)
        elsewhere = read_disk(cell, major, minor);
    check(limited > 2500 && limited < 8000, "4 MiB at rbps 1M take %" PRId64 " ms", limited);
    check(host >= 0 && host < 1500, "and %" PRId64 " ms on the host", host);
    check(elsewhere >= 0 && elsewhere < 1500, "and %" PRId64 " ms from the root disk", elsewhere);
}
