/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file view of a cell: what the parts of its builder share. The builder is a process of its own, root of the
 * host, inside the cell's pid, mount, ipc, uts, net and cgroup namespaces, before any tenant is.
 */
#ifndef CL_VIEW_H
#define CL_VIEW_H

#include <limits.h>
#include <stdbool.h>

#include "err.h"
#include "mounts.h"
#include "session.h"
#include "view_layout.h"

struct view {
    const struct session *s;
    int host;   /* O_PATH of the host's root, in this mount namespace */
    int place;  /* O_PATH of the folder of the host on which the cell's root is put together */
    int tree;   /* O_PATH of the folder of the host that becomes the cell's root */
    char tree_path[PATH_MAX]; /* without links; empty: the host's root */
    bool other; /* files.root is another tree than the host's */
    bool own;   /* the cell's root is the host's own, as it is: no other tree, and no overlay */
    int root;   /* O_PATH of the cell's root */
    int idmap;  /* user namespace for id-mapped mounts; -1: plain */
    int null;   /* O_PATH of the cell's /dev/null, to mask files with */
    int empty;  /* O_PATH of an attached empty read-only folder, to mask folders with; -1: not made yet */
    char *covered[MOUNTS_COVERED_MAX]; /* paths that the view replaces: nothing of the host below them is taken over; not owned */
    size_t n_covered;
    struct view_homes homes;
    int home;   /* O_PATH of the host's home; -1: there is none */
    char home_path[PATH_MAX]; /* without links */
    int accounts; /* O_PATH of a small filesystem for the cell's passwd and group; -1: none */
};

/* Open a path of the cell, or of the host. As path_open. */
int view_open(const struct view *v, const char *path, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;
int view_open_host(const struct view *v, const char *path, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;
/* Attach a detached mount on a path of the cell, which must exist. */
int view_attach(const struct view *v, int mount, const char *path, struct cl_error *e) CL_WARN_UNUSED;
/* A tmpfs whose root folder is the cell root's, attached at path. Returns its descriptor. */
int view_tmpfs(const struct view *v, const char *path, mode_t mode, uint64_t size, unsigned flags,
               struct cl_error *e) CL_WARN_UNUSED;
/* Make a folder below dir that is the cell root's or someone else's, with exactly this mode. 0 if it is there. */
int view_mkdir(const struct view *v, int dir, const char *name, mode_t mode, uid_t uid, gid_t gid,
               struct cl_error *e) CL_WARN_UNUSED;
/* Hide what is at path: a folder looks empty, a file reads as /dev/null. A path that does not exist is hidden. */
int view_hide(struct view *v, const char *path, struct cl_error *e) CL_WARN_UNUSED;
/* Make what is at path, and below it, read-only, if it exists. */
int view_read_only(const struct view *v, const char *path, struct cl_error *e) CL_WARN_UNUSED;

/* view_host.c: the root and the mounts of the host that the cell takes over. */
int view_host_root(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_host_mounts(const struct view *v, bool below_home, struct cl_error *e) CL_WARN_UNUSED;
/* view_system.c: /proc, /sys, /dev. */
int view_proc(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_sys(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_dev(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_pts.c: /dev/pts, and the terminal that the login brought along. dev: the cell's /dev. */
int view_pts(const struct view *v, int dev, struct cl_error *e) CL_WARN_UNUSED;
int view_home(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_policy.c: what else `files` of the policy says. */
int view_private(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_lists(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_resolv.c */
int view_resolv(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_landlock.c: the rules that say the same; the last step. */
int view_landlock(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_status.c: what `cloister status` shows in the cell. */
int view_status(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_root.c: the tree that becomes the root; whether it has what a cell needs. */
int view_find_root(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_places(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_shell(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* Fail because the tree has no folder at path. */
int view_lacks(const struct view *v, const char *path, struct cl_error *e) CL_WARN_UNUSED;
/* view_mail.c: of the mailboxes of the host, only the user's own. */
int view_mail(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_overlay.c: put a filesystem in memory over the root, which takes what is written. */
int view_overlay(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_accounts.c: the user in passwd(5) and group(5) of another tree. */
int view_accounts_prepare(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
int view_accounts(struct view *v, struct cl_error *e) CL_WARN_UNUSED;
/* view_home.c: whether there is a home, and the folder that holds the homes; fills homes, home and home_path. */
int view_find_home(struct view *v, struct cl_error *e) CL_WARN_UNUSED;

#endif
