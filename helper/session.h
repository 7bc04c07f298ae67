/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything the helper knows while it opens one cell. There are no globals: a stage reads what earlier stages
 * left here, and adds its own part.
 */
#ifndef CL_SESSION_H
#define CL_SESSION_H

#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "configuration.h"
#include "handoff.h"
#include "user.h"

/* The build defines CL_RUN_DIR (/run/cloister: records and locks) and CL_STATE_DIR (/var/lib/cloister: the last valid
 * policy, compiled filters); both are root's, mode 0700. */
#define CL_CELL_USER "cloister"          /* whom uid 0 of every cell maps to */

/* How an open can end well. Everything else is a refusal. */
enum outcome { OUTCOME_CELL, OUTCOME_EXEMPT };

/* What root may choose for `cloister run`; NULL: as for a login. */
struct choice {
    const char *config;  /* the folder, instead of CL_CONFIG_DIR; nothing of it is kept */
    const char *policy;  /* by name, instead of by selection */
    const char *service; /* the policy is selected as for it */
};

struct record;
struct session;
/* What becomes of a finished plan: it is sent to the module, or a command is started by it. */
typedef int session_deliver(struct session *s, struct cl_reply *reply, const int *fds, size_t n_fds,
                            struct cl_error *e);

/* What is still to be made when the cell stands, before its record says that it lives. */
typedef int session_furnish(struct session *s, struct cl_error *e);

struct session {
    const struct cl_request *request;
    int sock;            /* the hand-off; -1: nobody waits for an answer */
    int64_t deadline_ms; /* on cl_now_ms's clock */
    enum outcome outcome;
    session_furnish *furnish; /* NULL: nothing */
    session_deliver *deliver;
    const struct choice *choice; /* of a run; NULL for a login */

    pid_t opener;
    int opener_fd; /* pidfd */

    struct cl_user *user;
    char exempt_why[96];
    struct cl_config *config;
    struct cl_policy *policy; /* expanded */
    char matched_by[160];     /* why that one */
    enum cl_placement placement;
    enum cl_cgroup_manager manager;

    char id[CL_ID_LENGTH + 1]; /* of the login, and of the cell that it opens */
    bool lasting;              /* the cell may outlive its logins: join.c */
    bool joined;               /* no cell is opened: the login is in one that lives */
    bool placed;               /* the login has its place, in cell */
    char cell[CL_ID_LENGTH + 1];
    struct cl_plan live_plan; /* of the joined cell */
    int run_fd;  /* CL_RUN_DIR */
    int lock_fd; /* this user's lock */
    int64_t since; /* CLOCK_REALTIME seconds */

    uid_t cell_uid; /* CL_CELL_USER's */
    gid_t cell_gid;

    int seccomp_fd;
    int landlock_fd;  /* the ruleset that the view becomes; -1: none */
    int landlock_abi;
    char *apparmor;

    pid_t init;
    uint64_t init_start; /* clock ticks since boot, from /proc/PID/stat */
    int init_fd;         /* pidfd */
    int init_sock;       /* to the process that becomes cloister-init */
    int init_go;         /* closed without a byte: cloister-init ends the cell */
    int devpts;          /* the host's terminals, where logins end without input; else -1 */
    gid_t tty_gid;       /* with devpts: the group that may write to them; 0: none */
    int channel;         /* cloister-init's end of its channel, in a cell that lasts; else -1 */
    uint64_t inodes[CL_NS_COUNT];
    char *status;               /* what `cloister status` shows in the cell */
    char notice[CL_NOTICE_MAX]; /* what the user is told at this login */
    uint32_t namespaces; /* CLONE_NEW* flags of the cell */
    struct cgroup_place cgroup;
    char port[16]; /* the host's end of its veth; empty: none */
    char address[16], address6[46]; /* with a port; empty: none of that family */
};

/* A stage: run fills its part of the session; undo takes it back, and must cope with a run that failed half-way.
 * Stages run in the order of the table in stages.c and are undone in reverse. */
struct stage {
    const char *name;
    int (*run)(struct session *s, struct cl_error *e);
    void (*undo)(struct session *s);
    bool builds; /* left out where a live cell is joined */
};

/* stages.c: run all; on failure undo what ran, with the stage's name in e. Stops early, successfully, when a stage
 * sets the outcome to OUTCOME_EXEMPT. */
int stages_run(struct session *s, struct cl_error *e) CL_WARN_UNUSED;
/* Also makes up the cell's id, which names a refusal too. */
int session_init(struct session *s, const struct cl_request *request, int sock, struct cl_error *e) CL_WARN_UNUSED;
void session_clear(struct session *s); /* memory and descriptors only */

/* Stages, by file. decide.c: */
int stage_user(struct session *s, struct cl_error *e);
int stage_exempt(struct session *s, struct cl_error *e);
int stage_policy(struct session *s, struct cl_error *e);
int stage_service(struct session *s, struct cl_error *e);
/* landlock.c: */
int stage_landlock(struct session *s, struct cl_error *e);
/* reserve.c: */
int stage_record(struct session *s, struct cl_error *e);
void undo_record(struct session *s);
int stage_commit(struct session *s, struct cl_error *e);
/* cell.c: */
int stage_init(struct session *s, struct cl_error *e);
void undo_init(struct session *s);
int stage_namespaces(struct session *s, struct cl_error *e);
int stage_start(struct session *s, struct cl_error *e);
/* join.c: */
int stage_login(struct session *s, struct cl_error *e);
void undo_login(struct session *s);
/* view.c: */
int stage_files(struct session *s, struct cl_error *e);
/* plan.c: */
int stage_answer(struct session *s, struct cl_error *e);

/* reserve.c: the record of the session, as far as it is known; it borrows the strings. */
void record_fill(const struct session *s, struct record *ret);
/* Write the record with what is known by now. */
int record_update(struct session *s, bool live, struct cl_error *e) CL_WARN_UNUSED;
/* plan.c: send one reply to the module, its version filled in. */
session_deliver session_reply CL_WARN_UNUSED;

#endif
