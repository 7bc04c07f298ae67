/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: the network of cells with network.mode = "nat". Are the rules of live cells as they were given to the kernel, is
 * the bridge guarded, does another firewall let them through, are there addresses and name servers?
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "doctor.h"
#include "helper/net.h"
#include "helper/net_check.h"
#include "helper/rtnl.h"
#include "util.h"

#define TRIES     3
#define SWEEP     "cloister sweep"
#define NEARLY    90 /* per cent */
#define RESERVED  3  /* network, gateway, broadcast */

struct look {
    struct doctor *d;
    int run_fd;
    unsigned taken, broken;
    unsigned try;    /* a login may write rules while they are looked at */
    struct net_counts counts;
    char table[NET_TABLE_SIZE];
    struct net_place place;
};

static bool is_asked_for(const struct doctor *d)
{
    for (size_t i = 0; d->config && i < cl_config_count(d->config); i++)
        if (cl_config_policy(d->config, i)->network.mode == CL_NETWORK_NAT)
            return true;
    return false;
}

/* A cell that was opened before network.name was changed has other tables. */
static bool count(struct look *l, const char *table)
{
    struct cl_error e = {0};

    if (strcmp(l->table, table) == 0)
        return true;
    net_counts_clear(&l->counts);
    l->table[0] = '\0';
    if (net_count_rules(table, &l->counts, &e) < 0)
        return false;
    (void)snprintf(l->table, sizeof(l->table), "%s", table);
    return true;
}

static void check_rules(struct look *l, unsigned slot, const char *id, const char *rules)
{
    cleanup_free char *base = NULL, *kept = NULL;
    char table[NET_TABLE_SIZE], port[IFNAMSIZ];
    struct net_place p = {0};

    if (!net_rules_table(rules, table))
        return;
    net_port_name(table, slot, port);
    if (if_nametoindex(port) == 0 || !count(l, table))
        return; /* it ends, or has not begun */
    net_place_names(&p, table);
    if (net_rules_base(&p, &base) < 0) {
        l->d->out_of_memory = true;
        return;
    }
    kept = net_base_kept(l->run_fd, table, base);
    if (net_rules_intact(&l->counts, kept ? kept : base) && net_rules_intact(&l->counts, rules))
        return;
    l->broken++;
    if (l->try == TRIES)
        doctor_find(l->d, FINDING_NAT_RULES, id, SWEEP,
                    "rules of the cell %s in the tables %s of nftables (inet, netdev) are gone, or changed", id, table);
}

static void check_slot(unsigned slot, const char *id, const char *rules, void *arg)
{
    struct look *l = arg;
    char path[64];

    l->taken++;
    (void)snprintf(path, sizeof(path), "cells/%s.json", id);
    if (cl_id_valid(id) && faccessat(l->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        check_rules(l, slot, id, rules);
    else if (l->try == 1)
        doctor_find(l->d, FINDING_NAT_ADDRESS, NULL, SWEEP, "address number %u of network.pool is taken, by no cell", slot);
}

static void check_slots(struct look *l)
{
    static const struct timespec pause = {.tv_nsec = 100000000};

    for (l->try = 1; l->try <= TRIES; l->try++) {
        l->taken = l->broken = 0;
        net_counts_clear(&l->counts);
        l->table[0] = '\0';
        net_pool_each(l->run_fd, check_slot, l);
        if (l->broken == 0)
            return;
        (void)nanosleep(&pause, NULL);
    }
}

static void check_pool(struct look *l)
{
    unsigned size = (1u << (32 - l->place.length)) - RESERVED;
    cleanup_free char *quoted = doctor_quote(l->d->ctl->config), *fix = NULL;

    if ((uint64_t)l->taken * 100 < (uint64_t)size * NEARLY)
        return;
    if (!quoted || cl_asprintf(&fix, "editor %s/cloister.conf # a larger network.pool", quoted) < 0)
        l->d->out_of_memory = true;
    else
        doctor_find(l->d, FINDING_NAT_POOL, NULL, fix, "%u of %u addresses of network.pool are taken", l->taken, size);
}

static void check_guard(struct look *l)
{
    unsigned bridge = if_nametoindex(l->place.bridge);
    cleanup_rtnl struct rtnl n = {0};
    bool guarded = false;

    if (bridge == 0 || rtnl_open(&n, NULL) < 0)
        return; /* made at the first login */
    if (net_guarded(&n, bridge, &guarded) < 0 || !guarded)
        doctor_find(l->d, FINDING_NAT_GUARD, l->place.bridge, SWEEP, "%s has no guard in its traffic control",
                    l->place.bridge);
}

static void see_firewall(const struct net_chain *chain, void *arg)
{
    struct look *l = arg;
    const char *bridge = l->place.bridge;
    cleanup_free char *fix = NULL, *what = NULL;
    int r;

    if (strcmp(chain->table, "firewalld") == 0)
        r = cl_asprintf(&fix, "firewall-cmd --permanent --zone=trusted --add-interface=%s && firewall-cmd --reload", bridge);
    else
        r = cl_asprintf(&fix, "nft 'insert rule %s %s %s iifname \"%s\" accept; insert rule %s %s %s oifname \"%s\" accept'",
                        chain->family, chain->table, chain->name, bridge, chain->family, chain->table, chain->name, bridge);
    if (r == 0)
        r = cl_asprintf(&what, "%s %s %s", chain->family, chain->table, chain->name);
    if (r < 0)
        l->d->out_of_memory = true;
    else
        doctor_find(l->d, FINDING_NAT_FIREWALL, what, fix, "the chain %s drops what is forwarded, and does not know %s", what,
                    bridge);
}

static void check_dns(struct look *l)
{
    const struct doctor *d = l->d;
    cleanup_free char *quoted = doctor_quote(d->ctl->config), *fix = NULL;

    if (!quoted || cl_asprintf(&fix, "editor %s/policy.d # network.dns, see cloister.conf(5)", quoted) < 0) {
        l->d->out_of_memory = true;
        return;
    }
    for (size_t i = 0; d->config && i < cl_config_count(d->config); i++) {
        const struct cl_policy *policy = cl_config_policy(d->config, i);
        struct net_dns dns = {0};

        if (policy->network.mode != CL_NETWORK_NAT || !policy->network.dns || net_dns_find(policy, &dns) < 0)
            continue;
        if (!dns.servers)
            doctor_find(l->d, FINDING_NAT_DNS, policy->name, fix,
                        "the host names no server that cells of policy %s could ask: those on its loopback answer the "
                        "host alone", policy->name);
        net_dns_clear(&dns);
    }
}

void doctor_network(struct doctor *d)
{
    struct look l = {.d = d, .run_fd = open(CL_RUN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    struct cl_error e = {0};

    if (net_place_of(d->settings, 0, &l.place, &e) == 0 && (l.run_fd >= 0 || is_asked_for(d)) &&
        (d->root || (is_asked_for(d) && doctor_is_root(d, "the network of cells with nat")))) {
        check_slots(&l);
        check_guard(&l);
        if (is_asked_for(d) || l.taken > 0) {
            check_pool(&l);
            if (net_firewalls(l.place.table, l.place.bridge, see_firewall, &l, &e) < 0)
                doctor_find(d, FINDING_NOT_LOOKED_AT, NULL, "", "other firewalls: %s", e.text);
            check_dns(&l);
            doctor_ok(d, "cells with nat have the rules that they were given, and no firewall is in their way");
        }
    }
    net_counts_clear(&l.counts);
    cl_close(&l.run_fd);
}
