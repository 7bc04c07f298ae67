/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lines about a cell that administrators look for, each in one place.
 */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "audit.h"
#include "events.h"
#include "user.h"

static const char *mode_name(bool audit)
{
    return audit ? "audit" : "enforce";
}

struct cl_log_about event_about(const struct record *record)
{
    return (struct cl_log_about){.id = record->id,
                                 .user = record->user,
                                 .policy = record->policy,
                                 .mode = mode_name(record->audit),
                                 .service = record->service,
                                 .rhost = record->rhost,
                                 .tty = record->tty,
                                 .uid = record->uid};
}

/* What is known by now: a refusal may come before any of it. */
static struct cl_log_about about_session(const struct session *s, enum cl_log_event event)
{
    return (struct cl_log_about){.event = event,
                                 .id = s->id,
                                 .user = s->user ? s->user->name : s->request->user,
                                 .policy = s->policy ? s->policy->name : NULL,
                                 .mode = s->policy ? mode_name(s->policy->mode == CL_MODE_AUDIT) : NULL,
                                 .service = s->request->service,
                                 .rhost = s->request->rhost,
                                 .tty = s->request->tty,
                                 .uid = s->user ? s->user->uid : 0};
}

void event_exempt(const struct session *s)
{
    const struct cl_log_about about = about_session(s, CL_LOG_OTHER);

    cl_log_about(LOG_INFO, &about, "exempt: user=%s service=%s by=%s", s->user->name, s->request->service,
                 s->exempt_why);
}

void event_opened(const struct session *s, const uid_t *by)
{
    const struct cl_log_about about = about_session(s, CL_LOG_OPEN);
    char by_text[32] = "", cell_text[32] = "";

    if (by)
        (void)snprintf(by_text, sizeof(by_text), " by uid %u", *by);
    if (s->lasting)
        (void)snprintf(cell_text, sizeof(cell_text), " cell=%s", s->cell);
    cl_log_about(LOG_INFO, &about, "open: id=%s user=%s policy=%s%s service=%s rhost=%s tty=%s init=%d%s%s",
                 s->id, s->user->name, s->policy->name, s->policy->mode == CL_MODE_AUDIT ? " mode=audit" : "",
                 s->request->service, s->request->rhost, s->request->tty, s->init, by_text, cell_text);
    audit_send("cloister-open", &about, true);
}

void event_refused(const struct session *s, const struct cl_error *e)
{
    struct cl_log_about about = about_session(s, CL_LOG_REFUSE);
    char why[1200];

    about.error = e;
    cl_log_about(LOG_ERR, &about, "refused: user=%s service=%s rhost=%s tty=%s ref=%s %s", s->request->user,
                 s->request->service, s->request->rhost, s->request->tty, s->id,
                 cl_error_format(e, why, sizeof(why)));
    audit_send("cloister-open", &about, false);
}

void event_logout(const struct login *login, const char *why)
{
    const struct cl_log_about about = {.event = CL_LOG_CLOSE,
                                       .id = login->id,
                                       .user = login->user,
                                       .service = login->service,
                                       .rhost = login->rhost,
                                       .tty = login->tty,
                                       .uid = login->uid};
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    cl_log_about(LOG_INFO, &about, "close: id=%s user=%s service=%s cell=%s seconds=%lld%s%s", login->id, login->user,
                 login->service, login->cell, (long long)(now.tv_sec - login->since), why ? " why=" : "", why ? why : "");
    audit_send("cloister-close", &about, true);
}

void event_closed(const struct record *record, const struct cl_usage *usage)
{
    struct cl_log_about about = event_about(record);
    struct timespec now = {0};

    about.event = record->lasting ? CL_LOG_OTHER : CL_LOG_CLOSE; /* its logins have been closed, each by itself */
    (void)clock_gettime(CLOCK_REALTIME, &now);
    cl_log_about(
        LOG_INFO, &about,
        "%s: id=%s user=%s policy=%s service=%s seconds=%lld pids_max_hits=%llu memory_max_hits=%llu "
        "oom_kills=%llu cpu_throttled=%llu",
        record->lasting ? "end" : "close", record->id, record->user, record->policy, record->service,
        (long long)(now.tv_sec - record->since),
        (unsigned long long)usage->n[CL_USE_PIDS_MAX_HITS],
        (unsigned long long)usage->n[CL_USE_MEMORY_MAX_HITS], (unsigned long long)usage->n[CL_USE_OOM_KILLS],
        (unsigned long long)usage->n[CL_USE_CPU_THROTTLED]);
    if (!record->lasting)
        audit_send("cloister-close", &about, true);
}

void event_limits(const struct record *record, const char *hits)
{
    struct cl_log_about about = event_about(record);

    about.event = CL_LOG_LIMIT;
    cl_log_about(LOG_NOTICE, &about, "limit: id=%s user=%s policy=%s service=%s %s", record->id, record->user,
                 record->policy, record->service, hits);
}
