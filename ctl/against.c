/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister check --against: for each user the answer of the configuration that logins use now, and that of
 * the one which is checked. Only what differs is told; where a value was written is told with it, but is no
 * difference.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "against.h"
#include "answer.h"
#include "util.h"

#define KEPT_DIR         CL_STATE_DIR "/policy"
#define cleanup_problems __attribute__((cleanup(cl_problems_clear)))

struct against {
    const char *dir;
    bool last_valid; /* dir is what logins have kept */
    struct cl_settings *settings;
    struct cl_config *config;
};

/* One user, before and after. */
struct change {
    const struct cl_user *user;
    struct answer before, after;
};

void against_freep(struct against **against)
{
    if (!*against)
        return;
    cl_settings_free((*against)->settings);
    cl_config_free((*against)->config);
    free(*against);
}

/* The settings alone decide who is exempt, even when a policy is broken, as in a login. */
static int load_from(struct against *against, const char *dir)
{
    cleanup_problems struct cl_problems problems = {0};
    bool trust = ctl_trusts_any_owner(dir) && strcmp(dir, KEPT_DIR) != 0;
    int r;

    if (!against->settings && cl_settings_load(dir, trust, &against->settings, &problems) < 0)
        against->settings = NULL;
    cl_problems_clear(&problems);
    r = cl_config_load(dir, trust, &against->config, &problems);
    if (r == 0)
        against->dir = dir;
    return r;
}

int against_load(const char *old_dir, const char *new_dir, struct against **ret)
{
    cleanup_against struct against *against = calloc(1, sizeof(*against));
    const char *dir = old_dir ? old_dir : CL_CONFIG_DIR;
    bool live = !ctl_trusts_any_owner(dir), same = live && !ctl_trusts_any_owner(new_dir);
    int r;

    if (!against) {
        (void)ctl_error("%s", strerror(ENOMEM));
        return -ENOMEM;
    }
    r = same ? -EINVAL : load_from(against, dir);
    if (r < 0 && live) {
        against->last_valid = true;
        r = load_from(against, KEPT_DIR);
    }
    if (r == 0 && !against->settings)
        r = cl_settings_default(&against->settings);
    if (r < 0) {
        (void)ctl_error("%s: %s%s, so there is nothing to compare with", same ? KEPT_DIR : dir,
                        r == -EINVAL ? "not valid" : strerror(-r),
                        live && !same ? ", nor is there a last valid one in " KEPT_DIR : "");
        return r;
    }
    *ret = against;
    against = NULL;
    return 0;
}

static int change_decide(const struct against *against, const struct cl_config *config, const char *service,
                         struct change *change)
{
    int r = 0;

    change->before.user = change->after.user = change->user;
    change->before.service = change->after.service = service;
    if (!answer_exempt(against->settings, &change->before))
        r = answer_decide(against->config, &change->before);
    if (r == 0 && !answer_exempt(cl_config_settings(config), &change->after))
        r = answer_decide(config, &change->after);
    return r;
}

static void change_clear(struct change *change)
{
    answer_clear(&change->before);
    answer_clear(&change->after);
}

static const char *policy_name(const struct answer *answer)
{
    return answer->policy ? answer->policy->name : "-";
}

static bool both_cells(const struct change *change)
{
    return change->before.expanded && change->after.expanded;
}

static bool differs(const struct change *change, enum cl_key key)
{
    cleanup_free char *before = NULL, *after = NULL;

    if (!answer_is_setting(key) || !both_cells(change))
        return false;
    before = cl_policy_text(change->before.expanded, key);
    after = cl_policy_text(change->after.expanded, key);
    return !before || !after || strcmp(before, after) != 0;
}

/* The first key from `key` on whose value is another one; CL_KEY_COUNT when there is none. */
static enum cl_key next_difference(const struct change *change, enum cl_key key)
{
    while (key < CL_KEY_COUNT && !differs(change, key))
        key++;
    return key;
}

static bool is_changed(const struct change *change)
{
    return strcmp(change->before.decision, change->after.decision) != 0 ||
           strcmp(change->before.reason, change->after.reason) != 0 ||
           strcmp(policy_name(&change->before), policy_name(&change->after)) != 0 ||
           next_difference(change, 0) < CL_KEY_COUNT;
}

static void print_line(char sign, const char *key, const char *value, const char *source)
{
    printf("  %c %-26s  %-24s  %s\n", sign, key, value, source);
}

static void print_decision(char sign, const struct answer *answer)
{
    print_line(sign, "decision", answer->decision, *answer->reason ? answer->reason : answer->matched_by);
}

static void print_policy(char sign, const struct answer *answer)
{
    char origin[4200], source[4400];

    if (!answer->policy)
        return;
    snprintf(source, sizeof(source), "%s (%s)",
             cl_policy_origin(answer->policy, CL_KEY_NAME, origin, sizeof(origin)), answer->matched_by);
    print_line(sign, "policy", answer->policy->name, source);
}

static void print_key(char sign, const struct answer *answer, enum cl_key key)
{
    cleanup_free char *value = cl_policy_text(answer->expanded, key);
    char origin[4200];

    print_line(sign, cl_key_name(key), value ? value : "?",
               cl_policy_origin(answer->expanded, key, origin, sizeof(origin)));
}

static void print_change(const struct change *change)
{
    bool decision = strcmp(change->before.decision, change->after.decision) != 0 ||
                    strcmp(change->before.reason, change->after.reason) != 0;

    printf("\n%s (uid %ju): %s\n", change->user->name, (uintmax_t)change->user->uid,
           is_changed(change) ? "changes" : "no change");
    if (decision) {
        print_decision('-', &change->before);
        print_decision('+', &change->after);
    }
    if (strcmp(policy_name(&change->before), policy_name(&change->after)) != 0) {
        print_policy('-', &change->before);
        print_policy('+', &change->after);
    }
    for (enum cl_key key = next_difference(change, 0); key < CL_KEY_COUNT;
         key = next_difference(change, key + 1)) {
        print_key('-', &change->before, key);
        print_key('+', &change->after, key);
    }
}

/* { before, after }; both references are taken. */
static json_t *pair(json_t *before, json_t *after)
{
    return json_pack("{s:o, s:o}", "before", before, "after", after);
}

static json_t *json_text(const char *text)
{
    return ctl_json_string(*text ? text : NULL);
}

static json_t *json_side(const struct answer *answer, enum cl_key key)
{
    char origin[4200];

    return json_pack("{s:o, s:o}", "value", render_json(answer->expanded, key), "source",
                     ctl_json_string(cl_policy_origin(answer->expanded, key, origin, sizeof(origin))));
}

static json_t *json_settings(const struct change *change)
{
    json_t *array = json_array();

    for (enum cl_key key = next_difference(change, 0); key < CL_KEY_COUNT;
         key = next_difference(change, key + 1))
        json_array_append_new(array, json_pack("{s:s, s:o, s:o}", "key", cl_key_name(key), "before",
                                               json_side(&change->before, key), "after",
                                               json_side(&change->after, key)));
    return array;
}

static json_t *json_change(const struct change *change)
{
    const struct answer *before = &change->before, *after = &change->after;

    return json_pack("{s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "user", ctl_json_string(change->user->name),
                     "uid", (json_int_t)change->user->uid, "changed", (int)is_changed(change), "decision",
                     pair(json_string(before->decision), json_string(after->decision)), "reason",
                     pair(json_text(before->reason), json_text(after->reason)), "policy",
                     pair(ctl_json_string(before->policy ? before->policy->name : NULL),
                          ctl_json_string(after->policy ? after->policy->name : NULL)),
                     "matched_by", pair(json_text(before->matched_by), json_text(after->matched_by)),
                     "settings", json_settings(change));
}

/* The change of one user, printed, or appended to users when that is an array. */
static int report_user(const struct against *against, const struct cl_config *config, const char *service,
                       const char *name, json_t *users)
{
    cleanup_user struct cl_user *user = NULL;
    struct change change = {0};
    struct cl_error e = {0};
    int r = cl_user_lookup(name, &user, &e);

    if (r == -ENOENT)
        return ctl_error("there is no user \"%.256s\"", name);
    if (r < 0)
        return ctl_error("look up user \"%.256s\": %s", name, strerror(-r));
    change.user = user;
    r = change_decide(against, config, service, &change);
    if (r == 0 && users)
        json_array_append_new(users, json_change(&change));
    else if (r == 0)
        print_change(&change);
    change_clear(&change);
    return r == 0 ? CTL_OK : ctl_error("%s", strerror(-r));
}

int against_print(const struct against *against, const struct cl_config *config, const char *service,
                  char *const *users, size_t n_users)
{
    int status = CTL_OK;

    printf("compared with %s%s, for logins through %s\n", against->dir,
           against->last_valid ? ", the last valid configuration" : "", service);
    for (size_t i = 0; i < n_users; i++)
        if (report_user(against, config, service, users[i], NULL) != CTL_OK)
            status = CTL_PROBLEM;
    return status;
}

int against_json(const struct against *against, const struct cl_config *config, const char *service,
                 char *const *users, size_t n_users, json_t **ret)
{
    json_t *array = json_array();
    int status = array ? CTL_OK : CTL_PROBLEM;

    for (size_t i = 0; array && i < n_users; i++)
        if (report_user(against, config, service, users[i], array) != CTL_OK)
            status = CTL_PROBLEM;
    *ret = json_pack("{s:o, s:b, s:o, s:o}", "config", ctl_json_string(against->dir), "last_valid",
                     (int)against->last_valid, "service", ctl_json_string(service), "users", array);
    return status;
}
