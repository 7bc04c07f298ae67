/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One level below is all there is: a tenant makes no cgroups.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "procs.h"
#include "util.h"

static unsigned of_one(int dir_fd, void (*visit)(int cgroup_fd, pid_t pid, void *arg), void *arg)
{
    int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC), pid;
    FILE *procs = fd < 0 ? NULL : fdopen(fd, "r");
    unsigned n = 0;

    if (!procs) {
        cl_close(&fd);
        return 0;
    }
    while (fscanf(procs, "%d", &pid) == 1) {
        n++;
        if (visit)
            visit(dir_fd, pid, arg);
    }
    (void)fclose(procs);
    return n;
}

unsigned procs_each(int dir_fd, void (*visit)(int cgroup_fd, pid_t pid, void *arg), void *arg)
{
    unsigned n = dir_fd < 0 ? 0 : of_one(dir_fd, visit, arg);
    int fd = dir_fd < 0 ? -1 : openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        cl_close(&fd);
        return n;
    }
    while ((entry = readdir(dir))) {
        cleanup_fd int below = -1;

        if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
            continue;
        below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        n += below < 0 ? 0 : of_one(below, visit, arg);
    }
    (void)closedir(dir);
    return n;
}
