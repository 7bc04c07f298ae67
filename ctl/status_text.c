/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What holds for a user, in words: who and by which policy, the limits and where they come from, what is
 * used, what was refused.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "amount.h"
#include "facts.h"
#include "lasting.h"
#include "status.h"
#include "table.h"
#include "util.h"

static const struct table_column cell_columns[] = {
    {"ID", false},       {"POLICY", false}, {"SERVICE", false}, {"FROM", false}, {"AGE", true},
    {"PROCESSES", true}, {"MEMORY", true},  {"CPU", true},      {"READ", true},  {"WRITTEN", true},
};
static const struct table_column hit_columns[] = {{NULL, false}, {NULL, false}};

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value && *value ? value : "-";
}

static uint64_t number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

/* What a user wants to know before they log out, and after. */
static void add_lasting(struct table *table, const json_t *status)
{
    const json_t *cell;
    char time[32];
    size_t i;

    json_array_foreach(json_object_get(status, "cells"), i, cell)
    {
        const char *on_logout = text(cell, "on_logout"), *id = text(cell, "id");
        const json_t *left = json_object_get(cell, "linger_left");
        bool lingers = strcmp(text(cell, "state"), "lingering") == 0;

        if (lingers && json_is_integer(left))
            facts_add(table, id, "lingers: %s left", lasting_duration((int64_t)number(cell, "linger_left"), time, sizeof(time)));
        else if (lingers)
            facts_add(table, id, "goes on without a login");
        else if (strcmp(on_logout, "linger") == 0)
            facts_add(table, "after the last logout", "what runs goes on, for at most %s",
                      lasting_duration((int64_t)number(cell, "linger"), time, sizeof(time)));
        else if (strcmp(on_logout, "keep") == 0)
            facts_add(table, "after the last logout", "what runs goes on");
    }
}

static void add_idle(struct table *table, const json_t *status)
{
    const json_t *cell;
    char time[32];
    size_t i;

    json_array_foreach(json_object_get(status, "cells"), i, cell)
        if (number(cell, "idle") > 0)
            facts_add(table, "without input", "a login with a terminal is ended after %s",
                      lasting_duration((int64_t)number(cell, "idle"), time, sizeof(time)));
}

static struct table *who(const json_t *status)
{
    const json_t *login = json_object_get(status, "login");
    const char *decision = text(login, "decision");
    struct table *table = facts_new();

    facts_add(table, "user", "%s (uid %" PRIu64 ")", text(status, "user"), number(status, "uid"));
    if (strcmp(decision, "exempt") == 0)
        facts_add(table, "policy", "none: exempt (%s)", text(login, "matched_by"));
    else if (strcmp(decision, "cell") == 0)
        facts_add(table, "policy", "%s (%s)", text(login, "policy"), text(login, "matched_by"));
    else
        facts_add(table, "policy", "none: a login would be refused: %s", text(login, "reason"));
    if (strcmp(decision, "cell") == 0) {
        facts_add(table, "mode", "%s", text(login, "mode"));
        facts_add(table, "setuid programs", "no effect in a cell: sudo, su, passwd, crontab and others, see cloister(8)");
    }
    facts_add(table,
              json_is_true(json_object_get(status, "inside")) ? "this cell is of" : "at the next login", "%s",
              text(login, "service"));
    add_lasting(table, status);
    add_idle(table, status);
    return table;
}

static struct table *limits(const json_t *status)
{
    struct record record = {0};

    record_limits_load(json_object_get(status, "limits"), &record);
    return facts_limits(record.limits, record.n_limits);
}

static void add_bytes(struct table *table, const json_t *use, const char *name)
{
    char amount[32];

    table_add(table, TABLE_PLAIN, "%s",
              json_is_integer(json_object_get(use, name))
                  ? amount_bytes(number(use, name), amount, sizeof(amount))
                  : "-");
}

static struct table *cells(const json_t *status)
{
    struct table *table = table_new(cell_columns, CL_ARRAY_SIZE(cell_columns));
    const json_t *cell;
    char amount[32];
    size_t i;

    json_array_foreach(json_object_get(status, "cells"), i, cell)
    {
        const json_t *use = json_object_get(cell, "use");

        table_add(table, TABLE_PLAIN, "%s", text(cell, "id"));
        table_add(table, TABLE_PLAIN, "%s%s", text(cell, "policy"),
                  strcmp(text(cell, "mode"), "audit") == 0 ? " (audit)" : "");
        table_add(table, TABLE_PLAIN, "%s", text(cell, "service"));
        table_add(table, TABLE_PLAIN, "%s", text(cell, "rhost"));
        table_add(table, TABLE_PLAIN, "%s", amount_age((int64_t)number(cell, "age"), amount, sizeof(amount)));
        table_add(table, TABLE_PLAIN, "%" PRIu64, number(cell, "processes"));
        add_bytes(table, use, "memory");
        table_add(table, TABLE_PLAIN, "%s",
                  json_is_integer(json_object_get(use, "cpu_usec"))
                      ? amount_cpu(number(use, "cpu_usec"), amount, sizeof(amount))
                      : "-");
        add_bytes(table, use, "io_rbytes");
        add_bytes(table, use, "io_wbytes");
    }
    return table;
}

static size_t add_hits(struct table *table, const json_t *hits, const char *whose)
{
    const json_t *hit;
    size_t i;

    json_array_foreach(hits, i, hit)
    {
        table_add(table, TABLE_PLAIN, "%s", whose);
        table_add(table, TABLE_ALARM, "%s", text(hit, "text"));
    }
    return json_array_size(hits);
}

/* Those of live cells, of all of them together, and of sessions that have ended. */
static struct table *refused(const json_t *status)
{
    struct table *table = table_new(hit_columns, CL_ARRAY_SIZE(hit_columns));
    const json_t *item;
    size_t i, n = 0;

    json_array_foreach(json_object_get(status, "sessions"), i, item)
    {
        time_t ended = (time_t)json_integer_value(json_object_get(item, "ended"));
        char date[32] = "?", whose[64];
        struct tm tm;

        if (localtime_r(&ended, &tm))
            (void)strftime(date, sizeof(date), "%F %R", &tm);
        (void)snprintf(whose, sizeof(whose), "session until %s", date);
        n += add_hits(table, json_object_get(item, "hits"), whose);
    }
    n += add_hits(table, json_object_get(status, "user_hits"), "all cells");
    json_array_foreach(json_object_get(status, "cells"), i, item)
    {
        char whose[64];

        (void)snprintf(whose, sizeof(whose), "cell %.20s", text(item, "id"));
        n += add_hits(table, json_object_get(item, "hits"), whose);
    }
    if (n == 0) {
        table_add(table, TABLE_PLAIN, "nothing");
        table_add(table, TABLE_PLAIN, "%s", "");
    }
    return table;
}

int status_print(const json_t *status)
{
    cleanup_table struct table *first = who(status), *second = limits(status), *third = cells(status),
                               *fourth = refused(status);

    if (facts_print(NULL, first) && facts_print("limits", second) && facts_print("cells", third) &&
        facts_print("refused by limits", fourth))
        return ctl_flush();
    return ctl_error("out of memory");
}
