/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Loading the live cells.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cell.h"
#include "cgroup.h"
#include "ctl.h"
#include "util.h"

static int add_cell(struct cells *cells, int run_fd, struct record *record)
{
    struct cell *grown = reallocarray(cells->items, cells->n + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    cells->items = grown;
    grown[cells->n++] = (struct cell){.record = record, .cgroup_fd = cgroup_open(record->cgroup)};
    lasting_look(run_fd, record, &grown[cells->n - 1].lasting);
    return 0;
}

static int by_age(const void *a, const void *b)
{
    const struct record *left = ((const struct cell *)a)->record, *right = ((const struct cell *)b)->record;

    if (left->since != right->since)
        return left->since < right->since ? -1 : 1;
    return strcmp(left->id, right->id);
}

int cells_load(struct cells *ret, struct cl_error *e)
{
    cleanup_cells struct cells cells = {0};
    cleanup_strv char **ids = NULL;
    cleanup_fd int run_fd = open(CL_RUN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = 0;

    if (run_fd < 0 && errno == ENOENT)
        return 0; /* no login since boot */
    if (run_fd < 0)
        return cl_fail(e, errno, "open " CL_RUN_DIR);
    r = record_list(run_fd, &ids, e);
    for (size_t i = 0; r == 0 && ids && ids[i]; i++) {
        cleanup_record struct record *record = NULL;

        if (record_load(run_fd, ids[i], &record, NULL) < 0 || !record->live || !record_in_use(record))
            continue; /* it ended meanwhile, is not built yet, or waits for a sweep */
        r = add_cell(&cells, run_fd, record);
        if (r == 0)
            record = NULL;
    }
    if (r < 0)
        return cl_fail(e, -r, "load the records");
    if (cells.n > 1)
        qsort(cells.items, cells.n, sizeof(*cells.items), by_age);
    *ret = cells;
    cells = (struct cells){0};
    return 0;
}

int cells_load_for(struct ctl *ctl, int argc, char **argv, const char *usage, int operands, struct cells *ret,
                   int *ret_first)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    struct cl_error e = {0};
    int r = ctl_options(ctl, argc, argv, values, ret_first);

    if (r != -1)
        return r;
    if (*ret_first + operands != argc)
        return ctl_usage_error(ctl, "%s", usage);
    return cells_load(ret, &e) < 0 ? ctl_error("%s: %s", e.text, strerror(e.err)) : -1;
}

void cells_clear(struct cells *cells)
{
    for (size_t i = 0; i < cells->n; i++) {
        record_free(cells->items[i].record);
        lasting_clear(&cells->items[i].lasting);
        cl_close(&cells->items[i].cgroup_fd);
    }
    free(cells->items);
    *cells = (struct cells){0};
}

void cells_measure(struct cells *cells)
{
    for (size_t i = 0; i < cells->n; i++)
        measure_cell(cells->items[i].record, cells->items[i].cgroup_fd, &cells->items[i].now);
}

const char *cell_mode(const struct cell *cell)
{
    return cell->record->audit ? "audit" : "enforce";
}

json_t *cell_json(const struct cell *cell)
{
    const struct record *r = cell->record;
    json_int_t age = (json_int_t)(time(NULL) - r->since);
    json_t *object = json_pack("{s:s, s:o, s:I, s:o, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:I, s:o, s:o, s:o}", "id", r->id, "user",
                     ctl_json_string(r->user), "uid", (json_int_t)r->uid, "policy",
                     ctl_json_string(r->policy), "mode", cell_mode(cell), "service", ctl_json_string(r->service), "rhost",
                     ctl_json_string(r->rhost), "tty", ctl_json_string(r->tty), "since", (json_int_t)r->since,
                     "age", age < 0 ? 0 : age, "init_pid", (json_int_t)r->init, "cgroup",
                     ctl_json_string(r->cgroup), "processes", (json_int_t)cell->now.processes, "use",
                     usage_json(&cell->now.usage), "hits", hits_json(cell->now.hits, cell->now.n_hits, false), "network", record_network_json(r));

    lasting_json(object, r, &cell->lasting, true);
    return object;
}
