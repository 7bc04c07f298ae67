/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Are the rules still there? Others flush tables, or parts of them. What is expected is known as text, what is there is
 * counted: rules of each chain.
 */
#include "config.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_check.h"
#include "rtnl.h"
#include "util.h"

#define TRIES 5 /* the rules may change while they are listed */

struct filling {
    struct net_counts counts;
    int family;
};

static struct net_count *find(const struct net_counts *counts, int family, const char *chain)
{
    for (size_t i = counts->n; i-- > 0;) /* those of one chain come one after the other */
        if (counts->items[i].family == family && strcmp(counts->items[i].chain, chain) == 0)
            return &counts->items[i];
    return NULL;
}

static int count_one(struct net_counts *counts, int family, const char *chain)
{
    struct net_count *known = find(counts, family, chain), *grown;

    if (!known) {
        grown = reallocarray(counts->items, counts->n + 1, sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        counts->items = grown;
        known = &grown[counts->n++];
        *known = (struct net_count){.family = family};
        (void)snprintf(known->chain, sizeof(known->chain), "%s", chain);
    }
    known->rules++;
    return 0;
}

static int see_rule(const struct nlmsghdr *message, void *arg)
{
    struct filling *f = arg;
    const struct nlattr *attribute;

    mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_RULE_CHAIN && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0 &&
            count_one(&f->counts, f->family, mnl_attr_get_str(attribute)) < 0) {
            errno = ENOMEM;
            return MNL_CB_ERROR;
        }
    }
    return MNL_CB_OK;
}

static int count_family(struct rtnl *n, const char *table, struct filling *f)
{
    const struct nfgenmsg header = {.nfgen_family = (uint8_t)f->family, .version = NFNETLINK_V0};
    struct nlmsghdr *m =
        rtnl_begin(n, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, &header, sizeof(header));
    int r;

    mnl_attr_put_strz(m, NFTA_RULE_TABLE, table);
    r = rtnl_dump(n, see_rule, f);
    return r == -ENOENT ? 0 : r;
}

void net_counts_clear(struct net_counts *counts)
{
    free(counts->items);
    *counts = (struct net_counts){0};
}

int net_count_rules(const char *table, struct net_counts *ret, struct cl_error *e)
{
    cleanup_rtnl struct rtnl n = {0};
    struct filling f = {0};
    int r = rtnl_open_family(&n, NETLINK_NETFILTER, e);

    if (r < 0)
        return r;
    for (int try = 0; try < TRIES; try++) {
        net_counts_clear(&f.counts);
        f.family = NFPROTO_INET;
        r = count_family(&n, table, &f);
        f.family = NFPROTO_NETDEV;
        if (r == 0)
            r = count_family(&n, table, &f);
        if (r != -EINTR)
            break;
    }
    if (r < 0) {
        net_counts_clear(&f.counts);
        return cl_fail(e, -r, "list the rules of nftables");
    }
    *ret = f.counts;
    return 0;
}

bool net_rules_intact(const struct net_counts *counts, const char *rules)
{
    struct net_counts wanted = {0};
    bool intact = true;

    for (const char *line = rules; intact && line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char family[8], chain[NET_CHAIN_SIZE];

        if (sscanf(line, "add rule %7s %*s %31s", family, chain) == 2)
            intact = count_one(&wanted, strcmp(family, "netdev") == 0 ? NFPROTO_NETDEV : NFPROTO_INET, chain) == 0;
    }
    for (size_t i = 0; intact && i < wanted.n; i++) {
        const struct net_count *there = find(counts, wanted.items[i].family, wanted.items[i].chain);

        intact = there && there->rules == wanted.items[i].rules;
    }
    net_counts_clear(&wanted);
    return intact;
}

bool net_rules_table(const char *rules, char ret[NET_TABLE_SIZE])
{
    return sscanf(rules, "add chain netdev %10[a-z0-9] ", ret) == 1;
}
