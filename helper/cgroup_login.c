/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Below the leaf of a cell that several logins share: a cgroup for pid 1 and for root who enters, and one for each login, with
 * the limits of a session. The leaf itself holds no process then, as cgroup v2 wants where controllers are passed on. systemd
 * is told that what is below the scope is ours (Delegate=).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

#define LOGIN "login-"

static void login_name(const char *id, char *buf, size_t size)
{
    (void)snprintf(buf, size, LOGIN "%s", id);
}

static int make(int leaf_fd, const char *name, int *ret_fd, struct cl_error *e)
{
    int fd;

    if (mkdirat(leaf_fd, name, 0755) < 0 && errno != EEXIST)
        return cl_fail(e, errno, "make the cgroup %s of the cell", name);
    fd = openat(leaf_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(e, errno, "open the cgroup %s of the cell", name);
    (void)fchmod(fd, 0755); /* whatever the umask: runtimes in the cell read their limits in it */
    *ret_fd = fd;
    return 0;
}

/* What the limits of a session need and the leaf has. */
static int collect(struct cgroup_setup *setup, int leaf_fd, struct cl_error *e)
{
    cleanup_free char *available = NULL;
    int r = cl_read_file_at(leaf_fd, "cgroup.controllers", &available);

    if (r < 0)
        return cl_fail(e, -r, "read the controllers of the cell's cgroup");
    cgroup_limits_none(&setup->limits[CGROUP_USER]);
    return cgroup_limits_collect_level(setup, CGROUP_SESSION, cgroup_controllers_parse(available), e);
}

static int pass_on(struct cgroup_setup *setup, int leaf_fd, struct cl_error *e)
{
    unsigned needed = cgroup_controllers_needed(setup);
    char text[16], why[96];
    int r;

    for (unsigned c = 0; c < CGROUP_CONTROLLER_COUNT; c++) {
        if (!(needed & 1U << c))
            continue;
        (void)snprintf(text, sizeof(text), "+%s", cgroup_controller_name(c));
        r = cl_write_file_at(leaf_fd, "cgroup.subtree_control", text);
        if (r < 0) {
            (void)snprintf(why, sizeof(why), "enabling the %s controller fails: %s", text + 1, strerror(-r));
            r = cgroup_controller_unavailable(setup, c, why, e);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int cgroup_share(const struct cgroup_request *request, int leaf_fd, struct cl_error *e)
{
    struct cgroup_setup setup = {.request = request, .mount_fd = -1};
    cleanup_fd int cell_fd = -1;
    char pid[16];
    int r = make(leaf_fd, CGROUP_OF_CELL, &cell_fd, e);

    if (r < 0)
        return r;
    (void)snprintf(pid, sizeof(pid), "%d", (int)request->init);
    r = cl_write_file_at(cell_fd, "cgroup.procs", pid);
    if (r < 0)
        return cl_fail(e, -r, "move the cell's pid 1 into its cgroup");
    r = collect(&setup, leaf_fd, e);
    return r < 0 ? r : pass_on(&setup, leaf_fd, e);
}

static int open_login(int login_fd, struct cgroup_login *ret, struct cl_error *e)
{
    cleanup_fd int procs = openat(login_fd, "cgroup.procs", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_fd int kill = openat(login_fd, "cgroup.kill", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

    if (procs < 0 || kill < 0)
        return cl_fail(e, errno, "open the cgroup of the login");
    ret->procs_fd = cl_take_fd(&procs);
    ret->kill_fd = cl_take_fd(&kill);
    return 0;
}

int cgroup_login_make(const struct cgroup_request *request, int leaf_fd, struct cgroup_login *ret, struct cl_error *e)
{
    struct cgroup_setup setup = {.request = request, .mount_fd = -1};
    cleanup_fd int login_fd = -1;
    char name[64];
    int r = collect(&setup, leaf_fd, e);

    login_name(request->id, name, sizeof(name));
    if (r == 0)
        r = make(leaf_fd, name, &login_fd, e);
    if (r == 0)
        r = cgroup_limits_write(&setup, CGROUP_SESSION, CGROUP_ALL_LIMITS, login_fd, e);
    if (r == 0)
        r = cgroup_limits_verify(&setup, CGROUP_SESSION, login_fd, 0, e);
    if (r == -ESTALE)
        r = cl_fail(e, ESRCH, "the cell's cgroup is gone");
    if (r == 0)
        r = open_login(login_fd, ret, e);
    if (r < 0 && login_fd >= 0)
        (void)unlinkat(leaf_fd, name, AT_REMOVEDIR);
    return r;
}

int cgroup_login_dir(int leaf_fd, const char *id)
{
    char name[64];
    int fd;

    login_name(id, name, sizeof(name));
    fd = openat(leaf_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int cgroup_login_remove(int leaf_fd, const char *id, bool kill, int wait_ms, struct cl_error *e)
{
    cleanup_fd int login_fd = cgroup_login_dir(leaf_fd, id);
    int64_t until = cl_now_ms() + wait_ms;
    int r, pause_ms = 0;
    char name[64];

    if (login_fd < 0)
        return 0;
    r = kill ? cgroup_dir_kill(login_fd, until, e) : 0;
    login_name(id, name, sizeof(name));
    while (r == 0 && unlinkat(leaf_fd, name, AT_REMOVEDIR) < 0) {
        if (errno != EBUSY || !kill) /* what goes on keeps it; the cell takes it along */
            return 0;
        if (!cgroup_pause(&pause_ms, until))
            r = cl_fail(e, ETIMEDOUT, "remove the cgroup of login %s, which stays busy", id);
    }
    return r;
}

void cgroup_logins_prune(int leaf_fd, bool (*is_known)(const char *id, void *arg), void *arg)
{
    cleanup_strv char **names = NULL;

    if (cgroup_dir_list(leaf_fd, LOGIN, "", &names) < 0)
        return;
    for (char **name = names; name && *name; name++)
        if (!is_known(*name + strlen(LOGIN), arg))
            (void)unlinkat(leaf_fd, *name, AT_REMOVEDIR); /* refused by the kernel while something is in it */
}

void cgroup_children_remove(int leaf_fd)
{
    cleanup_strv char **names = NULL;

    if (cgroup_dir_list(leaf_fd, "", "", &names) < 0)
        return;
    for (char **name = names; name && *name; name++)
        (void)unlinkat(leaf_fd, *name, AT_REMOVEDIR);
}

static int update_login(struct cgroup_setup *setup, int login_fd, enum cgroup_change change, struct cl_error *e)
{
    const struct cgroup_limits *limits = &setup->limits[CGROUP_SESSION];
    unsigned which = 0, differ = cgroup_limits_differ(limits, login_fd);
    int r;

    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
        if (cgroup_limit_is_set(limits, l) == (change == CGROUP_SET))
            which |= differ & 1U << l;
    r = which ? cgroup_limits_write(setup, CGROUP_SESSION, which, login_fd, e) : 0;
    if (r == -ESTALE)
        return 0; /* the login has ended */
    return r == 0 && change == CGROUP_SET ? cgroup_limits_verify(setup, CGROUP_SESSION, login_fd, 0, e) : r;
}

int cgroup_logins_update(struct cgroup_setup *setup, int leaf_fd, enum cgroup_change change, struct cl_error *e)
{
    cleanup_strv char **names = NULL;
    int r = collect(setup, leaf_fd, e);

    if (r == 0)
        r = pass_on(setup, leaf_fd, e);
    if (r == 0)
        r = cgroup_dir_list(leaf_fd, LOGIN, "", &names);
    for (char **name = names; r == 0 && name && *name; name++) {
        cleanup_fd int login_fd = openat(leaf_fd, *name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        r = login_fd < 0 ? 0 : update_login(setup, login_fd, change, e);
    }
    return r;
}

unsigned cgroup_logins_differ(const struct cgroup_setup *setup, int leaf_fd)
{
    cleanup_strv char **names = NULL;
    unsigned which = 0;

    if (cgroup_dir_list(leaf_fd, LOGIN, "", &names) < 0)
        return ~0U;
    for (char **name = names; name && *name; name++) {
        cleanup_fd int login_fd = openat(leaf_fd, *name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        which |= login_fd < 0 ? 0 : cgroup_limits_differ(&setup->limits[CGROUP_SESSION], login_fd);
    }
    return which;
}
