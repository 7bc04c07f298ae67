/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A configuration as it is held in memory.
 */
#ifndef CL_LOAD_H
#define CL_LOAD_H

#include "loader.h"

struct cl_config {
    struct cl_settings *settings;
    struct cl_policy **policies; /* in file order */
    size_t n_policies;
    char **files; /* the origins point here */
};

/* cloister.conf of the folder; the built-in settings when there is none. */
int settings_read(struct loader *l, int dirfd, struct cl_settings **ret) CL_WARN_UNUSED;
void cl_settings_freep(struct cl_settings **settings);
#define cleanup_settings __attribute__((cleanup(cl_settings_freep)))

#endif
