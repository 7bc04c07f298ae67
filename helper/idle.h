/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What cloister-init needs to end logins without input (session.idle): init/idle.c tells the story.
 */
#ifndef CL_IDLE_H
#define CL_IDLE_H

#include "logins.h"
#include "session.h"

/* A copy of the host's devpts, and the group that may write to terminals. */
int stage_idle(struct session *s, struct cl_error *e);
/* The terminal that the service names, to be looked at only (O_PATH); -1: none that is known. */
int idle_open_terminal(const struct session *s);
/* Is cloister-init ending this login? */
bool idle_ends(int run_fd, const struct record *record, const struct login *login);

#endif
