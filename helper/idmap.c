/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The maps are written by root of the host from outside, so setgroups(2) stays allowed: a service that sets
 * the user's groups inside the cell can only choose among those that are mapped.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "idmap.h"
#include "util.h"

#define EXTENTS_MAX 340 /* of the kernel: user_namespaces(7) */

static int compare_gids(const void *a, const void *b)
{
    gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;

    return left < right ? -1 : left > right;
}

static int write_map(int proc_fd, const char *file, const char *text, struct cl_error *e)
{
    int r = cl_write_file_at(proc_fd, file, text);

    return r < 0 ? cl_fail(e, -r, "write %s of the cell", file) : 0;
}

/* The gid map: 0, then runs of neighbouring gids of the user. tty is added so that terminals show their
 * group. */
static int format_gid_map(const struct cl_user *user, gid_t cell_gid, char **ret, struct cl_error *e)
{
    const struct group *tty = getgrnam("tty");
    size_t n = 0, extents = 1, size = 0;
    cleanup_free gid_t *gids = calloc(user->n_groups + 1, sizeof(gid_t));
    cleanup_free char *text = NULL;
    FILE *stream = open_memstream(&text, &size);

    if (!gids || !stream) {
        cl_fclosep(&stream);
        return cl_fail(e, ENOMEM, "format gid_map");
    }
    for (size_t i = 0; i < user->n_groups; i++)
        if (user->groups[i] != 0 &&
            user->groups[i] != cell_gid) /* these are what the cell's gid 0 stands for */
            gids[n++] = user->groups[i];
    if (tty)
        gids[n++] = tty->gr_gid;
    qsort(gids, n, sizeof(gid_t), compare_gids);
    (void)fprintf(stream, "0 %u 1\n", cell_gid);
    for (size_t i = 0, run; i < n; i += run) {
        gid_t last = gids[i];

        for (run = 1; i + run < n && (gids[i + run] == last || gids[i + run] == last + 1); run++)
            last = gids[i + run];
        (void)fprintf(stream, "%u %u %u\n", gids[i], gids[i], last - gids[i] + 1);
        extents++;
    }
    if (fclose(stream) != 0)
        return cl_fail(e, ENOMEM, "format gid_map");
    if (extents > EXTENTS_MAX)
        return cl_fail(e, E2BIG, "user %s is in too many groups: the kernel maps %d ranges", user->name,
                       EXTENTS_MAX);
    *ret = text;
    text = NULL;
    return 0;
}

int idmap_write_cell(int proc_fd, const struct cl_user *user, uid_t cell_uid, gid_t cell_gid,
                     struct cl_error *e)
{
    cleanup_free char *gid_map = NULL;
    char uid_map[96];
    int r;

    if (user->uid == 0 || user->uid == cell_uid)
        return cl_fail(e, EINVAL, "uid %u cannot have a cell", user->uid);
    if (user->gid == 0 || user->gid == cell_gid)
        return cl_fail(e, EINVAL, "primary group %u cannot be used in a cell", user->gid);
    (void)snprintf(uid_map, sizeof(uid_map), "0 %u 1\n%u %u 1\n", cell_uid, user->uid, user->uid);
    r = format_gid_map(user, cell_gid, &gid_map, e);
    if (r == 0)
        r = write_map(proc_fd, "uid_map", uid_map, e);
    if (r == 0)
        r = write_map(proc_fd, "gid_map", gid_map, e);
    return r;
}

/* All ids but two: 0 on disk is `id`, and `id` on disk is nothing. */
static void format_mount_map(unsigned id, char *buf, size_t size)
{
    const unsigned last = 4294967294U; /* (uid_t)-1 is not an id */

    (void)snprintf(buf, size, "0 %u 1\n1 1 %u\n%u %u %u\n", id, id - 1, id + 1, id + 1, last - id);
}

/* A child that only holds the new user namespace open until its maps are written and the descriptor is ours.
 * It ends when the other end of the pair does. */
static pid_t start_holder(int *ret_sock)
{
    int pair[2];
    pid_t pid;
    char byte = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        if (unshare(CLONE_NEWUSER) == 0 && write(pair[1], &byte, 1) == 1)
            (void)!read(pair[1], &byte, 1);
        _exit(0);
    }
    cl_close(&pair[1]);
    *ret_sock = pair[0];
    return pid;
}

static int map_holder(pid_t holder, uid_t cell_uid, gid_t cell_gid, struct cl_error *e)
{
    char path[32], map[128];
    cleanup_fd int proc = -1;
    int fd, r;

    (void)snprintf(path, sizeof(path), "/proc/%d", holder);
    proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return cl_fail(e, errno, "open %s", path);
    format_mount_map(cell_uid, map, sizeof(map));
    r = write_map(proc, "uid_map", map, e);
    format_mount_map(cell_gid, map, sizeof(map));
    if (r == 0)
        r = write_map(proc, "gid_map", map, e);
    if (r < 0)
        return r;
    fd = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? cl_fail(e, errno, "open the user namespace for id-mapped mounts") : fd;
}

int idmap_mount_userns(uid_t cell_uid, gid_t cell_gid, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int sock = -1;
    pid_t holder = start_holder(&sock);
    char byte;
    int r;

    if (holder < 0)
        return cl_fail(e, errno, "fork a process for the id map");
    if (read(sock, &byte, 1) == 1)
        r = map_holder(holder, cell_uid, cell_gid, e);
    else
        r = cl_fail(e, EPERM, "make a user namespace for id-mapped mounts");
    (void)kill(holder, SIGKILL); /* our child, not reaped yet */
    while (waitpid(holder, NULL, 0) < 0 && errno == EINTR)
        ;
    if (r >= 0)
        *ret_fd = r;
    return r < 0 ? r : 0;
}
