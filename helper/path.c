/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A walk by descriptor. openat2(2) alone can refuse links, but not tell root's from a tenant's.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"
#include "util.h"

#define LINKS_MAX 16

struct walk {
    int root;
    uid_t also_trusted;
    const struct cl_user *user; /* of path_open_home and path_open_as */
    bool beyond;                /* past a folder that is not root's alone: as the user, and no links */
    bool folder;                /* what was opened last is one */
    unsigned links;
    char rest[PATH_MAX]; /* what is left to walk, without a leading slash */
};

static int trusted_folder(const struct walk *w, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return -ENOTDIR;
    return (st.st_uid == 0 || st.st_uid == w->also_trusted) && !(st.st_mode & 022) ? 0 : -EPERM;
}

/* Replace the link open as fd by its target in w->rest; absolute targets start again below the root. */
static int follow_link(struct walk *w, int fd, const struct stat *st, int *dir)
{
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t n;
    int written;

    if ((st->st_uid != 0 && st->st_uid != w->also_trusted) || ++w->links > LINKS_MAX)
        return -ELOOP;
    n = readlinkat(fd, "", target, sizeof(target) - 1);
    if (n < 0)
        return -errno;
    target[n] = '\0';
    written = snprintf(joined, sizeof(joined), "%s%s%s", target, w->rest[0] ? "/" : "", w->rest);
    if (written < 0 || (size_t)written >= sizeof(joined))
        return -ENAMETOOLONG;
    if (target[0] == '/') {
        cl_close(dir);
        *dir = openat(w->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (*dir < 0)
            return -errno;
    }
    memcpy(w->rest, joined, (size_t)written + 1);
    return 0;
}

/* Split the first component off w->rest. */
static bool next_component(struct walk *w, char name[NAME_MAX + 1])
{
    const char *start = w->rest + strspn(w->rest, "/");
    size_t length = strcspn(start, "/");

    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(name, start, length);
    name[length] = '\0';
    start += length;
    start += strspn(start, "/");
    memmove(w->rest, start, strlen(start) + 1);
    return true;
}

/* A folder is opened as one, which is what makes an automounter mount it. */
static int open_component(struct walk *w, int dir, const char *name)
{
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    w->folder = fd >= 0;
    if (fd < 0 && errno == ENOTDIR)
        fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The ids that files are opened with: the user's, or root's again. */
static int change_ids(const struct cl_user *user)
{
    uid_t uid = user ? user->uid : 0;
    gid_t gid = user ? user->gid : 0;

    if (setgroups(user ? user->n_groups : 0, user ? user->groups : NULL) < 0)
        return -errno;
    (void)setfsgid(gid);
    (void)setfsuid(uid);
    return setfsgid(gid) == (int)gid && setfsuid(uid) == (int)uid ? 0 : -EPERM;
}

static int open_as_user(struct walk *w, int dir, const char *name)
{
    int r = change_ids(w->user), back;

    if (r == 0)
        r = open_component(w, dir, name);
    back = change_ids(NULL);
    if (back < 0 && r >= 0)
        cl_close(&r);
    return back < 0 ? back : r;
}

/* A server of files may refuse root what it lets the user do (NFS with root_squash). */
static int open_next(struct walk *w, int dir, const char *name)
{
    int fd = w->beyond ? -EACCES : open_component(w, dir, name);

    return fd == -EACCES && w->user ? open_as_user(w, dir, name) : fd;
}

/* ".." could only come from a link of root's; it must not climb out of the root folder. */
static int walk_step(struct walk *w, int *dir, const char *name)
{
    cleanup_fd int fd = -1;
    struct stat st;
    int r = trusted_folder(w, *dir);

    if (w->user && (r == -EPERM || r == -EACCES))
        w->beyond = true;
    else if (r < 0)
        return r;
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return -ELOOP;
    fd = open_next(w, *dir, name);
    if (fd < 0)
        return fd;
    if (!w->folder && fstat(fd, &st) < 0) /* a folder is not looked at: who serves it may be slow, or refuse root */
        return -errno;
    if (!w->folder && S_ISLNK(st.st_mode))
        return w->beyond ? -ELOOP : follow_link(w, fd, &st, dir);
    cl_close(dir);
    *dir = cl_take_fd(&fd);
    return 0;
}

static int walk(struct walk *w, const char *path, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int dir = openat(w->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char name[NAME_MAX + 1];
    int r = 0;

    if (dir < 0)
        return cl_fail(e, errno, "open the root folder");
    if ((size_t)snprintf(w->rest, sizeof(w->rest), "%s", path) >= sizeof(w->rest))
        return cl_fail(e, ENAMETOOLONG, "open %s", path);
    while (r == 0 && next_component(w, name))
        r = walk_step(w, &dir, name);
    if (r < 0)
        return cl_fail(e, -r, "open %s%s", path,
                       r == -EPERM   ? ": a folder on the way can be written by others than root"
                       : r == -ELOOP ? ": a symbolic link that is not followed"
                                     : "");
    if (w->rest[strspn(w->rest, "/")])
        return cl_fail(e, ENAMETOOLONG, "open %s", path);
    *ret_fd = cl_take_fd(&dir);
    return 0;
}

int path_open(int root_fd, const char *path, uid_t also_trusted, int *ret_fd, struct cl_error *e)
{
    struct walk w = {.root = root_fd, .also_trusted = also_trusted};

    return walk(&w, path, ret_fd, e);
}

int path_open_as(int root_fd, const char *path, const struct cl_user *user, int *ret_fd, struct cl_error *e)
{
    struct walk w = {.root = root_fd, .user = user, .beyond = true};

    return walk(&w, path, ret_fd, e);
}

int path_open_home(int root_fd, const struct cl_user *user, int *ret_fd, struct cl_error *e)
{
    struct walk w = {.root = root_fd, .user = user};
    cleanup_fd int fd = -1;
    int r = walk(&w, user->home, &fd, e);

    if (r == 0 && !w.folder)
        r = cl_fail(e, ENOTDIR, "open %s", user->home);
    if (r == 0)
        *ret_fd = cl_take_fd(&fd);
    return r;
}

int path_of(int fd, char *buf, size_t size)
{
    char link[32];
    ssize_t n;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, buf, size - 1);
    if (n < 0)
        return -errno;
    if ((size_t)n >= size - 1 || buf[0] != '/')
        return -ENAMETOOLONG;
    buf[n == 1 ? 0 : n] = '\0';
    return 0;
}

bool path_is_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    if (strcmp(dir, "/") == 0)
        return true;
    return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
