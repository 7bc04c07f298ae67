/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cgroup of a user is the folder above that of each cell.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "measure.h"
#include "util.h"

unsigned measure_processes(int cgroup_fd)
{
    cleanup_free char *procs = NULL;
    unsigned n = 0;

    if (cgroup_fd < 0 || cl_read_file_at(cgroup_fd, "cgroup.procs", &procs) < 0)
        return 0;
    for (const char *p = procs; *p; p += strcspn(p, "\n"), p += *p == '\n')
        n++;
    return n;
}

void measure_cell(const struct record *record, int cgroup_fd, struct measure *ret)
{
    cleanup_fd int user = -1;

    if (cgroup_fd >= 0)
        user = openat(cgroup_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ret->processes = measure_processes(cgroup_fd);
    cl_usage_read(cgroup_fd, &ret->usage);
    cl_usage_read(user, &ret->user_usage);
    ret->n_hits = hits_find(&ret->usage, &ret->user_usage, record->limits, record->n_limits, ret->hits);
}
