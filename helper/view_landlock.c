/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The view as Landlock rules: a second wall, which stands if a mount of the first should fall. A rule names a file or
 * folder and gives rights to all below it; nothing takes one away again. So there is a rule for each mount of the view,
 * with what its flags allow, and none for a folder that leads to something hidden or replaced: that one is taken apart,
 * and each of its entries gets a rule but those. What is hidden, then, has none, whichever way one comes to it.
 *
 * Entries that the host adds later to a folder that was taken apart (/, /var) are out of reach for this cell, which is as well
 * where one takes the place of something hidden: the kernel undoes mounts on what goes. That would be wrong for /etc, whose
 * files are replaced all the time: it stays in one piece, and what is hidden in it is hidden by its mount alone.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"
#include "path.h"
#include "util.h"
#include "view.h"

struct wall {
    const struct view *v;
    struct mount_table *table; /* of the cell, as the builder sees it */
    const char **places;       /* where the view puts something else; not owned */
    size_t n_places;
};

static int fail(struct cl_error *e, int r, const char *path)
{
    return cl_fail(e, -r, "make a Landlock rule for %s", path);
}

/* What the flags of the mount on which fd lies let one do. */
static int classes_of(const struct wall *w, const struct statx *sx, unsigned *ret)
{
    for (size_t i = 0; i < w->table->n; i++) {
        const struct mount_line *line = &w->table->lines[i];

        if (line->id != sx->stx_mnt_id)
            continue;
        *ret = CL_LANDLOCK_READ | (line->noexec ? 0u : CL_LANDLOCK_EXECUTE) | (line->read_only ? 0u : CL_LANDLOCK_WRITE);
        return 0;
    }
    return -ESTALE;
}

/* Of the file itself nothing is asked: the home may be of a filesystem that refuses root. Then its type stays unknown. */
static int look(int fd, struct statx *ret)
{
    if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, ret) < 0)
        return -errno;
    return (ret->stx_mask & STATX_MNT_ID) ? 0 : -EOPNOTSUPP;
}

static int allow(const struct wall *w, int fd, const struct statx *sx, unsigned more)
{
    const struct session *s = w->v->s;
    unsigned classes;
    int r = classes_of(w, sx, &classes);

    if (r < 0)
        return r;
    r = cl_landlock_allow(s->landlock_fd, fd, cl_landlock_rights(s->landlock_abi, classes | more, true));
    if (r == -EINVAL) /* rights of folders, for a file */
        r = cl_landlock_allow(s->landlock_fd, fd, cl_landlock_rights(s->landlock_abi, classes | more, false));
    return r;
}

static int open_in(int dir, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

    return fd < 0 ? -errno : fd;
}

/* A mount of the view; one that another covers is none. */
static int allow_mount(const struct wall *w, const struct mount_line *line, const char *path, struct cl_error *e)
{
    bool in_dev = path_is_below(path, "/dev");
    cleanup_fd int fd = open_in(w->v->root, path);
    struct statx sx;
    int r;

    if (fd < 0)
        return 0;
    r = look(fd, &sx);
    if (r == 0 && sx.stx_mnt_id == line->id)
        r = allow(w, fd, &sx, in_dev ? CL_LANDLOCK_DEVICES : 0);
    return r < 0 ? fail(e, r, path) : 0;
}

static int allow_mounts(const struct wall *w, struct cl_error *e)
{
    static const char root[] = CL_RUN_DIR "/root";
    int r = 0;

    for (size_t i = 0; r == 0 && i < w->table->n; i++) {
        const struct mount_line *line = &w->table->lines[i];

        if (path_is_below(line->point, root) && line->point[sizeof(root) - 1] == '/')
            r = allow_mount(w, line, line->point + sizeof(root) - 1, e);
    }
    return r;
}

static bool is_place(const struct wall *w, const char *path)
{
    for (size_t i = 0; i < w->n_places; i++)
        if (strcmp(w->places[i], path) == 0)
            return true;
    return false;
}

static bool leads_to_place(const struct wall *w, const char *path)
{
    if (strcmp(path, "/etc") == 0)
        return false;
    for (size_t i = 0; i < w->n_places; i++)
        if (path_is_below(w->places[i], path) && strcmp(w->places[i], path) != 0)
            return true;
    return false;
}

/* Nothing here is a tenant's to write: else the view could not have put anything below it (path_open). */
static int take_apart(const struct wall *w, int dir, const char *path, struct cl_error *e);

static int allow_entry(const struct wall *w, int dir, const char *folder, const char *name, struct cl_error *e)
{
    cleanup_fd int fd = -1;
    char path[4096];
    struct statx sx;
    int r;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
        return fail(e, -ENAMETOOLONG, folder);
    if (is_place(w, path))
        return 0; /* what the view has there is a mount */
    fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(e, -errno, path);
    r = look(fd, &sx);
    if (r < 0)
        return fail(e, r, path);
    if (S_ISLNK(sx.stx_mode))
        return 0;
    if (S_ISDIR(sx.stx_mode) && leads_to_place(w, path))
        return take_apart(w, fd, path, e);
    r = allow(w, fd, &sx, 0);
    return r < 0 ? fail(e, r, path) : 0;
}

static int take_apart(const struct wall *w, int dir, const char *path, struct cl_error *e)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);

    if (!entries) {
        r = fail(e, -errno, path);
        cl_close(&fd);
        return r;
    }
    for (struct dirent *d; r == 0 && (errno = 0, d = readdir(entries));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            r = allow_entry(w, fd, path, d->d_name, e);
    if (r == 0 && errno)
        r = fail(e, -errno, path);
    (void)closedir(entries);
    return r;
}

static void add_places(struct wall *w, char *const *paths)
{
    for (; paths && *paths; paths++)
        w->places[w->n_places++] = *paths;
}

static int find_places(struct wall *w, struct cl_error *e)
{
    const struct view *v = w->v;
    const struct cl_policy *policy = v->s->policy;

    w->places = calloc(v->n_covered + cl_strv_length(policy->files.read_only) + cl_strv_length(policy->files.hide) + 1,
                       sizeof(*w->places));
    if (!w->places)
        return cl_fail(e, ENOMEM, "make Landlock rules");
    for (size_t i = 0; i < v->n_covered; i++)
        w->places[w->n_places++] = v->covered[i];
    add_places(w, policy->files.hide);
    add_places(w, policy->files.read_only);
    w->places[w->n_places++] = VIEW_USUAL_BASE;
    return 0;
}

int view_landlock(struct view *v, struct cl_error *e)
{
    const struct session *s = v->s;
    struct wall w = {.v = v};
    int r = 0;

    if (s->landlock_fd < 0)
        return 0;
    w.table = calloc(1, sizeof(*w.table));
    r = w.table ? mounts_load(w.table, e) : cl_fail(e, ENOMEM, "make Landlock rules");
    if (r == 0)
        r = find_places(&w, e);
    if (r == 0)
        r = cl_landlock_allow(s->landlock_fd, v->root, cl_landlock_rights(s->landlock_abi, CL_LANDLOCK_LIST, true));
    if (r == 0)
        r = take_apart(&w, v->root, "", e);
    if (r == 0)
        r = allow_mounts(&w, e);
    free(w.places);
    mounts_free(w.table);
    return r;
}
