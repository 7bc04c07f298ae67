/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Start a command in a cell, for `cloister run` and `cloister enter`.
 */
#ifndef CL_LAUNCH_H
#define CL_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "caller.h"
#include "err.h"
#include "place.h"
#include "streams.h"
#include "user.h"

struct launch {
    const struct caller *caller; /* whose resource limits the command has */
    int sock;                    /* to the caller; see run.h */
    int opener_fd;               /* pidfd of the caller */
    const struct cl_user *user;
    const struct cl_plan *plan;
    struct cl_plan_fds fds; /* borrowed */
    struct streams *streams;
    const char *term;
    char *const *command; /* empty: the user's login shell */
    int init_go;          /* one byte when the command stands ready; -1: the cell lives already */
    bool dies_with_opener; /* nobody else would end it */
    int64_t deadline_ms;
};

/* Fork a child of the caller's (CLONE_PARENT) into the cell's pid namespace, place it, send CL_REPLY_STARTED with the
 * caller's ends of the streams, wait for the caller's byte, and let the child execute the command, which it does with a
 * clean environment in the user's home. On failure the child is killed; it is the caller's to reap. */
int launch(const struct launch *l, struct cl_error *e) CL_WARN_UNUSED;

#endif
