/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finding the leaves that there are, of either manager, whatever made them: the names are the same.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

/* The paths of all leaves of a user, "/user.slice/…/cloister-ID.scope". */
static int list_user(int mount_fd, uid_t uid, char ***paths)
{
    cleanup_free char *slice = NULL;
    cleanup_fd int slice_fd = -1;
    cleanup_strv char **scopes = NULL;
    int r = cl_asprintf(&slice, "/user.slice/user-%u.slice/user-%u-cloister.slice", (unsigned)uid, (unsigned)uid);

    if (r < 0)
        return r;
    slice_fd = cgroup_dir_open(mount_fd, slice, O_RDONLY);
    if (slice_fd < 0)
        return slice_fd == -ENOENT ? 0 : slice_fd;
    r = cgroup_dir_list(slice_fd, "cloister-", ".scope", &scopes);
    for (char **scope = scopes; r == 0 && scope && *scope; scope++) {
        cleanup_free char *path = NULL;

        r = cl_asprintf(&path, "%s/%s", slice, *scope);
        if (r == 0 && cgroup_path_is_valid(CL_MANAGER_SYSTEMD, path, uid))
            r = cl_strv_add(paths, path);
    }
    return r;
}

int cgroup_systemd_leaves(int mount_fd, char ***ret_paths)
{
    cleanup_fd int users_fd = cgroup_dir_open(mount_fd, "/user.slice", O_RDONLY);
    cleanup_strv char **users = NULL, **paths = NULL;
    int r;

    if (users_fd < 0)
        return users_fd == -ENOENT ? 0 : users_fd;
    r = cgroup_dir_list(users_fd, "user-", ".slice", &users);
    for (char **user = users; r == 0 && user && *user; user++) {
        uid_t uid;

        if (cgroup_name_uid(*user, "user-", ".slice", &uid) == 0)
            r = list_user(mount_fd, uid, &paths);
    }
    if (r < 0)
        return r;
    *ret_paths = paths;
    paths = NULL;
    return 0;
}

static int list_fs_user(int top_fd, const char *user, char ***paths)
{
    cleanup_fd int user_fd = openat(top_fd, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_strv char **ids = NULL;
    int r = user_fd < 0 ? 0 : cgroup_dir_list(user_fd, "", "", &ids);

    for (char **id = ids; r == 0 && id && *id; id++) {
        cleanup_free char *path = NULL;

        r = cl_asprintf(&path, "/" CGROUP_FS_TOP "/%s/%s", user, *id);
        if (r == 0 && cgroup_id_is_valid(*id))
            r = cl_strv_add(paths, path);
    }
    return r;
}

static int list_fs(int mount_fd, char ***paths)
{
    cleanup_fd int top_fd = cgroup_dir_open(mount_fd, CGROUP_FS_TOP, O_RDONLY);
    cleanup_strv char **users = NULL;
    int r;

    if (top_fd < 0)
        return top_fd == -ENOENT ? 0 : top_fd;
    r = cgroup_dir_list(top_fd, CGROUP_FS_USER, "", &users);
    for (char **user = users; r == 0 && user && *user; user++)
        r = list_fs_user(top_fd, *user, paths);
    return r;
}

int cgroup_leaves(char ***ret_paths)
{
    cleanup_strv char **paths = NULL;
    const char *mount = cgroup_mount_point();
    cleanup_fd int mount_fd = mount ? open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int r;

    if (mount_fd < 0)
        return mount ? -errno : 0;
    r = cgroup_systemd_leaves(mount_fd, &paths);
    if (r == 0)
        r = list_fs(mount_fd, &paths);
    if (r < 0)
        return r;
    *ret_paths = paths;
    paths = NULL;
    return 0;
}
