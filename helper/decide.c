/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who is it, is Cloister to leave them alone, and if not, what does their policy say? The exempt list is
 * settled before any policy is read, so that no policy can lock the administrator out. An invalid
 * configuration is never in force: the last valid one, kept in CL_STATE_DIR, is, and every login says so in
 * the log.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decide.h"
#include "log.h"
#include "session.h"
#include "util.h"

#define KEPT_DIR CL_STATE_DIR "/policy"

int stage_user(struct session *s, struct cl_error *e)
{
    const struct passwd *cell_user;
    int r = cl_user_lookup(s->request->user, &s->user, e);

    if (r < 0)
        return r;
    errno = 0;
    cell_user = getpwnam(CL_CELL_USER);
    if (cell_user) {
        s->cell_uid = cell_user->pw_uid;
        s->cell_gid = cell_user->pw_gid;
    } /* its absence is stage_service's matter: exempt users need none */
    return 0;
}

static void log_problems(const struct cl_problems *problems, const char *consequence)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct cl_problem *p = &problems->items[i];

        if (!p->warning)
            cl_log(LOG_ERR, "configuration: %s:%u: %s; %s", p->file ? p->file : "?", p->line, p->text,
                   consequence);
    }
}

int decide_exempt(const struct cl_user *user, char *ret_why, size_t why_size, struct cl_error *e)
{
    struct cl_settings *settings = NULL;
    struct cl_problems problems = {0};
    int r = cl_settings_load(CL_CONFIG_DIR, false, &settings, &problems);
    bool exempt;

    if (r < 0) {
        log_problems(&problems, "the last valid exempt list is in force");
        cl_problems_clear(&problems);
        r = cl_settings_load(KEPT_DIR, false, &settings, &problems);
        if (r < 0)
            r = cl_settings_default(&settings);
    }
    cl_problems_clear(&problems);
    if (r < 0)
        return cl_fail(e, -r, "load the exempt list");
    exempt = cl_settings_exempt(settings, user, ret_why, why_size);
    cl_settings_free(settings);
    return exempt;
}

/* Of a configuration that root tries, there is no earlier valid one. */
static int fail_tried(const struct choice *choice, int r, struct cl_problems *problems, struct cl_error *e)
{
    const struct cl_problem *first = problems->items, *end = first + problems->n;

    while (first < end && first->warning)
        first++;
    if (first < end)
        (void)cl_fail(e, EINVAL, "%s:%u: %s", first->file ? first->file : choice->config, first->line,
                      first->text);
    cl_problems_clear(problems);
    return cl_fail(e, -r, "load %s", choice->config);
}

static int tried_exempt(struct session *s, struct cl_error *e)
{
    struct cl_settings *settings = NULL;
    struct cl_problems problems = {0};
    int r = cl_settings_load(s->choice->config, false, &settings, &problems);
    bool exempt;

    if (r < 0)
        return fail_tried(s->choice, r, &problems, e);
    cl_problems_clear(&problems);
    exempt = cl_settings_exempt(settings, s->user, s->exempt_why, sizeof(s->exempt_why));
    cl_settings_free(settings);
    return exempt;
}

int stage_exempt(struct session *s, struct cl_error *e)
{
    int r = s->choice && s->choice->config ? tried_exempt(s, e)
                                           : decide_exempt(s->user, s->exempt_why, sizeof(s->exempt_why), e);

    if (r > 0)
        s->outcome = OUTCOME_EXEMPT;
    return r < 0 ? r : 0;
}

static int load_tried(const struct choice *choice, struct cl_config **ret, struct cl_error *e)
{
    struct cl_problems problems = {0};
    int r = cl_config_load(choice->config, false, ret, &problems);

    if (r < 0)
        return fail_tried(choice, r, &problems, e);
    cl_problems_clear(&problems);
    return 0;
}

static void keep_config(void)
{
    struct cl_error e = {0};

    if (cl_config_keep(CL_CONFIG_DIR, KEPT_DIR, &e) < 0)
        cl_log(LOG_WARNING, "cannot keep this valid configuration: %s: %s", e.text, strerror(e.err));
}

int decide_load_valid(bool keep, struct cl_config **ret, struct cl_error *e)
{
    const struct choice live = {.config = CL_CONFIG_DIR};
    int r = load_tried(&live, ret, e);

    if (r == 0 && keep)
        keep_config();
    return r;
}

static int load_config(struct cl_config **ret, struct cl_error *e)
{
    struct cl_problems problems = {0};
    int r = cl_config_load(CL_CONFIG_DIR, false, ret, &problems);

    if (r == 0) {
        cl_problems_clear(&problems);
        keep_config();
        return 0;
    }
    log_problems(&problems, "the last valid policy stays in force");
    if (problems.n > 0)
        (void)cl_fail_key(e, EINVAL, "configuration", problems.items[0].file,
                          "line %u: %s; and there is no earlier valid configuration", problems.items[0].line,
                          problems.items[0].text);
    cl_problems_clear(&problems);
    r = cl_config_load(KEPT_DIR, false, ret, &problems);
    cl_problems_clear(&problems);
    if (r < 0)
        return cl_fail(e, EINVAL, "load " CL_CONFIG_DIR);
    memset(e, 0, sizeof(*e));
    return 0;
}

/* The service by which the policy is selected. */
static const char *service_of(const struct session *s)
{
    return s->choice && s->choice->service ? s->choice->service : s->request->service;
}

/* What cloister.conf says about this open; the module is told its deadline. A run is placed completely, whatever the
 * service that it stands for would do. */
static int apply_settings(struct session *s, const struct cl_settings *settings, struct cl_error *e)
{
    struct cl_reply hello = {.type = CL_REPLY_HELLO, .deadline_ms = (uint32_t)settings->deadline * 1000};

    s->placement = cl_settings_placement(settings, service_of(s));
    if (s->choice && s->placement != CL_PLACEMENT_NONE)
        s->placement = CL_PLACEMENT_CREDENTIALS;
    s->manager = settings->cgroup_manager;
    s->deadline_ms += (int64_t)hello.deadline_ms - CL_DEADLINE_MS;
    return s->sock < 0 ? 0 : session_reply(s, &hello, NULL, 0, e);
}

/* *ret is owned by the configuration. */
static int choose_policy(struct session *s, const struct cl_policy **ret, struct cl_error *e)
{
    struct cl_selection selection = {0};
    int r;

    for (size_t i = 0; s->choice && s->choice->policy && i < cl_config_count(s->config); i++)
        if (strcmp(cl_config_policy(s->config, i)->name, s->choice->policy) == 0) {
            (void)snprintf(s->matched_by, sizeof(s->matched_by), "chosen by root");
            *ret = cl_config_policy(s->config, i);
            return 0;
        }
    if (s->choice && s->choice->policy)
        return cl_fail(e, ENOENT, "there is no policy \"%s\"", s->choice->policy);
    r = cl_config_select(s->config, s->user, service_of(s), &selection);
    if (r < 0)
        return cl_fail(e, -r, "select a policy");
    (void)snprintf(s->matched_by, sizeof(s->matched_by), "%s", selection.matched_by);
    if (selection.policy)
        *ret = selection.policy;
    else if (selection.doubtful)
        r = cl_selection_fail(&selection, s->user, e);
    else
        r = cl_fail(e, EACCES, "no policy matches user %s and service %s, and none is named default",
                    s->user->name, service_of(s));
    cl_selection_clear(&selection);
    return r;
}

int stage_policy(struct session *s, struct cl_error *e)
{
    const struct cl_policy *policy = NULL;
    int r = s->choice && s->choice->config ? load_tried(s->choice, &s->config, e) : load_config(&s->config, e);

    if (r == 0)
        r = apply_settings(s, cl_config_settings(s->config), e);
    if (r < 0)
        return r;
    r = choose_policy(s, &policy, e);
    if (r == 0)
        r = cl_policy_expand(policy, s->user, &s->policy, e);
    if (r == 0)
        s->manager = cgroup_manager_resolve(s->manager);
    return r;
}

/* For PAMName= of a unit, and so for `machinectl shell`, systemd opens the session in the very process that becomes the
 * command: what it forks is only the process that closes the session, and a cell would hold nothing else. After an
 * upgrade the link says that the file is deleted. */
static int refuse_systemd(const struct session *s, const char *service, struct cl_error *e)
{
    char path[64], exe[PATH_MAX];
    const char *name;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/%d/exe", s->opener);
    n = readlink(path, exe, sizeof(exe) - 1);
    if (n < 0)
        return cl_fail(e, errno, "read which program opens the session");
    exe[n] = '\0';
    name = strrchr(exe, '/');
    if (!name || (strcmp(name, "/systemd") != 0 && strcmp(name, "/systemd-executor") != 0 &&
                  strcmp(name, "/systemd (deleted)") != 0 && strcmp(name, "/systemd-executor (deleted)") != 0))
        return 0;
    return cl_fail(e, EACCES,
                   "systemd itself opens the session (PAMName=%s, as of machinectl shell), and its process cannot "
                   "be put into a cell: use su -l or cloister run --user",
                   service);
}

int stage_service(struct session *s, struct cl_error *e)
{
    const char *service = service_of(s);
    int r = 0;

    if (s->placement == CL_PLACEMENT_NONE)
        return cl_fail_key(e, EACCES, "placement", CL_CONFIG_DIR "/cloister.conf",
                           "service %s is unknown: add { service = \"%s\"; at = \"fork\"; } to placement",
                           service, service);
    if (!s->choice)
        r = refuse_systemd(s, service, e);
    if (r < 0)
        return r;
    if (s->placement == CL_PLACEMENT_CREDENTIALS && s->request->setcred_calls == 0)
        return cl_fail(
            e, EACCES,
            "add `auth required pam_cloister.so` as the last auth line of /etc/pam.d/%s: the session "
            "line alone cannot place the login",
            service);
    if (s->placement == CL_PLACEMENT_CREDENTIALS && s->request->setcred_calls > 1)
        return cl_fail(e, EACCES,
                       "keep one auth line for pam_cloister.so in /etc/pam.d/%s: it is there %u times",
                       service, s->request->setcred_calls);
    if (s->cell_uid == 0)
        return cl_fail(e, ENOENT, "system user %s is missing: run `systemd-sysusers` or `useradd -r -U %s`",
                       CL_CELL_USER, CL_CELL_USER);
    return 0;
}

int exempt_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    cleanup_user struct cl_user *user = NULL;
    char why[96];
    uint64_t uid;
    int r = cl_parse_u64(arguments[0], &uid);

    if (r < 0 || uid > UINT32_MAX - 1)
        return cl_fail(e, EINVAL, "\"%.32s\" is not a uid", arguments[0]);
    r = cl_user_lookup_uid((uid_t)uid, &user, e);
    if (r == 0)
        r = decide_exempt(user, why, sizeof(why), e);
    if (r < 0)
        return r;
    return r > 0 ? 0 : -EACCES; /* no error to tell: it is the answer */
}
