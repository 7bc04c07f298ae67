/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The host's mounts, for who builds a cell's file view and for who tells what it shows.
 */
#ifndef CL_MOUNTS_H
#define CL_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define MOUNTS_COVERED_MAX 64

struct mount_line {
    uint64_t id;
    char device[32];  /* major:minor */
    char root[4096];  /* which folder of the filesystem is mounted */
    char point[4096]; /* and where */
    char type[64];
    bool read_only, noexec; /* of this mount; its filesystem may be read-only besides */
};

struct mount_origin {
    char device[32];
    char root[2 * 4096];
};

/* The host's mounts, in the order in which they were made, and where what the view replaces comes from.
 * Large: to be allocated, all zeros. */
struct mount_table {
    struct mount_line *lines;
    size_t n;
    struct mount_origin covered[MOUNTS_COVERED_MAX];
    size_t n_covered;
};

/* Read the mounts of the calling process's namespace: proc_pid_mountinfo(5). */
int mounts_load(struct mount_table *ret, struct cl_error *e) CL_WARN_UNUSED;
void mounts_free(struct mount_table *table); /* table may be NULL */

/* The mount on which path lies: the last one made of those that lead deepest. */
const struct mount_line *mount_of(const struct mount_table *table, const char *path);
/* A filesystem that a tenant serves could stall every login of theirs, or show the builder what it likes. */
bool mount_served_by_user(const char *type);
/* The kernel's own, wherever the host mounts it, in a chroot say: it would show the host's processes and
 * devices. */
bool mount_served_by_kernel(const char *type);
/* Note where the host has what the view replaces: a folder of a filesystem. Past the table's size nothing is
 * noted. */
void mount_cover(struct mount_table *table, const char *path);
/* Does the mount show, at another place, something that the view replaces? (mount --bind /run /srv/tree/run)
 */
bool mount_shows_covered(const struct mount_table *table, const struct mount_line *line);

#endif
