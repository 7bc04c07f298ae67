/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * syslog(3) with every control character escaped, so that a user's string can never forge a line.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

static const char *log_ident;
static bool log_to_stderr;

void cl_log_init(const char *ident, bool to_stderr)
{
    log_ident = ident;
    log_to_stderr = to_stderr;
    openlog(ident, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

void cl_log(int priority, const char *fmt, ...)
{
    int saved = errno;
    char raw[1024], line[2048];
    size_t n = 0;
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    for (const char *p = raw; *p && n + 5 < sizeof(line); p++) {
        if (iscntrl((unsigned char)*p))
            n += (size_t)snprintf(line + n, sizeof(line) - n, "\\x%02x", (unsigned char)*p);
        else
            line[n++] = *p;
    }
    line[n] = '\0';
    syslog(LOG_AUTHPRIV | priority, "%s", line);
    if (log_to_stderr && priority <= LOG_WARNING)
        (void)dprintf(STDERR_FILENO, "%s: %s\n", log_ident ? log_ident : "cloister", line);
    errno = saved;
}
