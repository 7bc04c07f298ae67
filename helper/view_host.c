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

/* The mount with this id at its place, or -ESTALE where another covers it or the path leads elsewhere. */
static int open_mount(const struct view *v, const struct mount_line *line)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    cleanup_fd int fd = (int)syscall(SYS_openat2, v->host, line->point, &how, sizeof(how));
    struct statx sx;

    if (fd < 0)
        return -errno;
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &sx) < 0)
        return -errno;
    if (!(sx.stx_mask & STATX_MNT_ID) || sx.stx_mnt_id != line->id)
        return -ESTALE;
    return cl_take_fd(&fd);
}

static int take_over(const struct view *v, const struct mount_line *line, struct cl_error *e)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    cleanup_fd int source = open_mount(v, line), mount = -1, target = -1;
    bool mapped = false;
    int r;

    if (source < 0)
        return 0; /* covered by another mount, or behind a folder that even root cannot pass: nobody can see
                     it */
    mount = mnt_clone(source, strcmp(line->type, "autofs") == 0 ? MNT_FOLLOW : 0, v->idmap, &mapped, e);
    if (mount < 0)
        return mount;
    if (v->idmap >= 0 && !mapped)
        cl_log(LOG_DEBUG, "%s (%s) cannot be id-mapped: root's files there show as nobody's", line->point,
               line->type);
    target = (int)syscall(SYS_openat2, v->root, line->point, &how, sizeof(how));
    if (target < 0)
        return 0; /* hidden by the view */
    r = mnt_attach(mount, target, NULL);
    return r < 0 ? cl_fail(e, -r, "mount %s in the cell", line->point) : 0;
}

static bool wanted(const struct view *v, const struct mount_table *table, const struct mount_line *line,
                   bool below_home)
{
    const char *home = v->s->user->home;
    bool in_home =
        v->homes.has_home && v->homes.base[0] && path_is_below(line->point, home) && strcmp(line->point, home) != 0;

    if (strcmp(line->point, "/") == 0 || mount_served_by_user(line->type) || mount_served_by_kernel(line->type))
        return false;
    if (below_home)
        return in_home;
    return !in_home && !is_covered(v, line->point) && !mount_shows_covered(table, line);
}

int view_host_mounts(const struct view *v, bool below_home, struct cl_error *e)
{
    struct mount_table *table = calloc(1, sizeof(*table));
    int r = table ? mounts_load(table, e) : cl_fail(e, ENOMEM, "read the host's mounts");

    if (r == 0)
        find_origins(v, table);
    for (size_t i = 0; r == 0 && i < table->n; i++)
        if (wanted(v, table, &table->lines[i], below_home))
            r = take_over(v, &table->lines[i], e);
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
    static char proc[] = "/proc", sys[] = "/sys", dev[] = "/dev", run_root[] = CL_RUN_DIR;
    const struct cl_policy *policy = v->s->policy;

    cover(v, proc);
    cover(v, sys);
    cover(v, dev);
    cover(v, run_root);
    if (v->homes.base[0])
        cover(v, v->homes.base);
    for (size_t i = 0; policy->files.private_dirs && policy->files.private_dirs[i]; i++)
        cover(v, policy->files.private_dirs[i]);
    for (size_t i = 0; policy->files.hide && policy->files.hide[i]; i++)
        cover(v, policy->files.hide[i]);
}

int view_host_root(struct view *v, struct cl_error *e)
{
    cleanup_fd int place = open(CL_RUN_DIR "/root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool mapped = false;
    int r;

    if (place < 0)
        return cl_fail(e, errno, "open " CL_RUN_DIR "/root");
    find_covered(v);
    v->root = mnt_clone(v->host, 0, v->idmap, &mapped, e);
    if (v->root < 0)
        return v->root;
    if (v->idmap >= 0 && !mapped)
        cl_log(LOG_DEBUG, "the root filesystem cannot be id-mapped: root's files show as nobody's");
    r = mnt_attach(v->root, place, e);
    return r < 0 ? r : view_host_mounts(v, false, e);
}
