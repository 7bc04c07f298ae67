/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a cgroup uses, and how often a limit was hit there, as the kernel counts it: read once into one
 * structure, by whoever asks. Documentation/admin-guide/cgroup-v2.rst says what each file means.
 */
#ifndef CL_USAGE_H
#define CL_USAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Counters of a cgroup count what happened in it and below. Those called OWN count what the limit of this
 * very cgroup did, not one further down. In pids.events, kernels before 6.11 count a refused fork in the
 * cgroup of the process that forked, whoever's limit it was, and have no OWN counter. */
enum cl_use {
    CL_USE_PIDS,               /* processes and threads now */
    CL_USE_PIDS_MAX,           /* the limit in force; CL_USAGE_MAX: none */
    CL_USE_PIDS_MAX_HITS,      /* forks refused */
    CL_USE_PIDS_MAX_OWN,       /* the same, OWN */
    CL_USE_MEMORY,             /* bytes now */
    CL_USE_MEMORY_MAX,         /* the limit in force, bytes; CL_USAGE_MAX: none */
    CL_USE_MEMORY_HIGH_HITS,   /* times that a process was held back to reclaim memory */
    CL_USE_MEMORY_MAX_HITS,    /* allocations that met the limit */
    CL_USE_OOM_KILLS,          /* processes killed, for whatever want of memory */
    CL_USE_MEMORY_HIGH_OWN,    /* as MEMORY_HIGH_HITS, OWN */
    CL_USE_MEMORY_MAX_OWN,     /* as MEMORY_MAX_HITS, OWN */
    CL_USE_OOM_OWN,            /* times that this cgroup's limit left nothing to allocate, OWN */
    CL_USE_SWAP,               /* bytes now */
    CL_USE_SWAP_MAX_HITS,      /* times that swapping out was refused */
    CL_USE_CPU_USEC,           /* processor time, microseconds */
    CL_USE_CPU_THROTTLED,      /* periods in which the limit was met, OWN */
    CL_USE_CPU_THROTTLED_USEC, /* microseconds that its processes waited for that, OWN */
    CL_USE_IO_RBYTES,          /* bytes read, all devices together */
    CL_USE_IO_WBYTES,
    CL_USE_IO_RIOS, /* operations */
    CL_USE_IO_WIOS,
    CL_USE_COUNT
};

#define CL_USAGE_MAX UINT64_MAX /* "max" */

struct cl_usage {
    uint64_t n[CL_USE_COUNT];
    bool known[CL_USE_COUNT]; /* false: the kernel does not count it here; n is 0 */
};

/* Read all of it from a cgroup's directory, opened O_PATH or O_DIRECTORY; -1 gives unknown for all. What is
 * not there (a controller that is off, a cgroup that ended), cannot be read, or is no number is unknown. */
void cl_usage_read(int dir_fd, struct cl_usage *ret);

/* "memory_max_hits": as in JSON. */
const char *cl_use_name(enum cl_use use);

#endif
