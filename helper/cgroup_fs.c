/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cgroupfs manager: cloister/user-UID/ID below the cgroup2 mount, made and removed by hand.
 *
 * Concurrency. Opens and closes of one user are kept apart by the caller, which holds that user's lock (in
 * /run/cloister) around cgroup_create and cgroup_remove. A lock on a cgroup directory would not do: flock(2)
 * works there, but any user may open the directory and hold it. What users share is cloister/ itself, which
 * the last close removes: an open that loses it midway sees ENOENT or ENODEV and starts over. The same covers
 * systemd, which may switch off a controller of the root's subtree_control that it doesn't need itself, until
 * cloister/ has it enabled in turn (from then on the kernel refuses with EBUSY).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

#define TOP        CGROUP_FS_TOP
#define USER_NAME  CGROUP_FS_USER
#define START_OVER 50 /* times */

struct levels {
    int top_fd, user_fd, leaf_fd;
    char user[32];
    const char *id;
};

static void levels_close(struct levels *levels)
{
    cl_close(&levels->top_fd);
    cl_close(&levels->user_fd);
    cl_close(&levels->leaf_fd);
}

/* One controller for the children of dir_fd. 1 when it can't be, with the reason in why. */
static int enable_one(int dir_fd, enum cgroup_controller controller, char *why, size_t size)
{
    char text[16];
    int r;

    snprintf(text, sizeof(text), "+%s", cgroup_controller_name(controller));
    r = cl_write_file_at(dir_fd, "cgroup.subtree_control", text);
    if (r == -ENOENT || r == -EBUSY || r == -EINVAL || r == -EOPNOTSUPP) {
        snprintf(why, size, "enabling the %s controller fails: %s", text + 1, strerror(-r));
        return 1;
    }
    return r;
}

/* Enable what the limits need for the children of dir_fd, one write for each: a refused one doesn't take the
 * others with it. -EAGAIN: the parent lost the controller meanwhile. */
static int enable(struct cgroup_setup *setup, int dir_fd, bool last_try, struct cl_error *e)
{
    cleanup_free char *enabled = NULL;
    unsigned missing;
    char why[128];
    int r = cl_read_file_at(dir_fd, "cgroup.subtree_control", &enabled);

    if (r < 0)
        return r == -ENODEV || r == -ENOENT ? -EAGAIN : cl_fail(e, -r, "read cgroup.subtree_control");
    missing = cgroup_controllers_needed(setup) & ~cgroup_controllers_parse(enabled);
    for (unsigned c = 0; c < CGROUP_CONTROLLER_COUNT; c++) {
        if (!(missing & 1U << c))
            continue;
        r = enable_one(dir_fd, c, why, sizeof(why));
        if (r != 0 && !last_try)
            return -EAGAIN;
        if (r < 0)
            return cl_fail(e, -r, "enable the %s controller", cgroup_controller_name(c));
        if (r > 0)
            r = cgroup_controller_unavailable(setup, c, why, e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* -EAGAIN when the parent was removed meanwhile. */
static int make_dir(int parent_fd, const char *name, bool must_be_new, int *ret_fd, struct cl_error *e)
{
    int fd;

    if (mkdirat(parent_fd, name, 0755) < 0 && (errno != EEXIST || must_be_new))
        return errno == ENOENT || errno == ENODEV ? -EAGAIN : cl_fail(e, errno, "make the cgroup %s", name);
    fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENODEV ? -EAGAIN : cl_fail(e, errno, "open the cgroup %s", name);
    /* Whatever the umask: runtimes in the cell read their limits in it. Gone meanwhile: the next step says so. */
    (void)fchmod(fd, 0755);
    *ret_fd = fd;
    return 0;
}

static int join(const struct cgroup_setup *setup, int leaf_fd, struct cl_error *e)
{
    char pid[16];
    int r;

    snprintf(pid, sizeof(pid), "%d", (int)setup->request->init);
    r = cl_write_file_at(leaf_fd, "cgroup.procs", pid);
    if (r == -ENOENT || r == -ENODEV) /* swept away before anything was in it */
        return -EAGAIN;
    return r < 0 ? cl_fail(e, -r, "move process %s into its cgroup", pid) : 0;
}

static int build(struct cgroup_setup *setup, bool last_try, struct levels *levels, struct cl_error *e)
{
    int r = enable(setup, setup->mount_fd, last_try, e);

    if (r == 0)
        r = make_dir(setup->mount_fd, TOP, false, &levels->top_fd, e);
    if (r == 0)
        r = enable(setup, levels->top_fd, last_try, e);
    if (r == 0)
        r = make_dir(levels->top_fd, levels->user, false, &levels->user_fd, e);
    if (r == 0)
        r = cgroup_limits_write(setup, CGROUP_USER, CGROUP_ALL_LIMITS, levels->user_fd, e);
    if (r == 0)
        r = enable(setup, levels->user_fd, last_try, e);
    if (r == 0)
        r = make_dir(levels->user_fd, levels->id, true, &levels->leaf_fd, e);
    if (r == 0 && !setup->request->shared)
        r = cgroup_limits_write(setup, CGROUP_SESSION, CGROUP_ALL_LIMITS, levels->leaf_fd, e);
    if (r == 0)
        r = join(setup, levels->leaf_fd, e);
    return r == -ESTALE ? -EAGAIN : r;
}

/* Each level goes only when it is empty: the kernel refuses to remove a cgroup that has children. */
static void remove_empty(int mount_fd, const char *user)
{
    cleanup_fd int top_fd = cgroup_dir_open(mount_fd, TOP, O_PATH);

    if (top_fd < 0)
        return;
    (void)unlinkat(top_fd, user, AT_REMOVEDIR);
    (void)unlinkat(mount_fd, TOP, AT_REMOVEDIR);
}

int cgroup_fs_create(struct cgroup_setup *setup, const char *path, struct cl_error *e)
{
    struct levels levels = {.top_fd = -1, .user_fd = -1, .leaf_fd = -1, .id = setup->request->id};
    int r = -EAGAIN, pause_ms = 0;

    (void)path;
    snprintf(levels.user, sizeof(levels.user), USER_NAME "%u", (unsigned)setup->request->uid);
    for (int try = 1; r == -EAGAIN && try <= START_OVER; try++) {
        r = build(setup, try == START_OVER, &levels, e);
        if (r < 0 && levels.leaf_fd >= 0)
            (void)unlinkat(levels.user_fd, levels.id, AT_REMOVEDIR);
        levels_close(&levels);
        if (r == -EAGAIN && !cgroup_pause(&pause_ms, setup->request->deadline_ms))
            break;
    }
    if (r < 0)
        remove_empty(setup->mount_fd, levels.user);
    return r == -EAGAIN ? cl_fail(e, EAGAIN, "make the cgroup %s, which goes away again", path) : r;
}

/* A controller that no limit needed so far is enabled from above. */
int cgroup_fs_update(struct cgroup_setup *setup, const char *path, enum cgroup_level level, unsigned which,
                     struct cl_error *e)
{
    cleanup_fd int leaf_fd = cgroup_dir_open(setup->mount_fd, path, O_RDONLY), user_fd = -1, top_fd = -1;
    int r;

    if (leaf_fd < 0)
        return cl_fail(e, -leaf_fd, "open the cgroup %s", path);
    user_fd = openat(leaf_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    top_fd = openat(leaf_fd, "../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (user_fd < 0 || top_fd < 0)
        return cl_fail(e, errno, "open the cgroups above %s", path);
    r = enable(setup, setup->mount_fd, true, e);
    if (r == 0)
        r = enable(setup, top_fd, true, e);
    if (r == 0)
        r = enable(setup, user_fd, true, e);
    if (r == 0)
        r = cgroup_limits_write(setup, level, which, level == CGROUP_USER ? user_fd : leaf_fd, e);
    return r == -EAGAIN || r == -ESTALE ? cl_fail(e, -r, "change the limits of %s, which goes away", path) : r;
}

static int remove_leaf(int user_fd, const char *id, int64_t deadline_ms, struct cl_error *e)
{
    int pause_ms = 0;

    while (unlinkat(user_fd, id, AT_REMOVEDIR) < 0) {
        if (errno == ENOENT || errno == ENODEV)
            return 0;
        if (errno != EBUSY)
            return cl_fail(e, errno, "remove the cgroup %s", id);
        if (!cgroup_pause(&pause_ms, deadline_ms))
            return cl_fail(e, ETIMEDOUT, "remove the cgroup %s, which stays busy", id);
    }
    return 0;
}

int cgroup_fs_remove(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_fd int leaf_fd = cgroup_dir_open(mount_fd, path, O_RDONLY), user_fd = -1;
    char user[32];
    int r = 0;

    if (leaf_fd < 0 && leaf_fd != -ENOENT)
        return cl_fail(e, -leaf_fd, "open the cgroup %s", path);
    if (leaf_fd >= 0) {
        user_fd = openat(leaf_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = user_fd < 0 ? cl_fail(e, errno, "open the cgroup above %s", path)
                        : cgroup_dir_kill(leaf_fd, deadline_ms, e);
        if (r == 0)
            cgroup_children_remove(leaf_fd);
        if (r == 0)
            r = remove_leaf(user_fd, strrchr(path, '/') + 1, deadline_ms, e);
    }
    snprintf(user, sizeof(user), USER_NAME "%u", (unsigned)uid);
    remove_empty(mount_fd, user);
    return r;
}

static bool is_leftover(int user_fd, const char *id, const char *path,
                        bool (*is_known)(const char *path, void *arg), void *arg)
{
    cleanup_fd int leaf_fd = -1;

    if (!cgroup_id_is_valid(id) || is_known(path, arg))
        return false;
    leaf_fd = openat(user_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (leaf_fd < 0 || cgroup_dir_populated(leaf_fd) != 0)
        return false;
    cgroup_children_remove(leaf_fd);
    return true;
}

static int sweep_user(int top_fd, const char *user, bool (*is_known)(const char *path, void *arg), void *arg)
{
    cleanup_fd int user_fd = openat(top_fd, user, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_strv char **ids = NULL;
    int removed = 0, r = user_fd < 0 ? -errno : cgroup_dir_list(user_fd, "", "", &ids);

    for (char **id = ids; r == 0 && id && *id; id++) {
        cleanup_free char *path = NULL;

        r = cl_asprintf(&path, "/" TOP "/%s/%s", user, *id);
        if (r == 0 && is_leftover(user_fd, *id, path, is_known, arg) &&
            unlinkat(user_fd, *id, AT_REMOVEDIR) == 0)
            removed++;
    }
    return r < 0 ? r : removed;
}

int cgroup_fs_sweep(int mount_fd, bool (*is_known)(const char *path, void *arg), void *arg,
                    struct cl_error *e)
{
    cleanup_fd int top_fd = cgroup_dir_open(mount_fd, TOP, O_RDONLY);
    cleanup_strv char **users = NULL;
    int removed = 0, r;

    if (top_fd < 0)
        return top_fd == -ENOENT ? 0 : cl_fail(e, -top_fd, "open the cgroup /" TOP);
    r = cgroup_dir_list(top_fd, USER_NAME, "", &users);
    if (r < 0)
        return cl_fail(e, -r, "list the cgroup /" TOP);
    for (char **user = users; user && *user; user++) {
        uid_t uid;

        if (cgroup_name_uid(*user, USER_NAME, "", &uid) < 0)
            continue;
        r = sweep_user(top_fd, *user, is_known, arg);
        if (r < 0 && r != -ENOENT && r != -ENODEV)
            return cl_fail(e, -r, "sweep the cgroup /" TOP "/%s", *user);
        removed += r > 0 ? r : 0;
        remove_empty(mount_fd, *user);
    }
    return removed;
}
