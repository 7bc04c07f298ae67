/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A build without libmnl or libnftables: policies with network.mode = "nat" are refused when they are read.
 */
#include "config.h"

#include <errno.h>

#include "network.h"

int stage_network(struct session *s, struct cl_error *e)
{
    if (s->policy->network.mode == CL_NETWORK_NAT)
        return cl_policy_fail(s->policy, CL_KEY_NETWORK_MODE, e, ENOSYS, "this build has no network.mode \"nat\"");
    return 0;
}

void undo_network(struct session *s)
{
    (void)s;
}

bool network_resolv(const struct session *s, char *buf, size_t size)
{
    (void)s;
    (void)buf;
    (void)size;
    return false;
}

void network_remove(int run_fd, const struct record *record)
{
    (void)run_fd;
    (void)record;
}

void network_sweep(int run_fd)
{
    (void)run_fd;
}
