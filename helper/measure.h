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

/* Of a cell's cgroup: with what was counted at the limits of its logins, where each has a cgroup of its own below. */
void measure_usage(int cgroup_fd, struct cl_usage *ret);
/* cgroup_fd: the cell's folder, O_PATH; -1: without one, nothing is known. */
void measure_cell(const struct record *record, int cgroup_fd, struct measure *ret);

#endif
