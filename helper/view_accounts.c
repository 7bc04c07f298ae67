/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Another root's passwd and group name its own system users, but nobody of the host. The cell shows them with the lines of
 * this one user, and of the groups that the user is in. A line of the tree with the same name or number gives way.
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
#include "util.h"
#include "view.h"

#define FILE_MAX (4 * 1024 * 1024)

/* It is put where the root will come to lie, and is below it then: only so can its files be mounted in the cell. */
int view_accounts_prepare(struct view *v, struct cl_error *e)
{
    const struct mnt_tmpfs what = {.size = 4 * FILE_MAX, .inodes = 4, .mode = 0700, .flags = MNT_NOEXEC};

    if (!v->other)
        return 0;
    v->accounts = mnt_tmpfs(&what, e);
    return v->accounts < 0 ? v->accounts : mnt_attach(v->accounts, v->place, e);
}

/* Does a line "name:x:number:..." mean one of ours? */
static bool is_ours(const char *line, const struct cl_user *user, bool groups)
{
    size_t length = strcspn(line, ":");
    unsigned id;

    if (sscanf(line + length, ":%*[^:]:%u:", &id) != 1 && sscanf(line + length, "::%u:", &id) != 1)
        return false; /* no line of an account, or one of NIS: it stays */
    for (size_t i = 0; i < (groups ? user->n_groups : 1); i++) {
        const char *name = groups ? user->group_names[i] : user->name;

        if (id == (groups ? user->groups[i] : user->uid) || (strlen(name) == length && strncmp(line, name, length) == 0))
            return true;
    }
    return false;
}

/* A directory service may put into a field what would end it. */
static const char *field(const char *text)
{
    return strpbrk(text, ":\n") ? "" : text;
}

static void write_ours(FILE *out, const struct cl_user *user, bool groups)
{
    char number[16];

    if (!groups)
        (void)fprintf(out, "%s:x:%u:%u:%s:%s:%s\n", user->name, user->uid, user->gid, field(user->gecos),
                      field(user->home), field(user->shell));
    for (size_t i = 0; groups && i < user->n_groups; i++) {
        (void)snprintf(number, sizeof(number), "%u", user->groups[i]);
        if (*field(user->group_names[i]) && strcmp(user->group_names[i], number) != 0)
            (void)fprintf(out, "%s:x:%u:%s\n", user->group_names[i], user->groups[i], user->name);
    }
}

static int merge(FILE *out, const char *theirs, const struct cl_user *user, bool groups)
{
    while (*theirs) {
        size_t length = strcspn(theirs, "\n");

        if (length > 0 && !is_ours(theirs, user, groups))
            (void)fprintf(out, "%.*s\n", (int)length, theirs);
        theirs += length + (theirs[length] == '\n');
    }
    write_ours(out, user, groups);
    return fflush(out) == 0 ? 0 : -errno;
}

/* What the tree has there; -ENXIO: something else than a file, say what a policy covered it with. */
static int read_theirs(const struct view *v, const char *path, char **ret)
{
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    cleanup_fd int fd = (int)syscall(SYS_openat2, v->root, path, &how, sizeof(how));
    struct stat st;
    size_t size;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? cl_read_all(fd, FILE_MAX, ret, &size) : -ENXIO;
}

static int make_file(const struct view *v, const char *name, const char *theirs, bool groups, int *ret_fd)
{
    cleanup_fd int fd = openat(v->accounts, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    cleanup_file FILE *out = fd < 0 ? NULL : fdopen(fcntl(fd, F_DUPFD_CLOEXEC, 3), "w");
    int r = out ? merge(out, theirs, v->s->user, groups) : -errno;

    if (r == 0 && (fchown(fd, v->s->cell_uid, v->s->cell_gid) < 0 || fchmod(fd, 0444) < 0))
        r = -errno;
    if (r == 0)
        *ret_fd = cl_take_fd(&fd);
    return r;
}

static int show(const struct view *v, int etc, const char *name, bool groups, struct cl_error *e)
{
    cleanup_free char *theirs = NULL;
    cleanup_fd int place = openat(etc, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), file = -1, mount = -1;
    char path[32];
    int r;

    if (place < 0 && errno == ENOENT)
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_ROOT, e, ENOENT,
                              "%s has no /etc/%s to name the user in: an empty one will do", v->s->policy->files.root,
                              name);
    if (place < 0)
        return cl_fail(e, errno, "open /etc/%s of the cell", name);
    (void)snprintf(path, sizeof(path), "/etc/%s", name);
    r = read_theirs(v, path, &theirs);
    if (r == -ENXIO) {
        cl_log(LOG_DEBUG, "/etc/%s of the cell is no file: it does not name the user", name);
        return 0;
    }
    if (r == -ENOENT) { /* a link that leads nowhere */
        theirs = strdup("");
        r = theirs ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = make_file(v, name, theirs, groups, &file);
    if (r < 0)
        return cl_fail(e, -r, "write /etc/%s of the cell", name);
    mount = mnt_clone(file, MNT_RDONLY | MNT_NOEXEC, -1, NULL, e);
    return mount < 0 ? mount : mnt_attach(mount, place, e);
}

int view_accounts(struct view *v, struct cl_error *e)
{
    cleanup_fd int etc = -1;
    int r;

    if (!v->other)
        return 0;
    r = view_open(v, "/etc", &etc, NULL);
    if (r == -ENOENT)
        return view_lacks(v, "/etc", e);
    if (r < 0)
        return cl_fail(e, -r, "open /etc of the cell");
    r = show(v, etc, "passwd", false, e);
    return r < 0 ? r : show(v, etc, "group", true, e);
}
