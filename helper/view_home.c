/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The home of the user, alone in an empty folder of homes. Where it lies is what NSS says, and a directory
 * service may say anything: a home that is, holds or lies in what the view replaces is no home.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mnt.h"
#include "path.h"
#include "util.h"
#include "view.h"

#define USUAL_BASE "/home"

/* Homes that lie directly in these share the folder with the system: it cannot be emptied. */
static const char *const system_folders[] = {"",           "/etc",     "/mnt",       "/opt",       "/srv",
                                             "/usr",       "/usr/lib", "/usr/local", "/usr/share", "/var",
                                             "/var/cache", "/var/lib", "/var/log",   "/var/spool", "/media"};

/* Absolute, and no component empty, "." or "..". */
static bool is_clean(const char *path)
{
    if (path[0] != '/' || strlen(path) >= sizeof(((struct view *)NULL)->home_base))
        return false;
    while (*path) {
        size_t length = strcspn(++path, "/");

        if (length == 0 || (length == 1 && path[0] == '.') ||
            (length == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += length;
    }
    return true;
}

static bool overlaps(const char *home, const char *other)
{
    return path_is_below(home, other) || path_is_below(other, home);
}

static bool is_usable(const struct view *v, const char *home)
{
    static const char *const kernel[] = {"/proc", "/sys", "/dev", "/run", CL_RUN_DIR, CL_STATE_DIR};
    char *const *private_dirs = v->s->policy->files.private_dirs, *const *hide = v->s->policy->files.hide;

    if (!is_clean(home) || path_is_below(USUAL_BASE, home))
        return false;
    for (size_t i = 0; i < CL_ARRAY_SIZE(kernel); i++)
        if (overlaps(home, kernel[i]))
            return false;
    for (size_t i = 0; private_dirs && private_dirs[i]; i++)
        if (overlaps(home, private_dirs[i]))
            return false;
    for (size_t i = 0; hide && hide[i]; i++)
        if (path_is_below(home, hide[i]))
            return false;
    return true;
}

static void find_base(struct view *v, const char *home)
{
    size_t length = (size_t)(strrchr(home, '/') - home);
    char parent[sizeof(v->home_base)];

    if (path_is_below(home, USUAL_BASE)) {
        (void)snprintf(v->home_base, sizeof(v->home_base), USUAL_BASE);
        return;
    }
    memcpy(parent, home, length);
    parent[length] = '\0';
    for (size_t i = 0; i < CL_ARRAY_SIZE(system_folders); i++)
        if (strcmp(parent, system_folders[i]) == 0)
            return;
    (void)snprintf(v->home_base, sizeof(v->home_base), "%s", parent);
}

void view_find_home(struct view *v)
{
    const char *home = v->s->user->home;

    v->home_base[0] = '\0';
    v->has_home = is_usable(v, home);
    if (v->has_home)
        find_base(v, home);
    else
        cl_log(LOG_NOTICE, "home %s of uid %u is not a path that a cell can have: it has none", home,
               v->s->user->uid);
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
                                    .inodes = VIEW_INODES_MAX,
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

    if (!v->home_base[0]) /* where the host has it, among others' files */
        return v->s->policy->files.home == CL_HOME_BIND ? 0 : view_attach(v, mount, home, e);
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
    struct cl_error why = {0};
    cleanup_fd int mount = v->has_home ? home_mount(v, &why) : -ENOENT;
    int r = mount;

    if (mount >= 0) {
        r = place_home(v, mount, &why);
    } else if (mount == -ENOENT) {
        memset(&why, 0, sizeof(why));
        r = without_home(v, &why);
    }
    if (r == 0 && strcmp(v->home_base, USUAL_BASE) != 0)
        r = view_hide(v, USUAL_BASE, &why);
    if (r < 0)
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_HOME, e, -r, "home %s: %s", v->s->user->home,
                              why.text);
    return 0;
}
