/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The events of a cell's life, told to the log (a line for people, the same as fields for programs), and opens, refusals
 * and closes to the audit subsystem.
 */
#ifndef CL_EVENTS_H
#define CL_EVENTS_H

#include "err.h"
#include "log.h"
#include "logins.h"
#include "record.h"
#include "session.h"
#include "usage.h"

/* The fields of a cell that has a record; its strings are the record's. */
struct cl_log_about event_about(const struct record *record);

void event_exempt(const struct session *s);
/* A cell is handed over. by: the uid that asked with `cloister run`; NULL for a login. */
void event_opened(const struct session *s, const uid_t *by);
/* The one log line of an open that is refused. */
void event_refused(const struct session *s, const struct cl_error *e);
/* A login of a cell that lasts has ended; perhaps the cell goes on. why: "idle", "kill"; NULL: as its service says. */
void event_logout(const struct login *login, const char *why);
void event_closed(const struct record *record, const struct cl_usage *usage);
void event_limits(const struct record *record, const char *hits);

#endif
