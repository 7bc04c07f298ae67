/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The plan: what is needed to place a process of the cell, as plain data and open descriptors.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kept_plan.h"
#include "kept_settings.h"
#include "session.h"
#include "util.h"

int session_reply(struct session *s, struct cl_reply *reply, const int *fds, size_t n_fds, struct cl_error *e)
{
    int r;

    reply->version = CL_HANDOFF_VERSION;
    r = cl_send(s->sock, reply, sizeof(*reply), fds, n_fds);
    return r < 0 ? cl_fail(e, -r, "answer pam_cloister") : 0;
}

static int add_env(char *env, size_t *used, const char *name, const char *value)
{
    int n =
        snprintf(env + *used, CL_ENV_MAX - 1 - *used, "%s%s%s", name, value ? "=" : "", value ? value : "");

    if (n < 0 || (size_t)n + 1 >= CL_ENV_MAX - 1 - *used)
        return -E2BIG;
    *used += (size_t)n + 1;
    return 0;
}

static int fill_env(const struct session *s, char env[CL_ENV_MAX], struct cl_error *e)
{
    const struct cl_policy *policy = s->policy;
    char runtime_dir[64];
    size_t used = 0;
    int r = 0;

    memset(env, 0, CL_ENV_MAX);
    (void)snprintf(runtime_dir, sizeof(runtime_dir), "/run/user/%u", s->user->uid);
    if (cl_strv_contains(policy->files.private_dirs, "/run")) {
        /* The host's buses are not in the cell; view.c makes the folder. */
        r = add_env(env, &used, "XDG_RUNTIME_DIR", runtime_dir);
        if (r == 0)
            r = add_env(env, &used, "DBUS_SESSION_BUS_ADDRESS", NULL);
    }
    for (size_t i = 0; r == 0 && i < policy->n_env; i++)
        r = add_env(env, &used, policy->env[i].name, policy->env[i].value);
    if (r < 0)
        return cl_policy_fail(policy, CL_KEY_ENV, e, -r, "environment is larger than %d bytes", CL_ENV_MAX);
    return 0;
}

/* By root, and not by what the rules of the configuration select. */
static bool is_chosen(const struct session *s)
{
    return s->choice && (s->choice->config || s->choice->policy || s->choice->service);
}

static int send_plan(struct session *s, struct cl_reply *reply, struct cl_error *e)
{
    struct cl_plan *plan = &reply->plan;
    int fds[CL_FD_COUNT];
    size_t n_fds = 0;

    memcpy(reply->notice, s->notice, sizeof(reply->notice));
    fds[n_fds++] = s->init_fd;
    plan->has_cgroup = s->cgroup.procs_fd >= 0;
    if (plan->has_cgroup)
        fds[n_fds++] = s->cgroup.procs_fd;
    plan->has_seccomp = s->seccomp_fd >= 0;
    if (plan->has_seccomp)
        fds[n_fds++] = s->seccomp_fd;
    plan->has_landlock = s->landlock_fd >= 0;
    if (plan->has_landlock)
        fds[n_fds++] = s->landlock_fd;
    return s->deliver(s, reply, fds, n_fds, e);
}

/* The plan of the cell's open, all of it, for another login and perhaps another service. */
static int answer_joined(struct session *s, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_PLAN, .deadline_ms = CL_DEADLINE_MS, .plan = s->live_plan};

    reply.plan.placement = s->placement;
    memcpy(reply.plan.id, s->id, sizeof(reply.plan.id));
    return send_plan(s, &reply, e);
}

static int answer(struct session *s, struct cl_error *e)
{
    struct cl_reply reply = {.type = CL_REPLY_PLAN, .deadline_ms = CL_DEADLINE_MS};
    struct cl_plan *plan = &reply.plan;
    int r;

    if (s->joined)
        return answer_joined(s, e);
    plan->placement = s->placement;
    plan->namespaces = s->namespaces;
    memcpy(plan->inodes, s->inodes, sizeof(plan->inodes));
    plan->uid = s->user->uid;
    plan->gid = s->user->gid;
    plan->bounding = s->policy->capabilities.bounding;
    plan->ambient = s->policy->capabilities.ambient;
    plan->no_new_privs = s->policy->no_new_privs;
    /* In audit mode what matters is logged in any case, and the rest would crowd it out. */
    plan->seccomp_log = s->policy->seccomp.log && s->policy->mode == CL_MODE_ENFORCE;
    plan->complain = s->policy->mode == CL_MODE_AUDIT;
    memcpy(plan->id, s->id, sizeof(plan->id));
    (void)snprintf(plan->policy, sizeof(plan->policy), "%s", s->policy->name);
    if (s->apparmor &&
        (size_t)snprintf(plan->apparmor, sizeof(plan->apparmor), "%s", s->apparmor) >= sizeof(plan->apparmor))
        return cl_policy_fail(s->policy, CL_KEY_APPARMOR_PROFILE, e, ENAMETOOLONG,
                              "profile name is too long");
    r = fill_env(s, plan->env, e);
    if (r < 0)
        return r;
    plan->has_cgroup = s->cgroup.procs_fd >= 0;
    plan->has_seccomp = s->seccomp_fd >= 0;
    plan->has_landlock = s->landlock_fd >= 0;
    r = kept_plan_save(s->run_fd, plan, s->seccomp_fd, e);
    if (r == 0)
        r = kept_settings_save(s->run_fd, s->id, s->policy, is_chosen(s), e);
    return r < 0 ? r : send_plan(s, &reply, e);
}

/* Until here the cell may be undone, and nobody is to have joined it by then. */
int stage_answer(struct session *s, struct cl_error *e)
{
    int r = answer(s, e);

    if (r == 0)
        cl_close(&s->lock_fd);
    return r;
}
