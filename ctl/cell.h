/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Live cells, as the subcommands see them: from root-owned records and the cgroup, never from what a tenant
 * writes.
 */
#ifndef CL_CTL_CELL_H
#define CL_CTL_CELL_H

#include <jansson.h>

#include "ctl.h"
#include "err.h"
#include "record.h"

/* One live cell. cgroup_fd: its folder, O_PATH, or -1 without a cgroup. */
struct cell {
    struct record *record;
    int cgroup_fd;
};

struct cells {
    struct cell *items; /* oldest first */
    size_t n;
};

/* All live cells. -EACCES for anyone but root: records are root's. */
int cells_load(struct cells *ret, struct cl_error *e) CL_WARN_UNUSED;
/* For a subcommand with a number of operands and no options of its own: parse its arguments, and load. -1 to
 * go on, else the status to exit with. */
int cells_load_for(struct ctl *ctl, int argc, char **argv, const char *usage, int operands, struct cells *ret,
                   int *ret_first) CL_WARN_UNUSED;
void cells_clear(struct cells *cells);
#define cleanup_cells __attribute__((cleanup(cells_clear)))

/* Processes in the cell, pid 1 included; 0 without a cgroup. */
unsigned cell_processes(const struct cell *cell);
/* "enforce" or "audit", as it was opened. */
const char *cell_mode(const struct cell *cell);
/* The fields of `list`. */
json_t *cell_json(const struct cell *cell);

#endif
