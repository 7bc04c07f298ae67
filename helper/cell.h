/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the helper and the process that becomes the cell's pid 1.
 */
#ifndef CL_CELL_H
#define CL_CELL_H

#include "err.h"
#include "session.h"

struct cell_answer {
    struct cl_error error; /* err 0: the step is done */
};

/* Tell the cell's process to take the next step, and wait until it has. */
int cell_step(struct session *s, char go, struct cl_error *e) CL_WARN_UNUSED;

/* The Landlock ruleset that the pid 1 of a cell (a pidfd) keeps. */
int landlock_of_cell(int init_fd, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

/* The cell's side: never returns. */
void cell_main(const struct session *s, int sock, int go_fd, int binary_fd) __attribute__((noreturn));

#endif
