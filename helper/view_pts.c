/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Terminals. With files.pts = "host", /dev/pts is the host's: whatever terminal the login has, also one that sshd's monitor makes
 * when the cell stands, has its name in the cell. With "private" it is an instance of the cell's own, and of the host's terminals
 * there is one at most: that which the login brought along, at a place where ttyname(3) finds it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mnt.h"
#include "util.h"
#include "view.h"

/* Documentation/admin-guide/devices.txt; the minors of ttys are those of virtual consoles and serial ports. */
enum { MAJOR_TTY = 4, MAJOR_PTS_FIRST = 136, MAJOR_PTS_LAST = 143, MAJOR_HVC = 229 };

static int attach_pts(const struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    cleanup_fd int host = -1, mount = -1;
    const struct group *tty;
    int r = 0;

    if (policy->files.pts == CL_PTS_PRIVATE) {
        tty = getgrnam("tty"); /* which idmap.c maps */
        mount = mnt_devpts(tty ? tty->gr_gid : v->s->cell_gid, policy->files.pts_max, e);
    } else {
        r = view_open_host(v, "/dev/pts", &host, e);
        mount = r < 0 ? r : mnt_clone(host, MNT_NOEXEC | MNT_DEVICES, -1, NULL, e);
    }
    return mount < 0 ? mount : view_attach(v, mount, "/dev/pts", e);
}

static bool is_number(const char *text)
{
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}

/* What the service says, which may be "ssh" or any other word. With host, terminals of devpts have their names already. */
static const char *place_of(const struct view *v, const char *tty)
{
    bool is_pts = strncmp(tty, "pts/", 4) == 0;

    if (is_pts)
        return v->s->policy->files.pts == CL_PTS_PRIVATE && is_number(tty + 4) ? VIEW_TERMINAL : NULL;
    if ((strncmp(tty, "tty", 3) != 0 && strncmp(tty, "hvc", 3) != 0) || strcmp(tty, "tty") == 0 || strlen(tty) > 32)
        return NULL;
    for (const char *c = tty + 3; *c; c++)
        if (!strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *c))
            return NULL;
    return tty;
}

static bool is_terminal(int fd)
{
    struct stat st;
    unsigned number;

    if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
        return false;
    number = major(st.st_rdev);
    return number == MAJOR_TTY || number == MAJOR_HVC || (number >= MAJOR_PTS_FIRST && number <= MAJOR_PTS_LAST);
}

/* Its owner and mode stay those of the host's, and decide who opens it. A terminal that has gone, or is none of these, has no name
 * in the cell, and the login goes on. */
static int attach_terminal(const struct view *v, int dev, struct cl_error *e)
{
    const char *tty = v->s->request->tty, *place;
    cleanup_fd int host = -1, mount = -1;
    char path[80];

    if (strncmp(tty, "/dev/", 5) == 0)
        tty += 5;
    place = place_of(v, tty);
    (void)snprintf(path, sizeof(path), "/dev/%s", tty);
    if (!place || view_open_host(v, path, &host, NULL) < 0 || !is_terminal(host))
        return 0;
    mount = mnt_clone(host, MNT_NOEXEC | MNT_DEVICES, -1, NULL, e);
    if (mount < 0)
        return mount;
    if (mknodat(dev, place, S_IFREG | 0600, 0) < 0)
        return cl_fail(e, errno, "make /dev/%s", place);
    (void)snprintf(path, sizeof(path), "/dev/%s", place);
    return view_attach(v, mount, path, e);
}

int view_pts(const struct view *v, int dev, struct cl_error *e)
{
    int r = attach_pts(v, e);

    return r < 0 ? r : attach_terminal(v, dev, e);
}
