/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stages of opening a cell, in order, and their runner. Nothing of the host changes before stage
 * "record", which writes down what is about to be made: whatever happens after that, a sweep finds it.
 *
 *   user, exempt                    whose login, and is it ours at all?
 *   state                           the folders of records, locks and caches
 *   policy, service                 decide: no effect on the host
 *   apparmor, seccomp               what the policy asks for must be there before anything is built
 *   record                          the lock of the user; a live cell to join, or else the record of a new one
 * a new one:
 *   idle                            the host's terminals, for cloister-init, where logins end without input
 *   init                            a process, pid 1 of a new pid namespace, in a new mount namespace
 *   cgroup                          it joins its cgroup, which the cgroup namespace is then rooted in
 *   namespaces                      user namespace and id maps, then ipc, uts, net and cgroup, owned by it
 *   network                         with nat: its link, addresses and rules
 *   files                           the view, built by root of the host inside the mount namespace
 *   start                           the process drops everything and becomes cloister-init
 * either:
 *   login                           in a cell that lasts: cloister-init watches the login, which has its own record and cgroup
 *   commit                          the record names a live cell
 *   answer                          the plan is kept for `enter`; the module gets it, or run.c starts a command
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "apparmor.h"
#include "idle.h"
#include "network.h"
#include "record.h"
#include "seccomp.h"
#include "session.h"
#include "util.h"

#define CGROUP_WAIT_MS 2000

static int stage_state(struct session *s, struct cl_error *e)
{
    return record_open_dir(&s->run_fd, e);
}

static int stage_apparmor(struct session *s, struct cl_error *e)
{
    return apparmor_profile(s->policy, &s->apparmor, e);
}

static int stage_seccomp(struct session *s, struct cl_error *e)
{
    return seccomp_filter(s->policy, CL_SECCOMP_CACHE, &s->seccomp_fd, e);
}

static int stage_cgroup(struct session *s, struct cl_error *e)
{
    const struct cgroup_request request = {.manager = s->manager,
                                           .id = s->id,
                                           .uid = s->user->uid,
                                           .policy = s->policy,
                                           .init = s->init,
                                           .deadline_ms = s->deadline_ms,
                                           .shared = s->lasting && s->policy->namespaces.share == CL_SHARE_USER};
    int r = cgroup_create(&request, &s->cgroup, e);

    return r < 0 ? r : record_update(s, false, e); /* now a sweep knows what to take away */
}

static void undo_cgroup(struct session *s)
{
    if (s->cgroup.path && cgroup_remove(s->manager, s->cgroup.path, s->user->uid, CGROUP_WAIT_MS, NULL) < 0)
        return; /* the record is undone after this; a sweep finds empty cgroups without one */
}

static const struct stage stages[] = {
    {"user", stage_user, NULL, false},
    {"exempt", stage_exempt, NULL, false},
    {"state", stage_state, NULL, false},
    {"policy", stage_policy, NULL, false},
    {"service", stage_service, NULL, false},
    {"apparmor", stage_apparmor, NULL, false},
    {"seccomp", stage_seccomp, NULL, false},
    {"landlock", stage_landlock, NULL, false},
    {"record", stage_record, undo_record, false},
    {"idle", stage_idle, NULL, true},
    {"init", stage_init, undo_init, true},
    {"cgroup", stage_cgroup, undo_cgroup, true},
    {"namespaces", stage_namespaces, NULL, true},
    {"network", stage_network, undo_network, true},
    {"files", stage_files, NULL, true},
    {"start", stage_start, NULL, true},
    {"login", stage_login, undo_login, false},
    {"commit", stage_commit, NULL, false},
    {"answer", stage_answer, NULL, false},
};

/* A stage that is left out has nothing to undo either. */
static bool takes_part(const struct session *s, const struct stage *stage)
{
    return !(stage->builds && s->joined);
}

int stages_run(struct session *s, struct cl_error *e)
{
    size_t i = 0;
    int r = 0;

    for (; i < CL_ARRAY_SIZE(stages); i++) {
        if (!takes_part(s, &stages[i]))
            continue;
        r = cl_now_ms() > s->deadline_ms ? cl_fail(e, ETIMEDOUT, "deadline passed") : stages[i].run(s, e);
        if (r < 0 || s->outcome == OUTCOME_EXEMPT)
            break;
    }
    if (r == 0)
        return 0;
    if (!e->err)
        (void)cl_fail(e, -r, "stage failed");
    if (e->key[0] && !e->origin[0] && s->config)
        (void)cl_settings_origin(cl_config_settings(s->config), e->key, e->origin, sizeof(e->origin));
    (void)strncpy(e->stage, stages[i].name, sizeof(e->stage) - 1);
    for (i++; i-- > 0;)
        if (stages[i].undo && takes_part(s, &stages[i]))
            stages[i].undo(s);
    return r;
}

static int make_id(char ret[CL_ID_LENGTH + 1], struct cl_error *e)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv"; /* 32: five bits each, evenly */
    unsigned char random[CL_ID_LENGTH];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return cl_fail(e, EIO, "make up an id");
    for (size_t i = 0; i < CL_ID_LENGTH; i++)
        ret[i] = digits[random[i] % 32];
    ret[CL_ID_LENGTH] = '\0';
    return 0;
}

int session_init(struct session *s, const struct cl_request *request, int sock, struct cl_error *e)
{
    memset(s, 0, sizeof(*s));
    s->request = request;
    s->sock = sock;
    s->deliver = session_reply;
    s->deadline_ms = cl_now_ms() + CL_DEADLINE_MS;
    s->opener_fd = s->run_fd = s->lock_fd = s->seccomp_fd = s->landlock_fd = -1;
    s->init_fd = s->init_sock = s->init_go = s->channel = s->devpts = -1;
    s->cgroup.dir_fd = s->cgroup.procs_fd = -1;
    return make_id(s->id, e);
}

void session_clear(struct session *s)
{
    cl_close(&s->opener_fd);
    cl_close(&s->run_fd);
    cl_close(&s->lock_fd);
    cl_close(&s->seccomp_fd);
    cl_close(&s->landlock_fd);
    cl_close(&s->init_fd);
    cl_close(&s->init_sock);
    cl_close(&s->init_go);
    cl_close(&s->channel);
    cl_close(&s->devpts);
    cgroup_place_clear(&s->cgroup);
    cl_user_free(s->user);
    cl_policy_free(s->policy);
    cl_config_free(s->config);
    free(s->apparmor);
    free(s->status);
}
