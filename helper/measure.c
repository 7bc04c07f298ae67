/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cgroup of a user is the folder above that of each cell.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "procs.h"
#include "util.h"

/* What the kernel counts only in the cgroup that has the limit. */
static void add_own(int below_fd, struct cl_usage *sum)
{
    static const enum cl_use own[] = {CL_USE_PIDS_MAX_OWN, CL_USE_MEMORY_HIGH_OWN, CL_USE_MEMORY_MAX_OWN,
                                      CL_USE_OOM_OWN,      CL_USE_CPU_THROTTLED,   CL_USE_CPU_THROTTLED_USEC};
    struct cl_usage usage;

    cl_usage_read(below_fd, &usage);
    for (size_t i = 0; i < CL_ARRAY_SIZE(own); i++) {
        sum->n[own[i]] += usage.n[own[i]];
        sum->known[own[i]] |= usage.known[own[i]];
    }
}

void measure_usage(int cgroup_fd, struct cl_usage *ret)
{
    int fd = cgroup_fd < 0 ? -1 : openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    cl_usage_read(cgroup_fd, ret);
    if (!dir) {
        cl_close(&fd);
        return;
    }
    while ((entry = readdir(dir))) {
        cleanup_fd int below = -1;

        if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
            continue;
        below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        add_own(below, ret);
    }
    (void)closedir(dir);
}

void measure_cell(const struct record *record, int cgroup_fd, struct measure *ret)
{
    cleanup_fd int user = -1;

    if (cgroup_fd >= 0)
        user = openat(cgroup_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ret->processes = procs_each(cgroup_fd, NULL, NULL);
    measure_usage(cgroup_fd, &ret->usage);
    cl_usage_read(user, &ret->user_usage);
    ret->n_hits = hits_find(&ret->usage, &ret->user_usage, record->limits, record->n_limits, ret->hits);
}
