/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The documents of `cloister status`. Everything in one is about one user: policy and limits of a login,
 * cells that live, limits that were hit. Whose it is is settled first: the real uid's, or for uid 0, that of
 * a name. Nobody is waited for as root: the answer is written as whoever asked.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lasting.h"
#include "measure.h"
#include "policy_limits.h"
#include "record.h"
#include "status.h"
#include "story_file.h"
#include "util.h"

#define STATUS_SERVICE "sshd" /* whose login is told about */

/* What is no UTF-8 is no JSON. */
static json_t *text(const char *s)
{
    json_t *string = s ? json_string(s) : json_null();

    return string ? string : json_string("?");
}

static json_t *limits_json(const struct record_limit *limits, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(array, record_limit_json(&limits[i]));
    return array;
}

/* m and lasting: NULL where the cell itself looks, when it is asked. */
static json_t *cell_json(const struct record *r, const struct measure *m, const struct lasting *lasting)
{
    const struct measure nothing = {0};
    const struct measure *now = m ? m : &nothing;
    json_int_t age = (json_int_t)(time(NULL) - r->since);
    json_t *object = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "id", r->id, "policy",
                     text(r->policy), "mode", r->audit ? "audit" : "enforce", "service", text(r->service),
                     "rhost", text(r->rhost), "tty", text(r->tty), "since", (json_int_t)r->since, "age",
                     age < 0 ? 0 : age, "processes", (json_int_t)now->processes, "limits",
                     limits_json(r->limits, r->n_limits), "use", usage_json(&now->usage), "hits",
                     hits_json(now->hits, now->n_hits, false), "network", record_network_json(r));

    lasting_json(object, r, lasting, false);
    return object;
}

/* Earlier sessions that hit a limit, as the user's story has them; what does not look like one is left out.
 */
static json_t *sessions_json(json_t *story)
{
    json_t *array = json_array(), *item, *hits;
    size_t i;

    json_array_foreach(story_array(story, "sessions"), i, item)
    {
        const char *id, *policy, *service;
        json_int_t ended;

        if (json_unpack(item, "{s:s, s:s, s:s, s:I, s:o}", "id", &id, "policy", &policy, "service", &service,
                        "ended", &ended, "hits", &hits) == 0 &&
            json_is_array(hits))
            (void)json_array_append_new(array,
                                        json_pack("{s:s, s:s, s:s, s:I, s:O}", "id", id, "policy", policy,
                                                  "service", service, "ended", ended, "hits", hits));
    }
    return array;
}

/* Takes over what it is given. */
static json_t *document(const struct cl_user *user, json_t *login, json_t *limits, json_t *cells)
{
    json_t *story = story_load(user->uid, user->name);
    json_t *all = json_pack("{s:o, s:I, s:b, s:o, s:o, s:o, s:n, s:[], s:o, s:I}", "user", text(user->name),
                            "uid", (json_int_t)user->uid, "inside", 0, "login", login, "limits", limits,
                            "cells", cells, "user_use", "user_hits", "sessions", sessions_json(story), "lost",
                            json_integer_value(json_object_get(story, "lost")));

    json_decref(story);
    return all;
}

static json_t *login_json(const struct session *s, const char *decision, const char *matched_by,
                          const char *reason)
{
    const struct cl_policy *policy = s->policy;

    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "service", text(s->request->service), "decision",
                     decision, "policy", text(policy ? policy->name : NULL), "mode",
                     !policy                         ? json_null()
                     : policy->mode == CL_MODE_AUDIT ? json_string("audit")
                                                     : json_string("enforce"),
                     "matched_by", text(matched_by), "reason", text(reason));
}

static json_t *policy_limits_json(const struct cl_policy *policy)
{
    struct record_limit limits[RECORD_LIMITS_MAX];

    return limits_json(limits, policy ? policy_limits(policy, limits) : 0);
}

char *status_of_cell(const struct session *s)
{
    struct record record = {0};
    json_t *cells = json_array(), *all;
    char *status;

    record_fill(s, &record);
    (void)json_array_append_new(cells, cell_json(&record, NULL, NULL));
    all = document(s->user, login_json(s, "cell", s->matched_by, NULL), policy_limits_json(s->policy), cells);
    status = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    return status;
}

/* Asked from outside
 * -------------------------------------------------------------------------------------------- */

static int find_user(const struct caller *caller, const char *name, struct cl_user **ret, struct cl_error *e)
{
    cleanup_user struct cl_user *user = NULL;
    int r;

    if (name && caller->uid != 0)
        return cl_fail(e, EPERM, "uid %u may ask about itself only", caller->uid);
    r = name ? cl_user_lookup(name, &user, e) : cl_user_lookup_uid(caller->uid, &user, e);
    if (r < 0)
        return r;
    if (!name && user->uid != caller->uid)
        return cl_fail(e, ESTALE, "uid %u is another's", caller->uid);
    *ret = user;
    user = NULL;
    return 0;
}

/* What a login would get now. Root is told why it is refused; others, as at a login, whom to ask. */
static json_t *decide(struct session *s, bool is_root)
{
    struct cl_error why = {0};
    char reason[1200];
    int r = stage_exempt(s, &why);

    if (r == 0 && s->outcome == OUTCOME_EXEMPT)
        return login_json(s, "exempt", s->exempt_why, NULL);
    if (r == 0)
        r = stage_policy(s, &why);
    if (r == 0)
        return login_json(s, "cell", s->matched_by, NULL);
    return login_json(s, "refuse", NULL,
                      is_root ? cl_error_format(&why, reason, sizeof(reason)) : "ask the administrator");
}

/* Oldest first. */
static void add_cell(json_t *cells, json_t *cell)
{
    json_int_t since = json_integer_value(json_object_get(cell, "since"));
    size_t i = json_array_size(cells);

    while (i > 0 && json_integer_value(json_object_get(json_array_get(cells, i - 1), "since")) > since)
        i--;
    (void)json_array_insert_new(cells, i, cell);
}

/* The live cells of the uid, and no other's. */
static int add_cells(int run_fd, uid_t uid, json_t *all, struct cl_error *e)
{
    cleanup_strv char **ids = NULL;
    int r = record_list(run_fd, &ids, e);

    for (size_t i = 0; r == 0 && ids && ids[i]; i++) {
        cleanup_record struct record *record = NULL;
        cleanup_fd int cgroup = -1;
        struct lasting lasting;
        struct measure m;

        if (record_load(run_fd, ids[i], &record, NULL) < 0 || record->uid != uid || !record->live ||
            !record_in_use(record))
            continue;
        cgroup = cgroup_open(record->cgroup);
        measure_cell(record, cgroup, &m);
        lasting_look(run_fd, record, &lasting);
        add_cell(json_object_get(all, "cells"), cell_json(record, &m, &lasting));
        lasting_clear(&lasting);
        (void)json_object_set_new(all, "user_use", usage_json(&m.user_usage));
        (void)json_object_set_new(all, "user_hits", hits_json(m.hits, m.n_hits, true));
    }
    return r;
}

/* From here on the process is the caller's, who may let it wait, or end it. */
static int become(const struct caller *caller, const struct cl_user *user, struct cl_error *e)
{
    if (caller->uid == 0)
        return 0;
    if (setresgid(user->gid, user->gid, user->gid) < 0 || setresuid(user->uid, user->uid, user->uid) < 0)
        return cl_fail(e, errno, "become uid %u", user->uid);
    return setuid(0) == 0 ? cl_fail(e, EPERM, "give up root") : 0;
}

static int answer(const struct caller *caller, const struct cl_user *user, json_t *all, struct cl_error *e)
{
    cleanup_free char *status = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    int r = status ? become(caller, user, e) : cl_fail(e, ENOMEM, "format the status");

    if (r == 0)
        r = cl_write_all(STDOUT_FILENO, status, strlen(status));
    return r < 0 ? cl_fail(e, -r, "write the status") : 0;
}

static int ask(const struct caller *caller, struct session *s, struct cl_error *e)
{
    json_t *login = decide(s, caller->uid == 0);
    json_t *all = document(s->user, login, policy_limits_json(s->policy), json_array());
    int r = add_cells(s->run_fd, s->user->uid, all, e);

    if (r == 0)
        r = answer(caller, s->user, all, e);
    json_decref(all);
    return r;
}

int status_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    struct cl_request request = {.setcred_calls = 1};
    struct session s;
    int r;

    if (arguments[0] && arguments[1])
        return cl_fail(e, EINVAL, "status takes one user");
    (void)snprintf(request.service, sizeof(request.service), STATUS_SERVICE);
    r = session_init(&s, &request, -1, e);
    if (r == 0)
        r = find_user(caller, arguments[0], &s.user, e);
    if (r == 0)
        r = record_open_dir(&s.run_fd, e);
    if (r == 0)
        r = ask(caller, &s, e);
    session_clear(&s);
    return r;
}
