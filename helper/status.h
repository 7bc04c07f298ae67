/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a tenant is told about itself: dist/schema/status.json. A cell shows the document of its open, outside
 * the helper makes one for whoever asks.
 */
#ifndef CL_STATUS_H
#define CL_STATUS_H

#include "caller.h"
#include "limits_change.h"
#include "session.h"

/* For the cell that s opens, whose record is written. A new string; NULL: no memory. */
char *status_of_cell(const struct session *s);

/* A live cell's own document gets these limits, and with login, a login's. -ENOENT: it shows none. */
int status_change(int init_fd, const struct limits *cell, const struct limits *login) CL_WARN_UNUSED;

/* `cloister-helper status [USER]`: to standard output, the caller's own; of another user only for uid 0. */
int status_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
