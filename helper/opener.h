/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who asks: the process that made the socket pair of a hand-off, and is our parent.
 */
#ifndef CL_OPENER_H
#define CL_OPENER_H

#include <sys/types.h>

#include "err.h"

/* The process at the other end of sock, a socket pair that it made as uid, by SO_PEERCRED of socket(7). It must be our
 * parent: whoever inherits an orphan is not meant. *ret_fd is a pidfd. -EPERM: anything else. */
int opener_find(int sock, uid_t uid, pid_t *ret_pid, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

#endif
