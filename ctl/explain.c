/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister explain: what would happen to a login, which policy it gets, and where each value in force was
 * written.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "can.h"
#include "ctl.h"
#include "select.h"
#include "util.h"

#define cleanup_problems __attribute__((cleanup(cl_problems_clear)))

static json_t *json_settings(const struct answer *answer)
{
    json_t *array = json_array();
    char origin[4200];

    for (enum cl_key key = 0; answer->expanded && key < CL_KEY_COUNT; key++)
        if (answer_is_setting(key))
            json_array_append_new(
                array,
                json_pack("{s:s, s:o, s:o}", "key", cl_key_name(key), "value",
                          render_json(answer->expanded, key), "source",
                          ctl_json_string(cl_policy_origin(answer->expanded, key, origin, sizeof(origin)))));
    return array;
}

static const char *why_considered(const struct answer *answer, const struct cl_policy *policy, char *buf,
                                  size_t size)
{
    if (!select_matches(policy, answer->user, answer->service, buf, size))
        snprintf(buf, size, "default");
    return buf;
}

static json_t *json_considered(const struct answer *answer)
{
    json_t *array = json_array();
    char why[160];

    for (size_t i = 0; i < answer->selection.n_considered; i++) {
        const struct cl_policy *policy = answer->selection.considered[i];

        json_array_append_new(array,
                              json_pack("{s:s, s:I, s:o}", "policy", policy->name, "priority",
                                        (json_int_t)policy->priority, "matched_by",
                                        ctl_json_string(why_considered(answer, policy, why, sizeof(why)))));
    }
    return array;
}

static int print_json(const struct answer *answer)
{
    json_t *document = json_pack("{s:o, s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "user",
                                 ctl_json_string(answer->user->name), "uid", (json_int_t)answer->user->uid,
                                 "service", ctl_json_string(answer->service), "decision", answer->decision,
                                 "reason", ctl_json_string(*answer->reason ? answer->reason : NULL), "policy",
                                 ctl_json_string(answer->policy ? answer->policy->name : NULL), "matched_by",
                                 ctl_json_string(*answer->matched_by ? answer->matched_by : NULL), "settings",
                                 json_settings(answer), "considered", json_considered(answer));

    return ctl_json_print(document);
}

static void print_settings(const struct answer *answer)
{
    char *values[CL_KEY_COUNT] = {0};
    int key_width = 0, value_width = 0;
    char origin[4200];

    for (enum cl_key key = 0; key < CL_KEY_COUNT; key++) {
        int length;

        if (!answer_is_setting(key) || !(values[key] = cl_policy_text(answer->expanded, key)))
            continue;
        length = (int)strlen(cl_key_name(key));
        key_width = length > key_width ? length : key_width;
        length = (int)strlen(values[key]);
        value_width = length > value_width && length <= 40 ? length : value_width;
    }
    printf("\n%-*s  %-*s  %s\n", key_width, "SETTING", value_width, "VALUE", "SOURCE");
    for (enum cl_key key = 0; key < CL_KEY_COUNT; key++) {
        if (values[key])
            printf("%-*s  %-*s  %s\n", key_width, cl_key_name(key), value_width, values[key],
                   cl_policy_origin(answer->expanded, key, origin, sizeof(origin)));
        free(values[key]);
    }
}

static int print_text(const struct answer *answer)
{
    char why[160], origin[4200];

    printf("user        %s (uid %ju)\n", answer->user->name, (uintmax_t)answer->user->uid);
    printf("service     %s\n", answer->service);
    printf("decision    %s\n", answer->decision);
    if (*answer->reason)
        printf("reason      %s\n", answer->reason);
    if (answer->policy)
        printf("policy      %s (%s)\n", answer->policy->name,
               cl_policy_origin(answer->policy, CL_KEY_NAME, origin, sizeof(origin)));
    if (answer->expanded && answer->expanded->mode == CL_MODE_AUDIT)
        printf("mode        audit: seccomp and AppArmor only log (%s)\n",
               cl_policy_origin(answer->expanded, CL_KEY_MODE, origin, sizeof(origin)));
    if (*answer->matched_by)
        printf("matched by  %s\n", answer->matched_by);
    for (size_t i = 0; i < answer->selection.n_considered; i++) {
        const struct cl_policy *policy = answer->selection.considered[i];

        printf("%-10s  %s, priority %jd, %s\n", i == 0 ? "considered" : "", policy->name,
               (intmax_t)policy->priority, why_considered(answer, policy, why, sizeof(why)));
    }
    if (answer->expanded)
        print_settings(answer);
    return ctl_flush();
}

static int load_error(const struct ctl *ctl, int r, const struct cl_problems *problems)
{
    ctl_print_problems(problems);
    return ctl_error("%s: %s", ctl->config, r == -EINVAL ? "not valid" : strerror(-r));
}

/* Who is exempt is known before any policy is read, as in a login. */
static int explain(const struct ctl *ctl, struct answer *answer, const char *question)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *config = NULL;
    bool trust = ctl_trusts_any_owner(ctl->config);
    struct cl_settings *settings;
    bool exempt;
    int r = cl_settings_load(ctl->config, trust, &settings, &problems);

    if (r < 0)
        return load_error(ctl, r, &problems);
    exempt = answer_exempt(settings, answer);
    cl_settings_free(settings);
    if (!exempt) {
        cl_problems_clear(&problems);
        r = cl_config_load(ctl->config, trust, &config, &problems);
        if (r < 0)
            return load_error(ctl, r, &problems);
        r = answer_decide(config, answer);
        if (r < 0)
            return ctl_error("%s", strerror(-r));
    }
    if (question)
        return can_answer(ctl, config, answer, question);
    return ctl->json ? print_json(answer) : print_text(answer);
}

int ctl_explain(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    cleanup_answer struct answer answer = {0};
    cleanup_user struct cl_user *user = NULL;
    struct cl_error e = {0};
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (argc - first != 1)
        return ctl_usage_error(ctl, "explain needs one user");
    r = cl_user_lookup(argv[first], &user, &e);
    if (r == -ENOENT)
        return ctl_error("there is no user \"%.256s\"", argv[first]);
    if (r < 0)
        return ctl_error("look up user \"%.256s\": %s", argv[first], strerror(-r));
    answer.user = user;
    answer.service = values[0] ? values[0] : "sshd";
    return explain(ctl, &answer, values[1]);
}
