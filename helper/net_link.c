/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The host's side: the bridge, and the host's end of a cell's veth. Nobody asks here who has an address, and nothing is
 * learned: neighbours and the bridge's forwarding entries are written down, for tenants would lie.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "rtnl.h"
#include "util.h"

struct sysctl {
    const char *family, *name, *value;
};

bool net_has_ipv6(void)
{
    return access("/proc/sys/net/ipv6", F_OK) == 0;
}

int net_sysctl(const char *family, const char *device, const char *name, const char *value, struct cl_error *e)
{
    char path[128];
    int r;

    if (strcmp(family, "ipv6") == 0 && !net_has_ipv6())
        return 0;
    (void)snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, device, name);
    r = cl_write_file_at(AT_FDCWD, path, value);
    return r < 0 ? cl_fail(e, -r, "write %s", path) : 0;
}

static int set_sysctls(const char *device, const struct sysctl *list, size_t n, struct cl_error *e)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = net_sysctl(list[i].family, device, list[i].name, list[i].value, e);
    return r;
}

int net_link_up(struct rtnl *n, unsigned index, struct cl_error *e)
{
    const struct ifinfomsg header = {.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    int r;

    (void)rtnl_begin(n, RTM_NEWLINK, 0, &header, sizeof(header));
    r = rtnl_do(n);
    return r < 0 ? cl_fail(e, -r, "bring a network device up") : 0;
}

static size_t address_size(int family)
{
    return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

int net_add_address(struct rtnl *n, unsigned index, int family, const void *address, unsigned length,
                    struct cl_error *e)
{
    const struct ifaddrmsg header = {.ifa_family = (uint8_t)family,
                                     .ifa_prefixlen = (uint8_t)length,
                                     .ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0,
                                     .ifa_index = index};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
    int r;

    mnl_attr_put(m, IFA_LOCAL, address_size(family), address);
    mnl_attr_put(m, IFA_ADDRESS, address_size(family), address);
    r = rtnl_do(n);
    return r < 0 ? cl_fail(e, -r, "add an address") : 0;
}

int net_add_neighbour(struct rtnl *n, unsigned index, int family, const void *address, const uint8_t mac[6],
                      struct cl_error *e)
{
    const struct ndmsg header = {
        .ndm_family = (uint8_t)family, .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));
    int r;

    mnl_attr_put(m, NDA_DST, address_size(family), address);
    mnl_attr_put(m, NDA_LLADDR, 6, mac);
    r = rtnl_do(n);
    return r < 0 ? cl_fail(e, -r, "add a neighbour") : 0;
}

/* Guards and addresses on another's device would cut off what it connects. */
int net_is_ours(const char *device, const uint8_t mac[6], struct cl_error *e)
{
    cleanup_free char *address = NULL;
    char path[64], ours[24];
    int r;

    (void)snprintf(path, sizeof(path), "/sys/class/net/%s/address", device);
    (void)snprintf(ours, sizeof(ours), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    r = cl_read_file_at(AT_FDCWD, path, &address);
    if (r < 0)
        return cl_fail(e, -r, "read %s", path);
    if (strncmp(address, ours, strlen(ours)) != 0)
        return cl_fail_key(e, EEXIST, "network.name", NULL, "a device %s is there, and it is not Cloister's", device);
    return 0;
}

static int check_bridge(const struct net_place *p, struct cl_error *e)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", p->bridge);
    if (access(path, F_OK) < 0)
        return cl_fail_key(e, EEXIST, "network.name", NULL, "a device %s is there, and it is no bridge", p->bridge);
    return net_is_ours(p->bridge, p->bridge_mac, e);
}

static int make_bridge(struct rtnl *n, const struct net_place *p, struct cl_error *e)
{
    const struct ifinfomsg header = {0};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    struct nlattr *info, *data;
    int r;

    mnl_attr_put_strz(m, IFLA_IFNAME, p->bridge);
    mnl_attr_put(m, IFLA_ADDRESS, 6, p->bridge_mac);
    info = mnl_attr_nest_start(m, IFLA_LINKINFO);
    mnl_attr_put_strz(m, IFLA_INFO_KIND, "bridge");
    data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
    mnl_attr_put_u32(m, IFLA_BR_STP_STATE, 0);
    mnl_attr_put_u8(m, IFLA_BR_MCAST_SNOOPING, 0);
    mnl_attr_nest_end(m, data);
    mnl_attr_nest_end(m, info);
    r = rtnl_do(n);
    if (r < 0 && r != -EEXIST)
        return cl_fail(e, -r, "make the bridge %s", p->bridge);
    return check_bridge(p, e);
}

int net_bridge(struct rtnl *n, const struct net_place *p, struct cl_error *e)
{
    static const struct sysctl list[] = {
        {"ipv4", "rp_filter", "1"},      {"ipv4", "accept_redirects", "0"}, {"ipv4", "send_redirects", "0"},
        {"ipv4", "proxy_arp", "0"},      {"ipv4", "route_localnet", "0"},   {"ipv4", "accept_source_route", "0"},
        {"ipv6", "accept_ra", "0"},      {"ipv6", "accept_redirects", "0"}, {"ipv6", "autoconf", "0"},
        {"ipv6", "addr_gen_mode", "1"},
    };
    unsigned index;
    int r = make_bridge(n, p, e);

    if (r < 0)
        return r;
    index = if_nametoindex(p->bridge);
    if (index == 0)
        return cl_fail(e, errno, "find the bridge %s", p->bridge);
    r = net_guard_bridge(n, index, e); /* before anything can pass */
    if (r == 0)
        r = set_sysctls(p->bridge, list, CL_ARRAY_SIZE(list), e);
    if (r == 0)
        r = net_sysctl("ipv6", p->bridge, "disable_ipv6", p->has_ipv6 ? "0" : "1", e);
    if (r == 0)
        r = net_add_address(n, index, AF_INET, &p->gateway, p->length, e);
    if (r == 0 && p->has_ipv6)
        r = net_add_address(n, index, AF_INET6, &p->gateway6, p->length6, e);
    return r < 0 ? r : net_link_up(n, index, e);
}

static int make_veth(struct rtnl *n, const struct net_place *p, int netns)
{
    const struct ifinfomsg header = {0};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    struct nlattr *info, *data, *peer;

    mnl_attr_put_strz(m, IFLA_IFNAME, p->port);
    info = mnl_attr_nest_start(m, IFLA_LINKINFO);
    mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(m, IFLA_INFO_DATA);
    peer = mnl_attr_nest_start(m, VETH_INFO_PEER);
    (void)mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg)); /* zeroes */
    mnl_attr_put_strz(m, IFLA_IFNAME, NET_CELL_DEVICE);
    mnl_attr_put(m, IFLA_ADDRESS, 6, p->mac);
    mnl_attr_put_u32(m, IFLA_NET_NS_FD, (uint32_t)netns);
    mnl_attr_nest_end(m, peer);
    mnl_attr_nest_end(m, data);
    mnl_attr_nest_end(m, info);
    return rtnl_do(n);
}

/* Isolated ports exchange nothing with each other; nothing is flooded to them, and nothing is learned from them. */
int net_join_bridge(struct rtnl *n, unsigned port, unsigned bridge)
{
    static const struct {
        uint16_t attribute;
        uint8_t value;
    } options[] = {
        {IFLA_BRPORT_ISOLATED, 1},   {IFLA_BRPORT_GUARD, 1},       {IFLA_BRPORT_LEARNING, 0},
        {IFLA_BRPORT_UNICAST_FLOOD, 0}, {IFLA_BRPORT_MCAST_FLOOD, 0}, {IFLA_BRPORT_BCAST_FLOOD, 0},
    };
    const struct ifinfomsg header = {.ifi_index = (int)port};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWLINK, 0, &header, sizeof(header));
    struct nlattr *info, *data;
    int r;

    mnl_attr_put_u32(m, IFLA_MASTER, bridge);
    r = rtnl_do(n);
    if (r < 0)
        return r;
    m = rtnl_begin(n, RTM_NEWLINK, 0, &header, sizeof(header));
    info = mnl_attr_nest_start(m, IFLA_LINKINFO);
    mnl_attr_put_strz(m, IFLA_INFO_SLAVE_KIND, "bridge");
    data = mnl_attr_nest_start(m, IFLA_INFO_SLAVE_DATA);
    for (size_t i = 0; i < CL_ARRAY_SIZE(options); i++)
        mnl_attr_put_u8(m, options[i].attribute, options[i].value);
    mnl_attr_nest_end(m, data);
    mnl_attr_nest_end(m, info);
    return rtnl_do(n);
}

int net_port(struct rtnl *n, const struct net_place *p, int netns, struct cl_error *e)
{
    static const struct sysctl list[] = {{"ipv4", "rp_filter", "1"}, {"ipv6", "disable_ipv6", "1"}};
    unsigned port;
    int r = make_veth(n, p, netns);

    if (r == -EEXIST) { /* a crash left it: the slot is ours alone */
        net_port_remove(n, p->port);
        r = make_veth(n, p, netns);
    }
    if (r < 0)
        return cl_fail(e, -r, "make the veth %s", p->port);
    port = if_nametoindex(p->port);
    r = port ? net_guard_port(n, port, p->bridge_mac, e) : cl_fail(e, errno, "find the veth %s", p->port);
    if (r == 0)
        r = set_sysctls(p->port, list, CL_ARRAY_SIZE(list), e);
    if (r < 0)
        return r;
    r = net_join_bridge(n, port, if_nametoindex(p->bridge));
    return r < 0 ? cl_fail(e, -r, "put %s on the bridge %s", p->port, p->bridge) : 0;
}

static int add_forwarding_entry(struct rtnl *n, const struct net_place *p, unsigned port)
{
    const struct ndmsg header = {
        .ndm_family = AF_BRIDGE, .ndm_ifindex = (int)port, .ndm_state = NUD_NOARP, .ndm_flags = NTF_MASTER};
    struct nlmsghdr *m = rtnl_begin(n, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof(header));

    mnl_attr_put(m, NDA_LLADDR, 6, p->mac);
    return rtnl_do(n);
}

int net_port_up(struct rtnl *n, const struct net_place *p, struct cl_error *e)
{
    unsigned port = if_nametoindex(p->port), bridge = if_nametoindex(p->bridge);
    int r = add_forwarding_entry(n, p, port);

    if (r < 0)
        return cl_fail(e, -r, "add the forwarding entry of %s", p->port);
    r = net_add_neighbour(n, bridge, AF_INET, &p->address, p->mac, e);
    if (r == 0 && p->has_ipv6)
        r = net_add_neighbour(n, bridge, AF_INET6, &p->address6, p->mac, e);
    return r < 0 ? r : net_link_up(n, port, e);
}

void net_port_remove(struct rtnl *n, const char *port)
{
    const struct ifinfomsg header = {0};
    struct nlmsghdr *m = rtnl_begin(n, RTM_DELLINK, 0, &header, sizeof(header));

    mnl_attr_put_strz(m, IFLA_IFNAME, port);
    (void)!rtnl_do(n);
}
