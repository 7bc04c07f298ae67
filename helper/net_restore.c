/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules that somebody took away or changed, back for the cells that live. What is as it was is left alone, for a rule that counts
 * connections would begin anew. What is new is signed.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "net.h"
#include "net_check.h"
#include "util.h"

struct restore {
    int run_fd;
    unsigned written; /* what was given to the kernel, and is not signed yet */
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

static int sign_base(struct restore *r, const char *base, struct cl_error *e)
{
    cleanup_free char *text = NULL;
    int result = net_rules_sign(&r->counts, base, &text);

    return result < 0 ? cl_fail(e, -result, "sign the rules") : net_base_keep(r->run_fd, r->table, text, e);
}

static int restore_base(struct restore *r, struct cl_error *e)
{
    cleanup_free char *base = NULL, *kept = NULL;
    struct net_place p = {0};
    int result;

    if (r->has_base)
        return 0;
    net_place_names(&p, r->table);
    result = net_rules_base(&p, &base);
    if (result < 0)
        return cl_fail(e, -result, "write the rules");
    kept = net_base_kept(r->run_fd, r->table, base);
    if (!net_rules_intact(&r->counts, kept ? kept : base)) {
        net_base_forget(r->run_fd, r->table);
        result = net_nft_run(base, e);
        r->written++;
    } else if (!kept) {
        result = sign_base(r, base, e);
    }
    r->has_base = result == 0;
    return result;
}

static int rewrite_cell(struct restore *r, unsigned slot, const char *id, const char *rules, struct cl_error *e)
{
    cleanup_free char *text = strndup(rules, net_rules_length(rules));
    int result = text ? net_pool_keep(r->run_fd, slot, id, text, e) : cl_fail(e, ENOMEM, "write the rules");

    r->written++;
    return result < 0 ? result : net_nft_run(text, e);
}

static int sign_cell(struct restore *r, unsigned slot, const char *id, const char *rules, struct cl_error *e)
{
    cleanup_free char *text = NULL;
    int result = net_rules_sign(&r->counts, rules, &text);

    return result < 0 ? cl_fail(e, -result, "sign the rules") : net_pool_keep(r->run_fd, slot, id, text, e);
}

static int restore_cell(struct restore *r, unsigned slot, const char *id, const char *rules, struct cl_error *e)
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
    if (result < 0)
        return result;
    if (!net_rules_intact(&r->counts, rules))
        return rewrite_cell(r, slot, id, rules, e);
    return rules[net_rules_length(rules)] ? 0 : sign_cell(r, slot, id, rules, e);
}

static void restore_slot(unsigned slot, const char *id, const char *rules, void *arg)
{
    struct cl_error e = {0};

    if (restore_cell(arg, slot, id, rules, &e) < 0)
        cl_log(LOG_ERR, "network: id=%.32s: its rules are not restored: %s", id, e.text);
}

void net_restore(int run_fd)
{
    struct restore r;

    for (int i = 0; i < 2; i++) { /* once more to sign */
        r = (struct restore){.run_fd = run_fd};
        net_pool_each(run_fd, restore_slot, &r);
        net_counts_clear(&r.counts);
        if (r.written == 0)
            break;
    }
}
