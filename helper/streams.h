/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Standard input, output and error of a command in a cell: always made here. No descriptor of a caller enters a cell:
 * neither its terminal, into which TIOCSTI would push (CVE-2017-5226), nor a folder, through which the host's files
 * would be reached (CVE-2024-21626).
 */
#ifndef CL_STREAMS_H
#define CL_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"

struct streams {
    bool terminal;
    int inner[3];   /* the command's, by number */
    int outer[3];   /* the caller's ends: enum cl_run_fd of run.h; -1 where there is none */
    char tty[24];   /* "pts/3", or empty */
};

/* What is open as /dev/pts in the cell whose pid 1 that is, O_PATH: the host's devpts, or its own. */
int streams_find_pts(pid_t init, int init_fd, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;
/* A terminal of its own, made in that devpts, with or without standard error on it; or three pipes. */
int streams_open(int pts, bool terminal, bool error_terminal, struct streams *ret, struct cl_error *e) CL_WARN_UNUSED;
/* Make the command's ends the user's, who may open them anew by name, such as /dev/stderr. */
int streams_give(const struct streams *streams, uid_t uid, gid_t gid, struct cl_error *e) CL_WARN_UNUSED;
/* In the command's process, which leads a session by now: take the terminal, and put each end at its number. */
int streams_adopt(const struct streams *streams, struct cl_error *e) CL_WARN_UNUSED;

/* The caller's ends that there are, in order; returns how many. */
size_t streams_outer(const struct streams *streams, int ret[3]);
void streams_close_inner(struct streams *streams);
void streams_clear(struct streams *streams);

#endif
