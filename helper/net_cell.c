/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cell's side of its veth. The helper enters the cell's network namespace only to write its sysctls and to open a
 * socket, which stays there; no tenant is inside yet.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "rtnl.h"
#include "util.h"

#define PING_GROUPS "/proc/sys/net/ipv4/ping_group_range"

static int set_sysctls(struct cl_error *e)
{
    static const struct {
        const char *family, *name, *value;
    } list[] = {
        {"ipv4", "accept_redirects", "0"}, {"ipv6", "accept_redirects", "0"}, {"ipv6", "accept_ra", "0"},
        {"ipv6", "autoconf", "0"},         {"ipv6", "addr_gen_mode", "1"},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(list); i++)
        r = net_sysctl(list[i].family, NET_CELL_DEVICE, list[i].name, list[i].value, e);
    if (r < 0)
        return r;
    /* icmp(7): whoever may not send raw packets may still ping. */
    r = cl_write_file_at(AT_FDCWD, PING_GROUPS, "0 2147483647");
    return r < 0 ? cl_fail(e, -r, "write " PING_GROUPS) : 0;
}

static int look_inside(struct rtnl *n, int netns, unsigned *ret_index, struct cl_error *e)
{
    cleanup_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int r;

    if (own < 0 || setns(netns, CLONE_NEWNET) < 0)
        return cl_fail(e, errno, "enter the cell's network namespace");
    r = rtnl_open(n, e);
    if (r == 0)
        r = set_sysctls(e);
    *ret_index = if_nametoindex(NET_CELL_DEVICE);
    if (r == 0 && *ret_index == 0)
        r = cl_fail(e, errno, "find " NET_CELL_DEVICE " in the cell");
    if (setns(own, CLONE_NEWNET) < 0)
        _exit(1); /* anything from here on would be done in the wrong place; a sweep undoes the rest */
    return r;
}

static int add_route(struct rtnl *n, unsigned index, int family, const void *gateway, bool is_default,
                     struct cl_error *e)
{
    size_t size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
    const struct rtmsg header = {.rtm_family = (uint8_t)family,
                                 .rtm_dst_len = is_default ? 0 : (uint8_t)(size * 8),
                                 .rtm_table = RT_TABLE_MAIN,
                                 .rtm_protocol = RTPROT_STATIC,
                                 .rtm_scope = is_default ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                                 .rtm_type = RTN_UNICAST};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
    int r;

    mnl_attr_put(m, is_default ? RTA_GATEWAY : RTA_DST, size, gateway);
    mnl_attr_put_u32(m, RTA_OIF, index);
    r = rtnl_do(n);
    return r < 0 ? cl_fail(e, -r, "add a route in the cell") : 0;
}

/* Alone in its network: there is nobody on the link but the gateway. */
static int add_family(struct rtnl *n, unsigned index, int family, const void *address, const void *gateway,
                      const uint8_t gateway_mac[6], struct cl_error *e)
{
    int r = net_add_address(n, index, family, address, family == AF_INET ? 32 : 128, e);

    if (r == 0)
        r = net_add_neighbour(n, index, family, gateway, gateway_mac, e);
    if (r == 0)
        r = add_route(n, index, family, gateway, false, e);
    return r < 0 ? r : add_route(n, index, family, gateway, true, e);
}

int net_cell(const struct net_place *p, int netns, struct cl_error *e)
{
    cleanup_rtnl struct rtnl n = {0};
    unsigned index = 0;
    int r = look_inside(&n, netns, &index, e);

    if (r == 0)
        r = net_link_up(&n, index, e);
    if (r == 0)
        r = add_family(&n, index, AF_INET, &p->address, &p->gateway, p->bridge_mac, e);
    if (r == 0 && p->has_ipv6)
        r = add_family(&n, index, AF_INET6, &p->address6, &p->gateway6, p->bridge_mac, e);
    return r;
}
