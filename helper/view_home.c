/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The home of the user, alone in an empty folder of homes.
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

/* No folder is there, or none that the user gets to: then the login goes on without, as it would on the host. */
static bool is_absent(int r)
{
    return r == -ENOENT || r == -ENOTDIR || r == -EACCES;
}

/* A folder of the user's own, and not the system's, as /tmp or / may be someone's home. */
static bool is_own_folder(const struct view *v)
{
    cleanup_fd int fd = -1;
    struct stat st;

    return path_open_home(v->host, v->s->user, &fd, NULL) == 0 && (fstat(fd, &st) < 0 || st.st_uid == v->s->user->uid);
}

/* The login goes on without a home, but not without what the user has in one. */
static int no_home(const struct view *v, struct cl_error *e)
{
    const char *home = v->s->user->home, *dir = v->homes.private_dir;

    if (dir && is_own_folder(v))
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_PRIVATE, e, EINVAL, "%s %s the home %s", dir,
                              path_is_below(home, dir) ? "would cover" : "is below", home);
    cl_log(LOG_NOTICE, "home %s of uid %u is not a path that a cell can have%s%s: it has none", home, v->s->user->uid,
           dir ? ", files.private has " : "", dir ? dir : "");
    return 0;
}

int view_find_home(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    const struct cl_user *user = v->s->user;
    struct cl_error why = {0};
    int r;

    view_find_homes(policy, user->home, &v->homes);
    if (!v->homes.has_home)
        return no_home(v, e);
    if (policy->files.home == CL_HOME_TMPFS)
        return 0;
    r = path_open_home(v->host, user, &v->home, &why);
    if (r == 0)
        r = path_of(v->home, v->home_path, sizeof(v->home_path));
    if (is_absent(r))
        cl_log(LOG_DEBUG, "home %s of uid %u: %s: the cell has none", user->home, user->uid, strerror(-r));
    else if (r < 0)
        return cl_policy_fail(policy, CL_KEY_FILES_HOME, e, -r, "home %s: %s", user->home,
                              why.text[0] ? why.text : "find it");
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
                                    .inodes = s->policy->files.tmp_inodes,
                                    .mode = 0700,
                                    .uid = s->user->uid,
                                    .gid = s->user->gid};

    if (!v->homes.has_home)
        return -ENOENT;
    if (s->policy->files.home == CL_HOME_TMPFS)
        return mnt_tmpfs(&empty, e);
    if (v->home < 0)
        return -ENOENT;
    return mnt_clone(v->home, s->policy->files.home == CL_HOME_READONLY ? MNT_RDONLY : 0, v->idmap, NULL, e);
}

/* Among the system's folders, where nothing can be made: a home that the host does not have either is none. */
static int place_among_others(const struct view *v, int mount, struct cl_error *e)
{
    const char *home = v->s->user->home;
    struct cl_error why = {0};
    int r;

    if (v->s->policy->files.home == CL_HOME_BIND && v->own)
        return 0; /* it is there already, with the host's root or as a mount of the host */
    r = view_attach(v, mount, home, &why);
    if (r == -ENOENT && v->s->policy->files.home == CL_HOME_TMPFS) {
        cl_log(LOG_NOTICE, "home %s of uid %u: the cell has no such folder, and so no home", home, v->s->user->uid);
        return 0;
    }
    if (r == -ENOENT && v->other)
        return view_lacks(v, home, e);
    return r < 0 ? cl_fail(e, -r, "%s", why.text) : 0;
}

static int place_among_homes(const struct view *v, int mount, struct cl_error *e)
{
    cleanup_fd int base = -1, target = -1;
    struct cl_error why = {0};
    int r;

    base = view_tmpfs(v, v->homes.base, 0755, 1024 * 1024, 0, &why);
    if (base == -ENOENT && v->other)
        return view_lacks(v, v->homes.base, e);
    if (base < 0)
        return cl_fail(e, -base, "%s", why.text);
    r = make_way(v, base, v->s->user->home + strlen(v->homes.base), &target, e);
    if (r == 0)
        r = mnt_attach(mount, target, e);
    return r < 0 ? r : mnt_seal(base, e);
}

static int place_home(const struct view *v, int mount, struct cl_error *e)
{
    int r = v->homes.base[0] ? place_among_homes(v, mount, e) : place_among_others(v, mount, e);
    bool in_place = !v->homes.base[0] && v->s->policy->files.home == CL_HOME_BIND && v->own;

    return r < 0 || v->home < 0 || in_place ? r : view_host_mounts(v, true, e);
}

/* A user without a home folder logs in all the same, and still sees nobody else's. */
static int without_home(struct view *v, struct cl_error *e)
{
    return v->homes.base[0] ? view_hide(v, v->homes.base, e) : 0;
}

int view_home(struct view *v, struct cl_error *e)
{
    struct cl_error why = {0};
    cleanup_fd int mount = home_mount(v, &why);
    int r = mount;

    if (mount >= 0) {
        r = place_home(v, mount, &why);
    } else if (mount == -ENOENT) {
        memset(&why, 0, sizeof(why));
        r = without_home(v, &why);
    }
    if (r == 0 && strcmp(v->homes.base, VIEW_USUAL_BASE) != 0)
        r = view_hide(v, VIEW_USUAL_BASE, &why);
    if (r < 0 && why.key[0]) /* of the root, which has no place for it */
        *e = why;
    else if (r < 0)
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_HOME, e, -r, "home %s: %s", v->s->user->home,
                              why.text);
    return r;
}
