/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Logins of a cell that lasts: their place in it, whether it is new or lives already.
 */
#ifndef CL_JOIN_H
#define CL_JOIN_H

#include "err.h"
#include "session.h"

/* May the cell outlive the login that opens it? Never that of a run: whoever started it ends it. */
bool join_lasts(const struct session *s);
/* Look for a live cell of the user that is as this login's would be, and take a place in it: then s->joined. A cell that is about
 * to end is none. The caller holds the user's lock. */
int join_find(struct session *s, struct cl_error *e) CL_WARN_UNUSED;
/* Keep what a later login is compared with. */
int join_keep_document(struct session *s, struct cl_error *e) CL_WARN_UNUSED;
/* Of a live cell these keys are now as the policy says: later logins by it join. */
void join_apply_document(int run_fd, const char *id, const struct cl_policy *policy, bool (*is_changed)(enum cl_key key));

#endif
