/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Scheduling policy, nice value, I/O priority, processors and timer slack: all of them survive execve(2), see sched(7).
 */
#include "config.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "schedule.h"

#define USUAL_SLACK    50000 /* nanoseconds */
#define IO_WHO_PROCESS 1     /* ioprio_set(2) has no header */

static void apply(const struct schedule *s)
{
    const struct sched_param parameter = {.sched_priority = s->priority};

    (void)sched_setscheduler(0, s->policy, &parameter);
    (void)setpriority(PRIO_PROCESS, 0, s->nice);
    (void)syscall(SYS_ioprio_set, IO_WHO_PROCESS, 0, s->io);
    if (s->slack > 0)
        (void)prctl(PR_SET_TIMERSLACK, s->slack, 0, 0, 0);
    if (s->has_cpus)
        (void)sched_setaffinity(0, sizeof(s->cpus), &s->cpus);
}

void schedule_reset(struct schedule *ret)
{
    struct schedule usual = {.policy = SCHED_OTHER, .slack = USUAL_SLACK, .has_cpus = true};
    struct sched_param parameter = {0};

    (void)sched_getparam(0, &parameter);
    *ret = (struct schedule){.policy = sched_getscheduler(0),
                             .priority = parameter.sched_priority,
                             .nice = getpriority(PRIO_PROCESS, 0),
                             .io = (int)syscall(SYS_ioprio_get, IO_WHO_PROCESS, 0),
                             .slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)};
    ret->has_cpus = sched_getaffinity(0, sizeof(ret->cpus), &ret->cpus) == 0;
    memset(&usual.cpus, 0xff, sizeof(usual.cpus)); /* the kernel takes those that there are, and that are allowed */
    apply(&usual);
}

void schedule_restore(const struct schedule *s)
{
    apply(s);
}
