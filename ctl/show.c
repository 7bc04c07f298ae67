/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister show ID: one cell, with its limits, what it uses, and which limits it hit, as the kernel counts
 * it.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cell.h"
#include "ctl.h"
#include "facts.h"
#include "util.h"

static int show_json(const struct cell *cell)
{
    const struct record *r = cell->record;
    json_t *document = cell_json(cell), *limits = json_array();

    for (size_t i = 0; i < r->n_limits; i++)
        (void)json_array_append_new(limits, record_limit_json(&r->limits[i]));
    (void)json_object_set_new(document, "opener_pid", json_integer(r->opener));
    (void)json_object_set_new(document, "limits", limits);
    (void)json_object_set_new(document, "user_use", usage_json(&cell->now.user_usage));
    (void)json_object_set_new(document, "user_hits", hits_json(cell->now.hits, cell->now.n_hits, true));
    return ctl_json_print(document);
}

static void add_network(struct table *table, const struct record *r)
{
    char rate[64] = "";

    if (r->rate != CL_UNLIMITED)
        (void)snprintf(rate, sizeof(rate), ", %" PRIu64 " bits a second", r->rate);
    facts_add(table, "network", "%s%s%s%s%s%s", r->network[0] ? r->network : "-", r->address[0] ? " " : "", r->address,
              r->address6[0] ? " " : "", r->address6, rate);
}

static void add_who(struct table *table, const struct cell *cell)
{
    const struct record *r = cell->record;
    time_t since = (time_t)r->since;
    char date[32] = "?";
    struct tm tm;

    if (localtime_r(&since, &tm))
        (void)strftime(date, sizeof(date), "%F %T", &tm);
    facts_add(table, "id", "%s", r->id);
    facts_add(table, "user", "%s (uid %u)", r->user, r->uid);
    facts_add(table, "policy", "%s", r->policy);
    facts_add(table, "mode", "%s", cell_mode(cell));
    facts_add(table, "service", "%s", r->service);
    facts_add(table, "from", "%s", r->rhost[0] ? r->rhost : "-");
    facts_add(table, "tty", "%s", r->tty[0] ? r->tty : "-");
    facts_add(table, "since", "%s", date);
    facts_add(table, "init pid", "%d", r->init);
    facts_add(table, "opener pid", "%d", r->opener);
    facts_add(table, "cgroup", "%s", r->cgroup[0] ? r->cgroup : "-");
    add_network(table, r);
    facts_add(table, "processes", "%u", cell->now.processes);
}

/* Of a cell that ends with its one login, all is said above. */
static void add_logins(struct table *who, struct table *logins, const struct cell *cell)
{
    const struct record *r = cell->record;
    const struct lasting *lasting = &cell->lasting;
    char text[48];

    if (!r->lasting)
        return;
    facts_add(who, "shared by", "%s", r->share == CL_SHARE_USER ? "the user's logins" : "no other login");
    if (r->idle > 0)
        facts_add(who, "ends a login", "after %s without input", lasting_duration((int64_t)r->idle, text, sizeof(text)));
    facts_add(who, "state", "%s", lasting_text(lasting, text, sizeof(text))[0] ? text : "active");
    for (size_t i = 0; i < lasting->logins.n; i++) {
        const struct login *l = lasting->logins.items[i];

        facts_add(logins, l->id, "%s%s%s %s pid %d", l->service, l->rhost[0] ? " from " : "", l->rhost,
                  l->tty[0] ? l->tty : "-", l->opener);
    }
}

static int show_text(const struct cell *cell)
{
    const struct record *r = cell->record;
    cleanup_table struct table *who = facts_new(), *logins = facts_new(), *use = facts_use(&cell->now.usage),
                               *user_use = facts_use(&cell->now.user_usage),
                               *limits = facts_limits(r->limits, r->n_limits),
                               *hits = facts_hits(cell->now.hits, cell->now.n_hits);
    bool good;

    add_who(who, cell);
    add_logins(who, logins, cell);
    good = facts_print(NULL, who) && facts_print("logins", logins) && facts_print("limits", limits) && facts_print("limits hit", hits) &&
           facts_print("use", use) && facts_print("use of all cells of the user", user_use);
    return good ? ctl_flush() : ctl_error("out of memory");
}

int ctl_show(struct ctl *ctl, int argc, char **argv)
{
    cleanup_cells struct cells cells = {0};
    int first, r = cells_load_for(ctl, argc, argv, "show takes the id of one cell", 1, &cells, &first);

    if (r != -1)
        return r;
    cells_measure(&cells);
    for (size_t i = 0; i < cells.n; i++)
        if (strcmp(cells.items[i].record->id, argv[first]) == 0)
            return ctl->json ? show_json(&cells.items[i]) : show_text(&cells.items[i]);
    return ctl_error("no live cell has the id \"%s\"", argv[first]);
}
