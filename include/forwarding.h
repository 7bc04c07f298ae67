/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Does the host forward packets? What network.mode = "nat" needs, and Cloister never switches on.
 */
#ifndef CL_FORWARDING_H
#define CL_FORWARDING_H

#include <stdbool.h>

/* The name of the sysctl(8) key that is off, of IPv4 or, with ipv6, of either; NULL: none is. */
const char *cl_forwarding_off(bool ipv6);

#endif
