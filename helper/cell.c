/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The process that becomes pid 1 of the cell. Theory of operation: it starts as a copy of the helper, as
 * root, in a new pid namespace and a copy of the host's mount namespace, both owned by the initial user
 * namespace: so nothing inside the cell, whatever capabilities it may have there, can mount or unmount. Step
 * by step it is told to go on (one byte each way on a socket pair; end of file means the helper died, and so
 * does it):
 *
 *   helper                                   this process
 *   puts it into its cgroup        'c' ->    unshares the user namespace
 *   writes the id maps             'm' ->    unshares ipc, uts, net, cgroup; caps nesting; hostname; loopback
 *   builds the file view           'x' ->    becomes uid 0 of the cell (a nobody of the host), drops
 * everything, and executes cloister-init from a descriptor
 *
 * cloister-init then waits for one byte more: only a cell that the login has been told of lives on.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "channel.h"
#include "idmap.h"
#include "record.h"
#include "session.h"
#include "util.h"

#define UNDO_WAIT_MS 1000

/* Which namespaces the policy asks for; user, pid and mount always are (the schema refuses otherwise). */
static uint32_t wanted_namespaces(const struct cl_policy *policy)
{
    const bool wanted[CL_NS_COUNT] = {
        [CL_NS_USER] = true,
        [CL_NS_PID] = true,
        [CL_NS_MOUNT] = true,
        [CL_NS_IPC] = policy->namespaces.ipc,
        [CL_NS_UTS] = policy->namespaces.uts,
        [CL_NS_NET] = policy->namespaces.net,
        [CL_NS_CGROUP] = policy->namespaces.cgroup,
    };
    uint32_t flags = 0;

    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++)
        if (wanted[ns])
            flags |= (uint32_t)cl_ns_info(ns)->flag;
    return flags;
}

static pid_t clone_init(int *ret_pidfd)
{
    struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
                              .exit_signal = SIGCHLD};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args)); /* CLONE_PIDFD sets close-on-exec */
}

/* cloister-init is trusted by where it lies and who owns it. */
static int open_init_binary(struct cl_error *e)
{
    cleanup_fd int fd = open(CL_INIT_PATH, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return cl_fail(e, errno, "open " CL_INIT_PATH);
    if (fstat(fd, &st) < 0)
        return cl_fail(e, errno, "stat " CL_INIT_PATH);
    if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
        return cl_fail(e, EPERM, CL_INIT_PATH " is not root's alone to write");
    return cl_take_fd(&fd);
}

int stage_init(struct session *s, struct cl_error *e)
{
    cleanup_fd int binary = open_init_binary(e);
    int pair[2], go[2], r;

    if (binary < 0)
        return binary;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return cl_fail(e, errno, "make a socket pair");
    if (pipe2(go, O_CLOEXEC) < 0) {
        r = cl_fail(e, errno, "make a pipe");
        cl_close(&pair[0]);
        cl_close(&pair[1]);
        return r;
    }
    r = s->lasting ? channel_make(s->run_fd, s->id, &s->channel, e) : 0;
    if (r < 0) {
        for (int end = 0; end < 2; end++) {
            cl_close(&pair[end]);
            cl_close(&go[end]);
        }
        return r;
    }
    s->namespaces = wanted_namespaces(s->policy);
    s->init = clone_init(&s->init_fd);
    if (s->init == 0) {
        cl_close(&pair[0]);
        cl_close(&go[1]);
        cl_close(&s->lock_fd); /* the lock is the helper's; a copy would outlive it */
        cell_main(s, pair[1], go[0], binary);
    }
    r = s->init < 0 ? cl_fail(e, errno, "clone into new pid and mount namespaces") : 0;
    cl_close(&pair[1]);
    cl_close(&go[0]);
    cl_close(&s->channel); /* else its end would not be seen */
    s->init_sock = pair[0];
    s->init_go = go[1];
    if (r == 0)
        r = record_start_time(s->init, &s->init_start, e);
    return r;
}

/* It ends when its namespace's last zombie is reaped: a command's process is the caller's to reap (launch.c), who may be
 * hostile, and is not waited for. */
void undo_init(struct session *s)
{
    struct pollfd ended = {.fd = s->init_fd, .events = POLLIN};

    if (s->init <= 0)
        return;
    (void)kill(s->init, SIGKILL); /* our child, not reaped yet */
    (void)poll(&ended, 1, UNDO_WAIT_MS);
    (void)waitpid(s->init, NULL, WNOHANG);
    s->init = 0;
}

int cell_step(struct session *s, char go, struct cl_error *e)
{
    struct cell_answer answer;
    int r = 0;

    if (go)
        r = cl_send(s->init_sock, &go, 1, NULL, 0);
    if (r == 0)
        r = cl_receive(s->init_sock, &answer, sizeof(answer), NULL, 0, NULL, s->deadline_ms);
    if (r < 0)
        return cl_fail(e, -r, "the cell's pid 1 ended while it was being built");
    if (answer.error.err) {
        if (e && !e->err)
            *e = answer.error;
        return -answer.error.err;
    }
    return 0;
}

static int open_init_proc(const struct session *s, const char *below, int flags, struct cl_error *e)
{
    char path[64];
    int fd;

    /* Our own child, not reaped: the pid is its. */
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", s->init, below);
    fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? cl_fail(e, errno, "open %s of the cell's pid 1", below) : fd;
}

static int read_inodes(struct session *s, struct cl_error *e)
{
    uint64_t own[CL_NS_COUNT];
    cleanup_fd int own_dir = open("/proc/self/ns", O_RDONLY | O_DIRECTORY | O_CLOEXEC), init_dir = -1;
    int r;

    if (own_dir < 0)
        return cl_fail(e, errno, "open /proc/self/ns");
    init_dir = open_init_proc(s, "ns", O_RDONLY | O_DIRECTORY, e);
    if (init_dir < 0)
        return init_dir;
    r = cl_ns_inodes(own_dir, false, own);
    if (r == 0)
        r = cl_ns_inodes(init_dir, false, s->inodes);
    if (r < 0)
        return cl_fail(e, -r, "read the namespaces of the cell's pid 1");
    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++) {
        bool wanted = s->namespaces & (uint32_t)cl_ns_info(ns)->flag;

        if (wanted != (own[ns] != s->inodes[ns]))
            return cl_fail(e, EXDEV, "the %s namespace of the cell is %s", cl_ns_info(ns)->name,
                           wanted ? "the host's" : "not the host's");
    }
    return 0;
}

int stage_namespaces(struct session *s, struct cl_error *e)
{
    cleanup_fd int proc = -1;
    int r = cell_step(s, 'c', e);

    if (r < 0)
        return r;
    proc = open_init_proc(s, "", O_RDONLY | O_DIRECTORY, e);
    if (proc < 0)
        return proc;
    r = idmap_write_cell(proc, s->user, s->cell_uid, s->cell_gid, e);
    if (r == 0)
        r = cell_step(s, 'm', e);
    if (r == 0)
        r = read_inodes(s, e);
    return r;
}

int stage_start(struct session *s, struct cl_error *e)
{
    char byte;
    int r = cell_step(s, 'x', e);

    if (r < 0)
        return r;
    /* Executed, or dead: either way the close-on-exec socket ends. A failure would have sent a second answer.
     */
    r = cl_receive(s->init_sock, &byte, sizeof(byte), NULL, 0, NULL, s->deadline_ms);
    if (r != -EPIPE)
        return cl_fail(e, r == -ETIMEDOUT ? ETIMEDOUT : ENOEXEC, "execute " CL_INIT_PATH);
    if (waitpid(s->init, NULL, WNOHANG) != 0)
        return cl_fail(e, ECHILD, "cloister-init ended at once");
    return 0;
}
