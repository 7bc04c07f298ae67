/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The gate: a veth that stays, through which all frames of cells come to the bridge. What a cell may send is decided in two
 * tables, of two families, either of which somebody may take away alone. So the mark that the bridge's guard looks for is
 * set behind the gate, by a rule of the table that has all the others; and to the gate come only frames that the first
 * table has sent there. The hook on the gate is one on a device that does not go away while rules name it.
 */
#include "config.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"
#include "rtnl.h"
#include "util.h"

/* Ends of a pair of another's would not have these. */
static const uint8_t macs[2][6] = {{0x02, 'c', 'l', 1, 0, 1}, {0x02, 'c', 'l', 1, 0, 2}};

static int make_pair(struct rtnl *n, const struct net_place *p)
{
    const struct ifinfomsg header = {0};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    struct nlattr *info, *data, *peer;

    mnl_attr_put_strz(m, IFLA_IFNAME, p->gate[0]);
    mnl_attr_put(m, IFLA_ADDRESS, sizeof(macs[0]), macs[0]);
    info = mnl_attr_nest_start(m, IFLA_LINKINFO);
    mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
    peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
    (void)mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg)); /* zeroes */
    mnl_attr_put_strz(m, IFLA_IFNAME, p->gate[1]);
    mnl_attr_put(m, IFLA_ADDRESS, sizeof(macs[1]), macs[1]);
    mnl_attr_nest_end(m, peer);
    mnl_attr_nest_end(m, data);
    mnl_attr_nest_end(m, info);
    return rtnl_do(n);
}

static int prepare(struct rtnl *n, const struct net_place *p, int end, struct cl_error *e)
{
    unsigned index = if_nametoindex(p->gate[end]);
    int r;

    if (index == 0)
        return cl_fail(e, errno, "find the device %s", p->gate[end]);
    r = net_is_ours(p->gate[end], macs[end], e);
    if (r == 0)
        r = net_sysctl("ipv6", p->gate[end], "disable_ipv6", "1", e);
    if (r == 0 && end == 1) {
        r = net_join_bridge(n, index, if_nametoindex(p->bridge));
        if (r < 0)
            return cl_fail(e, -r, "put %s on the bridge %s", p->gate[end], p->bridge);
    }
    return r < 0 ? r : net_link_up(n, index, e);
}

int net_gate(struct rtnl *n, const struct net_place *p, struct cl_error *e)
{
    int r = make_pair(n, p);

    if (r < 0 && r != -EEXIST)
        return cl_fail(e, -r, "make the veth %s", p->gate[0]);
    r = prepare(n, p, 0, e);
    return r < 0 ? r : prepare(n, p, 1, e);
}
