/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The connections of a cell that has ended, out of the kernel's table: an answer that comes late must not find the next
 * cell that has the address. They are told by their mark, which the rules copied from the packets.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "net.h"
#include "rtnl.h"

int net_forget_connections(unsigned slot)
{
    const struct nfgenmsg header = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
    cleanup_rtnl struct rtnl n = {0};
    struct nlmsghdr *m;
    int r = rtnl_open_family(&n, NETLINK_NETFILTER, NULL);

    if (r < 0)
        return r;
    m = rtnl_begin(&n, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, &header, sizeof(header));
    mnl_attr_put_u32(m, CTA_MARK, htonl(NET_MARK_OUT | slot));
    mnl_attr_put_u32(m, CTA_MARK_MASK, htonl(~(NET_MARK_OUT ^ NET_MARK_ALLOWED)));
    return rtnl_do(&n);
}
