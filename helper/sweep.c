/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sweeping is safe at any time: a record is only acted upon under its user's lock, and only when the process
 * that it names is provably gone.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "close.h"
#include "events.h"
#include "log.h"
#include "logout.h"
#include "network.h"
#include "record.h"
#include "session.h"
#include "story.h"
#include "sweep.h"
#include "util.h"

#define TEMPORARY_SECONDS 600

static unsigned sweep_one(int run_fd, const char *id, uid_t uid, int wait_ms)
{
    cleanup_record struct record *seen = NULL, *record = NULL;
    cleanup_fd int lock = -1;
    struct cl_log_about about;
    struct cl_error e = {0};
    char why[1200];

    if (record_load(run_fd, id, &seen, &e) < 0) {
        bool damaged = e.err == EBADMSG || e.err == EFBIG || e.err == ELOOP;

        if (e.err == ENOENT)
            return 0;
        cl_log(LOG_ERR, "sweep: %s; the record %s", cl_error_format(&e, why, sizeof(why)),
               damaged ? "is removed" : "stays");
        return damaged && record_remove(run_fd, id) == 0;
    }
    if (uid != (uid_t)-1 && uid != seen->uid)
        return 0;
    if (record_in_use(seen) || record_lock(run_fd, seen->uid, cl_now_ms(), &lock, NULL) < 0)
        return 0;
    if (record_load(run_fd, id, &record, NULL) < 0 || record_in_use(record))
        return 0; /* closed, or committed, while we waited */
    if (end_cell(run_fd, record, 0, wait_ms, &e) < 0) {
        cl_log(LOG_ERR, "sweep: id=%s %s", id, cl_error_format(&e, why, sizeof(why)));
        return 0;
    }
    about = event_about(record);
    cl_log_about(LOG_NOTICE, &about, "sweep: id=%s user=%s: the cell had ended without a close", id, record->user);
    return 1;
}

unsigned sweep_records(int run_fd, uid_t uid, int wait_ms)
{
    cleanup_strv char **ids = NULL;
    unsigned n = 0;

    (void)logout_sweep(run_fd, uid, wait_ms);
    if (record_list(run_fd, &ids, NULL) < 0)
        return 0;
    for (size_t i = 0; ids && ids[i]; i++)
        n += sweep_one(run_fd, ids[i], uid, wait_ms);
    return n;
}

/* What lies beside a record is written when the record is there, by who holds the user's lock. */
static bool is_beside_no_record(int fd, const char *name)
{
    size_t length = strcspn(name, ".");
    char record[64];

    if (strncmp(name + length, ".json.", 6) == 0)
        return false;
    (void)snprintf(record, sizeof(record), "%.*s.json", (int)length, name);
    return faccessat(fd, record, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Files that were never renamed to their names: whoever wrote them was killed. Younger ones may be written right now. */
static void sweep_temporaries(int run_fd, const char *folder)
{
    int fd = openat(run_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    struct stat st;

    if (!dir) {
        cl_close(&fd);
        return;
    }
    while ((entry = readdir(dir))) {
        const char *end = strrchr(entry->d_name, '.');

        if (end && strcmp(end, ".tmp") == 0 && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (st.st_mtime + TEMPORARY_SECONDS < time(NULL) ||
             (strcmp(folder, "cells") == 0 && is_beside_no_record(fd, entry->d_name))))
            (void)unlinkat(fd, entry->d_name, 0);
    }
    (void)closedir(dir);
}

struct known {
    int run_fd;
};

/* A leaf is known when any record names it: what is being built has no path in its record yet, but its cell's
 * id is the last part of the path. */
static bool is_known(const char *path, void *arg)
{
    const struct known *known = arg;
    cleanup_strv char **ids = NULL;

    if (record_list(known->run_fd, &ids, NULL) < 0)
        return true;
    for (size_t i = 0; ids && ids[i]; i++)
        if (strstr(path, ids[i]))
            return true;
    return false;
}

/* Leaves of both managers: cloister.conf may have named the other one when they were made. */
static int sweep_cgroups(int run_fd, struct cl_error *e)
{
    struct known known = {.run_fd = run_fd};
    int n = cgroup_sweep(CL_MANAGER_CGROUPFS, is_known, &known, e), m = 0;

    if (n >= 0 && cgroup_manager_resolve(CL_MANAGER_AUTO) == CL_MANAGER_SYSTEMD)
        m = cgroup_sweep(CL_MANAGER_SYSTEMD, is_known, &known, e);
    return n < 0 ? n : m < 0 ? m : n + m;
}

int sweep_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    cleanup_fd int run_fd = -1;
    unsigned records;
    int cgroups, r = record_open_dir(&run_fd, e);

    if (r < 0)
        return r;
    records = sweep_records(run_fd, (uid_t)-1, CLOSE_KILL_MS);
    sweep_temporaries(run_fd, "cells");
    sweep_temporaries(run_fd, "logins");
    sweep_temporaries(run_fd, "net");
    network_sweep(run_fd);
    (void)story_sweep(run_fd);
    cgroups = sweep_cgroups(run_fd, e);
    if (cgroups < 0)
        return cgroups;
    (void)dprintf(STDOUT_FILENO, "swept %u cells, %d cgroups\n", records, cgroups);
    return 0;
}
