/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Of the host's mailboxes, the cell has the user's own, alone in its folder: who else has mail, how much and since when, is not
 * seen. A mailbox that is not there yet cannot be shown; it is in cells that begin later.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mnt.h"
#include "util.h"
#include "view.h"

/* The mailbox, a file or a folder of the user's own; anything else of that name is none. */
static int open_mailbox(const struct view *v, struct stat *ret_st)
{
    const char *name = v->s->user->name;
    cleanup_fd int folder = -1, box = -1;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || view_open_host(v, VIEW_MAIL_FOLDER, &folder, NULL) < 0)
        return -ENOENT;
    box = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (box < 0 || fstat(box, ret_st) < 0 || ret_st->st_uid != v->s->user->uid ||
        !(S_ISREG(ret_st->st_mode) || S_ISDIR(ret_st->st_mode)))
        return -ENOENT;
    return cl_take_fd(&box);
}

/* Something to mount it on. */
static int make_place(int folder, const char *name, bool is_folder)
{
    cleanup_fd int file = -1;

    if (is_folder ? mkdirat(folder, name, 0) < 0
                  : (file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0)) < 0)
        return -errno;
    return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* Another tree has its own folder, and of the host only what the policy says. The folder stays writable as a mount: programs
 * that try to lock a mailbox there are to fail by its mode, as on the host. */
int view_mail(struct view *v, struct cl_error *e)
{
    cleanup_fd int target = -1, folder = -1, box = -1, place = -1, mount = -1;
    struct stat st;
    int r;

    if (v->other || view_open(v, VIEW_MAIL_FOLDER, &target, NULL) < 0)
        return 0;
    folder = view_tmpfs(v, VIEW_MAIL_FOLDER, 0755, 4096, MNT_NOEXEC, e);
    if (folder < 0)
        return folder;
    box = open_mailbox(v, &st);
    if (box < 0)
        return 0;
    place = make_place(folder, v->s->user->name, S_ISDIR(st.st_mode));
    if (place < 0)
        return cl_fail(e, -place, "make a place for the user's mailbox");
    mount = mnt_clone(box, MNT_NOEXEC, v->idmap, NULL, e);
    r = mount < 0 ? mount : mnt_attach(mount, place, e);
    return r < 0 ? r : 0;
}
