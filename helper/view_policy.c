/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the policy's `files` group asks for: private folders, the home, hidden and read-only paths, extra mounts.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mnt.h"
#include "path.h"
#include "util.h"
#include "view.h"

#define INODES_MAX 100000 /* of each private folder */

/* Homes that lie directly in these share the folder with the system: it cannot be emptied. */
static const char *const system_folders[] = {"/",        "/etc",     "/mnt",       "/opt",     "/run",       "/srv",
                                             "/usr",     "/usr/lib", "/usr/local", "/usr/share", "/var",    "/var/cache",
                                             "/var/lib", "/var/log", "/var/spool", "/media",   "/nonexistent"};

void view_find_home_base(struct view *v)
{
    static const char usual[] = "/home";
    const char *home = v->s->user->home;
    const char *slash = strrchr(home, '/');
    char parent[sizeof(v->home_base)];

    v->home_base[0] = '\0';
    if (path_is_below(home, usual)) {
        (void)snprintf(v->home_base, sizeof(v->home_base), "%s", usual);
        return;
    }
    if (home[0] != '/' || slash == home || (size_t)(slash - home) >= sizeof(parent))
        return;
    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - home), home);
    for (size_t i = 0; i < CL_ARRAY_SIZE(system_folders); i++)
        if (strcmp(parent, system_folders[i]) == 0)
            return;
    (void)snprintf(v->home_base, sizeof(v->home_base), "%s", parent);
}

static int fill_run(const struct view *v, int run, struct cl_error *e)
{
    const struct session *s = v->s;
    cleanup_fd int user = -1;
    char uid[16];
    int r = view_mkdir(v, run, "lock", 01777, s->cell_uid, s->cell_gid, e);

    if (r == 0)
        r = view_mkdir(v, run, "screen", 01777, s->cell_uid, s->cell_gid, e);
    if (r == 0)
        r = view_mkdir(v, run, "user", 0755, s->cell_uid, s->cell_gid, e);
    if (r < 0)
        return r;
    user = openat(run, "user", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (user < 0)
        return cl_fail(e, errno, "open /run/user in the cell");
    (void)snprintf(uid, sizeof(uid), "%u", s->user->uid);
    return view_mkdir(v, user, uid, 0700, s->user->uid, s->user->gid, e);
}

static int make_private(const struct view *v, const char *path, struct cl_error *e)
{
    bool is_run = strcmp(path, "/run") == 0;
    const struct mnt_tmpfs what = {.size = v->s->policy->files.tmp_size,
                                   .inodes = INODES_MAX,
                                   .mode = is_run ? 0755 : 01777,
                                   .uid = v->s->cell_uid,
                                   .gid = v->s->cell_gid};
    cleanup_fd int target = -1, mount = -1;
    int r = view_open(v, path, &target, e);

    if (r < 0)
        return r;
    mount = mnt_tmpfs(&what, e);
    r = mount < 0 ? mount : mnt_attach(mount, target, e);
    return r == 0 && is_run ? fill_run(v, mount, e) : r;
}

int view_private(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    char *const *dirs = policy->files.private_dirs;

    for (size_t i = 0; dirs && dirs[i]; i++) {
        struct cl_error why = {0};
        int r = make_private(v, dirs[i], &why);

        if (r < 0 && r != -ENOENT) /* a folder that the host does not have is private enough */
            return cl_policy_fail(policy, CL_KEY_FILES_PRIVATE, e, -r, "make %s private: %s", dirs[i], why.text);
    }
    return 0;
}

/* Make the folders between base and home in the empty filesystem at base, and open the last one. */
static int make_way(const struct view *v, int base, const char *below, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int dir = fcntl(base, F_DUPFD_CLOEXEC, 3);
    int r = dir < 0 ? cl_fail(e, errno, "open the folder of homes") : 0;

    while (r == 0 && *(below += strspn(below, "/"))) {
        size_t length = strcspn(below, "/");
        char name[256];
        int next;

        if (length >= sizeof(name))
            return cl_fail(e, ENAMETOOLONG, "make the home folder");
        memcpy(name, below, length);
        name[length] = '\0';
        below += length;
        r = view_mkdir(v, dir, name, 0755, v->s->cell_uid, v->s->cell_gid, e);
        next = r < 0 ? -1 : openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (r == 0 && next < 0)
            r = cl_fail(e, errno, "open the home folder");
        cl_close(&dir);
        dir = next;
    }
    if (r == 0)
        *ret_fd = cl_take_fd(&dir);
    return r;
}

/* The mount that becomes the home: a copy of the host's, or an empty one. -ENOENT: there is no home. */
static int home_mount(const struct view *v, struct cl_error *e)
{
    const struct session *s = v->s;
    const struct mnt_tmpfs empty = {.size = s->policy->files.tmp_size,
                                    .inodes = INODES_MAX,
                                    .mode = 0700,
                                    .uid = s->user->uid,
                                    .gid = s->user->gid};
    cleanup_fd int host = -1;
    struct stat st;
    int r;

    if (s->policy->files.home == CL_HOME_TMPFS)
        return mnt_tmpfs(&empty, e);
    r = view_open_host(v, s->user->home, &host, e);
    if (r < 0)
        return r;
    if (fstat(host, &st) < 0 || !S_ISDIR(st.st_mode))
        return cl_fail(e, ENOTDIR, "home %s", s->user->home);
    return mnt_clone(host, s->policy->files.home == CL_HOME_READONLY ? MNT_RDONLY : 0, v->idmap, NULL, e);
}

static int place_home(const struct view *v, int mount, struct cl_error *e)
{
    const char *home = v->s->user->home;
    cleanup_fd int base = -1, target = -1;
    int r;

    if (!v->home_base[0])
        return view_attach(v, mount, home, e);
    base = view_tmpfs(v, v->home_base, 0755, 1024 * 1024, 0, e);
    r = base < 0 ? base : make_way(v, base, home + strlen(v->home_base), &target, e);
    if (r == 0)
        r = mnt_attach(mount, target, e);
    if (r == 0)
        r = mnt_seal(base, e);
    return r < 0 ? r : view_host_mounts(v, true, e);
}

/* A user without a home folder logs in all the same, and still sees nobody else's. */
static int without_home(struct view *v, struct cl_error *e)
{
    return v->home_base[0] ? view_hide(v, v->home_base, e) : 0;
}

int view_home(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    struct cl_error why = {0};
    cleanup_fd int mount = home_mount(v, &why);
    int r = mount;

    if (mount == -ENOENT)
        r = without_home(v, &why);
    else if (mount >= 0)
        r = place_home(v, mount, &why);
    if (r == 0 && strcmp(v->home_base, "/home") != 0) {
        memset(&why, 0, sizeof(why));
        r = view_hide(v, "/home", &why);
    }
    return r < 0 ? cl_policy_fail(policy, CL_KEY_FILES_HOME, e, -r, "home %s: %s", v->s->user->home, why.text) : 0;
}

static int add_mount(const struct view *v, const struct cl_mount *m, struct cl_error *e)
{
    unsigned flags = (m->read_only ? MNT_RDONLY : 0) | (m->noexec ? MNT_NOEXEC : 0) |
                     (m->recursive ? MNT_RECURSIVE : 0);
    const struct mnt_tmpfs empty = {.size = m->size == CL_UNLIMITED ? v->s->policy->files.tmp_size : m->size,
                                    .inodes = INODES_MAX,
                                    .mode = 0700,
                                    .uid = v->s->user->uid,
                                    .gid = v->s->user->gid,
                                    .flags = flags};
    cleanup_fd int source = -1, mount = -1;
    int r = m->source ? view_open_host(v, m->source, &source, e) : 0;

    if (r < 0)
        return r;
    mount = m->source ? mnt_clone(source, flags, v->idmap, NULL, e) : mnt_tmpfs(&empty, e);
    return mount < 0 ? mount : view_attach(v, mount, m->target, e);
}

int view_lists(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    struct cl_error why = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < policy->files.n_mounts; i++)
        if ((r = add_mount(v, &policy->files.mounts[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_FILES_MOUNTS, e, -r, "mount %s: %s",
                                  policy->files.mounts[i].target, why.text);
    for (size_t i = 0; r == 0 && policy->files.read_only && policy->files.read_only[i]; i++)
        if ((r = view_read_only(v, policy->files.read_only[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_FILES_READ_ONLY, e, -r, "%s", why.text);
    for (size_t i = 0; r == 0 && policy->files.hide && policy->files.hide[i]; i++)
        if ((r = view_hide(v, policy->files.hide[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_FILES_HIDE, e, -r, "%s", why.text);
    return 0;
}
