/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the cell takes over of the host's mounts: the root, and each mount that nothing of the view replaces.
 * Every mount is copied by itself, so that one filesystem that cannot be id-mapped does not spoil the others.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "mnt.h"
#include "mounts.h"
#include "path.h"
#include "util.h"
#include "view.h"

static bool is_covered(const struct view *v, const char *path)
{
    for (size_t i = 0; i < v->n_covered; i++)
        if (path_is_below(path, v->covered[i]))
            return true;
    return false;
}

static void find_origins(const struct view *v, struct mount_table *table)
{
    for (size_t i = 0; i < v->n_covered; i++)
        mount_cover(table, v->covered[i]);
}

/* The mount with this id at its place, or -ESTALE where another covers it or the path leads elsewhere. Of the file nothing is
 * asked: whoever serves it may refuse root. */
static int open_mount(const struct view *v, const struct mount_line *line)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    cleanup_fd int fd = (int)syscall(SYS_openat2, v->host, line->point, &how, sizeof(how));
    struct statx sx;

    if (fd < 0)
        return -errno;
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &sx) < 0)
        return -errno;
    if (!(sx.stx_mask & STATX_MNT_ID) || sx.stx_mnt_id != line->id)
        return -ESTALE;
    return cl_take_fd(&fd);
}

/* Never asks a server, which may refuse to say: -EACCES. */
static int is_folder(int fd)
{
    struct statx sx;

    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_TYPE, &sx) < 0)
        return -errno;
    return S_ISDIR(sx.stx_mode);
}

/* Who may rename a folder on the way can have something else at the place by now, of another kind, or removed: then nothing is
 * mounted there, as where there is no such place, and no one else's login fails for it. */
static int attach_or_leave(int mount, int target, struct cl_error *e)
{
    int what = is_folder(mount), where = is_folder(target);
    int r = what >= 0 && where >= 0 && what != where ? -ENOENT : mnt_attach(mount, target, e);

    return r == -ENOENT ? 0 : r;
}

/* A mount of the host, and where the cell has it. */
static int take_over(const struct view *v, const struct mount_line *line, const char *place, bool read_only,
                     struct cl_error *e)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    unsigned flags = (strcmp(line->type, "autofs") == 0 ? MNT_FOLLOW : 0) | (read_only ? MNT_RDONLY : 0);
    cleanup_fd int source = open_mount(v, line), mount = -1, target = -1;
    bool mapped = false;
    int r;

    if (source < 0)
        return 0; /* covered by another mount, or behind a folder that even root cannot pass: nobody can see
                     it */
    mount = mnt_clone(source, flags, v->idmap, &mapped, e);
    if (mount < 0)
        return mount;
    if (v->idmap >= 0 && !mapped)
        cl_log(LOG_DEBUG, "%s (%s) cannot be id-mapped: root's files there show as nobody's", line->point,
               line->type);
    target = (int)syscall(SYS_openat2, v->root, place, &how, sizeof(how));
    if (target < 0)
        return 0; /* hidden by the view */
    r = attach_or_leave(mount, target, NULL);
    return r < 0 ? cl_fail(e, -r, "mount %s in the cell", place) : 0;
}

/* What of path is below dir; NULL: it is not, or is dir itself. */
static const char *strictly_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return path_is_below(path, *dir ? dir : "/") && path[n] == '/' && path[n + 1] ? path + n : NULL;
}

static bool in_home(const struct view *v, const struct mount_line *line)
{
    return v->homes.has_home && v->homes.base[0] &&
           (strictly_below(line->point, v->s->user->home) ||
            (v->home_path[0] && strictly_below(line->point, v->home_path)));
}

/* The user's own home may be of a filesystem that the user serves; it is cloned, and never looked at. */
static bool is_users_home(const struct view *v, const struct mount_line *line)
{
    return v->homes.has_home && !v->homes.base[0] && v->own && strcmp(line->point, v->home_path) == 0;
}

/* Where in the cell? Below the home, and below the tree that becomes the root; false: nowhere. */
static bool find_place(const struct view *v, const struct mount_table *table, const struct mount_line *line,
                       bool below_home, char ret[PATH_MAX])
{
    const char *below = strictly_below(line->point, below_home ? v->home_path : v->tree_path);

    if (!below || mount_served_by_kernel(line->type) ||
        (mount_served_by_user(line->type) && !is_users_home(v, line)))
        return false;
    if (snprintf(ret, PATH_MAX, "%s%s", below_home ? v->s->user->home : "", below) >= PATH_MAX)
        return false;
    return below_home || (!in_home(v, line) && !is_covered(v, ret) && !mount_shows_covered(table, line));
}

int view_host_mounts(const struct view *v, bool below_home, struct cl_error *e)
{
    struct mount_table *table = calloc(1, sizeof(*table));
    bool read_only = below_home ? v->s->policy->files.home == CL_HOME_READONLY : !v->own;
    char place[PATH_MAX];
    int r = table ? mounts_load(table, e) : cl_fail(e, ENOMEM, "read the host's mounts");

    if (r == 0)
        find_origins(v, table);
    for (size_t i = 0; r == 0 && i < table->n; i++)
        if (find_place(v, table, &table->lines[i], below_home, place))
            r = take_over(v, &table->lines[i], place, read_only, e);
    mounts_free(table);
    return r;
}

static void cover(struct view *v, char *path)
{
    if (v->n_covered < CL_ARRAY_SIZE(v->covered))
        v->covered[v->n_covered++] = path;
}

/* Beyond the table's size more is taken over than needed, and then covered all the same. */
static void find_covered(struct view *v)
{
    static char proc[] = "/proc", sys[] = "/sys", dev[] = "/dev", run_root[] = CL_RUN_DIR, mail[] = VIEW_MAIL_FOLDER;
    const struct cl_policy *policy = v->s->policy;

    cover(v, proc);
    cover(v, sys);
    cover(v, dev);
    cover(v, run_root);
    cover(v, mail);
    if (v->homes.base[0])
        cover(v, v->homes.base);
    for (size_t i = 0; policy->files.private_dirs && policy->files.private_dirs[i]; i++)
        cover(v, policy->files.private_dirs[i]);
    for (size_t i = 0; policy->files.hide && policy->files.hide[i]; i++)
        cover(v, policy->files.hide[i]);
}

int view_host_root(struct view *v, struct cl_error *e)
{
    bool mapped = false;
    int r;

    v->place = open(CL_RUN_DIR "/root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (v->place < 0)
        return cl_fail(e, errno, "open " CL_RUN_DIR "/root");
    find_covered(v);
    r = view_accounts_prepare(v, e);
    if (r < 0)
        return r;
    v->root = mnt_clone(v->tree, v->own ? 0 : MNT_RDONLY, v->idmap, &mapped, e);
    if (v->root < 0)
        return v->root;
    if (v->idmap >= 0 && !mapped)
        cl_log(LOG_DEBUG, "the root filesystem cannot be id-mapped: root's files show as nobody's");
    r = mnt_attach(v->root, v->place, e);
    if (r == 0 && v->s->policy->files.overlay == CL_OVERLAY_TMPFS)
        r = view_overlay(v, e);
    return r < 0 ? r : view_host_mounts(v, false, e);
}
