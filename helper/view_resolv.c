/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * With network.mode = "nat", a resolv.conf that works in the cell, on top of the host's. That is often a link into /run,
 * whose target the cell does not have: the mount is on the link itself, which then is the file.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "mnt.h"
#include "network.h"
#include "util.h"
#include "view.h"

int view_resolv(struct view *v, struct cl_error *e)
{
    cleanup_fd int etc = -1, place = -1, source = -1, mount = -1;
    char path[128];
    int r;

    if (!network_resolv(v->s, path, sizeof(path)))
        return 0;
    r = view_open(v, "/etc", &etc, e);
    if (r < 0)
        return r;
    place = openat(etc, "resolv.conf", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0 && errno == ENOENT) {
        cl_log(LOG_WARNING, "network.dns: the root has no /etc/resolv.conf, and so the cell has none");
        return 0;
    }
    if (place < 0)
        return cl_fail(e, errno, "open /etc/resolv.conf of the cell");
    r = view_open_host(v, path, &source, e);
    if (r < 0)
        return r;
    mount = mnt_clone(source, MNT_RDONLY | MNT_NOEXEC, v->idmap, NULL, e);
    return mount < 0 ? mount : mnt_attach(mount, place, e);
}
