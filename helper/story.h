/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a user is to be told: the limits that their ended sessions hit. One file for each user, CL_STATE_DIR/hits/UID.json, root's alone, of bounded size. Whoever changes it holds the
 * user's lock; it is replaced as a whole, so reading needs none. No failure here fails a login: it is logged.
 */
#ifndef CL_STORY_H
#define CL_STORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "record.h"
#include "usage.h"

/* What is read when a session ends, before its cgroup does. */
struct story_usage {
    struct cl_usage session, user;
    uint64_t user_cgroup; /* the kernel's number of the user's cgroup; 0: there is none */
};
void story_measure(const struct record *record, struct story_usage *ret);

/* The session has ended: log the limits that it hit, and keep them for the user's next login. */
void story_end(const struct record *record, const struct story_usage *usage);

/* What is still to be told, in lines that end in '\n': empty when there is nothing. ASCII, no control
 * characters. Returns buf. */
const char *story_notice(uid_t uid, const char *user, char *buf, size_t size);
/* That is handed to cell id, which may show it, or not. */
void story_lent(uid_t uid, const char *user, const char *id);
/* Cell id has shown what it was lent: it has been told. */
void story_told(uid_t uid, const char *user, const char *id);

/* Remove the files of users that are gone, and what a crash left. Returns how many. */
unsigned story_sweep(int run_fd);

#endif
