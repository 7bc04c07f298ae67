/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A place in a cell is a login's file, its cgroup, and its pidfd with cloister-init, in this order, so that a sweep finds what a
 * crash leaves. Joining a live cell is that, and the plan that was kept of its open. Which cell, is a question of content: of
 * the policy as it is resolved for this user, of the user's groups (which its id maps hold), and of the compiled filter. A policy
 * that was edited, or another one for another service, makes another cell, never the laxer of two.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "idle.h"
#include "join.h"
#include "live.h"
#include "log.h"
#include "logins.h"
#include "record.h"
#include "util.h"

#define ANSWER_MS    2000
#define LATE_MS      200 /* for who did not answer before */
#define DOCUMENT_MAX (1024 * 1024)
#define FILTER_MAX   65536

bool join_lasts(const struct session *s)
{
    return !s->choice && (s->policy->namespaces.share == CL_SHARE_USER ||
                          s->policy->session.on_logout != CL_ON_LOGOUT_KILL || s->policy->session.idle > 0);
}

static bool is_shared(const struct session *s)
{
    return s->lasting && s->policy->namespaces.share == CL_SHARE_USER;
}

static int compare_gids(const void *a, const void *b)
{
    gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;

    return left < right ? -1 : left > right;
}

static int put_groups(const struct cl_user *user, FILE *out)
{
    cleanup_free gid_t *groups = calloc(user->n_groups + 1, sizeof(gid_t));

    if (!groups)
        return -ENOMEM;
    memcpy(groups, user->groups, user->n_groups * sizeof(gid_t));
    qsort(groups, user->n_groups, sizeof(gid_t), compare_gids);
    for (size_t i = 0; i < user->n_groups; i++)
        (void)fprintf(out, " %u", groups[i]);
    return 0;
}

/* Beyond the policy: what else is in a cell of this user. */
static int make_document(const struct session *s, char **ret)
{
    cleanup_free char *policy = NULL;
    char *text = NULL;
    size_t size;
    FILE *out;
    int r = cl_policy_document(s->policy, &policy);

    if (r < 0)
        return r;
    out = open_memstream(&text, &size);
    if (!out)
        return -ENOMEM;
    (void)fprintf(out, "%suid %u %u cell %u %u\nhome %s\nshell %s\napparmor %s\ngroups", policy, s->user->uid, s->user->gid,
                  s->cell_uid, s->cell_gid, s->user->home, s->user->shell, s->apparmor ? s->apparmor : "");
    r = put_groups(s->user, out);
    (void)fputc('\n', out);
    if (fclose(out) != 0 || r < 0) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}

static void document_path(const char *id, char *buf, size_t size)
{
    (void)snprintf(buf, size, "cells/%s.policy", id);
}

int join_keep_document(struct session *s, struct cl_error *e)
{
    cleanup_free char *document = NULL;
    char path[64];
    int r;

    if (!is_shared(s))
        return 0;
    r = make_document(s, &document);
    document_path(s->id, path, sizeof(path));
    if (r == 0)
        r = cl_replace_file_at(s->run_fd, path, document, strlen(document), 0600);
    return r < 0 ? cl_fail(e, -r, "write %s", path) : 0;
}

static bool has_document(const struct session *s, const char *id, const char *document)
{
    cleanup_free char *kept = NULL;
    cleanup_fd int fd = -1;
    char path[64];
    size_t size;

    document_path(id, path, sizeof(path));
    fd = openat(s->run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && cl_read_all(fd, DOCUMENT_MAX, &kept, &size) == 0 && size == strlen(document) &&
           memcmp(kept, document, size) == 0;
}

/* The line of a key, and its length with the line's end; NULL: none. No value has a line's end in it. */
static const char *find_line(const char *document, enum cl_key key, size_t *ret_length)
{
    const char *name = cl_key_name(key), *line = document;
    size_t length = strlen(name);

    while (line && !(strncmp(line, name, length) == 0 && line[length] == '=')) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    *ret_length = line ? strcspn(line, "\n") + 1 : 0;
    return line && line[*ret_length - 1] == '\n' ? line : NULL;
}

static int replace_line(char **document, const char *from, enum cl_key key)
{
    size_t old_length, new_length;
    const char *old = find_line(*document, key, &old_length), *new = find_line(from, key, &new_length);
    char *changed = NULL;
    int r;

    if (!old || !new)
        return -EBADMSG;
    r = cl_asprintf(&changed, "%.*s%.*s%s", (int)(old - *document), *document, (int)new_length, new, old + old_length);
    if (r < 0)
        return r;
    free(*document);
    *document = changed;
    return 0;
}

void join_apply_document(int run_fd, const char *id, const struct cl_policy *policy, bool (*is_changed)(enum cl_key key))
{
    cleanup_free char *document = NULL, *today = NULL;
    cleanup_fd int fd = -1;
    char path[64];
    size_t size;
    int r;

    document_path(id, path, sizeof(path));
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return; /* a cell that nobody joins */
    r = cl_read_all(fd, DOCUMENT_MAX, &document, &size);
    if (r == 0)
        r = cl_policy_document(policy, &today);
    for (enum cl_key key = 0; r == 0 && key < CL_KEY_COUNT; key++)
        if (is_changed(key))
            r = replace_line(&document, today, key);
    if (r == 0)
        r = cl_replace_file_at(run_fd, path, document, strlen(document), 0600);
    if (r < 0)
        cl_log(LOG_WARNING, "apply: id=%s: later logins get a cell of their own: %s", id, strerror(-r));
}

/* A profile's file may say something else today. -1: no filter, in both. */
static bool same_filter(int a, int b)
{
    static const size_t max = FILTER_MAX;
    cleanup_free char *left = NULL, *right = NULL;
    ssize_t n, m;

    if (a < 0 || b < 0)
        return a < 0 && b < 0;
    left = malloc(max);
    right = malloc(max);
    n = left ? pread(a, left, max, 0) : -1;
    m = right ? pread(b, right, max, 0) : -1;
    return n > 0 && n == m && (size_t)n < max && memcmp(left, right, (size_t)n) == 0;
}

static struct cgroup_request cgroup_request(const struct session *s)
{
    return (struct cgroup_request){.manager = s->manager,
                                   .id = s->id,
                                   .uid = s->user->uid,
                                   .policy = s->policy,
                                   .init = s->init,
                                   .deadline_ms = s->deadline_ms,
                                   .shared = true};
}

static int save_login(const struct session *s, const char *cell, struct cl_error *e)
{
    struct login login = {.user = s->user->name,
                          .service = s->request->service,
                          .rhost = s->request->rhost,
                          .tty = s->request->tty,
                          .uid = s->user->uid,
                          .since = s->since,
                          .opener = s->opener};
    int r;

    memcpy(login.id, s->id, sizeof(login.id));
    memcpy(login.cell, cell, sizeof(login.cell));
    r = record_start_time(s->opener, &login.opener_start, e);
    return r < 0 ? r : login_save(s->run_fd, &login, e);
}

static int make_cgroup(struct session *s, int leaf_fd, struct cgroup_login *ret, struct cl_error *e)
{
    const struct cgroup_request request = cgroup_request(s);

    if (!is_shared(s) || leaf_fd < 0)
        return 0;
    return cgroup_login_make(&request, leaf_fd, ret, e);
}

/* With "kill", cloister-init ends what a login leaves, when nobody closes it. */
static int enlist(const struct session *s, const char *cell, int kill_fd, struct cl_error *e)
{
    const struct channel_call call = {.run_fd = s->run_fd,
                                      .cell = cell,
                                      .init_fd = s->init_fd,
                                      .verb = INIT_JOIN,
                                      .login = s->id,
                                      .login_fd = s->opener_fd,
                                      .kill_fd = s->policy->session.on_logout == CL_ON_LOGOUT_KILL ? kill_fd : -1,
                                      .timeout_ms = ANSWER_MS};

    return channel_call(&call, NULL, e);
}

/* sshd has no terminal yet; cloister-init finds it when it is there. */
static int name_terminal(const struct session *s, const char *cell, struct cl_error *e)
{
    cleanup_fd int terminal = s->policy->session.idle > 0 ? idle_open_terminal(s) : -1;
    const struct channel_call call = {.run_fd = s->run_fd,
                                      .cell = cell,
                                      .init_fd = s->init_fd,
                                      .verb = INIT_TERMINAL,
                                      .login = s->id,
                                      .login_fd = terminal,
                                      .kill_fd = -1,
                                      .timeout_ms = ANSWER_MS};

    return terminal < 0 ? 0 : channel_call(&call, NULL, e);
}

/* leaf_fd: -1 where the cell has no cgroup. */
static int take_place(struct session *s, const char *cell, int leaf_fd, struct cl_error *e)
{
    struct cgroup_login login = {-1, -1};
    int r = save_login(s, cell, e);

    s->placed = true;
    memcpy(s->cell, cell, sizeof(s->cell));
    if (r == 0)
        r = make_cgroup(s, leaf_fd, &login, e);
    if (r == 0)
        r = enlist(s, cell, login.kill_fd, e);
    if (r == 0)
        r = name_terminal(s, cell, e);
    if (r == 0 && login.procs_fd >= 0) {
        cl_close(&s->cgroup.procs_fd);
        s->cgroup.procs_fd = cl_take_fd(&login.procs_fd);
    }
    cl_close(&login.procs_fd);
    cl_close(&login.kill_fd);
    return r;
}

/* Whatever of it was taken: the cell may go on, for others. */
static void give_up_place(struct session *s, int wait_ms)
{
    const struct channel_call call = {.run_fd = s->run_fd,
                                      .cell = s->cell,
                                      .init_fd = s->init_fd,
                                      .verb = INIT_LEAVE,
                                      .login = s->id,
                                      .kill_fd = -1,
                                      .timeout_ms = wait_ms};

    if (!s->placed)
        return;
    (void)!channel_call(&call, NULL, NULL);
    if (s->cgroup.dir_fd >= 0)
        (void)!cgroup_login_remove(s->cgroup.dir_fd, s->id, true, wait_ms, NULL);
    (void)!login_remove(s->run_fd, s->id);
    s->placed = false;
}

/* As after any login: another cell of the user may have other limits for all of them. */
static int limit_user(const struct session *s, const struct record *record, struct cl_error *e)
{
    struct cgroup_request request = cgroup_request(s);
    int r;

    request.manager = record->manager;
    request.id = record->id;
    request.init = record->init;
    r = cgroup_update(&request, record->cgroup, true, CGROUP_SET, e);
    return r < 0 ? r : cgroup_update(&request, record->cgroup, true, CGROUP_LIFT, e);
}

/* -ESRCH: the cell ends, or cannot be proved to be the one of its record; another is to be built. */
static int join_cell(struct session *s, const struct record *record, struct cl_error *e)
{
    struct cl_plan_fds fds = {.fd = CL_NO_FDS};
    cleanup_fd int leaf_fd = -1, ruleset = -1;
    bool same;
    int r = live_open(s->run_fd, record, &s->live_plan, &fds, NULL);

    if (r < 0)
        return -ESRCH;
    same = same_filter(fds.fd[CL_FD_SECCOMP], s->seccomp_fd) &&
           (fds.fd[CL_FD_LANDLOCK] >= 0) == (s->landlock_fd >= 0);
    ruleset = cl_take_fd(&fds.fd[CL_FD_LANDLOCK]);
    s->init_fd = cl_take_fd(&fds.fd[CL_FD_INIT]);
    s->init = record->init;
    cl_plan_fds_close(&fds);
    if (same && s->live_plan.has_cgroup) {
        leaf_fd = cgroup_open(record->cgroup);
        same = leaf_fd >= 0;
        s->cgroup.dir_fd = cl_take_fd(&leaf_fd);
    }
    r = same ? take_place(s, record->id, s->cgroup.dir_fd, e) : -ESRCH;
    if (r == 0 && s->live_plan.has_cgroup)
        r = limit_user(s, record, e);
    if (r == 0) {
        cl_close(&s->landlock_fd); /* empty: the cell has its own */
        s->landlock_fd = cl_take_fd(&ruleset);
    } else {
        give_up_place(s, r == -ETIMEDOUT ? LATE_MS : ANSWER_MS);
        cl_close(&s->init_fd);
        s->init = 0;
        cgroup_place_clear(&s->cgroup);
    }
    return r;
}

static bool fits(const struct session *s, const struct record *record, const char *document)
{
    return record->live && !record->ending && record->uid == s->user->uid && record->share == CL_SHARE_USER &&
           record_in_use(record) && has_document(s, record->id, document);
}

int join_find(struct session *s, struct cl_error *e)
{
    cleanup_strv char **ids = NULL;
    cleanup_free char *document = NULL;
    int r;

    if (!is_shared(s))
        return 0;
    r = make_document(s, &document);
    if (r < 0)
        return cl_fail(e, -r, "compare with the cells of user %s", s->user->name);
    r = record_list(s->run_fd, &ids, e);
    for (size_t i = 0; r == 0 && !s->joined && ids && ids[i]; i++) {
        cleanup_record struct record *record = NULL;
        struct cl_error why = {0};

        if (record_load(s->run_fd, ids[i], &record, NULL) < 0 || !fits(s, record, document))
            continue;
        r = join_cell(s, record, &why);
        s->joined = r == 0;
        if (r == -ETIMEDOUT)
            cl_log(LOG_WARNING, "join: id=%s user=%s: %s; the login gets another", s->id, s->user->name, why.text);
        if (r == -ESRCH || r == -ETIMEDOUT)
            r = 0;
        else if (r < 0 && e)
            *e = why;
    }
    return r;
}

/* Of a new cell; in one that lives, the place is taken where the cell is found. */
int stage_login(struct session *s, struct cl_error *e)
{
    const struct cgroup_request request = cgroup_request(s);
    int r;

    if (!s->lasting || s->joined)
        return 0;
    r = is_shared(s) && s->cgroup.dir_fd >= 0 ? cgroup_share(&request, s->cgroup.dir_fd, e) : 0;
    return r < 0 ? r : take_place(s, s->id, s->cgroup.dir_fd, e);
}

void undo_login(struct session *s)
{
    give_up_place(s, ANSWER_MS);
}
