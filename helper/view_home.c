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

void view_find_home(struct view *v)
{
    const char *home = v->s->user->home;

    view_find_homes(v->s->policy, home, &v->homes);
    if (!v->homes.has_home)
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

    if (!v->homes.base[0]) /* where the host has it, among others' files */
        return v->s->policy->files.home == CL_HOME_BIND ? 0 : view_attach(v, mount, home, e);
    base = view_tmpfs(v, v->homes.base, 0755, 1024 * 1024, 0, e);
    r = base < 0 ? base : make_way(v, base, home + strlen(v->homes.base), &target, e);
    if (r == 0)
        r = mnt_attach(mount, target, e);
    if (r == 0)
        r = mnt_seal(base, e);
    return r < 0 ? r : view_host_mounts(v, true, e);
}

/* A user without a home folder logs in all the same, and still sees nobody else's. */
static int without_home(struct view *v, struct cl_error *e)
{
    return v->homes.base[0] ? view_hide(v, v->homes.base, e) : 0;
}

int view_home(struct view *v, struct cl_error *e)
{
    struct cl_error why = {0};
    cleanup_fd int mount = v->homes.has_home ? home_mount(v, &why) : -ENOENT;
    int r = mount;

    if (mount >= 0) {
        r = place_home(v, mount, &why);
    } else if (mount == -ENOENT) {
        memset(&why, 0, sizeof(why));
        r = without_home(v, &why);
    }
    if (r == 0 && strcmp(v->homes.base, VIEW_USUAL_BASE) != 0)
        r = view_hide(v, VIEW_USUAL_BASE, &why);
    if (r < 0)
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_HOME, e, -r, "home %s: %s", v->s->user->home,
                              why.text);
    return 0;
}
