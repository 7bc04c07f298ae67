/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Cells as the lines of `list` and `top`.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "amount.h"
#include "cell.h"
#include "util.h"

static const struct table_column used[] = {
    {"ID", false},   {"USER", false},   {"POLICY", false},     {"SERVICE", false}, {"TTY", false},
    {"FROM", false}, {"AGE", true},     {"PROCESSES", true},   {"MEMORY", true},   {"CPU", true},
    {"READ", true},  {"WRITTEN", true}, {"LOGINS", false},     {"LIMITS HIT", false},
};

/* What changes from look to look stands in front. */
static const struct table_column using[] = {
    {"ID", false},      {"USER", false},   {"CPU%", true},        {"MEMORY", true}, {"PROCESSES", true},
    {"READ/s", true},   {"WRITE/s", true}, {"CPU", true},         {"AGE", true},    {"POLICY", false},
    {"SERVICE", false}, {"FROM", false},   {"LOGINS", false},     {"LIMITS HIT", false},
};

static const char *or_dash(const char *text)
{
    return text[0] ? text : "-";
}

const char *cell_hits_text(const struct cell *cell, char *buf, size_t size)
{
    char one[80];

    (void)snprintf(buf, size, "%s", cell->now.n_hits > 0 ? "" : "-");
    for (size_t i = 0; i < cell->now.n_hits; i++) {
        size_t length = strlen(buf);

        (void)snprintf(buf + length, size - length, "%s%s", i > 0 ? ", " : "",
                       hit_brief(&cell->now.hits[i], one, sizeof(one)));
    }
    return buf;
}

static void add_policy(struct table *table, const struct record *r)
{
    table_add(table, r->audit ? TABLE_ALARM : TABLE_PLAIN, "%s%s", r->policy, r->audit ? " (audit)" : "");
}

static void add_bytes(struct table *table, bool known, uint64_t bytes)
{
    char text[32];

    table_add(table, TABLE_PLAIN, "%s", known ? amount_bytes(bytes, text, sizeof(text)) : "-");
}

static void add_use(struct table *table, const struct cell *cell, enum cl_use use)
{
    add_bytes(table, cell->now.usage.known[use], cell->now.usage.n[use]);
}

static void add_cpu(struct table *table, const struct cell *cell)
{
    char text[32];

    table_add(table, TABLE_PLAIN, "%s",
              cell->now.usage.known[CL_USE_CPU_USEC]
                  ? amount_cpu(cell->now.usage.n[CL_USE_CPU_USEC], text, sizeof(text))
                  : "-");
}

static void add_age(struct table *table, const struct cell *cell, time_t now)
{
    char text[32];

    table_add(table, TABLE_PLAIN, "%s", amount_age(now - cell->record->since, text, sizeof(text)));
}

static void add_hits(struct table *table, const struct cell *cell)
{
    char text[400];

    table_add(table, cell->now.n_hits > 0 ? TABLE_ALARM : TABLE_FAINT, "%s",
              cell_hits_text(cell, text, sizeof(text)));
}

static void add_logins(struct table *table, const struct cell *cell)
{
    const struct lasting *lasting = &cell->lasting;
    char text[48];

    (void)lasting_text(lasting, text, sizeof(text));
    table_add(table, TABLE_PLAIN, "%zu%s%s%s", lasting->n, text[0] ? " (" : "", text, text[0] ? ")" : "");
}

static void add_used(struct table *table, const struct cell *cell, time_t now)
{
    const struct record *r = cell->record;

    table_add(table, TABLE_PLAIN, "%s", r->id);
    table_add(table, TABLE_PLAIN, "%s", r->user);
    add_policy(table, r);
    table_add(table, TABLE_PLAIN, "%s", r->service);
    table_add(table, TABLE_PLAIN, "%s", or_dash(r->tty));
    table_add(table, TABLE_PLAIN, "%s", or_dash(r->rhost));
    add_age(table, cell, now);
    table_add(table, TABLE_PLAIN, "%u", cell->now.processes);
    add_use(table, cell, CL_USE_MEMORY);
    add_cpu(table, cell);
    add_use(table, cell, CL_USE_IO_RBYTES);
    add_use(table, cell, CL_USE_IO_WBYTES);
    add_logins(table, cell);
    add_hits(table, cell);
}

static void add_using(struct table *table, const struct cell *cell, time_t now)
{
    const struct record *r = cell->record;
    const struct cell_rate *rate = &cell->rate;

    table_add(table, TABLE_PLAIN, "%s", r->id);
    table_add(table, TABLE_PLAIN, "%s", r->user);
    if (rate->known)
        table_add(table, rate->cpu > 0 ? TABLE_STRONG : TABLE_PLAIN, "%" PRIu64 ".%" PRIu64, rate->cpu / 10,
                  rate->cpu % 10);
    else
        table_add(table, TABLE_PLAIN, "-");
    add_use(table, cell, CL_USE_MEMORY);
    table_add(table, TABLE_PLAIN, "%u", cell->now.processes);
    add_bytes(table, rate->known && cell->now.usage.known[CL_USE_IO_RBYTES], rate->read);
    add_bytes(table, rate->known && cell->now.usage.known[CL_USE_IO_WBYTES], rate->wrote);
    add_cpu(table, cell);
    add_age(table, cell, now);
    add_policy(table, r);
    table_add(table, TABLE_PLAIN, "%s", r->service);
    table_add(table, TABLE_PLAIN, "%s", or_dash(r->rhost));
    add_logins(table, cell);
    add_hits(table, cell);
}

struct table *cell_table(const struct cells *cells, bool rates)
{
    struct table *table =
        rates ? table_new(using, CL_ARRAY_SIZE(using)) : table_new(used, CL_ARRAY_SIZE(used));
    time_t now = time(NULL);

    for (size_t i = 0; i < cells->n; i++) {
        if (rates)
            add_using(table, &cells->items[i], now);
        else
            add_used(table, &cells->items[i], now);
    }
    return table;
}
