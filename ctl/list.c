/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister list: the cells that live now, and what they use.
 */
#include "config.h"

#include <stdio.h>

#include "cell.h"
#include "ctl.h"

static int print_cells(const struct cells *cells)
{
    const struct table_paper paper = {.colour = table_wants_colour()};
    cleanup_table struct table *table = cell_table(cells, false);

    if (!table_print(table, &paper, stdout))
        return ctl_error("out of memory");
    return ctl_flush();
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
    cells_measure(&cells);
    return ctl->json ? print_json(&cells) : print_cells(&cells);
}
