/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The mount API by descriptor: fsopen(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2). Every mount is
 * made detached, gets its attributes, and is then attached to a place that is itself an open descriptor.
 */
#ifndef CL_MNT_H
#define CL_MNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* Flags for attributes; nosuid holds for every mount of a cell. */
enum mnt_flag {
    MNT_RDONLY = 1 << 0,
    MNT_NOEXEC = 1 << 1,
    MNT_DEVICES = 1 << 2, /* leave nodev off: the cell's own /dev, and devpts */
    MNT_RECURSIVE = 1 << 3,
    MNT_FOLLOW = 1 << 4 /* what the host mounts below it later appears here too: autofs, and nothing else */
};

struct mnt_tmpfs {
    uint64_t size;   /* bytes; CL_UNLIMITED: the kernel's default, half of memory */
    uint64_t inodes; /* 0: the kernel's default */
    mode_t mode;     /* of the root folder */
    uid_t uid;
    gid_t gid;
    unsigned flags;
};

/* Each returns a detached mount's descriptor, or -errno. */
int mnt_tmpfs(const struct mnt_tmpfs *what, struct cl_error *e) CL_WARN_UNUSED;
/* A proc of the calling process's pid namespace. But for the group all_for, it hides processes that the reader may not trace
 * (hidepid= and gid= in proc(5)); (gid_t)-1: it hides none. */
int mnt_proc(gid_t all_for, struct cl_error *e) CL_WARN_UNUSED;
/* A new sysfs, cgroup2 or mqueue, of the calling process's namespaces. */
int mnt_new(const char *fstype, unsigned flags, struct cl_error *e) CL_WARN_UNUSED;
/* A new instance of devpts, with its own numbers, at most max of them, and a ptmx for everyone. */
int mnt_devpts(gid_t gid, uint64_t max, struct cl_error *e) CL_WARN_UNUSED;
/* An overlay of folders that are open, in mounts that are attached: upper takes what is written; work is an empty folder of the
 * same filesystem. An id-mapped lower needs Linux 5.19. */
int mnt_overlay(int lower, int upper, int work, struct cl_error *e) CL_WARN_UNUSED;
/* A copy of what is open as fd, without propagation in either direction but for MNT_FOLLOW. userns_fd >= 0: id-mapped by that user namespace, where
 * the filesystem can; *ret_mapped (may be NULL) says whether it is. With MNT_RECURSIVE, submounts come along, and
 * are mapped all or none. */
int mnt_clone(int fd, unsigned flags, int userns_fd, bool *ret_mapped, struct cl_error *e) CL_WARN_UNUSED;

/* Attach a detached mount on top of what is open as target. mount stays open and names the attached mount. */
int mnt_attach(int mount, int target, struct cl_error *e) CL_WARN_UNUSED;
/* Make an attached mount read-only. */
int mnt_seal(int mount, struct cl_error *e) CL_WARN_UNUSED;

#endif
