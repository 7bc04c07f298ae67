/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The answer to "what would this login get": for `explain`, and for the comparison of two configurations.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "answer.h"
#include "schema.h"

void answer_clear(struct answer *answer)
{
    cl_policy_free(answer->expanded);
    cl_selection_clear(&answer->selection);
}

static void refuse(struct answer *answer, const char *reason)
{
    answer->decision = "refuse";
    snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
}

bool answer_exempt(const struct cl_settings *settings, struct answer *answer)
{
    if (!cl_settings_exempt(settings, answer->user, answer->matched_by, sizeof(answer->matched_by)))
        return false;
    answer->decision = "exempt";
    return true;
}

int answer_decide(const struct cl_config *config, struct answer *answer)
{
    struct cl_error e = {0};
    char text[900];

    if (cl_settings_placement(cl_config_settings(config), answer->service) == CL_PLACEMENT_NONE) {
        snprintf(text, sizeof(text), "the service \"%.64s\" has no placement; cloister.conf can give it one",
                 answer->service);
        refuse(answer, text);
        return 0;
    }
    if (cl_config_select(config, answer->user, answer->service, &answer->selection) < 0)
        return -ENOMEM;
    answer->policy = answer->selection.policy;
    if (answer->selection.doubtful) {
        (void)cl_selection_fail(&answer->selection, answer->user, &e);
        refuse(answer, cl_error_format(&e, text, sizeof(text)));
        return 0;
    }
    if (!answer->policy) {
        refuse(answer, "no policy matches, and there is no policy \"default\"");
        return 0;
    }
    snprintf(answer->matched_by, sizeof(answer->matched_by), "%s", answer->selection.matched_by);
    if (cl_policy_expand(answer->policy, answer->user, &answer->expanded, &e) < 0) {
        if (e.err == ENOMEM)
            return -ENOMEM;
        refuse(answer, cl_error_format(&e, text, sizeof(text)));
        return 0;
    }
    answer->decision = "cell";
    return 0;
}

bool answer_is_setting(enum cl_key key)
{
    return !(schema_policy[key].flags & SCHEMA_OWN);
}
