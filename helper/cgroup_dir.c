/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The shapes of cgroup names and paths, and what is done to a cgroup through its directory, whoever manages
 * it.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cgroup_internal.h"
#include "util.h"

#define PAUSE_MAX_MS 20

bool cgroup_id_is_valid(const char *id)
{
    size_t length = id ? strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz") : 0;

    return length > 0 && length <= CGROUP_ID_MAX && id[length] == '\0';
}

int cgroup_path_make(enum cl_cgroup_manager manager, uid_t uid, const char *id, char **ret)
{
    unsigned u = (unsigned)uid;

    if (!cgroup_id_is_valid(id))
        return -EINVAL;
    if (manager == CL_MANAGER_SYSTEMD)
        return cl_asprintf(ret, "/user.slice/user-%u.slice/user-%u-cloister.slice/cloister-%s.scope", u, u,
                           id);
    return cl_asprintf(ret, "/cloister/user-%u/%s", u, id);
}

bool cgroup_path_is_valid(enum cl_cgroup_manager manager, const char *path, uid_t uid)
{
    const char *prefix = manager == CL_MANAGER_SYSTEMD ? "cloister-" : "";
    const char *suffix = manager == CL_MANAGER_SYSTEMD ? ".scope" : "";
    const char *leaf = path ? strrchr(path, '/') : NULL;
    cleanup_free char *want = NULL;
    char id[CGROUP_ID_MAX + 1];
    size_t length;

    if (!leaf || strncmp(++leaf, prefix, strlen(prefix)) != 0)
        return false;
    leaf += strlen(prefix);
    length = strlen(leaf);
    if (length <= strlen(suffix) || length - strlen(suffix) > CGROUP_ID_MAX)
        return false;
    length -= strlen(suffix);
    memcpy(id, leaf, length);
    id[length] = '\0';
    return cgroup_path_make(manager, uid, id, &want) == 0 && strcmp(want, path) == 0;
}

int cgroup_name_uid(const char *name, const char *prefix, const char *suffix, uid_t *ret)
{
    size_t length = strlen(name), before = strlen(prefix), after = strlen(suffix);
    char digits[16], again[16];
    uint64_t value;

    if (length <= before + after || length - before - after >= sizeof(digits) ||
        strncmp(name, prefix, before) != 0 || strcmp(name + length - after, suffix) != 0)
        return -EINVAL;
    memcpy(digits, name + before, length - before - after);
    digits[length - before - after] = '\0';
    if (cl_parse_u64(digits, &value) < 0 || value >= UINT32_MAX)
        return -EINVAL;
    snprintf(again, sizeof(again), "%" PRIu64, value);
    if (strcmp(again, digits) != 0) /* "007" is no name of ours */
        return -EINVAL;
    *ret = (uid_t)value;
    return 0;
}

int cgroup_dir_open(int mount_fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };
    long fd;

    while (*path == '/')
        path++;
    fd = syscall(SYS_openat2, mount_fd, *path ? path : ".", &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

static bool matches(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(name), before = strlen(prefix), after = strlen(suffix);

    return name[0] != '.' && length > before + after && strncmp(name, prefix, before) == 0 &&
           strcmp(name + length - after, suffix) == 0;
}

int cgroup_dir_list(int dir_fd, const char *prefix, const char *suffix, char ***ret)
{
    cleanup_strv char **names = NULL;
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* an offset of its own */
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    int r = 0;

    if (!dir) {
        r = -errno;
        cl_close(&fd);
        return r;
    }
    while (r == 0 && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && matches(entry->d_name, prefix, suffix))
            r = cl_strv_add(&names, entry->d_name);
    closedir(dir);
    if (r < 0)
        return r;
    *ret = names;
    names = NULL;
    return 0;
}

static int parse_populated(const char *text)
{
    const char *found = strstr(text, "populated ");

    return found ? found[strlen("populated ")] == '1' : -EINVAL;
}

int cgroup_dir_populated(int dir_fd)
{
    cleanup_free char *text = NULL;
    int r = cl_read_file_at(dir_fd, "cgroup.events", &text);

    if (r == -ENODEV) /* the directory is still open, the cgroup is gone */
        return -ENOENT;
    return r < 0 ? r : parse_populated(text);
}

/* cgroup.events raises POLLPRI at each change after the last read of the same open file. */
static int wait_empty(int events_fd, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd p = {.fd = events_fd, .events = POLLPRI};
        int64_t left = deadline_ms - cl_now_ms();
        char text[256];
        ssize_t n = pread(events_fd, text, sizeof(text) - 1, 0);
        int r;

        if (n < 0)
            return errno == ENODEV ? 0 : -errno;
        text[n] = '\0';
        r = parse_populated(text);
        if (r <= 0)
            return r;
        if (left <= 0)
            return -ETIMEDOUT;
        if (poll(&p, 1, (int)(left > 1000 ? 1000 : left)) < 0 && errno != EINTR)
            return -errno;
    }
}

int cgroup_dir_kill(int dir_fd, int64_t deadline_ms, struct cl_error *e)
{
    cleanup_fd int events_fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    int r;

    if (events_fd < 0)
        return errno == ENOENT || errno == ENODEV ? 0 : cl_fail(e, errno, "open cgroup.events");
    r = cl_write_file_at(dir_fd, "cgroup.kill", "1");
    if (r == -ENODEV)
        return 0;
    if (r == -ENOENT && faccessat(dir_fd, "cgroup.procs", F_OK, 0) < 0)
        return 0;
    if (r < 0)
        return cl_fail(e, -r, "write cgroup.kill");
    r = wait_empty(events_fd, deadline_ms);
    if (r < 0)
        return cl_fail(e, -r, "wait for the processes of the cgroup to die");
    return 0;
}

int cgroup_dir_has(const char *path, pid_t pid)
{
    cleanup_free char *text = NULL;
    char file[64];
    size_t length = strlen(path);
    int r;

    snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
    r = cl_read_file_at(AT_FDCWD, file, &text);
    if (r < 0)
        return r == -ENOENT ? -ESRCH : r;
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, "0::", 3) == 0 && strncmp(line + 3, path, length) == 0 &&
            (line[3 + length] == '\n' || line[3 + length] == '\0'))
            return 0;
    return -EXDEV;
}

bool cgroup_pause(int *pause_ms, int64_t deadline_ms)
{
    struct timespec ts = {0};
    int64_t left = deadline_ms - cl_now_ms();

    if (left <= 0)
        return false;
    *pause_ms = *pause_ms == 0 ? 1 : *pause_ms * 2;
    if (*pause_ms > PAUSE_MAX_MS)
        *pause_ms = PAUSE_MAX_MS;
    if (*pause_ms > left)
        *pause_ms = (int)left;
    ts.tv_nsec = *pause_ms * 1000000L;
    nanosleep(&ts, NULL);
    return true;
}
