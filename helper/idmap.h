/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Id maps: see user_namespaces(7) and, for mounts, mount_setattr(2).
 */
#ifndef CL_IDMAP_H
#define CL_IDMAP_H

#include "err.h"
#include "user.h"

/* Write uid_map and gid_map of the process whose /proc folder is open as proc_fd: uid 0 of the cell is cell_uid,
 * the user and each of the user's groups are themselves, and nothing else exists. */
int idmap_write_cell(int proc_fd, const struct cl_user *user, uid_t cell_uid, gid_t cell_gid, struct cl_error *e)
    CL_WARN_UNUSED;

/* A descriptor of a user namespace for id-mapped mounts: what is root's on disk belongs to cell_uid and cell_gid,
 * all else to itself. Nothing on disk that belongs to cell_uid is reachable through such a mount. */
int idmap_mount_userns(uid_t cell_uid, gid_t cell_gid, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

#endif
