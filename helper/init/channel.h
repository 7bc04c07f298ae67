/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What cloister-init is told while it runs: which logins are in its cell. Datagrams from root, on a socket whose name lies
 * where only root comes (CL_RUN_DIR/cells/ID.sock); nothing of the cell reaches it. cloister-init is static and links nothing:
 * this header needs no other part either.
 */
#ifndef CL_INIT_CHANNEL_H
#define CL_INIT_CHANNEL_H

#include <stdint.h>

#define INIT_LOGIN_FD   3 /* pidfd of the login: when it ends, so does the cell; none where there is a channel */
#define INIT_GO_FD      4 /* one byte: the cell is handed over; end of file before that: it never was */
#define INIT_CHANNEL_FD 5
#define INIT_LANDLOCK_FD 6 /* only kept, for who joins the cell: its Landlock ruleset, if it has one */
#define INIT_DEVPTS_FD   7 /* the host's terminals, a mount by itself; where logins end without input */

/* The arguments of cloister-init: none for a cell of one login that ends with it; else what becomes of the cell after its
 * last login, and four numbers: seconds that it lingers, seconds without input that end a login (0: none), seconds between the
 * request to end and SIGKILL, the tenant's uid. */
#define INIT_KILL   "kill"
#define INIT_LINGER "linger"
#define INIT_KEEP   "keep"

#define INIT_LOGINS_MAX 256 /* in one cell */
#define INIT_ID_SIZE    16  /* of a login, with its end */

enum init_verb {
    INIT_JOIN,  /* descriptors: where to answer, the login's pidfd, and cgroup.kill of what is to end with it, or none */
    INIT_LEAVE, /* descriptor: where to answer */
    INIT_ASK,   /* the same; with a login's id: is it being ended? */
    INIT_TERMINAL /* descriptors: where to answer, and the terminal that the login's service named, by O_PATH */
};

struct init_message {
    uint32_t verb;
    char id[INIT_ID_SIZE];
};

enum init_status { INIT_DONE, INIT_FULL, INIT_NO_SUCH_LOGIN, INIT_IDLE /* of ASK: for want of input */ };

/* Written to the pipe that came with a message. */
struct init_answer {
    uint32_t status;
    uint32_t logins;
    int64_t left; /* seconds that a lingering cell has; -1: it does not linger, or not with an end */
};

#endif
