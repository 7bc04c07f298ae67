/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the policy's `files` group asks for, the home aside: private folders, hidden and read-only paths,
 * mounts.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mnt.h"
#include "util.h"
#include "view.h"

static int fill_run(const struct view *v, int run, struct cl_error *e)
{
    const struct session *s = v->s;
    const char *status = view_status_folder();
    cleanup_fd int user = -1;
    char uid[16];
    int r = view_mkdir(v, run, "lock", 01777, s->cell_uid, s->cell_gid, e);

    if (r == 0)
        r = view_mkdir(v, run, "screen", 01777, s->cell_uid, s->cell_gid, e);
    if (r == 0)
        r = view_mkdir(v, run, "user", 0755, s->cell_uid, s->cell_gid, e);
    if (r == 0 && status)
        r = view_mkdir(v, run, status, 0555, s->cell_uid, s->cell_gid, e);
    if (r < 0)
        return r;
    user = openat(run, "user", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (user < 0)
        return cl_fail(e, errno, "open /run/user in the cell");
    (void)snprintf(uid, sizeof(uid), "%u", s->user->uid);
    return view_mkdir(v, user, uid, 0700, s->user->uid, s->user->gid, e);
}

static int make_private(const struct view *v, const char *path, struct cl_error *e)
{
    bool is_run = strcmp(path, "/run") == 0;
    const struct mnt_tmpfs what = {.size = v->s->policy->files.tmp_size,
                                   .inodes = v->s->policy->files.tmp_inodes,
                                   .mode = is_run ? 0755 : 01777,
                                   .uid = v->s->cell_uid,
                                   .gid = v->s->cell_gid};
    cleanup_fd int target = -1, mount = -1;
    int r = view_open(v, path, &target, e);

    if (r < 0)
        return r;
    mount = mnt_tmpfs(&what, e);
    r = mount < 0 ? mount : mnt_attach(mount, target, e);
    return r == 0 && is_run ? fill_run(v, mount, e) : r;
}

int view_private(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    char *const *dirs = policy->files.private_dirs;

    for (size_t i = 0; dirs && dirs[i]; i++) {
        struct cl_error why = {0};
        int r = make_private(v, dirs[i], &why);

        if (r < 0 && r != -ENOENT) /* a folder that the host does not have is private enough */
            return cl_policy_fail(policy, CL_KEY_FILES_PRIVATE, e, -r, "make %s private: %s", dirs[i],
                                  why.text);
    }
    return 0;
}

static int add_mount(const struct view *v, const struct cl_mount *m, struct cl_error *e)
{
    unsigned flags =
        (m->read_only ? MNT_RDONLY : 0) | (m->noexec ? MNT_NOEXEC : 0) | (m->recursive ? MNT_RECURSIVE : 0);
    const struct mnt_tmpfs empty = {.size = m->size == CL_UNLIMITED ? v->s->policy->files.tmp_size : m->size,
                                    .inodes = m->inodes == CL_UNLIMITED ? v->s->policy->files.tmp_inodes : m->inodes,
                                    .mode = 0700,
                                    .uid = v->s->user->uid,
                                    .gid = v->s->user->gid,
                                    .flags = flags};
    cleanup_fd int source = -1, mount = -1;
    int r = m->source ? view_open_host(v, m->source, &source, e) : 0;

    if (r < 0)
        return r;
    mount = m->source ? mnt_clone(source, flags, v->idmap, NULL, e) : mnt_tmpfs(&empty, e);
    return mount < 0 ? mount : view_attach(v, mount, m->target, e);
}

int view_lists(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    struct cl_error why = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < policy->files.n_mounts; i++)
        if ((r = add_mount(v, &policy->files.mounts[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_FILES_MOUNTS, e, -r, "mount %s: %s",
                                  policy->files.mounts[i].target, why.text);
    for (size_t i = 0; r == 0 && policy->files.read_only && policy->files.read_only[i]; i++)
        if ((r = view_read_only(v, policy->files.read_only[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_FILES_READ_ONLY, e, -r, "%s", why.text);
    for (size_t i = 0; r == 0 && policy->files.hide && policy->files.hide[i]; i++)
        if ((r = view_hide(v, policy->files.hide[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_FILES_HIDE, e, -r, "%s", why.text);
    for (size_t i = 0; r == 0 && policy->namespaces.nested > 0 && view_subordinate_ids[i]; i++)
        if ((r = view_hide(v, view_subordinate_ids[i], &why)) < 0)
            return cl_policy_fail(policy, CL_KEY_NAMESPACES_NESTED, e, -r, "%s", why.text);
    return 0;
}
