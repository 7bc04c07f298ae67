/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A resolv.conf that works in the cell: with network.mode = "nat" one of the cell's own, with "host" the host's. That is
 * often a link into /run, whose target the cell does not have: the mount is on the link itself, which then is the file.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "mnt.h"
#include "network.h"
#include "path.h"
#include "util.h"
#include "view.h"

#define RESOLV "/etc/resolv.conf"

/* The file or link itself; -ENOENT: there is none. */
static int open_place(const struct view *v, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int etc = -1, place = -1;
    int r = view_open(v, "/etc", &etc, e);

    if (r < 0)
        return r;
    place = openat(etc, "resolv.conf", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0)
        return cl_fail(e, errno, "open " RESOLV " of the cell");
    *ret_fd = cl_take_fd(&place);
    return 0;
}

static int put(const struct view *v, int source, int place, struct cl_error *e)
{
    cleanup_fd int mount = mnt_clone(source, MNT_RDONLY | MNT_NOEXEC, v->idmap, NULL, e);

    return mount < 0 ? mount : mnt_attach(mount, place, e);
}

static int put_own(const struct view *v, const char *path, struct cl_error *e)
{
    cleanup_fd int place = -1, source = -1;
    int r = open_place(v, &place, e);

    if (r == -ENOENT) {
        *e = (struct cl_error){0};
        cl_log(LOG_WARNING, "network.dns: the root has no " RESOLV ", and so the cell has none");
        return 0;
    }
    if (r == 0)
        r = view_open_host(v, path, &source, e);
    return r < 0 ? r : put(v, source, place, e);
}

static bool leads_nowhere(const struct view *v)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    cleanup_fd int fd = (int)syscall(SYS_openat2, v->root, RESOLV, &how, sizeof(how));

    return fd < 0 && errno == ENOENT;
}

/* The folder of systemd-resolved is its own user's, not root's: so it is only what the user could open, too. */
static int put_hosts(const struct view *v, struct cl_error *e)
{
    cleanup_free char *path = leads_nowhere(v) ? realpath(RESOLV, NULL) : NULL;
    cleanup_fd int place = -1, source = -1;
    struct stat st;

    if (!path || open_place(v, &place, NULL) < 0 || path_open_as(v->host, path, v->s->user, &source, NULL) < 0 ||
        fstat(source, &st) < 0 || !S_ISREG(st.st_mode))
        return 0; /* nor does the host have one */
    return put(v, source, place, e);
}

int view_resolv(struct view *v, struct cl_error *e)
{
    char path[128];

    if (network_resolv(v->s, path, sizeof(path)))
        return put_own(v, path, e);
    return v->s->policy->network.mode == CL_NETWORK_HOST && !v->other ? put_hosts(v, e) : 0;
}
