/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a live cell uses now, by its cgroup, and by that of its user.
 */
#ifndef CL_MEASURE_H
#define CL_MEASURE_H

#include "hits.h"
#include "record.h"
#include "usage.h"

struct measure {
    unsigned processes;                /* of the cell, pid 1 included; 0 without a cgroup */
    struct cl_usage usage, user_usage; /* of the cell; of all cells of its user together */
    struct hit hits[HITS_MAX];         /* limits that either hit; they are the record's */
    size_t n_hits;
};

/* cgroup_fd: the cell's folder, O_PATH; -1: without one, nothing is known. */
void measure_cell(const struct record *record, int cgroup_fd, struct measure *ret);
/* How many processes are in a cgroup. */
unsigned measure_processes(int cgroup_fd);

#endif
