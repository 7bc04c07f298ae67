/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A service of root's may have set its privilege aside: atd forks with the effective uid of daemon, and what it may do again
 * only permitted.
 */
#ifndef CL_RAISE_H
#define CL_RAISE_H

#include <sys/capability.h>

#include "err.h"

/* Make all permitted capabilities of the calling thread effective: capabilities(7). NULL in ret_before where they were already,
 * else what was, for cl_raise_end, which frees it. 0 or -errno. */
int cl_raise_begin(cap_t *ret_before) CL_WARN_UNUSED;
int cl_raise_end(cap_t before) CL_WARN_UNUSED;

#endif
