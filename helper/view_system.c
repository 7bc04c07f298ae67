/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel's own folders, fresh for the cell.
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

static int mask_below(struct view *v, char top, struct cl_error *e)
{
    int r = 0;

    for (size_t i = 0; r == 0 && view_masked[i]; i++)
        if (view_masked[i][1] == top)
            r = view_hide(v, view_masked[i], e);
    return r;
}

/* Who joins a cell is born in its pid namespace, and for a moment still in the host's others: the lists of mounts and of the
 * network that proc has of each process are open to all. Whoever is in the cell then must not see it, but for pid 1. */
int view_proc(struct view *v, struct cl_error *e)
{
    cleanup_fd int mount = mnt_proc(v->s->policy->namespaces.share == CL_SHARE_USER ? v->s->cell_gid : (gid_t)-1, e);
    int r = mount < 0 ? mount : view_attach(v, mount, "/proc", e);

    if (v->s->policy->files.proc == CL_PROC_WHOLE) /* any cover would keep nested namespaces from a proc of their own */
        return r;
    for (size_t i = 0; r == 0 && view_kernel_read_only[i]; i++)
        r = view_read_only(v, view_kernel_read_only[i], e);
    if (r == 0 && v->s->policy->files.pts == CL_PTS_PRIVATE)
        r = view_hide(v, VIEW_PTS_COUNT, e);
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

static int make_devices(const struct view *v, int dev, struct cl_error *e)
{
    for (size_t i = 0; view_devices[i].name; i++) {
        const struct view_device *d = &view_devices[i];

        if (mknodat(dev, d->name, S_IFCHR | 0600, makedev(d->major, d->minor)) < 0 ||
            fchownat(dev, d->name, v->s->cell_uid, v->s->cell_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
            fchmodat(dev, d->name, 0666, 0) < 0)
            return cl_fail(e, errno, "make /dev/%s", d->name);
    }
    for (size_t i = 0; view_links[i].name; i++)
        if (symlinkat(view_links[i].target, dev, view_links[i].name) < 0)
            return cl_fail(e, errno, "make /dev/%s", view_links[i].name);
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
    struct stat st;
    cleanup_fd int dev = view_tmpfs(v, "/dev", 0755, 1024 * 1024, MNT_NOEXEC | MNT_DEVICES, e);
    int r = dev < 0 ? dev : make_devices(v, dev, e);

    if (r == 0)
        r = make_folders(v, dev, e);
    if (r == 0)
        r = view_pts(v, dev, e);
    if (r == 0)
        r = attach_mqueue(v, e);
    if (r == 0)
        r = view_open(v, "/dev/null", &v->null, e);
    if (r == 0 && (fstat(v->null, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)))
        r = cl_fail(e, ENODEV, "open /dev/null of the cell"); /* what masks a file must be nothing else */
    return r < 0 ? r : mnt_seal(dev, e);
}
