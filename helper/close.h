/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The end of a cell.
 */
#ifndef CL_CLOSE_H
#define CL_CLOSE_H

#include <stdint.h>
#include <sys/types.h>

#include "caller.h"
#include "err.h"
#include "record.h"

/* The record of cell id, for its opener and for nobody else (-EPERM). *ret is NULL when the cell is gone already. */
int close_find(int run_fd, const char *id, pid_t opener, struct record **ret, struct cl_error *e) CL_WARN_UNUSED;
/* How long ending it may take once its user's lock is held: the grace, and the waits for the kernel. */
uint32_t close_time_ms(const struct record *record);
/* Take the user's lock, until deadline_ms, and end the cell with its policy's grace. */
int close_cell(int run_fd, const struct record *record, int64_t deadline_ms, struct cl_error *e) CL_WARN_UNUSED;

/* Signal every process of the cgroup, and of those below, but init, and wait for up to grace_ms for them to obey. */
void close_grace(int dir, pid_t init, int grace_ms);

#define CLOSE_KILL_MS 5000

/* End everything in the cell of a record, whose user's lock the caller holds: signals and grace_ms to obey them,
 * then cgroup.kill, and up to wait_ms until all are gone; then remove cgroup and record. */
int end_cell(int run_fd, const struct record *record, int grace_ms, int wait_ms, struct cl_error *e) CL_WARN_UNUSED;

/* `cloister-helper kill ID`: end a cell, or else a login, whoever opened it, with its policy's grace. -ENOENT: no such cell. */
int kill_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;
/* `cloister-helper kill-login ID`: one login of a cell that lasts. */
int kill_login_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
