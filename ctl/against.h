/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an edit would change for some users: the answers of two configurations, side by side.
 */
#ifndef CL_CTL_AGAINST_H
#define CL_CTL_AGAINST_H

#include <jansson.h>

#include "configuration.h"
#include "ctl.h"

struct against; /* what logins get now */

/* Load what the configuration at new_dir is to be compared with: the one at old_dir, the live one where
 * old_dir is NULL. Where the live one is broken, and where new_dir itself is the live one, it is the last
 * valid one that logins keep. 0, or -errno after an error message. */
int against_load(const char *old_dir, const char *new_dir, struct against **ret) CL_WARN_UNUSED;
void against_freep(struct against **against);
#define cleanup_against __attribute__((cleanup(against_freep)))

/* The differences for each user of a list and one PAM service, as text on stdout or as an object. A user who
 * is not there is told on stderr: then the status is CTL_PROBLEM, else CTL_OK. *ret is NULL when memory ran
 * out. */
int against_print(const struct against *against, const struct cl_config *config, const char *service,
                  char *const *users, size_t n_users);
int against_json(const struct against *against, const struct cl_config *config, const char *service,
                 char *const *users, size_t n_users, json_t **ret);

#endif
