/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the policy of a live cell said at its open, key by key, kept beside its record for `cloister apply`:
 * CL_RUN_DIR/cells/ID.settings, root's; record_remove takes it away.
 */
#ifndef CL_KEPT_SETTINGS_H
#define CL_KEPT_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "err.h"
#include "policy.h"

/* policy: expanded. chosen: by root, for `cloister run`. */
int kept_settings_save(int run_fd, const char *id, const struct cl_policy *policy, bool chosen, struct cl_error *e)
    CL_WARN_UNUSED;
/* NULL: a cell of an older version, or the file is damaged. */
json_t *kept_settings_load(int run_fd, const char *id);
bool kept_settings_chosen(const json_t *kept);
/* { value, source } of a key, borrowed; NULL: not known. */
json_t *kept_settings_get(const json_t *kept, enum cl_key key);
/* Takes over what the policy says of one key by now, in memory. */
void kept_settings_put(json_t *kept, const struct cl_policy *policy, enum cl_key key);
int kept_settings_write(int run_fd, const char *id, const json_t *kept, struct cl_error *e) CL_WARN_UNUSED;

#endif
