/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Are the rules still there? Others flush tables, or parts of them, or replace a rule. What is expected is known as text, and
 * what is there as numbers of libnftables' making: so rules are counted by chain, and when they are new, what the kernel made
 * of them is noted as a digest beside the text. The kernel tells no contents of an anonymous set with its rule; but whoever
 * changes it makes another rule, with another handle.
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
#define SIGNATURE "# as-given " /* a comment of nftables: FAMILY CHAIN DIGEST */

/* FNV-1a: root is not deceived here, changes are noticed. */
#define FNV_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

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

static struct net_count *count_one(struct net_counts *counts, int family, const char *chain)
{
    struct net_count *known = find(counts, family, chain), *grown;

    if (!known) {
        grown = reallocarray(counts->items, counts->n + 1, sizeof(*grown));
        if (!grown)
            return NULL;
        counts->items = grown;
        known = &grown[counts->n++];
        *known = (struct net_count){.family = family, .digest = FNV_BASIS};
        (void)snprintf(known->chain, sizeof(known->chain), "%s", chain);
    }
    known->rules++;
    return known;
}

static void digest(uint64_t *d, const struct nlattr *attribute)
{
    const unsigned char *bytes = mnl_attr_get_payload(attribute);

    for (size_t i = 0; i < mnl_attr_get_payload_len(attribute); i++)
        *d = (*d ^ bytes[i]) * FNV_PRIME;
}

static int see_rule(const struct nlmsghdr *message, void *arg)
{
    struct filling *f = arg;
    const struct nlattr *attribute, *chain = NULL, *handle = NULL, *expressions = NULL;
    struct net_count *counted;

    mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_RULE_CHAIN && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
            chain = attribute;
        else if (mnl_attr_get_type(attribute) == NFTA_RULE_HANDLE)
            handle = attribute;
        else if (mnl_attr_get_type(attribute) == NFTA_RULE_EXPRESSIONS)
            expressions = attribute;
    }
    if (!chain)
        return MNL_CB_OK;
    counted = count_one(&f->counts, f->family, mnl_attr_get_str(chain));
    if (!counted) {
        errno = ENOMEM;
        return MNL_CB_ERROR;
    }
    if (handle)
        digest(&counted->digest, handle);
    if (expressions)
        digest(&counted->digest, expressions);
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

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');

    return end && end[1] ? end + 1 : NULL;
}

static int family_number(const char *family)
{
    return strcmp(family, "netdev") == 0 ? NFPROTO_NETDEV : NFPROTO_INET;
}

/* A chain whose rules are not signed has the digest of nothing. */
static int count_wanted(const char *rules, struct net_counts *ret)
{
    char family[8], chain[NET_CHAIN_SIZE];
    unsigned long long was;
    struct net_count *known;

    for (const char *line = *rules ? rules : NULL; line; line = next_line(line)) {
        if (*line != '#' && sscanf(line, "add rule %7s %*s %31s", family, chain) == 2 &&
            !count_one(ret, family_number(family), chain))
            return -ENOMEM;
        if (*line == '#' && sscanf(line, SIGNATURE "%7s %31s %llx", family, chain, &was) == 3 &&
            (known = find(ret, family_number(family), chain)))
            known->digest = was;
    }
    return 0;
}

bool net_rules_intact(const struct net_counts *counts, const char *rules)
{
    cleanup_counts struct net_counts wanted = {0};
    bool intact = count_wanted(rules, &wanted) == 0;

    for (size_t i = 0; intact && i < wanted.n; i++) {
        const struct net_count *one = &wanted.items[i], *there = find(counts, one->family, one->chain);

        intact = there && there->rules == one->rules && (one->digest == FNV_BASIS || one->digest == there->digest);
    }
    return intact;
}

size_t net_rules_length(const char *rules)
{
    const char *signature = strstr(rules, "\n" SIGNATURE);

    return signature ? (size_t)(signature + 1 - rules) : strlen(rules);
}

int net_rules_sign(const struct net_counts *counts, const char *rules, char **ret)
{
    cleanup_counts struct net_counts wanted = {0};
    char *text = NULL;
    size_t size;
    FILE *f = count_wanted(rules, &wanted) == 0 ? open_memstream(&text, &size) : NULL;

    if (!f)
        return -ENOMEM;
    fputs(rules, f);
    for (size_t i = 0; i < wanted.n; i++) {
        const struct net_count *there = find(counts, wanted.items[i].family, wanted.items[i].chain);

        if (there)
            fprintf(f, SIGNATURE "%s %s %llx\n", there->family == NFPROTO_NETDEV ? "netdev" : "inet", there->chain,
                    (unsigned long long)there->digest);
    }
    if (fclose(f) != 0) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}

bool net_rules_table(const char *rules, char ret[NET_TABLE_SIZE])
{
    return sscanf(rules, "add chain netdev %10[a-z0-9] ", ret) == 1;
}
