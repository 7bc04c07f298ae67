/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Are the rules of nftables still those that were given to the kernel? For the helper, which mends them, and for doctor.
 */
#ifndef CL_NET_CHECK_H
#define CL_NET_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define NET_CHAIN_SIZE 32
#define NET_TABLE_SIZE 16

struct net_count {
    int family;
    char chain[NET_CHAIN_SIZE];
    unsigned rules;
    uint64_t digest; /* of what the rules do, and of their handles, which the kernel gives to each rule but once */
};

struct net_counts {
    struct net_count *items;
    size_t n;
};

/* Of the tables of that name in the families inet and netdev; none where they are missing. */
int net_count_rules(const char *table, struct net_counts *ret, struct cl_error *e) CL_WARN_UNUSED;
void net_counts_clear(struct net_counts *counts);
#define cleanup_counts __attribute__((cleanup(net_counts_clear)))

/* Does each chain of these commands have as many rules as they give it, and, where they are signed, the very rules that it
 * had then? What is not enough memory is not intact. */
bool net_rules_intact(const struct net_counts *counts, const char *rules);
/* Sign commands whose rules are in the kernel as they were given: lines of comment with the digest of each of their chains.
 * The text is the caller's to free. */
int net_rules_sign(const struct net_counts *counts, const char *rules, char **ret) CL_WARN_UNUSED;
/* Where the signature begins, or the end of the text. */
size_t net_rules_length(const char *rules);
/* Another firewall's chain, through which all goes that is forwarded. */
struct net_chain {
    const char *family; /* "ip", "ip6", "inet" */
    uint8_t number;     /* the kernel's, of the family */
    char table[64], name[64];
};

/* Visit those that drop what they do not know, in tables where no rule names the bridge. */
int net_firewalls(const char *own_table, const char *bridge,
                  void (*visit)(const struct net_chain *chain, void *arg), void *arg, struct cl_error *e) CL_WARN_UNUSED;

/* The table of a cell's rules. */
bool net_rules_table(const char *rules, char ret[NET_TABLE_SIZE]);

#endif
