/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Logging to syslog(3), facility LOG_AUTHPRIV, and, for commands, to stderr. The only mutable global state of
 * Cloister lives behind this header.
 */
#ifndef CL_LOG_H
#define CL_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "err.h"

/* ident appears in every line ("cloister-helper"); to_stderr copies lines of LOG_WARNING and above there. ident is
 * not copied. */
void cl_log_init(const char *ident, bool to_stderr);

/* priority is a syslog level (LOG_ERR …). The text may contain strings of the user: control characters are
 * escaped as \xNN before the line is sent. One line per call, at most 2 KiB. errno is preserved. */
void cl_log(int priority, const char *fmt, ...) CL_PRINTF(2, 3);

#endif
