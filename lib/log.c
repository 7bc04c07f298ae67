/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The journal, or syslog(3), with every control character escaped, so that a user's string can never forge a
 * line.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"
#include "util.h"

static const char *log_ident;
static bool log_to_stderr;
static int log_journal = -1; /* connected */

static const char *const message_ids[] = {
    [CL_LOG_OTHER] = NULL,
    [CL_LOG_OPEN] = "97424b2c65554cb582c7bbe3684b1666",
    [CL_LOG_REFUSE] = "b6e72c0d49dd4656a3e860ab599f944a",
    [CL_LOG_CLOSE] = "5606f2191234484c84082a783190f919",
    [CL_LOG_LIMIT] = "ebf1bb8b37b5412099919fe02832f70b",
};
static_assert(CL_ARRAY_SIZE(message_ids) == CL_LOG_EVENT_COUNT, "a number for each event");

const char *cl_log_message_id(enum cl_log_event event)
{
    return message_ids[event];
}

void cl_log_init(const char *ident, bool to_stderr)
{
    log_ident = ident;
    log_to_stderr = to_stderr;
    cl_close(&log_journal);
    log_journal = cl_journal_open(CL_JOURNAL_SOCKET);
    openlog(ident, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

static void put_number(struct cl_journal_entry *entry, const char *name, long long number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", number);
    cl_journal_put(entry, name, text);
}

static void put_about(struct cl_journal_entry *entry, const struct cl_log_about *about)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {"MESSAGE_ID", message_ids[about->event]},
        {"CLOISTER_ID", about->id},
        {"CLOISTER_USER", about->user},
        {"CLOISTER_POLICY", about->policy},
        {"CLOISTER_MODE", about->mode},
        {"CLOISTER_SERVICE", about->service},
        {"CLOISTER_RHOST", about->rhost},
        {"CLOISTER_TTY", about->tty},
        {"CLOISTER_STAGE", about->error ? about->error->stage : NULL},
        {"CLOISTER_KEY", about->error ? about->error->key : NULL},
        {"CLOISTER_SOURCE", about->error ? about->error->origin : NULL},
    };

    for (size_t i = 0; i < CL_ARRAY_SIZE(fields); i++)
        cl_journal_put(entry, fields[i].name, fields[i].value);
    if (about->uid)
        put_number(entry, "CLOISTER_UID", about->uid);
    if (about->error && about->error->err)
        put_number(entry, "ERRNO", about->error->err);
}

static int to_journal(int priority, const struct cl_log_about *about, const char *line)
{
    struct cl_journal_entry entry = {.n = 0};

    if (log_journal < 0)
        return -ENOTCONN;
    cl_journal_put(&entry, "MESSAGE", line);
    put_number(&entry, "PRIORITY", LOG_PRI(priority));
    put_number(&entry, "SYSLOG_FACILITY", LOG_AUTHPRIV >> 3);
    cl_journal_put(&entry, "SYSLOG_IDENTIFIER", log_ident);
    put_number(&entry, "SYSLOG_PID", getpid());
    if (about)
        put_about(&entry, about);
    return cl_journal_send(log_journal, &entry);
}

static void log_line(int priority, const struct cl_log_about *about, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void log_line(int priority, const struct cl_log_about *about, const char *fmt, va_list ap)
{
    char raw[1024], line[CL_JOURNAL_VALUE_MAX];
    int saved = errno;

    (void)vsnprintf(raw, sizeof(raw), fmt, ap);
    (void)cl_escape(raw, line, sizeof(line));
    if (to_journal(priority, about, line) < 0)
        syslog(LOG_AUTHPRIV | priority, "%s", line);
    if (log_to_stderr && priority <= LOG_WARNING)
        (void)dprintf(STDERR_FILENO, "%s: %s\n", log_ident ? log_ident : "cloister", line);
    errno = saved;
}

void cl_log(int priority, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(priority, NULL, fmt, ap);
    va_end(ap);
}

void cl_log_about(int priority, const struct cl_log_about *about, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(priority, about, fmt, ap);
    va_end(ap);
}
