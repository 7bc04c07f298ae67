/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Does the filter let a system call through?
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "can.h"
#include "helper/seccomp_ask.h"
#include "util.h"

static bool is_name(const char *name, const void *arg)
{
    return strcmp(name, arg) == 0;
}

static void tell_rules(struct can *can, const struct seccomp_answer *a)
{
    const struct cl_origin *profile = &can->answer->expanded->origin[CL_KEY_SECCOMP_PROFILE];

    if (a->by == SECCOMP_BY_NOTHING)
        can_rule(can, CL_KEY_SECCOMP_PROFILE, profile, "the policy is unconfined: there is no filter");
    else if (a->by == SECCOMP_BY_DENY)
        can_rule(can, CL_KEY_SECCOMP_DENY,
                 can_list_origin(can, CL_KEY_SECCOMP_DENY, CL_KEY_SECCOMP_PROFILE, is_name, can->question),
                 "the policy denies %s", can->question);
    else if (a->by == SECCOMP_BY_ALLOW)
        can_rule(can, CL_KEY_SECCOMP_ALLOW,
                 can_list_origin(can, CL_KEY_SECCOMP_ALLOW, CL_KEY_SECCOMP_PROFILE, is_name, can->question),
                 "the policy allows %s", can->question);
    else if (a->by == SECCOMP_BY_NESTED)
        can_rule(can, CL_KEY_NAMESPACES_NESTED, &can->answer->expanded->origin[CL_KEY_NAMESPACES_NESTED],
                 "namespaces may be made in the cell, and %s is for those", can->question);
    else if (a->by == SECCOMP_BY_AGE)
        can_rule(can, CL_KEY_SECCOMP_PROFILE, profile, "%s: %s is younger than every call that it names",
                 a->profile, can->question);
    else if (a->by == SECCOMP_BY_DEFAULT)
        can_rule(can, CL_KEY_SECCOMP_PROFILE, profile, "%s: no rule names %s, and what none names %s",
                 a->profile, can->question, a->otherwise);
    for (char **rule = a->by == SECCOMP_BY_RULES ? a->rules : NULL; rule && *rule; rule++)
        can_rule(can, CL_KEY_SECCOMP_PROFILE, profile, "%s: %s", a->profile, *rule);
    if (a->by == SECCOMP_BY_RULES && a->n_samples > 1)
        can_rule(can, CL_KEY_SECCOMP_PROFILE, profile, "%s: what no rule is about %s", a->profile,
                 a->otherwise);
}

/* "argument 1 = 0x5412", those that are not 0. */
static void sample_text(const char *call, const struct seccomp_sample *sample, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    for (unsigned i = 0; i < 6 && used < size; i++)
        if (sample->args[i])
            used +=
                (size_t)snprintf(buf + used, size - used, "%sargument %u = %#" PRIx64 "%s", used ? ", " : "",
                                 i, sample->args[i], seccomp_value_name(call, i, sample->args[i]));
    if (used == 0)
        (void)snprintf(buf, size, "all arguments 0");
}

static void tell_samples(struct can *can, const struct seccomp_answer *a)
{
    char action[64], arguments[256];
    json_t *array = json_array();

    for (size_t i = 0; i < a->n_samples; i++) {
        sample_text(can->question, &a->samples[i], arguments, sizeof(arguments));
        (void)seccomp_action_text(a->samples[i].action, action, sizeof(action));
        (void)json_array_append_new(array, json_pack("{s:s, s:s}", "arguments", arguments, "action", action));
        if (a->n_samples > 1)
            can_note(can, "with %s, %s %s", arguments, can->question, action);
    }
    (void)json_object_set_new(can->detail, "samples", array);
}

static void say(struct can *can, const struct seccomp_answer *a)
{
    bool allows = seccomp_answer_allows(a), audit = can->answer->expanded->mode == CL_MODE_AUDIT;
    char action[64], enforced[64];

    if (a->by == SECCOMP_BY_ABSENCE) {
        can_say(can, false, "%s does not exist on this machine's architecture", can->question);
        return;
    }
    can->conditional = a->n_samples > 1 && allows && seccomp_answer_denies(a);
    (void)seccomp_action_text(a->samples[0].action, action, sizeof(action));
    if (can->conditional)
        can_say(can, true, "%s goes through, but not with all arguments", can->question);
    else
        can_say(can, allows, "%s %s", can->question, action);
    if (audit && a->enforced != a->samples[0].action)
        can_note(can, "the policy is in audit mode; enforced, %s %s", can->question,
                 seccomp_action_text(a->enforced, enforced, sizeof(enforced)));
}

int can_syscall(struct can *can)
{
    const struct cl_policy *policy = can->answer->expanded;
    cleanup_answer_seccomp struct seccomp_answer a = {0};
    struct cl_error e = {0};
    char text[1024];

    if (seccomp_ask(policy, can->question, &a, &e) < 0) {
        can_say(can, false, "the login is refused: %s", cl_error_format(&e, text, sizeof(text)));
        return 0;
    }
    say(can, &a);
    tell_rules(can, &a);
    tell_samples(can, &a);
    if (policy->namespaces.nested == 0 && can->yes &&
        (strcmp(can->question, "unshare") == 0 || strcmp(can->question, "clone3") == 0))
        can_note(can, "namespaces.nested = 0: new namespaces are refused all the same (ENOSPC)");
    if (can->yes && a.by != SECCOMP_BY_NOTHING)
        can_note(can,
                 "this is the filter's word; the kernel may want a capability, which --can tells as well");
    return 0;
}
