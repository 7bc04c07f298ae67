/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * files.overlay = "tmpfs": what the cell writes to its root goes to a filesystem in memory, and away with the cell. Who may
 * write where is what the files' modes say, as without: the tenant is not root in it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mnt.h"
#include "util.h"
#include "view.h"

static int make_folder(int dir, const char *name, int *ret_fd)
{
    if (mkdirat(dir, name, 0700) < 0)
        return -errno;
    *ret_fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd < 0 ? -errno : 0;
}

/* The upper folder stands for the root: it has the lower one's owner and mode, as the cell sees them. */
static int make_layers(int memory, int lower, int *ret_upper, int *ret_work)
{
    struct stat st;
    int r = fstat(lower, &st) < 0 ? -errno : make_folder(memory, "work", ret_work);

    if (r == 0)
        r = make_folder(memory, "upper", ret_upper);
    if (r == 0 && (fchown(*ret_upper, st.st_uid, st.st_gid) < 0 || fchmod(*ret_upper, st.st_mode & 07777) < 0))
        r = -errno;
    return r;
}

/* The layers lie below what becomes the root, in the tree that is detached with the host's: the overlay alone has them then. */
int view_overlay(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    const struct mnt_tmpfs what = {
        .size = policy->files.tmp_size, .inodes = policy->files.tmp_inodes, .mode = 0755};
    cleanup_fd int lower = cl_take_fd(&v->root), upper = -1, work = -1, memory = -1;
    struct cl_error why = {0};
    int r;

    memory = mnt_tmpfs(&what, &why);
    r = memory < 0 ? memory : mnt_attach(memory, v->place, &why);
    if (r == 0)
        r = make_layers(memory, lower, &upper, &work);
    if (r == 0)
        r = v->root = mnt_overlay(lower, upper, work, &why);
    if (r >= 0)
        r = mnt_attach(v->root, v->place, &why);
    return r < 0 ? cl_policy_fail(policy, CL_KEY_FILES_OVERLAY, e, -r, "%s", why.text[0] ? why.text : "make its layers") : 0;
}
