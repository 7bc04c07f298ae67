/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a login would get from a configuration: a cell and of which policy, no cell because the user is exempt, or a
 * refusal. The same order of decisions as the helper's.
 */
#ifndef CL_CTL_ANSWER_H
#define CL_CTL_ANSWER_H

#include "configuration.h"
#include "policy.h"
#include "user.h"

struct answer {
    const struct cl_user *user;
    const char *service;
    const char *decision;           /* "cell", "exempt", "refuse" */
    char reason[900];               /* of "refuse" */
    char matched_by[160];           /* of "cell" and "exempt" */
    const struct cl_policy *policy; /* chosen; NULL where none is; the configuration's */
    struct cl_policy *expanded;     /* for this user; NULL where there is no cell */
    struct cl_selection selection;
};

/* Fill an answer whose user and service are set, and who is not exempt. 0 or -ENOMEM. */
int answer_decide(const struct cl_config *config, struct answer *answer) CL_WARN_UNUSED;
/* Is the user exempt? Then the answer is filled. Asked first, as in a login: before any policy is read. */
bool answer_exempt(const struct cl_settings *settings, struct answer *answer);
void answer_clear(struct answer *answer);
#define cleanup_answer __attribute__((cleanup(answer_clear)))

/* Keys that tell about the login's cell, rather than about the policy itself. */
bool answer_is_setting(enum cl_key key);

#endif
