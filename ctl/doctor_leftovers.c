/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: records whose cell is gone, and cgroups that no record names.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "doctor.h"
#include "record.h"
#include "util.h"

#define SWEEP "cloister sweep"

static void check_records(struct doctor *d, int run_fd, char *const *ids)
{
    for (size_t i = 0; ids && ids[i]; i++) {
        cleanup_record struct record *record = NULL;
        struct cl_error e = {0};
        int r = record_load(run_fd, ids[i], &record, &e);

        if (r == -ENOENT || (r == 0 && record_in_use(record)))
            continue; /* it ended meanwhile, or it lives */
        if (r < 0)
            doctor_find(d, FINDING_RECORD, ids[i], SWEEP, "the record of the cell %s cannot be read: %s", ids[i],
                        e.text);
        else
            doctor_find(d, FINDING_RECORD, ids[i], SWEEP, "the cell %s of %s is gone, its record is not", ids[i],
                        record->user);
    }
}

static bool has_record(const char *path, char *const *ids)
{
    for (size_t i = 0; ids && ids[i]; i++)
        if (strstr(path, ids[i]))
            return true;
    return false;
}

/* One without a record may have ended between the two lists: look again. */
static void check_cgroup(struct doctor *d, const char *path)
{
    cleanup_fd int fd = cgroup_open(path);
    cleanup_free char *events = NULL, *fix = NULL;
    bool busy;

    if (fd < 0 || cl_read_file_at(fd, "cgroup.events", &events) < 0)
        return;
    busy = strstr(events, "populated 1") != NULL;
    if (busy && cl_asprintf(&fix, "echo 1 >%s%s/cgroup.kill && " SWEEP, cgroup_mount_point(), path) < 0)
        fix = NULL;
    doctor_find(d, busy ? FINDING_CGROUP_BUSY : FINDING_CGROUP, path, busy ? fix : SWEEP,
                busy ? "the cgroup %s has processes, and no record" : "the cgroup %s is empty, and without a record",
                path);
}

void doctor_leftovers(struct doctor *d)
{
    cleanup_fd int run_fd = -1;
    cleanup_strv char **ids = NULL, **paths = NULL;

    if (!doctor_is_root(d, "what ended sessions left behind"))
        return;
    if (cgroup_leaves(&paths) < 0) /* before the records: a cell that is just being opened has its record first */
        d->out_of_memory = true;
    run_fd = open(CL_RUN_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (run_fd >= 0 && record_list(run_fd, &ids, NULL) < 0)
        return; /* a folder that is not as it should be: told already */
    check_records(d, run_fd, ids);
    for (size_t i = 0; paths && paths[i]; i++)
        if (!has_record(paths[i], ids))
            check_cgroup(d, paths[i]);
    doctor_ok(d, "nothing is left of ended sessions");
}
