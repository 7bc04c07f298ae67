/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening a path that root wrote down, without ever following what a tenant could have put in its way.
 */
#ifndef CL_PATH_H
#define CL_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/* Open path (absolute) below root_fd, O_PATH, one component after the other. Every folder on the way, and every
 * symbolic link followed, must belong to root or to also_trusted, and a folder that others may write to is not
 * passed through (its sticky bit does not help: a tenant may make names in it). The last component may belong to
 * anyone, but not be a link of anyone else. Links stay below root_fd. -ENOENT; -ELOOP: a link that is not followed,
 * or too many; -EPERM: a folder on the way is not root's alone. */
int path_open(int root_fd, const char *path, uid_t also_trusted, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

/* Is path dir itself or below it? Both absolute and without trailing slashes. */
bool path_is_below(const char *path, const char *dir);

#endif
