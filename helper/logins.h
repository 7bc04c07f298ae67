/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The logins of a cell that lasts: one root-owned JSON file for each, CL_RUN_DIR/logins/ID.json, beside the record of the
 * cell. A cell that ends with its one login has none: its record says it all. Whoever changes them holds the user's lock.
 */
#ifndef CL_LOGINS_H
#define CL_LOGINS_H

#include <jansson.h>

#include "record.h"

struct login {
    char id[CL_ID_LENGTH + 1], cell[CL_ID_LENGTH + 1];
    const char *user, *service, *rhost, *tty;
    uid_t uid;
    int64_t since; /* CLOCK_REALTIME, seconds */
    pid_t opener;
    uint64_t opener_start;
    json_t *json; /* what the strings of a loaded one live in */
};

int login_save(int run_fd, const struct login *login, struct cl_error *e) CL_WARN_UNUSED;
int login_load(int run_fd, const char *id, struct login **ret, struct cl_error *e) CL_WARN_UNUSED;
int login_remove(int run_fd, const char *id) CL_WARN_UNUSED;
void login_freep(struct login **login);
#define cleanup_login __attribute__((cleanup(login_freep)))

/* Does the process that opened it live? */
bool login_in_use(const struct login *login);

struct logins {
    struct login **items;
    size_t n;
};
/* Those of a cell, or with NULL all, oldest first; ended ones, too. */
int logins_load(int run_fd, const char *cell, struct logins *ret, struct cl_error *e) CL_WARN_UNUSED;
void logins_clear(struct logins *logins);
#define cleanup_logins __attribute__((cleanup(logins_clear)))

/* How many of a cell live, but for one (NULL: all). */
int logins_count(int run_fd, const char *cell, const char *but, size_t *ret, struct cl_error *e) CL_WARN_UNUSED;
/* The cell has ended. */
void logins_forget(int run_fd, const char *cell);

#endif
