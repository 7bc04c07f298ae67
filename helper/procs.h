/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The processes of a cell, by its cgroup and those of its logins below it.
 */
#ifndef CL_PROCS_H
#define CL_PROCS_H

#include <sys/types.h>

/* Call visit (NULL: only count) for each process of the cgroup, open as dir_fd, and of those directly below it; procs_fd is
 * the cgroup that it was seen in. Returns how many there were. */
unsigned procs_each(int dir_fd, void (*visit)(int cgroup_fd, pid_t pid, void *arg), void *arg);

#endif
