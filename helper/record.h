/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records: one root-owned JSON file for each cell, CL_RUN_DIR/cells/ID.json. A process is named by pid and
 * start time, and trusted only through a pidfd that was checked against both.
 */
#ifndef CL_RECORD_H
#define CL_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "configuration.h"
#include "policy.h"
#include "err.h"
#include "handoff.h"

#define RECORD_NO_SESSION UINT32_MAX /* as the kernel has it */
/* A limit that a cell was opened with, as its policy said it then. */
struct record_limit {
    char key[48];     /* "cgroup.session.pids_max" */
    char value[96];   /* "512M", as `explain` shows it */
    char source[300]; /* "FILE:LINE" or "built-in" */
};

#define RECORD_LIMITS_MAX 16

struct record {
    char id[CL_ID_LENGTH + 1];
    bool live;                                                  /* committed; else it is being built */
    const char *user, *policy, *service, *rhost, *tty, *cgroup; /* cgroup: empty without one */
    uid_t uid;
    int64_t since;                                   /* CLOCK_REALTIME, seconds */
    pid_t opener, init, helper;                      /* init 0: not known yet; helper: who builds it */
    uint64_t opener_start, init_start, helper_start; /* clock ticks since boot */
    uint64_t grace;                                  /* seconds */
    enum cl_cgroup_manager manager;
    bool audit;             /* the policy's mode */
    const char *apparmor;   /* the profile that the cell runs under; empty without one */
    uint32_t audit_session; /* the login's, RECORD_NO_SESSION where nothing set one */
    const char *port;       /* the host's end of its veth; empty without one */
    const char *network;    /* "isolated", "nat" or "host"; empty: written by an older version */
    const char *address, *address6; /* empty without one */
    uint64_t rate;                  /* bits a second; CL_UNLIMITED: none */
    bool lasting;           /* its logins have files of their own (logins.h), and it may outlive them */
    enum cl_share share;
    enum cl_on_logout on_logout;
    uint64_t linger; /* seconds */
    uint64_t idle;   /* seconds without input that end a login; 0: none */
    bool ending;     /* by the helper named here, which lets its processes end by themselves: nobody joins it any more */
    struct record_limit limits[RECORD_LIMITS_MAX];
    size_t n_limits;
    void *json; /* what the strings of a loaded record live in */
};

/* An object of key, value and source. */
/* The cell's network, as `list` and `status` tell it; null where the record does not say. */
json_t *record_network_json(const struct record *record);
json_t *record_limit_json(const struct record_limit *limit);
/* An array of such objects, into the limits of a record that has none; the rest is left out from where it makes no sense. */
void record_limits_load(json_t *array, struct record *ret);

/* Field 22 of /proc/PID/stat: proc_pid_stat(5). */
int record_start_time(pid_t pid, uint64_t *ret, struct cl_error *e) CL_WARN_UNUSED;
/* A pidfd of the process, -1 when it is gone, is ending, or the pid is another's by now. */
int record_pidfd(pid_t pid, uint64_t start);

/* The kernel's audit session of the calling process, inherited since pam_loginuid(8) and out of a tenant's reach:
 * proc_pid_sessionid(5). */
uint32_t record_audit_session(void);

/* Open CL_RUN_DIR, or make it (root, 0700) with its folders; refuse one that is not root's alone. */
int record_open_dir(int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;
/* Hold this user's lock, until the descriptor is closed: opens, closes and sweeps of one user take turns. */
int record_lock(int run_fd, uid_t uid, int64_t deadline_ms, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

/* The same for the host's network. The file remembers which slot was given last. */
int record_lock_network(int run_fd, int64_t deadline_ms, int *ret_fd, struct cl_error *e) CL_WARN_UNUSED;

int record_save(int run_fd, const struct record *record, struct cl_error *e) CL_WARN_UNUSED;
int record_load(int run_fd, const char *id, struct record **ret, struct cl_error *e) CL_WARN_UNUSED;
/* Why a record or a login could not be parsed: -EBADMSG, it is damaged; -ENOMEM, which says nothing of it. */
int record_json_error(const json_error_t *error);
int record_remove(int run_fd, const char *id) CL_WARN_UNUSED;
void record_free(struct record *record);
void record_freep(struct record **record);
#define cleanup_record __attribute__((cleanup(record_freep)))

/* Strings of the outside (rhost, tty) may be no UTF-8, which JSON cannot hold: replaced, not refused. */
json_t *record_text(const char *s);

/* The ids of all records in a folder of CL_RUN_DIR, a string vector. */
int record_list_folder(int run_fd, const char *folder, char ***ret, struct cl_error *e) CL_WARN_UNUSED;
/* Of all cells. */
int record_list(int run_fd, char ***ret, struct cl_error *e) CL_WARN_UNUSED;
/* Does anyone still need it: is cloister-init alive, or the helper that builds or ends it? */
bool record_in_use(const struct record *record);

#endif
