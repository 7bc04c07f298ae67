/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel's own folders, fresh for the cell. What is masked and what is read-only is Docker's list
 * (MaskedPaths and ReadonlyPaths of its OCI defaults).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mnt.h"
#include "util.h"
#include "view.h"

static const char *const masked[] = {
    "/proc/acpi",        "/proc/asound",        "/proc/interrupts",
    "/proc/kcore",       "/proc/keys",          "/proc/latency_stats",
    "/proc/timer_list",  "/proc/timer_stats",   "/proc/sched_debug",
    "/proc/scsi",        "/proc/kallsyms",      "/proc/kpagecount",
    "/proc/kpageflags",  "/proc/kpagecgroup",   "/proc/vmallocinfo",
    "/proc/slabinfo",    "/sys/firmware",       "/sys/devices/virtual/powercap",
    "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security",
};

static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                        "/proc/sysrq-trigger"};

static int mask_below(struct view *v, char top, struct cl_error *e)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(masked); i++)
        if (masked[i][1] == top)
            r = view_hide(v, masked[i], e);
    return r;
}

int view_proc(struct view *v, struct cl_error *e)
{
    cleanup_fd int mount = mnt_new("proc", MNT_NOEXEC, e);
    int r = mount < 0 ? mount : view_attach(v, mount, "/proc", e);

    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(read_only); i++)
        r = view_read_only(v, read_only[i], e);
    return r < 0 ? r : mask_below(v, 'p', e);
}

/* sysfs shows the devices of the network namespace that mounts it. */
int view_sys(struct view *v, struct cl_error *e)
{
    cleanup_fd int mount = mnt_new("sysfs", MNT_RDONLY | MNT_NOEXEC, e), cgroup = -1;
    int r = mount < 0 ? mount : view_attach(v, mount, "/sys", e);

    if (r == 0 && v->s->cgroup.path) {
        cgroup = mnt_new("cgroup2", MNT_RDONLY | MNT_NOEXEC, e);
        r = cgroup < 0 ? cgroup : view_attach(v, cgroup, "/sys/fs/cgroup", e);
    }
    return r < 0 ? r : mask_below(v, 's', e);
}

struct device {
    const char *name;
    unsigned major, minor; /* Documentation/admin-guide/devices.txt */
};

static const struct device devices[] = {
    {"null", 1, 3},
    {"zero", 1, 5},
    {"full", 1, 7},
    {"random", 1, 8},
    {"urandom", 1, 9},
    {"tty", 5, 0},
    /* A node of its own, not a bind mount: the kernel looks for "pts" beside it. */
    {"ptmx", 5, 2},
};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

static int make_devices(const struct view *v, int dev, struct cl_error *e)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(devices); i++) {
        const struct device *d = &devices[i];

        if (mknodat(dev, d->name, S_IFCHR | 0600, makedev(d->major, d->minor)) < 0 ||
            fchownat(dev, d->name, v->s->cell_uid, v->s->cell_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
            fchmodat(dev, d->name, 0666, 0) < 0)
            return cl_fail(e, errno, "make /dev/%s", d->name);
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(links); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0)
            return cl_fail(e, errno, "make /dev/%s", links[i].name);
    return 0;
}

static int make_folders(const struct view *v, int dev, struct cl_error *e)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"pts", 0755}, {"shm", 01777}, {"mqueue", 01777}};
    int r = 0;

    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(folders); i++)
        r = view_mkdir(v, dev, folders[i].name, folders[i].mode, v->s->cell_uid, v->s->cell_gid, e);
    return r;
}

/* The host's devpts: sshd's monitor made the terminal there, and its name must lead to it. */
static int attach_pts(const struct view *v, struct cl_error *e)
{
    cleanup_fd int host = -1, mount = -1;
    int r = view_open_host(v, "/dev/pts", &host, e);

    if (r < 0)
        return r;
    mount = mnt_clone(host, MNT_NOEXEC | MNT_DEVICES, -1, NULL, e);
    return mount < 0 ? mount : view_attach(v, mount, "/dev/pts", e);
}

static int attach_mqueue(const struct view *v, struct cl_error *e)
{
    cleanup_fd int mount = -1;

    if (!v->s->policy->namespaces.ipc)
        return 0; /* the host's queues are none of the cell's business */
    mount = mnt_new("mqueue", MNT_NOEXEC, e);
    return mount < 0 ? mount : view_attach(v, mount, "/dev/mqueue", e);
}

int view_dev(struct view *v, struct cl_error *e)
{
    cleanup_fd int dev = view_tmpfs(v, "/dev", 0755, 1024 * 1024, MNT_NOEXEC | MNT_DEVICES, e);
    int r = dev < 0 ? dev : make_devices(v, dev, e);

    if (r == 0)
        r = make_folders(v, dev, e);
    if (r == 0)
        r = attach_pts(v, e);
    if (r == 0)
        r = attach_mqueue(v, e);
    if (r == 0)
        r = view_open(v, "/dev/null", &v->null, e);
    return r < 0 ? r : mnt_seal(dev, e);
}
