/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * New limits in what a cell shows of its own status. Its mount stays read-only all the time: the file is replaced through a
 * detached copy of that mount, by a child that joins the cell's mount namespace, and nothing else of it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "status.h"
#include "util.h"
#include "view_layout.h"

#define STATUS_MAX (4 * 1024 * 1024)
#define NEW        VIEW_STATUS ".new"

static json_t *limits_json(const struct limits *limits)
{
    json_t *array = json_array();

    for (size_t i = 0; i < limits->n; i++)
        (void)json_array_append_new(array, record_limit_json(&limits->items[i]));
    return array;
}

static char *revise(int old, const struct limits *cell, const struct limits *login)
{
    cleanup_free char *text = NULL;
    size_t size;
    json_t *all = cl_read_all(old, STATUS_MAX, &text, &size) == 0 ? json_loadb(text, size, 0, NULL) : NULL;
    char *revised;

    if (!all)
        return NULL;
    (void)json_object_set_new(json_array_get(json_object_get(all, "cells"), 0), "limits", limits_json(cell));
    if (login)
        (void)json_object_set_new(all, "limits", limits_json(login));
    revised = json_dumps(all, JSON_INDENT(1));
    json_decref(all);
    return revised;
}

static int replace(int dir, const struct limits *cell, const struct limits *login)
{
    cleanup_fd int old = openat(dir, VIEW_STATUS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), new = -1;
    cleanup_free char *text = NULL;
    struct stat st;
    int r;

    if (old < 0 || fstat(old, &st) < 0)
        return -errno;
    text = S_ISREG(st.st_mode) ? revise(old, cell, login) : NULL;
    if (!text)
        return -EBADMSG;
    new = openat(dir, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (new < 0)
        return -errno;
    r = cl_write_all(new, text, strlen(text));
    if (r == 0 && (fchown(new, st.st_uid, st.st_gid) < 0 || fchmod(new, 0444) < 0 ||
                   renameat(dir, NEW, dir, VIEW_STATUS) < 0))
        r = -errno;
    if (r < 0)
        (void)unlinkat(dir, NEW, 0);
    return r;
}

/* The last component is ours alone to mount on, and what is above it is root's of the cell, whom nobody can become. */
static int rewrite(int init_fd, const struct limits *cell, const struct limits *login)
{
    struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};
    cleanup_fd int tree = -1, dir = -1;

    if (setns(init_fd, CLONE_NEWNS) < 0)
        return -errno;
    tree = open_tree(AT_FDCWD, CL_RUN_DIR, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &writable, sizeof(writable)) < 0)
        return -errno;
    dir = openat(tree, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? -errno : replace(dir, cell, login);
}

int status_change(int init_fd, const struct limits *cell, const struct limits *login)
{
    int status = 0;
    pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid == 0)
        _exit(-rewrite(init_fd, cell, login));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}
