/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a path in a policy to the disk whose I/O is limited. The kernel throttles whole disks only, and
 * systemd resolves paths in the same way (systemd.resource-control(5), IOReadBandwidthMax=); doing it here
 * makes both managers limit the same device, and lets the result be checked.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

#define DEPTH_MAX 16 /* of stacked device-mapper targets */

/* The device of dir's file "dev" ("8:0"). */
static int read_dev(int dir_fd, const char *file, dev_t *ret)
{
    cleanup_free char *text = NULL;
    unsigned major, minor;
    int r = cl_read_file_at(dir_fd, file, &text);

    if (r < 0)
        return r;
    if (sscanf(text, "%u:%u", &major, &minor) != 2)
        return -EINVAL;
    *ret = makedev(major, minor);
    return 0;
}

/* A partition's directory in sysfs is inside its disk's. 1 and *ret when it is one, else 0. */
static int disk_of_partition(int sys_fd, dev_t *ret)
{
    int r;

    if (faccessat(sys_fd, "partition", F_OK, 0) < 0)
        return errno == ENOENT ? 0 : -errno;
    r = read_dev(sys_fd, "../dev", ret);
    return r < 0 ? r : 1;
}

static int open_sys(dev_t device, int *ret_fd)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

static int whole_disk(dev_t device, dev_t *ret)
{
    cleanup_fd int sys_fd = -1;
    int r = open_sys(device, &sys_fd);

    if (r < 0)
        return r;
    r = disk_of_partition(sys_fd, &device);
    if (r < 0)
        return r;
    *ret = device;
    return 0;
}

/* The one disk below a stacked device: 1 and *ret, or 0 when there is none or more than one. */
static int disk_below(int sys_fd, dev_t *ret)
{
    int fd = openat(sys_fd, "slaves", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    dev_t found = 0, device;
    int n = 0, r = 0;

    if (!dir) {
        cl_close(&fd);
        return 0; /* a partition has no such directory */
    }
    while (r == 0 && n < 2 && (entry = readdir(dir))) {
        char file[280];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%s/dev", entry->d_name);
        r = read_dev(dirfd(dir), file, &device);
        if (r == 0)
            r = whole_disk(device, &device);
        if (r == 0 && (n == 0 || device != found)) {
            found = device;
            n++;
        }
    }
    closedir(dir);
    if (r < 0)
        return r;
    if (n != 1)
        return 0;
    *ret = found;
    return 1;
}

int cgroup_device_resolve(const char *path, unsigned *ret_major, unsigned *ret_minor)
{
    dev_t device;
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISCHR(st.st_mode))
        return -ENOTBLK;
    device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
    if (major(device) ==
        0) /* anonymous: a filesystem that isn't on one block device, as the kernel tells it */
        return -ENODEV;

    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        cleanup_fd int sys_fd = -1;

        r = open_sys(device, &sys_fd);
        if (r < 0)
            return r;
        r = disk_of_partition(sys_fd, &device);
        if (r == 0)
            r = disk_below(sys_fd, &device);
        if (r < 0)
            return r;
        if (r == 0) {
            *ret_major = major(device);
            *ret_minor = minor(device);
            return 0;
        }
    }
    return -ELOOP;
}
