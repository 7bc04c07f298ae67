/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stages that write the record: before anything is built, and when the cell stands.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "join.h"
#include "logins.h"
#include "policy_limits.h"
#include "record.h"
#include "session.h"
#include "story.h"
#include "sweep.h"
#include "util.h"

#define SWEEP_WAIT_MS 500

static const char *const network_names[] = {
    [CL_NETWORK_ISOLATED] = "isolated", [CL_NETWORK_NAT] = "nat", [CL_NETWORK_HOST] = "host"};

void record_fill(const struct session *s, struct record *ret)
{
    *ret = (struct record){.user = s->user->name,
                           .policy = s->policy->name,
                           .service = s->request->service,
                           .rhost = s->request->rhost,
                           .tty = s->request->tty,
                           .cgroup = s->cgroup.path,
                           .uid = s->user->uid,
                           .since = s->since,
                           .opener = s->opener,
                           .init = s->init,
                           .init_start = s->init_start,
                           .helper = getpid(),
                           .grace = s->policy->session.grace,
                           .manager = s->manager,
                           .audit = s->policy->mode == CL_MODE_AUDIT,
                           .apparmor = s->apparmor,
                           .audit_session = record_audit_session(),
                           .port = s->port,
                           .network = network_names[s->policy->network.mode],
                           .address = s->address,
                           .address6 = s->address6,
                           .rate = s->policy->network.mode == CL_NETWORK_NAT ? s->policy->network.rate : CL_UNLIMITED,
                           .lasting = s->lasting,
                           .share = s->lasting ? s->policy->namespaces.share : CL_SHARE_LOGIN,
                           .on_logout = s->lasting ? s->policy->session.on_logout : CL_ON_LOGOUT_KILL,
                           .linger = s->policy->session.linger,
                           .idle = s->lasting ? s->policy->session.idle : 0};
    memcpy(ret->id, s->id, sizeof(ret->id));
    ret->n_limits = policy_limits(s->policy, ret->limits);
}

int record_update(struct session *s, bool live, struct cl_error *e)
{
    struct record record;
    int r;

    record_fill(s, &record);
    record.live = live;
    r = record_start_time(s->opener, &record.opener_start, e);
    if (r == 0)
        r = record_start_time(getpid(), &record.helper_start, e);
    return r < 0 ? r : record_save(s->run_fd, &record, e);
}

/* What of a cell counts: its logins; one that goes on without any, as if it had one. Not the login that has just found its
 * place. */
static int count_cell(const struct session *s, const struct record *record, uint64_t *n, struct cl_error *e)
{
    size_t logins = 1;
    int r = record->lasting ? logins_count(s->run_fd, record->id, s->id, &logins, e) : 0;
    bool joined = s->joined && strcmp(record->id, s->cell) == 0;

    if (r == 0)
        *n += logins > 0 || joined ? logins : 1;
    return r;
}

static int count_sessions(const struct session *s, uint64_t *ret, struct cl_error *e)
{
    cleanup_strv char **ids = NULL;
    uint64_t n = 0;
    int r = record_list(s->run_fd, &ids, e);

    for (size_t i = 0; r == 0 && ids && ids[i]; i++) {
        cleanup_record struct record *record = NULL;

        if (record_load(s->run_fd, ids[i], &record, NULL) == 0 && record->uid == s->user->uid &&
            record_in_use(record))
            r = count_cell(s, record, &n, e);
    }
    if (r == 0)
        *ret = n;
    return r;
}

static int check_max(const struct session *s, struct cl_error *e)
{
    uint64_t max = s->policy->session.max, n = 0;
    int r = max ? count_sessions(s, &n, e) : 0;

    if (r == 0 && max && n >= max)
        r = cl_policy_fail(s->policy, CL_KEY_SESSION_MAX, e, EUSERS, "user %s has %llu sessions already",
                           s->user->name, (unsigned long long)n);
    return r;
}

int stage_record(struct session *s, struct cl_error *e)
{
    struct timespec now;
    int r;

    /* What a crash left of this user must not count. Others' is not waited for: their processes may be where no signal gets. */
    (void)sweep_records(s->run_fd, s->user->uid, SWEEP_WAIT_MS);
    r = record_lock(s->run_fd, s->user->uid, s->deadline_ms, &s->lock_fd, e);
    if (r < 0)
        return r;
    if (clock_gettime(CLOCK_REALTIME, &now) < 0)
        return cl_fail(e, errno, "read the clock");
    s->since = now.tv_sec;
    s->lasting = join_lasts(s);
    r = join_find(s, e);
    if (r == 0)
        r = check_max(s, e);
    if (r < 0 || s->joined)
        return r;
    r = record_update(s, false, e);
    return r < 0 ? r : join_keep_document(s, e);
}

void undo_record(struct session *s)
{
    undo_login(s); /* of a place that was found before this stage failed */
    if (s->run_fd >= 0 && !s->joined)
        (void)!record_remove(s->run_fd, s->id);
    cl_close(&s->lock_fd);
}

int stage_commit(struct session *s, struct cl_error *e)
{
    int r = s->furnish && !s->joined ? s->furnish(s, e) : 0;
    bool can_tell = s->request->terminal || strcmp(s->request->tty, CL_TTY_LATER) == 0;

    if (r == 0 && !s->joined)
        r = record_update(s, true, e);
    if (r == 0 && can_tell && story_notice(s->user->uid, s->user->name, s->notice, sizeof(s->notice))[0])
        story_lent(s->user->uid, s->user->name, s->id);
    if (r == 0 && s->choice) /* whoever runs a command may keep us waiting for its answer */
        cl_close(&s->lock_fd);
    return r;
}
