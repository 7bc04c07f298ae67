/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules that somebody took away, back for the cells that live. What is as it was is left alone, for a rule that counts
 * connections would begin anew.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "net.h"
#include "net_check.h"
#include "util.h"

struct restore {
    struct net_counts counts;
    char table[NET_TABLE_SIZE]; /* whose rules are counted; "": none yet */
    bool has_base;
};

/* Cells that were opened before network.name was changed have another table. */
static int count_table(struct restore *r, const char *table, struct cl_error *e)
{
    int result;

    if (strcmp(r->table, table) == 0)
        return 0;
    net_counts_clear(&r->counts);
    r->table[0] = '\0';
    r->has_base = false;
    result = net_count_rules(table, &r->counts, e);
    if (result == 0)
        (void)snprintf(r->table, sizeof(r->table), "%s", table);
    return result;
}

static int restore_base(struct restore *r, struct cl_error *e)
{
    cleanup_free char *base = NULL;
    struct net_place p = {0};
    int result;

    if (r->has_base)
        return 0;
    net_place_names(&p, r->table);
    result = net_rules_base(&p, &base);
    if (result < 0)
        return cl_fail(e, -result, "write the rules");
    if (!net_rules_intact(&r->counts, base))
        result = net_nft_run(base, e);
    r->has_base = result == 0;
    return result;
}

static int restore_cell(struct restore *r, unsigned slot, const char *rules, struct cl_error *e)
{
    char table[NET_TABLE_SIZE], port[IFNAMSIZ];
    int result;

    if (!net_rules_table(rules, table))
        return 0; /* not yet connected */
    net_port_name(table, slot, port);
    if (if_nametoindex(port) == 0)
        return 0; /* it has ended */
    result = count_table(r, table, e);
    if (result == 0)
        result = restore_base(r, e);
    return result < 0 || net_rules_intact(&r->counts, rules) ? result : net_nft_run(rules, e);
}

static void restore_slot(unsigned slot, const char *id, const char *rules, void *arg)
{
    struct cl_error e = {0};

    if (restore_cell(arg, slot, rules, &e) < 0)
        cl_log(LOG_ERR, "network: id=%.32s stays cut off: %s", id, e.text);
}

void net_restore(int run_fd)
{
    struct restore r = {0};

    net_pool_each(run_fd, restore_slot, &r);
    net_counts_clear(&r.counts);
}
