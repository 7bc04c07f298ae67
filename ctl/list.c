/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister list: the cells that live now.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cell.h"
#include "ctl.h"

static void format_age(int64_t seconds, char *buf, size_t size)
{
    if (seconds < 0)
        seconds = 0; /* the clock was set back */
    if (seconds < 3600)
        (void)snprintf(buf, size, "%lld:%02lld", (long long)seconds / 60, (long long)seconds % 60);
    else
        (void)snprintf(buf, size, "%lldh%02lldm", (long long)seconds / 3600, (long long)seconds / 60 % 60);
}

static void print_cells(const struct cells *cells)
{
    time_t now = time(NULL);

    printf("%-12s  %-16s %-16s %-10s %-10s %-22s %8s %9s\n", "ID", "USER", "POLICY", "SERVICE", "TTY", "FROM",
           "AGE", "PROCESSES");
    for (size_t i = 0; i < cells->n; i++) {
        const struct record *r = cells->items[i].record;
        char age[32], policy[96];

        format_age(now - r->since, age, sizeof(age));
        (void)snprintf(policy, sizeof(policy), "%s%s", r->policy, r->audit ? " (audit)" : "");
        printf("%-12s  %-16s %-16s %-10s %-10s %-22s %8s %9u\n", r->id, r->user, policy, r->service,
               r->tty[0] ? r->tty : "-", r->rhost[0] ? r->rhost : "-", age, cell_processes(&cells->items[i]));
    }
}

static int print_json(const struct cells *cells)
{
    json_t *array = json_array();

    for (size_t i = 0; i < cells->n; i++)
        (void)json_array_append_new(array, cell_json(&cells->items[i]));
    return ctl_json_print(array);
}

int ctl_list(struct ctl *ctl, int argc, char **argv)
{
    cleanup_cells struct cells cells = {0};
    int first, r = cells_load_for(ctl, argc, argv, "list takes no argument", 0, &cells, &first);

    if (r != -1)
        return r;
    if (ctl->json)
        return print_json(&cells);
    print_cells(&cells);
    return ctl_flush();
}
