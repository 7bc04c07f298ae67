/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The suggestion as text that can be pasted into a policy and a profile, its remarks being comments in both,
 * and as JSON.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "suggest_print.h"
#include "util.h"

static const char *const effects[] = {
    [SUGGEST_ALLOW] = "allow",
    [SUGGEST_PARTLY] = "partly",
    [SUGGEST_DENIED] = "denied",
    [SUGGEST_OTHER] = "other",
};

static bool is_new(const struct suggest_call *call)
{
    return call->effect == SUGGEST_ALLOW || call->effect == SUGGEST_PARTLY;
}

/* All of seccomp.allow as it should be: a list of a policy replaces its parent's. */
static json_t *allow_list(const struct suggest_report *report)
{
    const struct suggestion *s = report->suggestion;
    char *const *names = report->policy->seccomp.allow;
    json_t *array = json_array();

    for (; names && *names; names++)
        (void)json_array_append_new(array, ctl_json_string(*names));
    for (size_t i = 0; i < s->n_calls; i++)
        if (is_new(&s->calls[i]))
            (void)json_array_append_new(array, ctl_json_string(s->calls[i].name));
    return array;
}

/* "perf_event_open", or what there is of one without a name. */
static const char *call_name(const struct suggest_call *call, char *buf, size_t size)
{
    if (call->name[0])
        return call->name;
    (void)snprintf(buf, size, "number %u of architecture %#x", call->number, call->arch);
    return buf;
}

static void print_count(unsigned count, const char *comm)
{
    char escaped[4 * 64 + 8];

    (void)cl_escape(comm, escaped, sizeof(escaped));
    printf("%u %s, by \"%s\"", count, count == 1 ? "time" : "times", escaped);
}

static void print_calls(const struct suggestion *s)
{
    static const char *const remarks[] = {
        [SUGGEST_ALLOW] = "",
        [SUGGEST_PARTLY] = "; refused with some arguments only: the line allows all",
        [SUGGEST_DENIED] = "; seccomp.deny of the policy names it",
        [SUGGEST_OTHER] = "; not logged by the policy as it is: let through, or answered otherwise",
    };
    char name[64];

    for (size_t i = 0; i < s->n_calls; i++) {
        printf("#   %s: ", call_name(&s->calls[i], name, sizeof(name)));
        print_count(s->calls[i].count, s->calls[i].comm);
        printf("%s\n", remarks[s->calls[i].effect]);
    }
}

static void print_seccomp(const struct suggest_report *report)
{
    const struct suggestion *s = report->suggestion;
    char origin[4200];
    json_t *list;
    size_t i;
    json_t *name;
    bool any = false;

    if (s->n_calls == 0)
        return;
    for (i = 0; i < s->n_calls; i++)
        any = any || is_new(&s->calls[i]);
    printf("\n# seccomp\n");
    if (any) {
        list = allow_list(report);
        printf("seccomp = { allow = [");
        json_array_foreach(list, i, name)
        {
            printf("%s\"%s\"", i ? ", " : "", json_string_value(name));
        }
        printf("]; };\n");
        json_decref(list);
        if (report->policy->seccomp.allow && *report->policy->seccomp.allow)
            printf("# with what it has by now (%s)\n",
                   cl_policy_origin(report->policy, CL_KEY_SECCOMP_ALLOW, origin, sizeof(origin)));
    }
    print_calls(s);
}

static void rule_text(const struct suggest_rule *rule, char *buf, size_t size)
{
    char letters[16] = "";

    for (const char *l = rule->letters; *l; l++) /* what is executed stays in the profile */
        (void)snprintf(letters + strlen(letters), sizeof(letters) - strlen(letters), *l == 'x' ? "i%c" : "%c",
                       *l);
    (void)snprintf(buf, size, "%s%s%s,", rule->head, *letters ? " " : "", letters);
}

static void print_rules(const struct suggestion *s, enum suggest_effect effect, const char *indent)
{
    char text[8600];

    for (size_t i = 0; i < s->n_rules; i++) {
        if (s->rules[i].effect != effect)
            continue;
        rule_text(&s->rules[i], text, sizeof(text));
        printf("%s%s  # ", indent, text);
        print_count(s->rules[i].count, s->rules[i].comm);
        printf("%s\n", s->rules[i].of_user ? "" : "; under this profile, of whom is not recorded");
    }
}

static void print_apparmor(const struct suggest_report *report)
{
    const struct suggestion *s = report->suggestion;
    const char *profile = report->policy->apparmor.profile;
    size_t n_denied = 0;

    if (s->n_rules == 0)
        return;
    for (size_t i = 0; i < s->n_rules; i++)
        n_denied += s->rules[i].effect == SUGGEST_DENIED;
    printf("\n# AppArmor\n");
    if (n_denied < s->n_rules)
        printf("# A draft of more rules for the profile %s, for /etc/apparmor.d/local/%s:\n", profile,
               profile);
    print_rules(s, SUGGEST_ALLOW, "  ");
    if (n_denied > 0)
        printf(
            "# Refused by deny rules of %s, which no other rule lifts; this takes a profile without them:\n",
            profile);
    print_rules(s, SUGGEST_DENIED, "#   ");
}

int suggest_print_text(const struct suggest_report *report)
{
    const struct suggestion *s = report->suggestion;
    char origin[4200];

    printf("# %s%s%s, policy %s (%s), mode %s\n", report->user->name, report->id ? ", cell " : "",
           report->id ? report->id : "", report->policy->name,
           cl_policy_origin(report->policy, CL_KEY_NAME, origin, sizeof(origin)),
           report->policy->mode == CL_MODE_AUDIT ? "audit" : "enforce");
    if (s->n_seccomp + s->n_apparmor == 0) {
        printf("# no records%s\n",
               s->source ? "" : ": neither the journal, audit.log nor the kernel's log has any");
        return ctl_flush();
    }
    printf("# %u records of seccomp, %u of AppArmor (%s). What a tenant did, a tenant chose: read before you "
           "paste.\n",
           s->n_seccomp, s->n_apparmor, s->source);
    if (s->n_lost > 0)
        printf("# %u more are left out: too many kinds, or no rule can be written for them\n", s->n_lost);
    print_seccomp(report);
    print_apparmor(report);
    return ctl_flush();
}

static json_t *calls_json(const struct suggestion *s)
{
    json_t *array = json_array();
    char name[64];

    for (size_t i = 0; i < s->n_calls; i++)
        (void)json_array_append_new(
            array, json_pack("{s:s, s:I, s:o, s:s}", "name", call_name(&s->calls[i], name, sizeof(name)),
                             "count", (json_int_t)s->calls[i].count, "comm",
                             ctl_json_string(s->calls[i].comm), "effect", effects[s->calls[i].effect]));
    return array;
}

static json_t *rules_json(const struct suggestion *s)
{
    json_t *array = json_array();
    char text[8600];

    for (size_t i = 0; i < s->n_rules; i++) {
        const struct suggest_rule *rule = &s->rules[i];

        rule_text(rule, text, sizeof(text));
        (void)json_array_append_new(array, json_pack("{s:o, s:I, s:o, s:b, s:s}", "rule",
                                                     ctl_json_string(text), "count", (json_int_t)rule->count,
                                                     "comm", ctl_json_string(rule->comm), "of_user",
                                                     rule->of_user, "effect", effects[rule->effect]));
    }
    return array;
}

int suggest_print_json(const struct suggest_report *report)
{
    const struct suggestion *s = report->suggestion;
    const struct cl_policy *policy = report->policy;

    return ctl_json_print(json_pack(
        "{s:o, s:I, s:o, s:o, s:s, s:o, s:I, s:I, s:I, s:{s:o, s:o}, s:{s:o, s:o}}", "user",
        ctl_json_string(report->user->name), "uid", (json_int_t)report->user->uid, "id",
        ctl_json_string(report->id), "policy", ctl_json_string(policy->name), "mode",
        policy->mode == CL_MODE_AUDIT ? "audit" : "enforce", "source", ctl_json_string(s->source),
        "seccomp_records", (json_int_t)s->n_seccomp, "apparmor_records", (json_int_t)s->n_apparmor, "lost",
        (json_int_t)s->n_lost, "seccomp", "allow", allow_list(report), "calls", calls_json(s), "apparmor",
        "profile", ctl_json_string(s->query.profile), "rules", rules_json(s)));
}
