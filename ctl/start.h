/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `run` and `enter` have the helper start a command in a cell, and relay between it and the caller.
 */
#ifndef CL_CTL_START_H
#define CL_CTL_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "ctl.h"
#include "run.h"

/* A command that waits in its cell, a child of ours. */
struct started {
    pid_t pid;
    char id[CL_ID_LENGTH + 1];
    bool terminal;
    int fds[CL_RUN_FDS]; /* ours to close; -1 where there is none: see enum cl_run_fd */
};

/* start.c: ask the helper: verb is "run" or "enter", arguments are what follows it, up to NULL. With a terminal on
 * standard input and output the request gets one for the command; its size and modes are set. *ret only on CTL_OK,
 * when the command has begun; else an error was printed. */
int start(const char *verb, struct cl_run_request *request, char *const *arguments, struct started *ret);
/* Run the helper with arguments, up to NULL, in the background: "end", ID. *ret_pid is a child. 0 or -errno. */
int start_helper(char *const *arguments, pid_t *ret_pid);
/* Have setuid programs no effect here, inside a cell or under no_new_privs? */
bool start_is_inert(void);
/* Run the helper with arguments, up to NULL, to its end: what it prints, of at most max bytes, in a new string. CTL_OK, or
 * CTL_PROBLEM: it, or we, said why. */
int start_reading(char *const *arguments, size_t max, char **ret_text, size_t *ret_size);
/* Open descriptors 0 to 2 that are closed, so that none of ours is taken for one of them. */
void start_fix_descriptors(void);
/* Copy the window size of our terminal to that of the command. */
void start_copy_size(int master);

/* relay.c: pass on input, output, signals and window size until the command has ended; then, with end, have the helper
 * close the cell, while what it still says passes. Returns the status to exit with: the command's, or 128 and its
 * signal's number. The descriptors are closed, the terminal is as it was. */
int relay(struct started *started, bool end);

#endif
