/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * network.mode = "nat". Theory of operation: each cell has a veth; its host end is an isolated port of one bridge, which
 * the host routes for and masquerades. Who may send what where is decided by rules in a table of ours (net_rules.c), and
 * what they let through they mark. On the bridge sit guards (net_tc.c), outside of the firewall, that drop whatever has
 * no mark: so `nft flush ruleset`, or another tool that takes our table along, cuts the cells off, and the host and the
 * neighbours stay as far away as before. The next open, or a sweep, puts the rules of all live cells back (net_restore.c).
 * Frames of cells come to the bridge through a gate (net_gate.c), so that this holds for either of the two tables alone.
 *
 * No packet tells anyone who has an address (net_link.c): a cell's addresses, link address and name of its port follow
 * from one number, its slot (net_pool.c).
 *
 * Order: bridge and guards, gate, veth (down), rules, then up. A cell's rules go with its record; bridge, gate and tables stay.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller.h"
#include "forwarding.h"
#include "log.h"
#include "net.h"
#include "net_check.h"
#include "network.h"
#include "rtnl.h"
#include "util.h"

#define REMOVE_WAIT_MS 2000
#define RECLAIM_MAX    16 /* at an open, which others wait for; a sweep takes all */

/* A host is never turned into a router behind its administrator's back: it would route for all its networks. */
static int check_forwarding(const struct session *s, struct cl_error *e)
{
    bool ipv6 = cl_config_settings(s->config)->network.pool6 != NULL;
    const char *off = cl_forwarding_off(ipv6);

    if (!off)
        return 0;
    return cl_policy_fail(s->policy, CL_KEY_NETWORK_MODE, e, ENETUNREACH,
                          "the host forwards nothing, mend it with: sysctl -w %s=1%s", off,
                          cl_forwarding_off(false) ? "" : ", or pool6 = \"\" in cloister.conf");
}

/* One lock for all cells of the host: who holds it must not be held up by whoever started it. */
static int lock_network(int run_fd, int64_t deadline_ms, int *ret_lock, struct cl_error *e)
{
    int r = caller_leave(e);

    return r < 0 ? r : record_lock_network(run_fd, deadline_ms, ret_lock, e);
}

struct reclaim {
    int run_fd;
    struct rtnl *n;
    const char *table;
    unsigned count, max;
};

/* The record is made before a slot is taken, and removed after it was given back. */
static void reclaim_slot(unsigned slot, const char *id, const char *rules, void *arg)
{
    struct reclaim *r = arg;
    char path[64], port[IFNAMSIZ], table[NET_TABLE_SIZE];

    (void)snprintf(path, sizeof(path), "cells/%s.json", id);
    if (r->count >= r->max)
        return;
    if (cl_id_valid(id) && faccessat(r->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return;
    if (!net_rules_table(rules, table)) /* network.name may have been another then */
        (void)snprintf(table, sizeof(table), "%.10s", r->table);
    net_port_name(table, slot, port);
    if (*rules || if_nametoindex(port)) { /* else the crash came before anything was made */
        net_port_remove(r->n, port);
        net_nft_forget(table, slot);
        (void)!net_forget_connections(slot);
    }
    net_pool_free(r->run_fd, slot);
    r->count++;
}

static unsigned reclaim(int run_fd, struct rtnl *n, const char *table, unsigned max)
{
    struct reclaim r = {.run_fd = run_fd, .n = n, .table = table, .max = max};

    net_pool_each(run_fd, reclaim_slot, &r);
    return r.count;
}

static int take_slot(const struct session *s, int lock, struct rtnl *n, unsigned *ret, struct cl_error *e)
{
    const struct cl_settings *settings = cl_config_settings(s->config);
    int r = net_pool_take(s->run_fd, lock, settings, s->id, ret, e);

    if (r == -EADDRNOTAVAIL && reclaim(s->run_fd, n, settings->network.name, RECLAIM_MAX) > 0)
        r = net_pool_take(s->run_fd, lock, settings, s->id, ret, e);
    if (r == -EADDRNOTAVAIL)
        return cl_fail_key(e, EADDRNOTAVAIL, "network.pool", NULL, "all addresses of %s are taken",
                           settings->network.pool);
    return r;
}

static int set_rules(const struct session *s, const struct net_place *p, char *const *servers, struct cl_error *e)
{
    cleanup_free char *base = NULL, *own = NULL, *all = NULL;
    int r = net_rules_base(p, &base);

    if (r == 0)
        r = net_rules_cell(p, s->policy, servers, &own);
    if (r == 0)
        r = cl_asprintf(&all, "%s%s", base, own);
    if (r < 0)
        return cl_fail(e, -r, "write the rules");
    net_base_forget(s->run_fd, p->table); /* signed anew with this cell's own */
    r = net_nft_run(all, e);
    if (r == 0)
        r = net_pool_keep(s->run_fd, p->slot, s->id, own, e);
    if (r == 0)
        net_restore(s->run_fd);
    return r;
}

static int set_policy(const struct session *s, const struct net_place *p, struct cl_error *e)
{
    struct net_dns dns = {0};
    int r = net_dns_find(s->policy, &dns);

    if (r < 0)
        return cl_fail(e, -r, "look for name servers");
    if (s->policy->network.dns)
        r = net_dns_write(s->run_fd, p->slot, &dns, e);
    if (r == 0)
        r = set_rules(s, p, dns.servers, e);
    net_dns_clear(&dns);
    return r;
}

bool network_resolv(const struct session *s, char *buf, size_t size)
{
    char table[IFNAMSIZ], path[NET_RESOLV_SIZE];
    unsigned slot;

    if (!s->port[0] || !s->policy->network.dns || !net_port_parse(s->port, table, &slot))
        return false;
    net_resolv_path(slot, path);
    (void)snprintf(buf, size, CL_RUN_DIR "/%s", path);
    return true;
}

static int build(struct session *s, struct rtnl *n, const struct net_place *p, struct cl_error *e)
{
    uint64_t rate = s->policy->network.rate;
    cleanup_fd int netns = -1;
    char path[64];
    int r;

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", s->init); /* our own child, not reaped: the pid is its */
    netns = open(path, O_RDONLY | O_CLOEXEC);
    if (netns < 0)
        return cl_fail(e, errno, "open the cell's network namespace");
    r = net_bridge(n, p, e);
    if (r == 0)
        r = net_gate(n, p, e);
    if (r == 0)
        r = net_port(n, p, netns, e);
    if (r == 0 && rate != CL_UNLIMITED)
        r = net_limit(n, if_nametoindex(p->port), rate / 8, e);
    if (r == 0)
        r = set_policy(s, p, e);
    if (r == 0)
        r = net_cell(p, netns, e);
    return r < 0 ? r : net_port_up(n, p, e);
}

int stage_network(struct session *s, struct cl_error *e)
{
    cleanup_rtnl struct rtnl n = {0};
    cleanup_fd int lock = -1;
    struct net_place place;
    unsigned slot;
    int r;

    if (s->policy->network.mode != CL_NETWORK_NAT)
        return 0;
    r = check_forwarding(s, e);
    if (r == 0)
        r = rtnl_open(&n, e);
    if (r == 0)
        r = lock_network(s->run_fd, s->deadline_ms, &lock, e);
    if (r == 0)
        r = take_slot(s, lock, &n, &slot, e);
    if (r == 0)
        r = net_place_of(cl_config_settings(s->config), slot, &place, e);
    if (r < 0)
        return r;
    (void)snprintf(s->port, sizeof(s->port), "%s", place.port);
    (void)inet_ntop(AF_INET, &place.address, s->address, sizeof(s->address));
    if (place.has_ipv6)
        (void)inet_ntop(AF_INET6, &place.address6, s->address6, sizeof(s->address6));
    r = record_update(s, false, e);
    return r < 0 ? r : build(s, &n, &place, e);
}

static void remove_port(int run_fd, const char *port, const char *id)
{
    cleanup_rtnl struct rtnl n = {0};
    cleanup_fd int lock = -1;
    char table[IFNAMSIZ];
    unsigned slot;

    if (!net_port_parse(port, table, &slot) || rtnl_open(&n, NULL) < 0 ||
        lock_network(run_fd, cl_now_ms() + REMOVE_WAIT_MS, &lock, NULL) < 0)
        return;
    net_port_remove(&n, port);
    net_nft_forget(table, slot);
    (void)!net_forget_connections(slot);
    net_pool_give(run_fd, slot, id);
}

void undo_network(struct session *s)
{
    if (s->port[0])
        remove_port(s->run_fd, s->port, s->id);
}

void network_remove(int run_fd, const struct record *record)
{
    if (record->port[0])
        remove_port(run_fd, record->port, record->id);
}

/* An open puts it there, too. */
static void restore_guard(struct rtnl *n, const struct cl_settings *settings)
{
    struct net_place p = {0};
    struct cl_error e = {0};
    unsigned bridge;

    if (net_place_of(settings, 0, &p, NULL) < 0)
        return;
    bridge = if_nametoindex(p.bridge);
    if (bridge && net_is_ours(p.bridge, p.bridge_mac, NULL) == 0 && net_guard_bridge(n, bridge, &e) < 0)
        cl_log(LOG_ERR, "network: %s stays without its guard: %s", p.bridge, e.text);
}

void network_sweep(int run_fd)
{
    cleanup_rtnl struct rtnl n = {0};
    cleanup_fd int lock = -1;
    struct cl_settings *settings = NULL;
    struct cl_problems problems = {0};
    int r = cl_settings_load(CL_CONFIG_DIR, false, &settings, &problems);

    cl_problems_clear(&problems);
    if (r < 0 && cl_settings_default(&settings) < 0)
        return;
    if (rtnl_open(&n, NULL) == 0 && lock_network(run_fd, cl_now_ms() + REMOVE_WAIT_MS, &lock, NULL) == 0)
        (void)reclaim(run_fd, &n, settings->network.name, UINT_MAX);
    if (lock >= 0) {
        restore_guard(&n, settings);
        net_restore(run_fd);
    }
    cl_settings_free(settings);
}
