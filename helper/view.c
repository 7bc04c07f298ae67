/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file view. Theory of operation: a new root is assembled from copies of the host's mounts, or of another tree of files (files.root), each nosuid
 * and nodev, id-mapped where the filesystem can; what is the host's alone (/proc, /sys, /dev, /run, /tmp, the
 * homes of others) is not copied but replaced. Then the root is changed and the host's tree detached, so that
 * nothing is merely covered. All of it happens in the cell's mount namespace, which belongs to the initial
 * user namespace.
 *
 * It is done by a grandchild of the helper that joins every namespace of the cell but the user namespace:
 * only so are /proc, /sys, the cgroup and the message queue mounts those of the cell, and still owned by root
 * of the host.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "idmap.h"
#include "mnt.h"
#include "path.h"
#include "status.h"
#include "util.h"
#include "view.h"

int view_open(const struct view *v, const char *path, int *ret_fd, struct cl_error *e)
{
    return path_open(v->root, path, v->s->cell_uid, ret_fd, e);
}

int view_open_host(const struct view *v, const char *path, int *ret_fd, struct cl_error *e)
{
    return path_open(v->host, path, 0, ret_fd, e);
}

int view_attach(const struct view *v, int mount, const char *path, struct cl_error *e)
{
    cleanup_fd int target = -1;
    int r = view_open(v, path, &target, e);

    if (r == 0)
        r = mnt_attach(mount, target, NULL);
    return r < 0 ? cl_fail(e, -r, "mount on %s of the cell", path) : 0;
}

int view_tmpfs(const struct view *v, const char *path, mode_t mode, uint64_t size, unsigned flags,
               struct cl_error *e)
{
    const struct mnt_tmpfs what = {
        .size = size, .mode = mode, .uid = v->s->cell_uid, .gid = v->s->cell_gid, .flags = flags};
    cleanup_fd int mount = mnt_tmpfs(&what, e);
    int r = mount < 0 ? mount : view_attach(v, mount, path, e);

    return r < 0 ? r : cl_take_fd(&mount);
}

int view_mkdir(const struct view *v, int dir, const char *name, mode_t mode, uid_t uid, gid_t gid,
               struct cl_error *e)
{
    cleanup_fd int fd = -1;

    if (mkdirat(dir, name, 0700) < 0)
        return errno == EEXIST ? 0 : cl_fail(e, errno, "make folder %s in the cell", name);
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
        return cl_fail(e, errno, "set up folder %s in the cell", name);
    return 0;
}

static int hide_folder(struct view *v, int target, struct cl_error *e)
{
    const struct mnt_tmpfs what = {.size = 4096,
                                   .inodes = 2,
                                   .mode = 0555,
                                   .uid = v->s->cell_uid,
                                   .gid = v->s->cell_gid,
                                   .flags = MNT_RDONLY | MNT_NOEXEC};
    cleanup_fd int mount =
        v->empty < 0 ? mnt_tmpfs(&what, e) : mnt_clone(v->empty, MNT_RDONLY | MNT_NOEXEC, -1, NULL, e);
    int r = mount < 0 ? mount : mnt_attach(mount, target, e);

    if (r == 0 && v->empty < 0)
        v->empty = cl_take_fd(&mount); /* one filesystem serves all hidden folders */
    return r;
}

static int hide_file(const struct view *v, int target, struct cl_error *e)
{
    cleanup_fd int mount = mnt_clone(v->null, MNT_RDONLY | MNT_NOEXEC | MNT_DEVICES, -1, NULL, e);

    return mount < 0 ? mount : mnt_attach(mount, target, e);
}

int view_hide(struct view *v, const char *path, struct cl_error *e)
{
    cleanup_fd int target = -1;
    struct cl_error why = {0};
    struct stat st;
    int r = view_open(v, path, &target, &why);

    if (r == -ENOENT)
        return 0;
    if (r == 0 && fstat(target, &st) < 0)
        r = -errno;
    if (r == 0)
        r = S_ISDIR(st.st_mode) ? hide_folder(v, target, &why) : hide_file(v, target, &why);
    return r < 0 ? cl_fail(e, -r, "hide %s: %s", path, why.text) : 0;
}

int view_read_only(const struct view *v, const char *path, struct cl_error *e)
{
    cleanup_fd int target = -1, mount = -1;
    struct cl_error why = {0};
    int r = view_open(v, path, &target, &why);

    if (r == -ENOENT)
        return 0;
    if (r == 0) {
        mount = mnt_clone(target, MNT_RDONLY | MNT_RECURSIVE, -1, NULL, &why);
        r = mount < 0 ? mount : mnt_attach(mount, target, &why);
    }
    return r < 0 ? cl_fail(e, -r, "make %s read-only: %s", path, why.text) : 0;
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, and is detached. */
static int change_root(const struct view *v, struct cl_error *e)
{
    if (fchdir(v->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return cl_fail(e, errno, "change the root of the cell");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return cl_fail(e, errno, "detach the host's tree from the cell");
    return 0;
}

/* The home comes first: wherever it may lie, it covers none of what follows. */
static int (*const steps[])(struct view *v, struct cl_error *e) = {
    view_host_root, view_places, view_home,   view_dev,      view_proc,  view_sys,      view_mail, view_private,
    view_status,    view_lists,  view_resolv, view_accounts, view_shell, view_landlock,
};

static int build(struct view *v, struct cl_error *e)
{
    int r = 0;

    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
        return cl_fail(e, errno, "stop the propagation of mounts to the host");
    v->host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (v->host < 0)
        return cl_fail(e, errno, "open the host's root");
    r = view_find_root(v, e);
    if (r == 0)
        r = view_find_home(v, e);
    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(steps); i++)
        r = steps[i](v, e);
    return r < 0 ? r : change_root(v, e);
}

/* Join the cell's namespaces, the user namespace left out, and fork to be inside the pid namespace. */
static void builder(struct session *s, int idmap, int report)
{
    int joined = (int)(s->namespaces & ~(uint32_t)CLONE_NEWUSER), status;
    struct view v = {.s = s,
                     .host = -1,
                     .place = -1,
                     .tree = -1,
                     .root = -1,
                     .idmap = idmap,
                     .null = -1,
                     .empty = -1,
                     .home = -1,
                     .accounts = -1};
    struct cl_error e = {0};
    pid_t inside = -1;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setns(s->init_fd, joined) < 0)
        (void)cl_fail(&e, errno, "join the cell's namespaces to build its files");
    else if ((inside = fork()) < 0)
        (void)cl_fail(&e, errno, "fork in the cell");
    if (inside > 0) {
        while (waitpid(inside, &status, 0) < 0 && errno == EINTR)
            ;
        _exit(0);
    }
    if (inside == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0)
        (void)!build(&v, &e);
    (void)!cl_write_all(report, &e, sizeof(e));
    _exit(0);
}

static int await_builder(int report, pid_t pid, struct cl_error *e)
{
    cleanup_free char *answer = NULL;
    size_t size = 0;
    int r = cl_read_all(report, sizeof(struct cl_error), &answer, &size);

    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (r < 0 || size != sizeof(*e))
        return cl_fail(e, ECHILD, "the builder of the file view died");
    memcpy(e, answer, sizeof(*e));
    return -e->err;
}

static int run_builder(struct session *s, int idmap, struct cl_error *e)
{
    int report[2];
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return cl_fail(e, errno, "make a pipe");
    pid = fork();
    if (pid == 0) {
        cl_close(&report[0]);
        cl_close(&s->lock_fd); /* the helper's: a copy would outlive it, where a file server keeps us waiting */
        builder(s, idmap, report[1]);
    }
    cl_close(&report[1]);
    if (pid < 0) {
        cl_close(&report[0]);
        return cl_fail(e, errno, "fork the builder of the file view");
    }
    (void)await_builder(report[0], pid, e);
    cl_close(&report[0]);
    return -e->err;
}

int stage_files(struct session *s, struct cl_error *e)
{
    cleanup_fd int idmap = -1;
    int r = 0;

    /* An id-mapped root's file belongs to an id of the cell: a capability inside would count for it. */
    if (s->policy->namespaces.identity == CL_IDENTITY_NATURAL && s->policy->capabilities.ambient)
        return cl_policy_fail(s->policy, CL_KEY_CAPABILITIES_AMBIENT, e, EINVAL,
                              "ambient capabilities need namespaces.identity = \"plain\"");
    if (s->policy->namespaces.identity == CL_IDENTITY_NATURAL)
        r = idmap_mount_userns(s->cell_uid, s->cell_gid, &idmap, e);
    if (r < 0)
        return r;
    s->status = status_of_cell(s);
    return s->status ? run_builder(s, idmap, e) : cl_fail(e, ENOMEM, "format the status");
}
