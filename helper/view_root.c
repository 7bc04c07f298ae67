/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The tree of files that becomes the cell's root, where that is not the host's own: a folder that nobody but root can have
 * put together, shown read-only, in which nothing is ever made. So it must have a place for each thing that a cell is given.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "path.h"
#include "util.h"
#include "view.h"

int view_find_root(struct view *v, struct cl_error *e)
{
    const struct cl_policy *policy = v->s->policy;
    struct cl_error why = {0};
    struct stat st;
    int r;

    v->other = strcmp(policy->files.root, "/") != 0;
    v->own = !v->other && policy->files.overlay == CL_OVERLAY_NONE;
    r = view_open_host(v, policy->files.root, &v->tree, &why);
    if (r == 0)
        r = fstat(v->tree, &st) < 0 ? -errno : path_of(v->tree, v->tree_path, sizeof(v->tree_path));
    if (r < 0)
        return cl_policy_fail(policy, CL_KEY_FILES_ROOT, e, -r, "%s", why.text[0] ? why.text : "look at the tree");
    if (!S_ISDIR(st.st_mode))
        return cl_policy_fail(policy, CL_KEY_FILES_ROOT, e, ENOTDIR, "%s is no folder", policy->files.root);
    if (v->other && (st.st_uid != 0 || st.st_mode & 022))
        return cl_policy_fail(policy, CL_KEY_FILES_ROOT, e, EPERM, "%s can be written to by others than root",
                              policy->files.root);
    return 0;
}

int view_lacks(const struct view *v, const char *path, struct cl_error *e)
{
    const char *root = v->other ? v->s->policy->files.root : "";

    return cl_policy_fail(v->s->policy, CL_KEY_FILES_ROOT, e, ENOENT,
                          "%s has no folder %s: `mkdir -p %s%s` makes it", *root ? root : "the root", path, root, path);
}

/* The kernel's folders have to have a place. */
int view_places(struct view *v, struct cl_error *e)
{
    static const char *const places[] = {"/proc", "/sys", "/dev"};

    for (size_t i = 0; v->other && i < CL_ARRAY_SIZE(places); i++) {
        cleanup_fd int fd = -1;
        struct cl_error why = {0};
        int r = view_open(v, places[i], &fd, &why);

        if (r == -ENOENT)
            return view_lacks(v, places[i], e);
        if (r < 0)
            return cl_policy_fail(v->s->policy, CL_KEY_FILES_ROOT, e, -r, "%s", why.text);
    }
    return 0;
}

/* Whose shell lets nobody log in comes for files alone, as with internal-sftp, and needs none. */
static bool needs_shell(const struct view *v, const char *shell)
{
    const char *name = strrchr(shell, '/');

    if (!name || strcmp(name, "/nologin") == 0 || strcmp(name, "/false") == 0)
        return false;
    return !(v->homes.has_home && path_is_below(shell, v->s->user->home)); /* what a home holds is not looked at */
}

int view_shell(struct view *v, struct cl_error *e)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    const char *shell = v->s->user->shell[0] ? v->s->user->shell : "/bin/sh";
    cleanup_fd int fd = -1;
    struct stat st;

    if (!v->other || !needs_shell(v, shell))
        return 0;
    fd = (int)syscall(SYS_openat2, v->root, shell, &how, sizeof(how));
    if (fd < 0)
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_ROOT, e, errno, "%s has no %s, the login shell of user %s",
                              v->s->policy->files.root, shell, v->s->user->name);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return cl_policy_fail(v->s->policy, CL_KEY_FILES_ROOT, e, EACCES,
                              "%s of %s, the login shell of user %s, is no program", shell,
                              v->s->policy->files.root, v->s->user->name);
    return 0;
}
