/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * System calls that are younger than the libseccomp of a stable system: names and numbers, for whoever reads
 * a policy and whoever compiles it. See syscalls(2) and the kernel's scripts/syscall.tbl.
 */
#ifndef CL_SYSCALLS_H
#define CL_SYSCALLS_H

#include <stddef.h>

/* The number of a call of this table, the same on every architecture but mips (which adds its offset) and
 * alpha; -1: not in the table. */
int cl_syscall_recent_number(const char *name);
/* The other way round; NULL: not in the table. */
const char *cl_syscall_recent_name(int number);
/* Entry i of the table, NULL past the last. */
const char *cl_syscall_recent_at(size_t i);

#endif
