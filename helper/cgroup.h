/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cgroups, v2 only: the user's cgroup with the user's limits, and below it one leaf for each cell. Two managers
 * offer the same operations: systemd owns the tree and is asked over D-Bus; elsewhere the filesystem is written.
 *
 *   systemd   user.slice/user-UID.slice/user-UID-cloister.slice/cloister-ID.scope
 *   cgroupfs  cloister/user-UID/ID   below the cgroup2 mount
 */
#ifndef CL_CGROUP_H
#define CL_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "configuration.h"
#include "err.h"
#include "policy.h"
#include "usage.h"

struct cgroup_request {
    enum cl_cgroup_manager manager; /* SYSTEMD or CGROUPFS, never AUTO */
    const char *id;                 /* of the cell */
    uid_t uid;
    const struct cl_policy *policy; /* expanded */
    pid_t init; /* the cell's pid 1 in the host's pid namespace; joins the leaf. Alive: the caller holds its pidfd */
    int64_t deadline_ms; /* on cl_now_ms()'s clock */
    bool shared; /* by several logins: the session's limits are for each of them, see cgroup_share */
};

struct cgroup_place {
    char *path;    /* of the leaf, below the cgroup2 mount: "/user.slice/…"; NULL: no cgroup (continue) */
    int dir_fd;    /* O_PATH of the leaf, -1 without one */
    int procs_fd;  /* its cgroup.procs, O_WRONLY|O_CLOEXEC, opened by root; -1 without one */
};

/* AUTO becomes SYSTEMD where /run/systemd/system exists and the private or system bus answers to root, else
 * CGROUPFS. */
enum cl_cgroup_manager cgroup_manager_resolve(enum cl_cgroup_manager manager);

/* Make (or update) the user's cgroup and its limits, make the leaf with the session's limits, move init into it.
 * Needs no cooperation of init. A limit whose controller is missing: refused, or logged and left out, as
 * cgroup.when_unavailable says; each error blames the key. Undoes its own partial work (never the user's cgroup
 * while it has other leaves); init, when it had joined the leaf already, dies with it. Each limit is read back from
 * the kernel before this returns 0.
 * The caller holds a lock of the user's during cgroup_create and cgroup_remove. A cgroup namespace for the cell is to
 * be made after this, by a process in the leaf: its root is where the process is at that moment. */
int cgroup_create(const struct cgroup_request *request, struct cgroup_place *ret, struct cl_error *e) CL_WARN_UNUSED;
void cgroup_place_clear(struct cgroup_place *place);

/* What a change of limits consists of, in this order: what is limited is set, then what is no longer limited is lifted. Where
 * a limit moves from the session to the user, or back, one of the two holds at any moment. */
enum cgroup_change { CGROUP_SET, CGROUP_LIFT };
/* One part of a change, to the limits of request->policy, of the leaf at path, which holds request->init; with user, of the user's
 * cgroup above it. Only what is not in force is written, and then read back. Locks as for cgroup_create. */
int cgroup_update(const struct cgroup_request *request, const char *path, bool user, enum cgroup_change change,
                  struct cl_error *e) CL_WARN_UNUSED;
/* Which limits are not in force there: bit n stands for the key CL_KEY_CGROUP_PIDS_MAX + n, or CL_KEY_CGROUP_SESSION_PIDS_MAX + n. */
int cgroup_pending(const struct cgroup_request *request, const char *path, bool user, unsigned *ret,
                   struct cl_error *e) CL_WARN_UNUSED;

/* A shared leaf, made with cgroup_create, whose process is not yet anyone's to use: from here on it holds none itself, but one
 * cgroup for pid 1 and for root who enters, CGROUP_OF_CELL, and one for each login. After the cgroup namespace was made. */
#define CGROUP_OF_CELL "cell"
int cgroup_share(const struct cgroup_request *request, int leaf_fd, struct cl_error *e) CL_WARN_UNUSED;

struct cgroup_login {
    int procs_fd, kill_fd; /* cgroup.procs and cgroup.kill, O_WRONLY */
};
/* The cgroup of one login; request->id is the login's. */
int cgroup_login_make(const struct cgroup_request *request, int leaf_fd, struct cgroup_login *ret, struct cl_error *e)
    CL_WARN_UNUSED;
/* Open it, for reading; -ENOENT: there is none. */
int cgroup_login_dir(int leaf_fd, const char *id);
/* Remove it: with kill, after all that is in it has been killed; without, only if it is empty. */
int cgroup_login_remove(int leaf_fd, const char *id, bool kill, int wait_ms, struct cl_error *e) CL_WARN_UNUSED;
/* Remove those that are empty and that nobody knows. */
void cgroup_logins_prune(int leaf_fd, bool (*is_known)(const char *id, void *arg), void *arg);

/* End everything in the leaf at path (cgroup.kill, wait until it is empty), remove it, and the user's cgroup when
 * it was the last leaf. A path that is gone is success. wait_ms bounds the wait; -ETIMEDOUT past it. */
int cgroup_remove(enum cl_cgroup_manager manager, const char *path, uid_t uid, int wait_ms, struct cl_error *e)
    CL_WARN_UNUSED;

/* Remove empty leaves that no record names (a crash left them). is_known(path, arg) says whether a leaf belongs to
 * a live record, or to an open that is still going on. Returns how many were removed, or -errno. */
int cgroup_sweep(enum cl_cgroup_manager manager, bool (*is_known)(const char *path, void *arg), void *arg,
                 struct cl_error *e) CL_WARN_UNUSED;

/* Move this process out of whatever cgroup it was started in, to the root. Nothing to do where there is no cgroup v2, or
 * none that can be written to. */
int cgroup_leave(struct cl_error *e) CL_WARN_UNUSED;

/* The paths of all leaves that there are now, of either manager; for reading. 0 or -errno. */
int cgroup_leaves(char ***ret_paths) CL_WARN_UNUSED;

/* What the cgroup at path uses, and what hit a limit in it, since it was made. Read a cell's before it ends: with systemd
 * the leaf goes when its last process does. -ENOENT: it is gone. */
int cgroup_usage(const char *path, struct cl_usage *ret) CL_WARN_UNUSED;

/* The cgroup2 mount point: "/sys/fs/cgroup" or ".../unified"; NULL when there is none. Found once by statfs magic. */
const char *cgroup_mount_point(void);

/* The leaf that a record names, O_PATH, for reading: -1 when it has none, or is gone. */
int cgroup_open(const char *path);

#endif
