/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The steps of the file view, and what they make of a path.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "path.h"
#include "util.h"
#include "view_ask.h"
#include "view_layout.h"

#define LINKS_MAX 40

/* A step covers what is at its path and below. */
struct step {
    enum view_kind kind;
    bool read_only_alone; /* covers nothing: what is there can no longer be written */
    bool writable, whole; /* whole: with the mounts below its source */
    enum cl_key key;
    char *path, *source; /* source: what of the host shows, NULL: nothing */
};

struct plan {
    const struct cl_policy *policy;
    const struct cl_user *user;
    struct view_homes homes;
    struct mount_table *mounts;
    char root[PATH_MAX]; /* of the host, without links; empty: the host's own */
    bool other;          /* files.root is another tree */
    struct step *steps;
    size_t n;
    int r; /* the first failure */
};

static void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        free(plan->steps[i].path);
        free(plan->steps[i].source);
    }
    free(plan->steps);
    mounts_free(plan->mounts);
}

static const char *const kind_names[] = {
    [VIEW_HOST] = "host",
    [VIEW_ROOT] = "root",
    [VIEW_HIDDEN] = "hidden",
    [VIEW_MASKED] = "masked",
    [VIEW_PRIVATE] = "private",
    [VIEW_HOME] = "home",
    [VIEW_HOMES] = "homes",
    [VIEW_OTHER_HOME] = "other-home",
    [VIEW_MAIL] = "mail",
    [VIEW_KERNEL] = "kernel",
    [VIEW_DEVICE] = "device",
    [VIEW_MOUNT] = "mount",
    [VIEW_TMPFS] = "tmpfs",
    [VIEW_UNSEEN] = "unseen",
};
static_assert(CL_ARRAY_SIZE(kind_names) == VIEW_UNSEEN + 1, "a name for each kind");

const char *view_kind_name(enum view_kind kind)
{
    return kind_names[kind];
}

/* Below which mount point of the host is what a cell does not take over? The path is the host's. */
static bool is_unseen(const struct plan *plan, const struct step *step, const char *host)
{
    const struct mount_line *line = mount_of(plan->mounts, host);

    if (!line || strcmp(line->point, "/") == 0 || (step && step->kind == VIEW_DEVICE))
        return false;
    if (!step && plan->other && !path_is_below(line->point, plan->root)) /* the mount that the tree lies on */
        return false;
    if (!step && plan->other && strcmp(line->point, plan->root) == 0)
        return false;
    if (step && step->kind == VIEW_MOUNT)
        return !step->whole && line != mount_of(plan->mounts, step->source);
    if (step && step->kind == VIEW_HOME &&
        !(step->source && path_is_below(line->point, step->source) && strcmp(line->point, step->source) != 0))
        return false;
    return mount_served_by_user(line->type) || mount_served_by_kernel(line->type) ||
           (!step && mount_shows_covered(plan->mounts, line));
}

/* lstat(2) of the host's file. */
static bool host_has(struct view_answer *a, struct stat *ret_st)
{
    if (lstat(a->host, ret_st) == 0)
        return true;
    a->unsure = errno == EACCES;
    return a->unsure;
}

/* What a step's own filesystem has below its root when a login starts. */
static bool is_furnished(const struct plan *plan, const struct step *step, const char *below)
{
    const char *status = view_status_folder();
    char user[32];

    if (*below == '\0')
        return true;
    if (strcmp(step->path, "/dev/pts") == 0)
        return strcmp(below, "/ptmx") == 0;
    if (step->kind == VIEW_DEVICE) {
        for (size_t i = 0; view_devices[i].name; i++)
            if (strcmp(view_devices[i].name, below + 1) == 0)
                return true;
        for (size_t i = 0; view_links[i].name; i++)
            if (strcmp(view_links[i].name, below + 1) == 0)
                return true;
        return strcmp(below, "/shm") == 0 || strcmp(below, "/mqueue") == 0;
    }
    if (strcmp(step->path, CL_RUN_DIR) == 0)
        return strcmp(below, "/" VIEW_STATUS) == 0;
    if (step->kind != VIEW_PRIVATE || strcmp(step->path, "/run") != 0)
        return false;
    (void)snprintf(user, sizeof(user), "/user/%u", plan->user->uid);
    return strcmp(below, "/lock") == 0 || strcmp(below, "/screen") == 0 || strcmp(below, "/user") == 0 ||
           strcmp(below, user) == 0 || (status && strcmp(below + 1, status) == 0);
}

/* Is there something in the cell's own /proc or /sys? Processes come and go; of the rest, the host has the
 * same. */
static bool kernel_has(const char *path)
{
    struct stat st;

    if (strncmp(path, "/proc/", 6) == 0 &&
        (strspn(path + 6, "0123456789") > 0 || strncmp(path + 6, "self", 4) == 0 ||
         strncmp(path + 6, "thread-self", 11) == 0))
        return true;
    return path_is_below(path, "/sys/fs/cgroup") || lstat(path, &st) == 0 || errno == EACCES;
}

static void refuse_writing(struct view_answer *a, enum cl_key key, const char *entry)
{
    a->writable = false;
    a->read_only_key = key;
    (void)snprintf(a->read_only_entry, sizeof(a->read_only_entry), "%s", entry);
}

/* The overlay is over the root's own filesystem; what else is mounted below it is read-only. */
static bool other_mount(const struct plan *plan, const char *host)
{
    const struct mount_line *line = mount_of(plan->mounts, host);

    return line && line != mount_of(plan->mounts, plan->root[0] ? plan->root : "/");
}

static void look(const struct plan *plan, const struct step *step, struct view_answer *a)
{
    const char *below = step ? a->path + strlen(step->path) : "";
    struct stat st;

    if (a->kind == VIEW_HOMES) {
        a->there = path_is_below(plan->user->home, a->path) && plan->homes.has_home;
        if (!a->there)
            a->kind = VIEW_OTHER_HOME;
    } else if (a->kind == VIEW_KERNEL) {
        a->there = kernel_has(a->path);
    } else if (a->host[0]) {
        if (is_unseen(plan, step, a->host)) /* not even looked at: its server may be a tenant */
            a->kind = VIEW_UNSEEN;
        else
            a->there = host_has(a, &st);
        if (!step && a->writable && plan->policy->files.overlay != CL_OVERLAY_NONE && other_mount(plan, a->host))
            refuse_writing(a, CL_KEY_FILES_OVERLAY, mount_of(plan->mounts, a->host)->point);
    } else {
        a->there = is_furnished(plan, step, below);
    }
    if (a->kind == VIEW_DEVICE)
        a->writable = *below && strcmp(below, "/shm") != 0;
}

/* What the steps so far make of a path without links. */
static void find(const struct plan *plan, const char *path, struct view_answer *a)
{
    const struct step *step = NULL;

    *a = (struct view_answer){
        .kind = VIEW_HOST, .writable = true, .key = VIEW_BUILT_IN, .read_only_key = VIEW_BUILT_IN};
    (void)snprintf(a->path, sizeof(a->path), "%s", path);
    if (plan->other) {
        a->kind = VIEW_ROOT;
        a->key = CL_KEY_FILES_ROOT;
        (void)snprintf(a->entry, sizeof(a->entry), "%s", plan->policy->files.root);
    }
    if (plan->other && plan->policy->files.overlay == CL_OVERLAY_NONE)
        refuse_writing(a, CL_KEY_FILES_ROOT, plan->policy->files.root);
    if ((size_t)snprintf(a->host, sizeof(a->host), "%s%s", plan->root, path) >= sizeof(a->host))
        a->host[0] = '\0';
    for (size_t i = 0; i < plan->n; i++) {
        const struct step *s = &plan->steps[i];

        if (!path_is_below(path, s->path))
            continue;
        if (!s->read_only_alone) {
            step = s;
            a->kind = s->kind;
            a->key = s->key;
            (void)snprintf(a->entry, sizeof(a->entry), "%s", s->path);
            a->host[0] = a->read_only_entry[0] = '\0';
            if (s->source && (size_t)snprintf(a->host, sizeof(a->host), "%s%s",
                                              strcmp(s->source, "/") == 0 ? "" : s->source,
                                              path + strlen(s->path)) >= sizeof(a->host))
                a->host[0] = '\0';
        }
        a->writable = s->writable && (a->writable || !s->read_only_alone);
        if (s->read_only_alone) {
            a->read_only_key = s->key;
            (void)snprintf(a->read_only_entry, sizeof(a->read_only_entry), "%s", s->path);
        }
    }
    look(plan, step, a);
}

/* Follow a link at a->path: what is left to walk starts with its target. 0: it is no link, or one that nobody
 * can read. */
static int follow(const struct view_answer *a, char path[PATH_MAX], char rest[PATH_MAX], unsigned *links)
{
    char target[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t n =
        a->there && a->host[0] && a->kind != VIEW_UNSEEN ? readlink(a->host, target, sizeof(target) - 1) : -1;

    if (n <= 0)
        return 0;
    if (++*links > LINKS_MAX)
        return -ELOOP;
    target[n] = '\0';
    if (snprintf(joined, sizeof(joined), "%s/%s", target, rest) >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(rest, joined, strlen(joined) + 1);
    path[target[0] == '/' ? 0 : strrchr(path, '/') - path] = '\0';
    return 1;
}

/* Append one component of rest to path; "." and ".." are those of links. False: nothing is left. */
static bool advance(char path[PATH_MAX], char rest[PATH_MAX])
{
    const char *name = rest + strspn(rest, "/");
    size_t length = strcspn(name, "/"), used = strlen(path);

    if (length == 0)
        return false;
    if (length == 2 && strncmp(name, "..", 2) == 0) {
        char *end = strrchr(path, '/');

        if (end)
            *end = '\0';
    } else if (!(length == 1 && *name == '.') && used + length + 1 < PATH_MAX) {
        path[used] = '/';
        memcpy(path + used + 1, name, length);
        path[used + 1 + length] = '\0';
    }
    memmove(rest, name + length, strlen(name + length) + 1);
    return true;
}

/* As the cell resolves it, after the steps so far. */
static int resolve(const struct plan *plan, const char *asked, struct view_answer *a)
{
    char path[PATH_MAX] = "", rest[PATH_MAX];
    unsigned links = 0;

    if ((size_t)snprintf(rest, sizeof(rest), "%s", asked) >= sizeof(rest))
        return -ENAMETOOLONG;
    find(plan, "/", a);
    while (advance(path, rest)) {
        int r;

        find(plan, *path ? path : "/", a);
        r = follow(a, path, rest, &links);
        if (r < 0)
            return r;
    }
    find(plan, *path ? path : "/", a);
    return 0;
}

static void add_step(struct plan *plan, const struct step *what, const char *path, const char *source)
{
    struct step *grown = plan->r == 0 ? reallocarray(plan->steps, plan->n + 1, sizeof(*grown)) : NULL;

    if (!grown) {
        plan->r = plan->r < 0 ? plan->r : -ENOMEM;
        return;
    }
    plan->steps = grown;
    grown[plan->n] = *what;
    grown[plan->n].path = strdup(path);
    grown[plan->n].source = source ? strdup(source) : NULL;
    if (!grown[plan->n].path || (source && !grown[plan->n].source))
        plan->r = -ENOMEM;
    plan->n++;
}

/* A mount that stays outside leaves the folder that it is mounted on. */
static bool is_mount_point(const struct plan *plan, const struct view_answer *a)
{
    const struct mount_line *line = a->kind == VIEW_UNSEEN ? mount_of(plan->mounts, a->host) : NULL;

    return line && strcmp(line->point, a->host) == 0;
}

/* A step at a path that a policy or we name: where links lead, and nowhere if nothing is there. */
static void add_at(struct plan *plan, const struct step *what, const char *path, const char *source)
{
    struct view_answer a;

    if (plan->r == 0)
        plan->r = resolve(plan, path, &a);
    if (plan->r == 0 && (a.there || is_mount_point(plan, &a)))
        add_step(plan, what, a.path, source);
}

/* The same, with a source of the host, which the builder opens through links. */
static void add_source(struct plan *plan, const struct step *what, const char *path, const char *source)
{
    cleanup_free char *real = realpath(source, NULL);

    add_at(plan, what, path, real ? real : source);
}

static void add_list(struct plan *plan, const struct step *what, char *const *paths)
{
    for (; paths && *paths; paths++)
        add_at(plan, what, *paths, NULL);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? S_ISDIR(st.st_mode) : errno == EACCES;
}

static void add_home(struct plan *plan)
{
    const struct step homes = {.kind = VIEW_HOMES, .key = CL_KEY_FILES_HOME},
                      other = {.kind = VIEW_OTHER_HOME, .key = CL_KEY_FILES_HOME};
    const struct step home = {.kind = VIEW_HOME,
                              .writable = plan->policy->files.home != CL_HOME_READONLY,
                              .key = CL_KEY_FILES_HOME};
    bool own = plan->policy->files.home == CL_HOME_TMPFS;
    const char *path = plan->user->home;
    cleanup_free char *real = realpath(path, NULL);

    if (plan->homes.has_home && (own || is_folder(path))) {
        if (plan->homes.base[0])
            add_step(plan, &homes, plan->homes.base, NULL);
        add_step(plan, &home, path, own ? NULL : real ? real : path);
    } else if (plan->homes.base[0]) {
        plan->homes.has_home = false;
        add_at(plan, &other, plan->homes.base, NULL);
    }
    if (strcmp(plan->homes.base, VIEW_USUAL_BASE) != 0)
        add_at(plan, &other, VIEW_USUAL_BASE, NULL);
}

static void add_kernel(struct plan *plan)
{
    static const struct step dev = {.kind = VIEW_DEVICE, .key = VIEW_BUILT_IN},
                             pts = {.kind = VIEW_DEVICE, .writable = true, .key = CL_KEY_FILES_PTS},
                             count = {.kind = VIEW_MASKED, .key = CL_KEY_FILES_PTS},
                             proc = {.kind = VIEW_KERNEL, .writable = true, .key = VIEW_BUILT_IN},
                             sys = {.kind = VIEW_KERNEL, .key = VIEW_BUILT_IN},
                             masked = {.kind = VIEW_MASKED, .key = VIEW_BUILT_IN},
                             read_only = {.read_only_alone = true, .key = VIEW_BUILT_IN};
    bool own_pts = plan->policy->files.pts == CL_PTS_PRIVATE;
    bool whole = plan->policy->files.proc == CL_PROC_WHOLE;

    add_step(plan, &dev, "/dev", NULL);
    add_step(plan, &pts, "/dev/pts", own_pts ? NULL : "/dev/pts");
    add_step(plan, &proc, "/proc", NULL);
    for (size_t i = 0; !whole && view_kernel_read_only[i]; i++)
        add_at(plan, &read_only, view_kernel_read_only[i], NULL);
    if (own_pts)
        add_at(plan, &count, VIEW_PTS_COUNT, NULL);
    add_step(plan, &sys, "/sys", NULL);
    for (size_t i = 0; view_masked[i]; i++)
        if (!whole || !path_is_below(view_masked[i], "/proc"))
            add_at(plan, &masked, view_masked[i], NULL);
}

static void add_mail(struct plan *plan)
{
    const struct step folder = {.kind = VIEW_MAIL, .key = VIEW_BUILT_IN},
                      own = {.kind = VIEW_MAIL, .writable = true, .key = VIEW_BUILT_IN};
    char path[sizeof(VIEW_MAIL_FOLDER) + 256];
    struct stat st;

    if (plan->other)
        return;
    add_at(plan, &folder, VIEW_MAIL_FOLDER, NULL);
    (void)snprintf(path, sizeof(path), VIEW_MAIL_FOLDER "/%s", plan->user->name);
    if (lstat(path, &st) == 0 && st.st_uid == plan->user->uid && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        add_step(plan, &own, path, path);
}

static void add_mounts(struct plan *plan)
{
    for (size_t i = 0; i < plan->policy->files.n_mounts; i++) {
        const struct cl_mount *m = &plan->policy->files.mounts[i];
        const struct step step = {.kind = m->source ? VIEW_MOUNT : VIEW_TMPFS,
                                  .writable = !m->read_only,
                                  .whole = m->recursive,
                                  .key = CL_KEY_FILES_MOUNTS};

        if (m->source)
            add_source(plan, &step, m->target, m->source);
        else
            add_at(plan, &step, m->target, NULL);
    }
}

/* What the view replaces is not taken over by another way, either. */
static void cover(struct plan *plan)
{
    char *const *lists[] = {plan->policy->files.private_dirs, plan->policy->files.hide};
    static const char *const kernel[] = {"/proc", "/sys", "/dev", CL_RUN_DIR, VIEW_MAIL_FOLDER};

    for (size_t i = 0; i < CL_ARRAY_SIZE(kernel); i++)
        mount_cover(plan->mounts, kernel[i]);
    if (plan->homes.base[0])
        mount_cover(plan->mounts, plan->homes.base);
    for (size_t i = 0; i < CL_ARRAY_SIZE(lists); i++)
        for (char *const *path = lists[i]; path && *path; path++)
            mount_cover(plan->mounts, *path);
}

static void find_root(struct plan *plan)
{
    const char *root = plan->policy->files.root;
    cleanup_free char *real = realpath(root, NULL);

    plan->other = strcmp(root, "/") != 0;
    (void)snprintf(plan->root, sizeof(plan->root), "%s", real ? real : root);
    if (strcmp(plan->root, "/") == 0)
        plan->root[0] = '\0';
}

/* On a link itself. */
static void add_resolv(struct plan *plan)
{
    static const struct step own = {.kind = VIEW_MOUNT, .key = CL_KEY_NETWORK_DNS},
                             hosts = {.kind = VIEW_MOUNT, .key = CL_KEY_NETWORK_MODE};
    const char *path = "/etc/resolv.conf";
    char there[PATH_MAX + 32];
    struct view_answer a;
    struct stat st;

    (void)snprintf(there, sizeof(there), "%s%s", plan->root, path);
    if (lstat(there, &st) < 0)
        return;
    if (plan->policy->network.mode == CL_NETWORK_NAT && plan->policy->network.dns) {
        add_step(plan, &own, path, NULL);
    } else if (plan->policy->network.mode == CL_NETWORK_HOST && !plan->other && plan->r == 0) {
        cleanup_free char *real = realpath(path, NULL);

        plan->r = resolve(plan, path, &a);
        if (plan->r == 0 && !a.there && real)
            add_step(plan, &hosts, path, real);
    }
}

/* In the order of view.c. */
static void make_plan(struct plan *plan)
{
    static const struct step private = {.kind = VIEW_PRIVATE, .writable = true, .key = CL_KEY_FILES_PRIVATE},
                             status = {.kind = VIEW_PRIVATE, .key = VIEW_BUILT_IN},
                             hidden = {.kind = VIEW_HIDDEN, .key = CL_KEY_FILES_HIDE},
                             read_only = {.read_only_alone = true, .key = CL_KEY_FILES_READ_ONLY},
                             subordinate = {.kind = VIEW_MASKED, .key = CL_KEY_NAMESPACES_NESTED};

    view_find_homes(plan->policy, plan->user->home, &plan->homes);
    find_root(plan);
    cover(plan);
    add_home(plan);
    add_kernel(plan);
    add_mail(plan);
    add_list(plan, &private, plan->policy->files.private_dirs);
    add_at(plan, &status, CL_RUN_DIR, NULL);
    add_mounts(plan);
    add_list(plan, &read_only, plan->policy->files.read_only);
    add_list(plan, &hidden, plan->policy->files.hide);
    for (size_t i = 0; plan->policy->namespaces.nested > 0 && view_subordinate_ids[i]; i++)
        add_at(plan, &subordinate, view_subordinate_ids[i], NULL);
    add_resolv(plan);
}

static bool is_clean(const char *path)
{
    if (path[0] != '/' || strcmp(path, "/") == 0)
        return path[0] == '/';
    for (const char *p = path; *p;) {
        size_t length = strcspn(++p, "/");

        if (length == 0 || (length == 1 && *p == '.') || (length == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += length;
    }
    return true;
}

int view_ask(const struct cl_policy *policy, const struct cl_user *user, const char *path,
             struct view_answer *ret, struct cl_error *e)
{
    struct plan plan = {.policy = policy, .user = user, .mounts = calloc(1, sizeof(*plan.mounts))};
    int r;

    if (!is_clean(path))
        r = cl_fail(e, EINVAL, "a path is absolute, without //, ., .. and a / at its end");
    else
        r = plan.mounts ? mounts_load(plan.mounts, e) : cl_fail(e, ENOMEM, "look at the file view");
    if (r == 0) {
        make_plan(&plan);
        r = plan.r == 0 ? resolve(&plan, path, ret) : plan.r;
        if (r < 0)
            r = cl_fail(e, -r, "follow %s", path);
    }
    plan_clear(&plan);
    return r;
}
