/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What several subcommands tell in the same words.
 */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "amount.h"
#include "facts.h"
#include "util.h"

static const struct table_column pair[] = {{NULL, false}, {NULL, false}};
static const struct table_column triple[] = {{NULL, false}, {NULL, false}, {NULL, false}};
static const struct table_column single[] = {{NULL, false}};

struct table *facts_new(void)
{
    return table_new(pair, CL_ARRAY_SIZE(pair));
}

void facts_add(struct table *table, const char *name, const char *fmt, ...)
{
    cleanup_free char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    table_add(table, TABLE_STRONG, "%-18s", name);
    table_add(table, TABLE_PLAIN, "%s", text ? text : "?");
}

static bool is_bytes(enum cl_use use)
{
    return use == CL_USE_MEMORY || use == CL_USE_MEMORY_MAX || use == CL_USE_SWAP ||
           use == CL_USE_IO_RBYTES || use == CL_USE_IO_WBYTES;
}

struct table *facts_use(const struct cl_usage *usage)
{
    struct table *table = facts_new();
    char text[32];

    for (enum cl_use use = 0; use < CL_USE_COUNT; use++) {
        uint64_t n = usage->n[use];

        if (!usage->known[use])
            facts_add(table, cl_use_name(use), "-");
        else if (n == CL_USAGE_MAX)
            facts_add(table, cl_use_name(use), "max");
        else if (is_bytes(use) && n >= 1024)
            facts_add(table, cl_use_name(use), "%" PRIu64 " (%s)", n, amount_bytes(n, text, sizeof(text)));
        else
            facts_add(table, cl_use_name(use), "%" PRIu64, n);
    }
    return table;
}

struct table *facts_limits(const struct record_limit *limits, size_t n)
{
    struct table *table = table_new(triple, CL_ARRAY_SIZE(triple));

    for (size_t i = 0; i < n; i++) {
        table_add(table, TABLE_STRONG, "%-18s", limits[i].key);
        table_add(table, TABLE_PLAIN, "%s", limits[i].value);
        table_add(table, TABLE_FAINT, "%s", limits[i].source);
    }
    return table;
}

struct table *facts_hits(const struct hit *hits, size_t n)
{
    struct table *table = table_new(single, CL_ARRAY_SIZE(single));
    char text[1000];

    for (size_t i = 0; i < n; i++)
        table_add(table, TABLE_ALARM, "%s", hit_text(&hits[i], text, sizeof(text)));
    if (n == 0)
        table_add(table, TABLE_PLAIN, "none");
    return table;
}

bool facts_print(const char *heading, const struct table *table)
{
    const struct table_paper paper = {.colour = table_wants_colour()};

    if (heading)
        table_heading(heading, stdout);
    return table_print(table, &paper, stdout);
}
