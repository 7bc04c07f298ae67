/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How the kernel's schedulers treat a process, as far as it is inherited: a caller who asks for next to nothing must not
 * have the helper hold a lock for ever, but its command is to run as it asked.
 */
#ifndef CL_SCHEDULE_H
#define CL_SCHEDULE_H

#include <sched.h>
#include <stdbool.h>

struct schedule {
    int policy, priority, nice, io;
    int slack; /* of timers, in nanoseconds; -1: as it was */
    bool has_cpus;
    cpu_set_t cpus;
};

/* Keep what this process has, and give it what is usual. Best effort: a container's root may not. */
void schedule_reset(struct schedule *ret);
/* Best effort, too: what a caller had is no right. */
void schedule_restore(const struct schedule *s);

#endif
