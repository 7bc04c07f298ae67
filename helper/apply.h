/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * `cloister apply`: the limits of today's policy for cells that live. apply.c goes through users, each under its lock;
 * apply_cell.c is about one cell.
 */
#ifndef CL_APPLY_H
#define CL_APPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "caller.h"
#include "cgroup.h"
#include "configuration.h"
#include "err.h"
#include "limits_change.h"
#include "record.h"
#include "user.h"

struct apply_cell {
    struct record *record;
    bool selected;            /* asked for: its own limits are changed */
    json_t *kept;             /* kept_settings.h; NULL: not known */
    struct cl_policy *policy; /* what a login like it gets today, expanded; NULL: it is left alone */
    char why[256];            /* why it is left alone */
    struct limits before, target;
    struct cl_error error; /* the first failure */
};

/* What today's policy is for this cell, user and service as at its login. */
void apply_cell_decide(struct apply_cell *c, int run_fd, const struct cl_config *config);
/* What is to hold. user: the policy that sets the limits of the user's cgroup; NULL: they stay. */
void apply_cell_aim(struct apply_cell *c, const struct cl_policy *user);
/* One part of a change in the kernel, of the cell's cgroup, or by the policy of user, of the user's. Does nothing after an error. */
void apply_cell_write(struct apply_cell *c, const struct cl_policy *user, enum cgroup_change change);
/* The record says what holds now. Fills c->target with that, and logs what changed. user: as for apply_cell_aim. */
void apply_cell_record(struct apply_cell *c, int run_fd, const struct cl_policy *user);
/* What is told of it. */
json_t *apply_cell_json(const struct apply_cell *c);
void apply_cell_clear(struct apply_cell *c);

/* The verb: "dry-run" or "write"; "all", "id" or "user"; the id or name, else "". Prints a document, and fails where none of it was
 * tried. */
int apply_verb(const struct caller *caller, char *const *arguments, struct cl_error *e) CL_WARN_UNUSED;

#endif
