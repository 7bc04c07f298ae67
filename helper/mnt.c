/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The mount API by descriptor, one small function for each way a cell gets a mount.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mnt.h"
#include "policy.h"
#include "util.h"

static uint64_t attributes(unsigned flags)
{
    uint64_t attr = MOUNT_ATTR_NOSUID;

    if (flags & MNT_RDONLY)
        attr |= MOUNT_ATTR_RDONLY;
    if (flags & MNT_NOEXEC)
        attr |= MOUNT_ATTR_NOEXEC;
    if (!(flags & MNT_DEVICES))
        attr |= MOUNT_ATTR_NODEV;
    return attr;
}

static int set_number(int context, const char *key, bool octal, unsigned long long value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), octal ? "%llo" : "%llu", value);
    return fsconfig(context, FSCONFIG_SET_STRING, key, text, 0);
}

static int finish(int context, const char *fstype, unsigned flags, struct cl_error *e)
{
    int fd;

    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return cl_fail(e, errno, "create a %s", fstype);
    fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attributes(flags));
    return fd < 0 ? cl_fail(e, errno, "mount a %s", fstype) : fd;
}

int mnt_tmpfs(const struct mnt_tmpfs *what, struct cl_error *e)
{
    cleanup_fd int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    int r;

    if (context < 0)
        return cl_fail(e, errno, "open a tmpfs");
    r = fsconfig(context, FSCONFIG_SET_STRING, "source", "cloister", 0);
    if (r == 0)
        r = set_number(context, "mode", true, what->mode);
    if (r == 0)
        r = set_number(context, "uid", false, what->uid);
    if (r == 0)
        r = set_number(context, "gid", false, what->gid);
    if (r == 0 && what->size != CL_UNLIMITED)
        r = set_number(context, "size", false, what->size);
    if (r == 0 && what->inodes)
        r = set_number(context, "nr_inodes", false, what->inodes);
    if (r < 0)
        return cl_fail(e, errno, "configure a tmpfs");
    return finish(context, "tmpfs", what->flags, e);
}

int mnt_new(const char *fstype, unsigned flags, struct cl_error *e)
{
    cleanup_fd int context = fsopen(fstype, FSOPEN_CLOEXEC);

    if (context < 0)
        return cl_fail(e, errno, "open a %s", fstype);
    return finish(context, fstype, flags, e);
}

int mnt_proc(gid_t all_for, struct cl_error *e)
{
    cleanup_fd int context = fsopen("proc", FSOPEN_CLOEXEC);
    bool hides = all_for != (gid_t)-1;

    if (context < 0)
        return cl_fail(e, errno, "open a proc");
    if (hides && (fsconfig(context, FSCONFIG_SET_STRING, "hidepid", "2", 0) < 0 ||
                  set_number(context, "gid", false, all_for) < 0))
        return cl_fail(e, errno, "configure a proc");
    return finish(context, "proc", MNT_NOEXEC, e);
}

int mnt_devpts(gid_t gid, uint64_t max, struct cl_error *e)
{
    cleanup_fd int context = fsopen("devpts", FSOPEN_CLOEXEC);
    int r;

    if (context < 0)
        return cl_fail(e, errno, "open a devpts");
    r = set_number(context, "gid", false, gid);
    if (r == 0)
        r = set_number(context, "mode", true, 0620);
    if (r == 0)
        r = set_number(context, "ptmxmode", true, 0666);
    if (r == 0)
        r = set_number(context, "max", false, max);
    if (r < 0)
        return cl_fail(e, errno, "configure a devpts");
    return finish(context, "devpts", MNT_NOEXEC | MNT_DEVICES, e);
}

static int set_path(int context, const char *key, int fd)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fsconfig(context, FSCONFIG_SET_STRING, key, path, 0);
}

int mnt_overlay(int lower, int upper, int work, struct cl_error *e)
{
    cleanup_fd int context = fsopen("overlay", FSOPEN_CLOEXEC);

    if (context < 0)
        return cl_fail(e, errno, "open an overlay");
    if (fsconfig(context, FSCONFIG_SET_STRING, "source", "cloister", 0) < 0 ||
        set_path(context, "lowerdir", lower) < 0 || set_path(context, "upperdir", upper) < 0 ||
        set_path(context, "workdir", work) < 0)
        return cl_fail(e, errno, "configure an overlay");
    return finish(context, "overlay", 0, e);
}

int mnt_clone(int fd, unsigned flags, int userns_fd, bool *ret_mapped, struct cl_error *e)
{
    unsigned recursive = flags & MNT_RECURSIVE ? AT_RECURSIVE : 0;
    struct mount_attr attr = {.attr_set = attributes(flags),
                              .propagation = flags & MNT_FOLLOW ? MS_SLAVE : MS_PRIVATE};
    cleanup_fd int tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive);
    bool mapped = false;

    if (tree < 0)
        return cl_fail(e, errno, "clone a mount");
    if (flags & MNT_DEVICES)
        attr.attr_clr = MOUNT_ATTR_NODEV;
    if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attr, sizeof(attr)) < 0)
        return cl_fail(e, errno, "set the attributes of a mount");
    if (userns_fd >= 0) {
        struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd};

        mapped = mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &map, sizeof(map)) == 0;
    }
    if (ret_mapped)
        *ret_mapped = mapped;
    return cl_take_fd(&tree);
}

int mnt_attach(int mount, int target, struct cl_error *e)
{
    if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return cl_fail(e, errno, "attach a mount");
    return 0;
}

int mnt_seal(int mount, struct cl_error *e)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    if (mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
        return cl_fail(e, errno, "make a mount read-only");
    return 0;
}
