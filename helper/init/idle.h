/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Logins without input (session.idle of cloister.conf(5)): which terminals a login has, when there was input last, and its end.
 * Like all of cloister-init it needs no other part.
 */
#ifndef CL_INIT_IDLE_H
#define CL_INIT_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"

enum idle_step { IDLE_WATCHED, IDLE_TOLD, IDLE_ENDING };

struct login {
    char id[INIT_ID_SIZE];
    int fd;       /* pidfd, readable when the login has ended: pidfd_open(2) */
    int kill;     /* cgroup.kill, or -1 */
    int terminal; /* that which its service named, by O_PATH, or -1 */
    uint64_t mark; /* of the input on its terminals: another one each time; 0: it has no terminal */
    int64_t at;    /* when that was seen to change, or the step to be taken; milliseconds on the caller's clock */
    enum idle_step step;
};

struct idle {
    int proc;             /* of the cell; -1: no login is watched */
    int devpts;           /* of the host */
    int64_t limit, grace; /* milliseconds */
    uid_t uid;            /* of the tenant */
    int64_t next;         /* when to look again */
};

/* Before any process of a tenant's is there. Takes over devpts. Returns 0 or -1; limit 0: no login is watched. */
int idle_start(int64_t limit, int64_t grace, uid_t uid, int devpts, struct idle *ret);
/* If it is time: see to each login, and say when to look again. */
void idle_look(struct idle *idle, struct login *logins, unsigned n, int64_t now);

#endif
