/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rules, as text for libnftables. Every word is ours or formatted from a number: nothing of the configuration is
 * copied into it. All of it can be given again at any time, with the same result.
 *
 * Of each cell: chain i-SLOT where packets enter the host, which pins their source, marks them and sends them to the gate,
 * and chain c-SLOT, found by the mark, which says where they may go. The former is in a table of the family netdev: there
 * all frames are looked at, not IP alone, and there kernels have always let go of a device that is no more (CVE-2024-26808
 * is about ingress chains of the family inet). The chains with hooks:
 *
 *   enter       behind the gate: the mark that the bridge's guard wants
 *   from-cells  to c-SLOT; before any address translation, which could hide that an address is the host's own
 *   to-host     only what a policy names
 *   through     to elsewhere: once more not private, for other rules may have changed the destination; to cells:
 *               answers only
 *   from-host   to cells: answers and errors only
 *   pass        what got this far is marked for the guard of the bridge
 *   masked      masquerade
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "net.h"
#include "util.h"

/* What is nobody's in public: RFC 6890 and its successors, networks that carry IPv4 addresses inside, and the address at
 * which Azure tells a machine its secrets. */
#define PRIVATE4                                                                                             \
    "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, "       \
    "168.63.129.16, 192.168.0.0/16, 198.18.0.0/15, 224.0.0.0/3"
#define PUBLIC6   "2000::/3"
#define CARRIERS6 "2001::/32, 2002::/16"

/* Of one cell at a time: the table of connections is the whole host's. */
#define CONNECTIONS_MAX 4096

#define ERRORS4 "{ destination-unreachable, time-exceeded, parameter-problem }"
#define ERRORS6 "{ destination-unreachable, packet-too-big, time-exceeded, parameter-problem }"

static const char *const hooks[][2] = {
    {"from-cells", "filter hook prerouting priority -120"}, {"to-host", "filter hook input priority 0"},
    {"through", "filter hook forward priority 0"},    {"from-host", "filter hook output priority 0"},
    {"pass", "filter hook postrouting priority 300"}, {"masked", "nat hook postrouting priority 100"},
};
static const char *const chains[] = {"refuse", "unless-public", "outside"};

static void add_rules(FILE *f, const char *t, const char *b)
{
    const char *rule = "add rule inet";

    fprintf(f, "%s %s refuse reject with icmpx type admin-prohibited\n", rule, t);
    fprintf(f, "%s %s unless-public fib daddr type != unicast goto refuse\n", rule, t);
    fprintf(f, "%s %s unless-public ip daddr { " PRIVATE4 " } goto refuse\n", rule, t);
    fprintf(f, "%s %s unless-public ip6 daddr != " PUBLIC6 " goto refuse\n", rule, t);
    fprintf(f, "%s %s unless-public ip6 daddr { " CARRIERS6 " } goto refuse\n", rule, t);
    fprintf(f, "%s %s outside jump unless-public\n", rule, t);
    fprintf(f, "%s %s outside meta l4proto { tcp, udp } accept\n", rule, t);
    fprintf(f, "%s %s outside icmp type echo-request accept\n", rule, t);
    fprintf(f, "%s %s outside icmpv6 type echo-request accept\n", rule, t);
    fprintf(f, "%s %s outside goto refuse\n", rule, t);

    fprintf(f, "%s %s enter meta mark & 0x%x == 0x%x meta mark set mark & 0x%x | 0x%x accept\n", rule, t, NET_MARK_MASK,
            NET_MARK_PINNED, ~NET_MARK_MASK, NET_MARK_OUT);
    fprintf(f, "%s %s from-cells iifname != \"%s\" accept\n", rule, t, b);
    fprintf(f, "%s %s from-cells ct state invalid drop\n", rule, t);
    fprintf(f, "%s %s from-cells ct mark set meta mark\n", rule, t); /* net_conntrack.c */
    fprintf(f, "%s %s from-cells meta mark vmap @cells\n", rule, t);
    fprintf(f, "%s %s from-cells drop\n", rule, t);
    fprintf(f, "%s %s to-host iifname \"%s\" meta mark & 0x%x != 0x%x drop\n", rule, t, b, NET_MARK_MASK,
            NET_MARK_ALLOWED);
    fprintf(f, "%s %s through iifname \"%s\" oifname \"%s\" drop\n", rule, t, b, b);
    fprintf(f, "%s %s through iifname \"%s\" meta mark & 0x%x == 0x%x accept\n", rule, t, b, NET_MARK_MASK,
            NET_MARK_ALLOWED);
    fprintf(f, "%s %s through iifname \"%s\" jump unless-public\n", rule, t, b);
    fprintf(f, "%s %s through oifname \"%s\" ct state established,related accept\n", rule, t, b);
    fprintf(f, "%s %s through oifname \"%s\" drop\n", rule, t, b);
    fprintf(f, "%s %s from-host oifname != \"%s\" accept\n", rule, t, b);
    fprintf(f, "%s %s from-host ct state established,related accept\n", rule, t);
    fprintf(f, "%s %s from-host icmp type " ERRORS4 " accept\n", rule, t);
    fprintf(f, "%s %s from-host icmpv6 type " ERRORS6 " accept\n", rule, t);
    fprintf(f, "%s %s from-host drop\n", rule, t);
    fprintf(f, "%s %s pass oifname \"%s\" meta mark set 0x%x\n", rule, t, b, NET_MARK_IN);
    fprintf(f, "%s %s pass oifname != \"%s\" meta mark & 0x%x == { 0x%x, 0x%x } meta mark set 0\n", rule, t, b,
            NET_MARK_MASK, NET_MARK_OUT, NET_MARK_ALLOWED);
    fprintf(f, "%s %s masked oifname != \"%s\" meta mark & 0x%x == { 0x%x, 0x%x } masquerade\n", rule, t, b,
            NET_MARK_MASK, NET_MARK_OUT, NET_MARK_ALLOWED);
}

static int finish(FILE *f, char **text, char **ret)
{
    bool failed = ferror(f);

    if (fclose(f) != 0 || failed) {
        free(*text);
        return -ENOMEM;
    }
    *ret = *text;
    return 0;
}

int net_rules_base(const struct net_place *p, char **ret)
{
    const char *t = p->table;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -ENOMEM;
    fprintf(f, "add table netdev %s\nadd table inet %s\nadd map inet %s cells { type mark : verdict; }\n", t, t, t);
    fprintf(f, "add chain inet %s enter { type filter hook ingress device \"%s\" priority 0; policy drop; }\n"
               "flush chain inet %s enter\n", t, p->gate[1], t);
    for (size_t i = 0; i < CL_ARRAY_SIZE(hooks); i++)
        fprintf(f, "add chain inet %s %s { type %s; policy accept; }\nflush chain inet %s %s\n", t, hooks[i][0],
                hooks[i][1], t, hooks[i][0]);
    for (size_t i = 0; i < CL_ARRAY_SIZE(chains); i++)
        fprintf(f, "add chain inet %s %s\nflush chain inet %s %s\n", t, chains[i], t, chains[i]);
    add_rules(f, t, p->bridge);
    return finish(f, &text, ret);
}

static void put_entry(FILE *f, const struct net_place *p, const struct cl_destination *d)
{
    char address[INET6_ADDRSTRLEN];

    fprintf(f, "add rule inet %s c-%04x", p->table, p->slot);
    if (!d->outside)
        fprintf(f, " %s daddr %s/%u", d->to.family == AF_INET ? "ip" : "ip6",
                inet_ntop(d->to.family, d->to.address, address, sizeof(address)), d->to.length);
    if (!d->outside && d->to.length < (d->to.family == AF_INET ? 32 : 128))
        fprintf(f, " fib daddr type unicast"); /* the host itself is named by an address, or not at all */
    if (d->protocol)
        fprintf(f, " meta l4proto %d", d->protocol);
    else if (d->first)
        fprintf(f, " meta l4proto { tcp, udp }");
    if (d->first)
        fprintf(f, " th dport %u-%u", d->first, d->last);
    if (d->outside)
        fprintf(f, " goto outside\n");
    else
        fprintf(f, " meta mark set 0x%x accept\n", NET_MARK_ALLOWED | p->slot);
}

/* Names must resolve: the servers in the cell's resolv.conf can be asked, wherever they are. */
static void put_dns(FILE *f, const struct net_place *p, char *const *dns)
{
    for (size_t i = 0; dns && dns[i]; i++) {
        struct cl_destination d = {.first = 53, .last = 53};

        if (cl_prefix_parse(dns[i], &d.to))
            put_entry(f, p, &d);
    }
}

/* Named places first, "outside" with its refusals last: the order in the list does not count. */
static void put_list(FILE *f, const struct net_place *p, char *const *allow, bool outside)
{
    struct cl_destination d;

    for (size_t i = 0; allow && allow[i]; i++)
        if (cl_destination_parse(allow[i], &d) && d.outside == outside)
            put_entry(f, p, &d);
}

static void put_link(FILE *f, const char *chain, const char *which, const uint8_t mac[6])
{
    fprintf(f, "add rule %s ether %s != %02x:%02x:%02x:%02x:%02x:%02x drop\n", chain, which, mac[0], mac[1], mac[2],
            mac[3], mac[4], mac[5]);
}

int net_rules_cell(const struct net_place *p, const struct cl_policy *policy, char *const *dns, char **ret)
{
    char address[INET6_ADDRSTRLEN], in[64], *text = NULL;
    uint64_t bytes = policy->network.rate / 8;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -ENOMEM;
    (void)snprintf(in, sizeof(in), "netdev %s i-%04x", p->table, p->slot);
    fprintf(f, "add chain %s { type filter hook ingress device \"%s\" priority 0; policy drop; }\nflush chain %s\n",
            in, p->port, in);
    put_link(f, in, "saddr", p->mac);
    put_link(f, in, "daddr", p->bridge_mac);
    if (policy->network.rate != CL_UNLIMITED)
        fprintf(f, "add rule %s limit rate over %llu bytes/second burst %llu bytes drop\n", in,
                (unsigned long long)bytes, (unsigned long long)(bytes / 8 > 65536 ? bytes / 8 : 65536));
    fprintf(f, "add rule %s ip saddr %s meta mark set 0x%x fwd to \"%s\"\n", in,
            inet_ntop(AF_INET, &p->address, address, sizeof(address)), NET_MARK_PINNED | p->slot, p->gate[0]);
    if (p->has_ipv6)
        fprintf(f, "add rule %s ip6 saddr %s meta mark set 0x%x fwd to \"%s\"\n", in,
                inet_ntop(AF_INET6, &p->address6, address, sizeof(address)), NET_MARK_PINNED | p->slot, p->gate[0]);
    fprintf(f, "add chain inet %s c-%04x\nflush chain inet %s c-%04x\n", p->table, p->slot, p->table, p->slot);
    fprintf(f, "add rule inet %s c-%04x ct state new ct count over %d drop\n", p->table, p->slot, CONNECTIONS_MAX);
    put_dns(f, p, dns);
    put_list(f, p, policy->network.allow, false);
    put_list(f, p, policy->network.allow, true);
    fprintf(f, "add rule inet %s c-%04x goto refuse\n", p->table, p->slot);
    fprintf(f, "add element inet %s cells { 0x%x : jump c-%04x }\n", p->table, NET_MARK_OUT | p->slot, p->slot);
    return finish(f, &text, ret);
}
