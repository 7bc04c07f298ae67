/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What `cloister status` shows in a cell: one file, alone in a read-only filesystem of its own where the host
 * has the records. So it ends with the cell, and nothing of it is ever on the host.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "mnt.h"
#include "util.h"
#include "view.h"

static int write_status(const struct view *v, int dir, struct cl_error *e)
{
    const struct session *s = v->s;
    cleanup_fd int file =
        openat(dir, VIEW_STATUS, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    int r = file < 0 ? -errno : cl_write_all(file, s->status, strlen(s->status));

    if (r == 0 && (fchown(file, s->cell_uid, s->cell_gid) < 0 || fchmod(file, 0444) < 0))
        r = -errno;
    return r < 0 ? cl_fail(e, -r, "write %s", VIEW_STATUS) : 0;
}

/* A policy may leave no place for it: then the cell shows none. */
int view_status(struct view *v, struct cl_error *e)
{
    const struct mnt_tmpfs what = {.size = 2 * strlen(v->s->status) + 32768, /* room for a second one: status_change.c */
                                   .inodes = 4,
                                   .mode = 0111, /* nothing to list */
                                   .uid = v->s->cell_uid,
                                   .gid = v->s->cell_gid,
                                   .flags = MNT_NOEXEC};
    cleanup_fd int target = -1, mount = -1;
    struct cl_error why = {0};
    int r = view_open(v, CL_RUN_DIR, &target, &why);

    if (r < 0) {
        cl_log(LOG_DEBUG, "the cell shows no status: %s", why.text);
        return 0;
    }
    mount = mnt_tmpfs(&what, e);
    if (mount < 0)
        return mount;
    r = mnt_attach(mount, target, e);
    if (r == 0)
        r = write_status(v, mount, e);
    return r < 0 ? r : mnt_seal(mount, e);
}
