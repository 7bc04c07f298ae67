/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way into the cgroup layer: finds the hierarchy, collects the policy's limits, hands the making to one
 * of the two managers, and then looks at the result in the filesystem, which says the same whoever made it.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

static_assert(CL_KEY_CGROUP_IO - CL_KEY_CGROUP_PIDS_MAX == CGROUP_IO_MAX, "cgroup_pending: keys in the order of limits");
static_assert(CL_KEY_CGROUP_SESSION_IO - CL_KEY_CGROUP_SESSION_PIDS_MAX == CGROUP_IO_MAX, "the same");

struct manager {
    int (*create)(struct cgroup_setup *setup, const char *path, struct cl_error *e);
    int (*update)(struct cgroup_setup *setup, const char *path, enum cgroup_level level, unsigned which,
                  struct cl_error *e);
    int (*remove)(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms, struct cl_error *e);
    int (*sweep)(int mount_fd, bool (*is_known)(const char *path, void *arg), void *arg, struct cl_error *e);
    int settle_ms; /* how long after its answer a limit may take to reach the kernel */
};

static const struct manager managers[] = {
    [CL_MANAGER_SYSTEMD] = {cgroup_systemd_create, cgroup_systemd_update, cgroup_systemd_remove,
                            cgroup_systemd_sweep, 2000},
    [CL_MANAGER_CGROUPFS] = {cgroup_fs_create, cgroup_fs_update, cgroup_fs_remove, cgroup_fs_sweep, 0},
};

static const struct manager *find_manager(enum cl_cgroup_manager manager)
{
    if ((size_t)manager >= CL_ARRAY_SIZE(managers) || !managers[manager].create)
        return NULL;
    return &managers[manager];
}

const char *cgroup_mount_point(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < CL_ARRAY_SIZE(places); i++) {
        struct statfs fs;

        if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return places[i];
    }
    return NULL;
}

int cgroup_open(const char *path)
{
    const char *mount = cgroup_mount_point();
    char full[PATH_MAX];

    if (!mount || !path[0] || (size_t)snprintf(full, sizeof(full), "%s%s", mount, path) >= sizeof(full))
        return -1;
    return open(full, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_mount(int *ret_fd)
{
    const char *path = cgroup_mount_point();
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0)
        return path ? -errno : -ENOENT;
    *ret_fd = fd;
    return 0;
}

enum cl_cgroup_manager cgroup_manager_resolve(enum cl_cgroup_manager manager)
{
    if (manager != CL_MANAGER_AUTO)
        return manager;
    if (access("/run/systemd/system", F_OK) == 0 && cgroup_systemd_answers())
        return CL_MANAGER_SYSTEMD;
    return CL_MANAGER_CGROUPFS;
}

static int read_available(int mount_fd, unsigned *ret, struct cl_error *e)
{
    cleanup_free char *text = NULL;
    int r = cl_read_file_at(mount_fd, "cgroup.controllers", &text);

    if (r < 0)
        return cl_fail(e, -r, "read cgroup.controllers");
    *ret = cgroup_controllers_parse(text);
    return 0;
}

/* The manager says that it is done: see that the leaf exists, holds init, and has the limits. */
static int inspect(struct cgroup_setup *setup, const char *path, int settle_ms, struct cgroup_place *place,
                   struct cl_error *e)
{
    const struct cgroup_request *request = setup->request;
    cleanup_fd int leaf_fd = cgroup_dir_open(setup->mount_fd, path, O_PATH), user_fd = -1, procs_fd = -1;
    int64_t left = request->deadline_ms - cl_now_ms();
    int r;

    if (leaf_fd < 0)
        return cl_fail(e, -leaf_fd, "open the cgroup %s", path);
    r = cgroup_dir_has(path, request->init);
    if (r < 0)
        return cl_fail(e, -r, "find process %d in the cgroup %s", (int)request->init, path);
    user_fd = openat(leaf_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    procs_fd = openat(leaf_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (user_fd < 0 || procs_fd < 0)
        return cl_fail(e, errno, "open cgroup.procs of %s", path);

    settle_ms = left < settle_ms ? (int)(left > 0 ? left : 0) : settle_ms;
    r = cgroup_limits_verify(setup, CGROUP_USER, user_fd, settle_ms, e);
    if (r == 0 && !request->shared)
        r = cgroup_limits_verify(setup, CGROUP_SESSION, leaf_fd, settle_ms, e);
    if (r < 0)
        return r;
    place->dir_fd = cl_take_fd(&leaf_fd);
    place->procs_fd = cl_take_fd(&procs_fd);
    return 0;
}

/* Undo after a failure: the first error is what the caller hears of. */
static void undo(const struct manager *manager, int mount_fd, const char *path, uid_t uid)
{
    int r = manager->remove(mount_fd, path, uid, cl_now_ms() + 1000, NULL);

    (void)r;
}

static int no_hierarchy(const struct cgroup_request *request, int r, struct cgroup_place *ret,
                        struct cl_error *e)
{
    if (r != -ENOENT)
        return cl_fail(e, -r, "open the cgroup2 mount");
    if (request->policy->cgroup.when_unavailable == CL_UNAVAILABLE_REFUSE)
        return cl_policy_fail(request->policy, CL_KEY_CGROUP_WHEN_UNAVAILABLE, e, EOPNOTSUPP,
                              "find a cgroup2 mount at /sys/fs/cgroup");
    *ret = (struct cgroup_place){.path = NULL, .dir_fd = -1, .procs_fd = -1};
    return 0;
}

int cgroup_create(const struct cgroup_request *request, struct cgroup_place *ret, struct cl_error *e)
{
    const struct manager *manager = find_manager(request->manager);
    struct cgroup_place place = {.path = NULL, .dir_fd = -1, .procs_fd = -1};
    struct cgroup_setup setup = {.request = request, .mount_fd = -1};
    cleanup_fd int mount_fd = -1;
    cleanup_free char *path = NULL;
    unsigned available = 0;
    int r;

    if (!manager || request->init <= 0 || !cgroup_id_is_valid(request->id))
        return cl_fail(e, EINVAL, "make a cgroup for cell \"%s\"", request->id ? request->id : "");
    r = cgroup_path_make(request->manager, request->uid, request->id, &path);
    if (r < 0)
        return cl_fail(e, -r, "name the cgroup");
    r = open_mount(&mount_fd);
    if (r < 0)
        return no_hierarchy(request, r, ret, e);
    setup.mount_fd = mount_fd;

    r = read_available(mount_fd, &available, e);
    if (r == 0)
        r = cgroup_limits_collect(&setup, available, e);
    if (r == 0)
        r = manager->create(&setup, path, e);
    if (r < 0)
        return r;
    r = inspect(&setup, path, manager->settle_ms, &place, e);
    if (r < 0) {
        undo(manager, mount_fd, path, request->uid);
        return r;
    }
    place.path = path;
    path = NULL;
    *ret = place;
    return 0;
}

void cgroup_place_clear(struct cgroup_place *place)
{
    free(place->path);
    place->path = NULL;
    cl_close(&place->dir_fd);
    cl_close(&place->procs_fd);
}

/* One level of a cell that lives. */
struct level {
    const struct manager *manager;
    struct cgroup_setup setup;
    enum cgroup_level level;
    int mount_fd, dir_fd;
};

static void level_close(struct level *l)
{
    cl_close(&l->mount_fd);
    cl_close(&l->dir_fd);
}

#define cleanup_level __attribute__((cleanup(level_close)))

/* pid 1 is where it belongs. */
static int has_init(const struct cgroup_request *request, const char *path, struct cl_error *e)
{
    cleanup_free char *own = NULL;
    int r = cl_asprintf(&own, "%s%s", path, request->shared ? "/" CGROUP_OF_CELL : "");

    if (r == 0)
        r = cgroup_dir_has(own, request->init);
    return r < 0 ? cl_fail(e, -r, "find process %d in the cgroup %s", (int)request->init, path) : 0;
}

static int level_open(const struct cgroup_request *request, const char *path, bool user, struct level *l,
                      struct cl_error *e)
{
    cleanup_fd int leaf_fd = -1;
    unsigned available = 0;
    int r;

    l->manager = find_manager(request->manager);
    l->level = user ? CGROUP_USER : CGROUP_SESSION;
    if (!l->manager || !cgroup_path_is_valid(request->manager, path, request->uid))
        return cl_fail(e, EINVAL, "change the cgroup \"%s\" of uid %u", path, (unsigned)request->uid);
    r = open_mount(&l->mount_fd);
    if (r < 0)
        return cl_fail(e, -r, "open the cgroup2 mount");
    l->setup = (struct cgroup_setup){.request = request, .mount_fd = l->mount_fd};
    leaf_fd = cgroup_dir_open(l->mount_fd, path, O_PATH);
    if (leaf_fd < 0)
        return cl_fail(e, -leaf_fd, "open the cgroup %s", path);
    r = has_init(request, path, e);
    if (r < 0)
        return r;
    l->dir_fd = openat(leaf_fd, user ? ".." : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (l->dir_fd < 0)
        return cl_fail(e, errno, "open the cgroup above %s", path);
    r = read_available(l->mount_fd, &available, e);
    return r < 0 ? r : cgroup_limits_collect(&l->setup, available, e);
}

static unsigned limits_set(const struct level *l)
{
    unsigned set = 0;

    for (unsigned limit = 0; limit < CGROUP_LIMIT_COUNT; limit++)
        set |= cgroup_limit_is_set(&l->setup.limits[l->level], limit) ? 1U << limit : 0;
    return set;
}

/* The first that stays in spite of all, once they had time to go. */
static int verify_lifted(const struct level *l, unsigned which, struct cl_error *e)
{
    int64_t until_ms = cl_now_ms() + l->manager->settle_ms;
    unsigned stays;
    int pause_ms = 0;

    do
        stays = cgroup_limits_differ(&l->setup.limits[l->level], l->dir_fd) & which;
    while (stays && cgroup_pause(&pause_ms, until_ms));
    return stays ? cl_policy_fail(l->setup.request->policy, cgroup_limit_table[__builtin_ctz(stays)].key[l->level], e, EIO,
                                  "the limit was not lifted")
                 : 0;
}

int cgroup_update(const struct cgroup_request *request, const char *path, bool user, enum cgroup_change change,
                  struct cl_error *e)
{
    cleanup_level struct level l = {.mount_fd = -1, .dir_fd = -1};
    int r = level_open(request, path, user, &l, e);
    unsigned which;

    if (r < 0)
        return r;
    if (request->shared && !user)
        return cgroup_logins_update(&l.setup, l.dir_fd, change, e);
    which = cgroup_limits_differ(&l.setup.limits[l.level], l.dir_fd) &
            (change == CGROUP_SET ? limits_set(&l) : ~limits_set(&l));
    if (which == 0)
        return 0;
    r = l.manager->update(&l.setup, path, l.level, which, e);
    if (r < 0)
        return r;
    return change == CGROUP_SET ? cgroup_limits_verify(&l.setup, l.level, l.dir_fd, l.manager->settle_ms, e)
                                : verify_lifted(&l, which, e);
}

int cgroup_pending(const struct cgroup_request *request, const char *path, bool user, unsigned *ret,
                   struct cl_error *e)
{
    cleanup_level struct level l = {.mount_fd = -1, .dir_fd = -1};
    int r = level_open(request, path, user, &l, e);

    if (r == 0)
        *ret = request->shared && !user ? cgroup_logins_differ(&l.setup, l.dir_fd)
                                        : cgroup_limits_differ(&l.setup.limits[l.level], l.dir_fd);
    return r;
}

int cgroup_remove(enum cl_cgroup_manager manager, const char *path, uid_t uid, int wait_ms,
                  struct cl_error *e)
{
    const struct manager *ops = find_manager(manager);
    cleanup_fd int mount_fd = -1;
    int r;

    if (!ops || !cgroup_path_is_valid(manager, path, uid))
        return cl_fail(e, EINVAL, "remove the cgroup \"%s\" of uid %u", path ? path : "", (unsigned)uid);
    r = open_mount(&mount_fd);
    if (r < 0)
        return r == -ENOENT ? 0 : cl_fail(e, -r, "open the cgroup2 mount");
    return ops->remove(mount_fd, path, uid, cl_now_ms() + wait_ms, e);
}

int cgroup_sweep(enum cl_cgroup_manager manager, bool (*is_known)(const char *path, void *arg), void *arg,
                 struct cl_error *e)
{
    const struct manager *ops = find_manager(manager);
    cleanup_fd int mount_fd = -1;
    int r;

    if (!ops)
        return cl_fail(e, EINVAL, "sweep the cgroups");
    r = open_mount(&mount_fd);
    if (r < 0)
        return r == -ENOENT ? 0 : cl_fail(e, -r, "open the cgroup2 mount");
    cgroup_leave_sweep(mount_fd);
    return ops->sweep(mount_fd, is_known, arg, e);
}

int cgroup_usage(const char *path, struct cl_usage *ret)
{
    cleanup_fd int mount_fd = -1, dir_fd = -1;
    int r = open_mount(&mount_fd);

    if (r < 0)
        return r;
    dir_fd = cgroup_dir_open(mount_fd, path, O_PATH);
    if (dir_fd < 0)
        return dir_fd;
    cl_usage_read(dir_fd, ret);
    return 0;
}
