/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Out of the caller's cgroup. A user may own the cgroup that a setuid program starts in, and freeze it, or give it next to
 * no CPU time, memory or I/O: so whoever is to hold a lock that others wait for leaves it first.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

/* In a container, the root that we see may be none of the kernel's, and have controllers: then it holds no process. */
static int join_own(int mount_fd)
{
    cleanup_fd int fd = -1;

    if (mkdirat(mount_fd, CGROUP_HELPERS, 0755) < 0 && errno != EEXIST)
        return -errno;
    fd = openat(mount_fd, CGROUP_HELPERS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : cl_write_file_at(fd, "cgroup.procs", "0");
}

int cgroup_leave(struct cl_error *e)
{
    const char *mount = cgroup_mount_point();
    cleanup_fd int fd = mount ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int r;

    if (fd < 0)
        return mount ? cl_fail(e, errno, "open %s", mount) : 0;
    r = cl_write_file_at(fd, "cgroup.procs", "0");
    if (r == -EBUSY)
        r = join_own(fd);
    if (r == -EROFS) /* then it is nobody's to write, here */
        return 0;
    return r < 0 ? cl_fail(e, -r, "leave the caller's cgroup") : 0;
}

void cgroup_leave_sweep(int mount_fd)
{
    (void)unlinkat(mount_fd, CGROUP_HELPERS, AT_REMOVEDIR);
}
