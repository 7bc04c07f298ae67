/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening a path that root wrote down, without ever following what a tenant could have put in its way.
 */
#ifndef CL_PATH_H
#define CL_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "user.h"

/* Open path (absolute) below root_fd, O_PATH, one component after the other. Every folder on the way, and every
 * symbolic link followed, must belong to root or to also_trusted, and a folder that others may write to is not
 * passed through (its sticky bit does not help: a tenant may make names in it). The last component may belong to
 * anyone, but not be a link of anyone else. Links stay below root_fd. -ENOENT; -ELOOP: a link that is not followed,
 * or too many; -EPERM: a folder on the way is not root's alone. */
int path_open(int root_fd, const char *path, uid_t also_trusted, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

/* Open the folder user->home below root_fd, O_PATH. Root's folders on the way are passed as by path_open. From the first on
 * that others may write to, another user's say, folders are opened with the user's ids, and no link is followed: the user
 * reaches there what the user could, and nothing by a name that others choose. The home itself is not looked at, only opened:
 * its filesystem may refuse root. As path_open; -ENOTDIR: it is no folder; -EACCES: nobody gets there. */
int path_open_home(int root_fd, const struct cl_user *user, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;
/* Open a path without links, O_PATH, all of it with the user's ids. */
int path_open_as(int root_fd, const char *path, const struct cl_user *user, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

/* The path of what is open as fd, without links; of the root, "". By /proc. */
int path_of(int fd, char *buf, size_t size) CL_WARN_UNUSED;

/* Is path dir itself or below it? Both absolute and without trailing slashes. */
bool path_is_below(const char *path, const char *dir);

#endif
