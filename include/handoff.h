/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hand-off between pam_cloister and cloister-helper: one SOCK_SEQPACKET socket pair, descriptor CL_HANDOFF_FD in
 * the helper. The module sends one request; the helper answers with CL_REPLY_HELLO (its deadline) and then with one
 * final reply. Both are plain data of one build: the version is checked, nothing is negotiated.
 */
#ifndef CL_HANDOFF_H
#define CL_HANDOFF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "configuration.h" /* enum cl_placement */
#include "err.h"
#include "namespaces.h"

#define CL_HANDOFF_FD      3
#define CL_HANDOFF_VERSION 3
#define CL_ID_LENGTH       12   /* of a cell: lower-case letters and digits */
#define CL_ENV_MAX         4096 /* bytes of environment in a plan */
#define CL_NOTICE_MAX      2048 /* bytes of what the user is told at a login */
#ifndef CL_DEADLINE_MS /* a test builds the module with a short one */
#define CL_DEADLINE_MS 10000
#endif

enum cl_verb {
    CL_VERB_OPEN,   /* build a cell; fd: the opener's pidfd */
    CL_VERB_EXEMPT, /* only say whether the user is exempt */
    CL_VERB_CLOSE,  /* end the cell named by id */
    CL_VERB_COUNT
};

struct cl_request {
    uint32_t version;
    uint32_t verb;
    uint32_t setcred_calls; /* how often our pam_setcred has established credentials before: 1, or a broken stack */
    uint32_t terminal; /* open: what the helper has for the user can be shown at once, on a terminal */
    uint32_t shown;    /* close: the session had a terminal, where sshd showed it */
    char id[CL_ID_LENGTH + 1]; /* close */
    char user[256];
    char service[64];
    char tty[64];
    char rhost[256];
};

enum cl_reply_type {
    CL_REPLY_HELLO,   /* the request is understood; deadline_ms is set */
    CL_REPLY_PLAN,    /* a cell stands ready; fds as enum cl_plan_fd */
    CL_REPLY_EXEMPT,  /* the user is exempt: do nothing */
    CL_REPLY_REFUSED, /* logged by the helper; text is for the user */
    CL_REPLY_DONE,    /* closed; or, for CL_VERB_EXEMPT, not exempt */
    CL_REPLY_STARTED, /* run.h: the command's process is in its cell */
    CL_REPLY_COUNT
};

/* Descriptors that come with a plan, in this order; all but INIT only when the plan's flags say so. */
enum cl_plan_fd { CL_FD_INIT, CL_FD_CGROUP, CL_FD_SECCOMP, CL_FD_LANDLOCK, CL_FD_COUNT };
#define CL_NO_FDS {-1, -1, -1, -1}

struct cl_plan {
    uint32_t placement;  /* enum cl_placement */
    uint32_t namespaces; /* CLONE_NEW* flags to join */
    uint64_t inodes[CL_NS_COUNT]; /* of the cell; 0: the host's, not joined */
    uid_t uid;
    gid_t gid;
    uint64_t bounding, ambient; /* bit n is capability n */
    bool no_new_privs;
    bool has_cgroup, has_seccomp, has_landlock;
    bool seccomp_log;
    char id[CL_ID_LENGTH + 1];
    char policy[64];
    char apparmor[256]; /* empty: no change */
    bool complain;      /* the profile must be in complain mode, not in enforce mode */
    char env[CL_ENV_MAX]; /* NAME=VALUE\0…\0; ends with an empty string */
};

struct cl_reply {
    uint32_t version;
    uint32_t type;
    uint32_t deadline_ms;
    char text[1024]; /* REFUSED: for the user; EXEMPT: why, for the log */
    char notice[CL_NOTICE_MAX]; /* PLAN: lines for the user, each ends in '\n'; ASCII; empty: none */
    pid_t pid;       /* STARTED: the command's process, a child of who asked */
    struct cl_plan plan;
};

/* PAM_TTY of sshd, which has no terminal yet when it opens a session. It keeps what a module says, and shows it where
 * it starts a shell on one: never with a command, and never before a transfer. */
#define CL_TTY_LATER "ssh"

/* Send one message with n_fds descriptors. 0 or -errno (never raises SIGPIPE). */
int cl_send(int sock, const void *message, size_t size, const int *fds, size_t n_fds) CL_WARN_UNUSED;
/* Receive one message of exactly size bytes until deadline (cl_now_ms's clock; -1: no limit), with at most max_fds
 * descriptors, close-on-exec. -EPIPE: the peer is gone; -ETIMEDOUT; -EBADMSG: wrong size or too many descriptors,
 * which are closed. */
int cl_receive(int sock, void *message, size_t size, int *ret_fds, size_t max_fds, size_t *ret_n_fds,
               int64_t deadline) CL_WARN_UNUSED;

/* Is every string terminated and every number in range? Each side checks what it got. */
bool cl_request_valid(const struct cl_request *request);
bool cl_reply_valid(const struct cl_reply *reply);
bool cl_id_valid(const char *id);

#endif
