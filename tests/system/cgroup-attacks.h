/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The parts of cgroup-probe: a cell under test, running things in it, and the attacks. Each attack expects
 * the limits that cgroup-probe.c gives its cells, and prints its own checks.
 */
#ifndef CL_CGROUP_ATTACKS_H
#define CL_CGROUP_ATTACKS_H

#include "cgroup_internal.h"

#define MIB (1024UL * 1024)

struct cell {
    uid_t uid;
    pid_t init;
    struct cgroup_place place;
    int64_t open_ms; /* how long it took */
};

/* One TAP line; returns holds. */
bool check(bool holds, const char *fmt, ...) CL_PRINTF(2, 3);

/* Run task in the cell, as its user, as a login would be: the process writes itself into cgroup.procs. */
pid_t in_cell(const struct cell *cell, int (*task)(void));
/* The wait status of a child. */
int wait_for(pid_t pid);
/* A task: 0 when it can fork. */
int fork_once(void);

/* first has pids_max 20, its user 30, and second is the user's other cell; other is another user's. */
void attack_pids(const struct cell *first, const struct cell *second, const struct cell *other);
/* first has memory_max 64M and no swap. */
void attack_memory(const struct cell *first, const struct cell *second);
/* cell has cpu_max 50%. */
void attack_cpu(const struct cell *cell);
/* cell has rbps 1M on the device, which isn't the root disk. */
void attack_io(const struct cell *cell, unsigned major, unsigned minor);

#endif
