/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Between the command `cloister run`, or `enter`, and cloister-helper: one SOCK_SEQPACKET socket pair, descriptor
 * CL_HANDOFF_FD in the helper, made by the process that starts it. Its arguments are the command to run. The caller
 * sends one request; the helper answers as in handoff.h, with CL_REPLY_STARTED when the command's process is in its
 * cell, and waits for one byte before it lets the command begin: so the caller can prepare the terminal.
 *
 * That process is a child of the caller (CLONE_PARENT of clone(2)), who waits for it; the helper is gone by then.
 */
#ifndef CL_RUN_H
#define CL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "handoff.h"

#define CL_RUN_VERSION 1
#define CL_RUN_SERVICE "cloister-run" /* the service of such a cell */

struct cl_run_request {
    uint32_t version;
    uint8_t terminal;       /* 1: a terminal of its own for the command; 0: pipes. A bool from a stranger may be neither */
    uint8_t error_terminal; /* with terminal, 1: for its standard error, too; 0: a pipe */
    char term[64];       /* TERM, for a terminal */
    char user[256], policy[64], service[64]; /* root's to choose, else empty: the caller's own */
    char config[1024];                       /* root's, too: a folder instead of CL_CONFIG_DIR, absolute */
};

/* What comes with CL_REPLY_STARTED: the caller's ends, in this order. IN is the master side of the terminal, if there is
 * one; then there is no OUT, and ERR only without error_terminal. */
enum cl_run_fd { CL_RUN_IN, CL_RUN_OUT, CL_RUN_ERR, CL_RUN_FDS };

/* Is every string terminated, and fit for what it is for? */
bool cl_run_request_valid(const struct cl_run_request *request);

#endif
