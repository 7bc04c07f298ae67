/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The helper distrusts its caller: argv, environment, descriptors, limits, umask, working directory and signals.
 */
#ifndef CL_CALLER_H
#define CL_CALLER_H

#include "err.h"

/* First thing in main. keep_fd: the highest descriptor to leave open; all above are closed, 0 to 2 are made to
 * exist. Makes the process non-dumpable, gives it a fixed environment, unlimited resources, default signals, the
 * working directory "/" and root's identity with no supplementary groups. 0 or -errno. */
int caller_distrust(int keep_fd, struct cl_error *e) CL_WARN_UNUSED;

#endif
