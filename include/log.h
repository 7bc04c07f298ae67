/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Logging: to the journal, with named fields, where it runs, else to syslog(3), facility LOG_AUTHPRIV; for commands, also
 * to stderr. The text is the same in all. The only mutable global state of Cloister lives behind this header.
 */
#ifndef CL_LOG_H
#define CL_LOG_H

#include <stdbool.h>
#include <sys/types.h>
#include <syslog.h>

#include "err.h"

/* What happened, for programs: the journal's MESSAGE_ID. cloister(8) has the numbers, which never change. */
enum cl_log_event {
    CL_LOG_OTHER, /* no MESSAGE_ID */
    CL_LOG_OPEN,
    CL_LOG_REFUSE,
    CL_LOG_CLOSE,
    CL_LOG_LIMIT,
    CL_LOG_EVENT_COUNT
};

/* Whom and what a line is about, for the journal's fields CLOISTER_…: what is NULL, "" or 0 is no field. */
struct cl_log_about {
    enum cl_log_event event;
    const char *id, *user, *policy, *mode, *service, *rhost, *tty;
    uid_t uid;                     /* uid 0 is never in a cell */
    const struct cl_error *error;  /* of it stage, key, source and errno; NULL: none */
};

/* ident appears in every line ("cloister-helper"); to_stderr copies lines of LOG_WARNING and above there. ident is
 * not copied. Call it before entering any namespace of a tenant's: the journal's socket is looked up here, once. */
void cl_log_init(const char *ident, bool to_stderr);

/* priority is a syslog level (LOG_ERR …). The text may contain strings of the user: control characters are
 * escaped as \xNN before the line is sent. One line per call, at most 2 KiB. errno is preserved. */
void cl_log(int priority, const char *fmt, ...) CL_PRINTF(2, 3);
/* The same, with fields. */
void cl_log_about(int priority, const struct cl_log_about *about, const char *fmt, ...) CL_PRINTF(3, 4);

/* The number of an event, 32 hexadecimal digits, or NULL. */
const char *cl_log_message_id(enum cl_log_event event);

#endif
