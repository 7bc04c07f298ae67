/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Root's way to a running cloister-init: see init/channel.h. The socket's name lies in CL_RUN_DIR/cells, which is root's alone,
 * and which no cell shows; record_remove takes it away.
 */
#ifndef CL_CHANNEL_H
#define CL_CHANNEL_H

#include <stdint.h>

#include "err.h"
#include "init/channel.h"

/* The end that cloister-init gets. */
int channel_make(int run_fd, const char *cell, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

struct channel_call {
    int run_fd;
    const char *cell;
    int init_fd; /* pidfd of cloister-init; -1: not watched */
    enum init_verb verb;
    const char *login;           /* its id; NULL: none in particular */
    int login_fd, kill_fd;       /* of JOIN: pidfd, and cgroup.kill or -1; of TERMINAL: the terminal, and -1 */
    int timeout_ms;
};
/* Tell it, and wait for its answer. -ESRCH: it has ended, or ends; -ETIMEDOUT: it lives and does not answer; -EUSERS: it watches as
 * many logins as it can; -ENOENT: there is no such login. */
int channel_call(const struct channel_call *call, struct init_answer *ret, struct cl_error *e) CL_WARN_UNUSED;

#endif
