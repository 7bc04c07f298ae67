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
#include "lasting.h"
#include "measure.h"
#include "record.h"
#include "table.h"

/* What a cell did between two looks. */
struct cell_rate {
    bool known;           /* it was there at the look before */
    uint64_t cpu;         /* tenths of a percent of one processor */
    uint64_t read, wrote; /* bytes a second */
};

/* One live cell. cgroup_fd: its folder, O_PATH, or -1 without a cgroup. */
struct cell {
    struct record *record;
    int cgroup_fd;
    struct lasting lasting;
    struct measure now;    /* by cells_measure */
    struct cell_rate rate; /* whoever looks twice fills it */
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

/* Ask the kernel what the cells use now. */
void cells_measure(struct cells *cells);
/* "enforce" or "audit", as it was opened. */
const char *cell_mode(const struct cell *cell);
/* The fields of `list`, measured. */
json_t *cell_json(const struct cell *cell);

/* cell_table.c: the cells in their order, for people. With rates, as `top` has it: what they do now in front. NULL: no
 * memory. */
struct table *cell_table(const struct cells *cells, bool rates);
/* "3 killed, 12 forks", or "-". Returns buf. */
const char *cell_hits_text(const struct cell *cell, char *buf, size_t size);

#endif
