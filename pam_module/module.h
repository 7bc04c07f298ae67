/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the parts of pam_cloister.so share. The module lives in root's login services: it parses no file, links no
 * parser, and asks the helper for everything.
 */
#ifndef CL_MODULE_H
#define CL_MODULE_H

#include <stdbool.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "err.h"
#include "handoff.h"
#include "place.h"

enum session_state {
    SESSION_REFUSED, /* no child of this session may run user code */
    SESSION_EXEMPT,  /* the module does nothing */
    SESSION_OPEN     /* a cell stands ready */
};

/* One session; in the PAM handle's data. */
struct session {
    pam_handle_t *pamh;
    enum session_state state;
    pid_t opener;         /* the process that opened, as it sees itself */
    struct cl_plan plan;  /* valid when open */
    struct cl_plan_fds fds;
    int own_pid_ns;       /* the opener's pid_for_children, to come back to */
    volatile char *shown; /* shared with the service's children, which say that a terminal was there; NULL: no need */
    struct cl_error fork_error; /* why the next child could not be born in the cell */
};

/* helper.c: run the helper for one request. *ret_reply is valid on 0, with its descriptors in ret_fds. -ENOENT,
 * -EACCES …: it could not be run; -EPIPE: it died without an answer; -ETIMEDOUT: the deadline passed and it was
 * killed; -EBADMSG: it sent nonsense. */
int helper_call(const struct cl_request *request, struct cl_reply *ret_reply, struct cl_plan_fds *ret_fds,
                struct cl_error *e) CL_WARN_UNUSED;

/* fork.c: have each child that the service makes from now on be born in the session's pid namespace, and, with FORK
 * placement, placed there; children of other PAM modules are left alone. One session at a time, until fork_disarm.
 * See pthread_atfork(3). */
int fork_arm(struct session *session, struct cl_error *e) CL_WARN_UNUSED;
/* Have every child that the service makes from now on end at once, until fork_disarm: the session is refused. */
int fork_refuse(struct session *session, struct cl_error *e) CL_WARN_UNUSED;
void fork_disarm(const struct session *session);
/* Is this process the child that fork_arm prepared, for this session? */
bool fork_is_child(const struct session *session);

/* notice.c: can a message to the user be shown now, on a terminal? */
bool notice_terminal(int flags);
/* Tell the user what the helper's reply has for them. */
void notice_show(pam_handle_t *pamh, struct session *session, const char *notice);
/* In a child that the service forks in the cell: note whether it was given a terminal. */
void notice_in_child(const struct session *session);
/* Was there one? */
bool notice_shown(const struct session *session);
void notice_clear(struct session *session);

/* report.c: a log line from a process that is about to lose sight of /dev/log. report_open connects first;
 * report_failure sends one line through it (or syslog(3)) and ends the process. */
int report_open(void);
void report_failure(int log_fd, const struct cl_plan *plan, const struct cl_error *e) __attribute__((noreturn));

/* Place this process as the session's plan says, or end it. */
void place_or_exit(struct session *session);

#endif
