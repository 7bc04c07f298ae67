/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Other firewalls on the host: chains that drop what is forwarded unless they know it, and do not know the cells' bridge.
 * What iptables-nft, Docker, ufw and firewalld write is nftables' in the kernel.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "net_check.h"
#include "rtnl.h"
#include "util.h"

#define CHAINS_MAX 32

struct looking {
    const char *own_table, *bridge;
    struct net_chain chains[CHAINS_MAX];
    size_t n;
    bool named; /* a rule names the bridge */
};

static const char *family_name(uint8_t family)
{
    return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : family == NFPROTO_INET ? "inet" : NULL;
}

static int by_type(const struct nlattr *attribute, void *arg)
{
    const struct nlattr **table = arg;

    if (mnl_attr_get_type(attribute) <= NFTA_CHAIN_MAX)
        table[mnl_attr_get_type(attribute)] = attribute;
    return MNL_CB_OK;
}

static bool hooks_forward(const struct nlattr *hook)
{
    const struct nlattr *attribute;

    mnl_attr_for_each_nested(attribute, hook)
        if (mnl_attr_get_type(attribute) == NFTA_HOOK_HOOKNUM && mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
            return ntohl(mnl_attr_get_u32(attribute)) == NF_INET_FORWARD;
    return false;
}

/* firewalld's chain has the policy accept, and refuses in its last rule. */
static bool drops(const char *table, const struct nlattr *policy)
{
    return strcmp(table, "firewalld") == 0 || (policy && ntohl(mnl_attr_get_u32(policy)) == NF_DROP);
}

static int see_chain(const struct nlmsghdr *message, void *arg)
{
    const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
    const struct nlattr *table[NFTA_CHAIN_MAX + 1] = {0};
    const char *family = family_name(header->nfgen_family), *name;
    struct looking *l = arg;

    (void)mnl_attr_parse(message, sizeof(*header), by_type, table);
    if (!family || l->n == CHAINS_MAX || !table[NFTA_CHAIN_TABLE] || !table[NFTA_CHAIN_NAME] ||
        !table[NFTA_CHAIN_HOOK] || !hooks_forward(table[NFTA_CHAIN_HOOK]))
        return MNL_CB_OK;
    name = mnl_attr_get_str(table[NFTA_CHAIN_TABLE]);
    if (strcmp(name, l->own_table) == 0 || !drops(name, table[NFTA_CHAIN_POLICY]))
        return MNL_CB_OK;
    l->chains[l->n].family = family;
    l->chains[l->n].number = header->nfgen_family;
    (void)snprintf(l->chains[l->n].table, sizeof(l->chains[0].table), "%s", name);
    (void)snprintf(l->chains[l->n].name, sizeof(l->chains[0].name), "%s", mnl_attr_get_str(table[NFTA_CHAIN_NAME]));
    l->n++;
    return MNL_CB_OK;
}

/* A device is compared with by its name, in whole, or as far as the end that is left out. */
static int see_rule(const struct nlmsghdr *message, void *arg)
{
    struct looking *l = arg;

    if (memmem(mnl_nlmsg_get_payload(message), mnl_nlmsg_get_payload_len(message), l->bridge, strlen(l->bridge)))
        l->named = true;
    return MNL_CB_OK;
}

static int list_rules(struct rtnl *n, const struct net_chain *chain, struct looking *l)
{
    const struct nfgenmsg header = {.nfgen_family = chain->number, .version = NFNETLINK_V0};
    struct nlmsghdr *m =
        rtnl_begin(n, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, NLM_F_DUMP, &header, sizeof(header));

    mnl_attr_put_strz(m, NFTA_RULE_TABLE, chain->table);
    l->named = false;
    return rtnl_dump(n, see_rule, l);
}

int net_firewalls(const char *own_table, const char *bridge,
                  void (*visit)(const struct net_chain *chain, void *arg), void *arg, struct cl_error *e)
{
    const struct nfgenmsg header = {.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0};
    struct looking l = {.own_table = own_table, .bridge = bridge};
    cleanup_rtnl struct rtnl n = {0};
    int r = rtnl_open_family(&n, NETLINK_NETFILTER, e);

    if (r < 0)
        return r;
    (void)rtnl_begin(&n, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP, &header, sizeof(header));
    r = rtnl_dump(&n, see_chain, &l);
    for (size_t i = 0; r == 0 && i < l.n; i++) {
        r = list_rules(&n, &l.chains[i], &l);
        if (r == 0 && !l.named)
            visit(&l.chains[i], arg);
    }
    return r < 0 ? cl_fail(e, -r, "list the chains of nftables") : 0;
}
