/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a suggestion is shown. Nothing here trusts a process's name, or a file's.
 */
#ifndef CL_CTL_SUGGEST_PRINT_H
#define CL_CTL_SUGGEST_PRINT_H

#include "policy.h"
#include "suggest.h"
#include "user.h"

struct suggest_report {
    const struct cl_user *user;
    const char *id;                 /* of the cell; NULL: of the user */
    const struct cl_policy *policy; /* expanded */
    const struct suggestion *suggestion;
};

/* Both return an enum ctl_exit. */
int suggest_print_text(const struct suggest_report *report);
int suggest_print_json(const struct suggest_report *report);

#endif
