/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One cell: which policy is its own today, what differs, and writing what can change while it lives. Its other settings are
 * built into it: those are only told.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "events.h"
#include "join.h"
#include "kept_settings.h"
#include "log.h"
#include "policy_limits.h"
#include "status.h"
#include "util.h"

#define WRITE_MS 5000

/* What counts for a cell that lives. The last two do so without a write: a login asks for session.max, a close for grace. */
static bool counts_now(enum cl_key key)
{
    return (key >= CL_KEY_CGROUP_PIDS_MAX && key <= CL_KEY_CGROUP_SESSION_IO) || key == CL_KEY_SESSION_MAX ||
           key == CL_KEY_SESSION_GRACE;
}

static const struct cl_policy *select_policy(struct apply_cell *c, const struct cl_config *config, const struct cl_user *user)
{
    struct cl_selection selection = {0};
    const struct cl_policy *policy;
    char exempt[96];

    if (cl_settings_exempt(cl_config_settings(config), user, exempt, sizeof(exempt))) {
        (void)snprintf(c->why, sizeof(c->why), "the user is exempt by now (%s)", exempt);
        return NULL;
    }
    if (cl_config_select(config, user, c->record->service, &selection) < 0) {
        (void)cl_fail(&c->error, ENOMEM, "select a policy");
        return NULL;
    }
    policy = selection.policy;
    if (!policy)
        (void)snprintf(c->why, sizeof(c->why), "no policy matches its user and service any more");
    cl_selection_clear(&selection);
    return policy;
}

void apply_cell_decide(struct apply_cell *c, int run_fd, const struct cl_config *config)
{
    cleanup_user struct cl_user *user = NULL;
    const struct cl_policy *policy;

    c->kept = kept_settings_load(run_fd, c->record->id);
    memcpy(c->before.items, c->record->limits, sizeof(c->before.items));
    c->before.n = c->record->n_limits;
    c->target = c->before;
    if (kept_settings_chosen(c->kept)) {
        (void)snprintf(c->why, sizeof(c->why), "root chose its policy, service or configuration");
        return;
    }
    if (cl_user_lookup_uid(c->record->uid, &user, &c->error) < 0)
        return;
    policy = select_policy(c, config, user);
    if (policy)
        (void)!cl_policy_expand(policy, user, &c->policy, &c->error);
}

static void limits_of(const struct cl_policy *policy, struct limits *ret)
{
    ret->n = policy_limits(policy, ret->items);
}

void apply_cell_aim(struct apply_cell *c, const struct cl_policy *user)
{
    struct limits by_user, own;

    if (user)
        limits_of(user, &by_user);
    if (c->policy && c->selected)
        limits_of(c->policy, &own);
    limits_target(&c->before, user ? &by_user : NULL, c->policy && c->selected ? &own : NULL, &c->target);
    if (!c->record->cgroup[0]) { /* of limits, only session.max */
        struct limits all = c->target;

        limits_held(&c->before, &all, ~0U, ~0U, &c->target);
    }
}

static struct cgroup_request request_of(const struct apply_cell *c, const struct cl_policy *policy)
{
    return (struct cgroup_request){.manager = c->record->manager,
                                   .id = c->record->id,
                                   .uid = c->record->uid,
                                   .policy = policy,
                                   .init = c->record->init,
                                   .deadline_ms = cl_now_ms() + WRITE_MS,
                                   .shared = c->record->share == CL_SHARE_USER};
}

void apply_cell_write(struct apply_cell *c, const struct cl_policy *user, enum cgroup_change change)
{
    const struct cgroup_request request = request_of(c, user ? user : c->policy);

    if (c->error.err == 0 && request.policy && c->record->cgroup[0])
        (void)!cgroup_update(&request, c->record->cgroup, user, change, &c->error);
}

/* All, where the kernel cannot be asked. */
static unsigned pending(const struct apply_cell *c, const struct cl_policy *policy, bool user)
{
    const struct cgroup_request request = request_of(c, policy);
    unsigned which;

    if (!policy) /* nothing was to change */
        return 0;
    return cgroup_pending(&request, c->record->cgroup, user, &which, NULL) < 0 ? ~0U : which;
}

static json_t *side(const struct record_limit *limit)
{
    return limit ? json_pack("{s:s, s:s}", "value", limit->value, "source", limit->source) : json_null();
}

/* How a policy spells it, so that "-" and "max" are said as by explain. */
static json_t *policy_side(const struct cl_policy *policy, enum cl_key key)
{
    cleanup_free char *value = cl_policy_text(policy, key);
    char origin[4200];
    json_t *json = json_pack("{s:s, s:s}", "value", value ? value : "?", "source",
                             cl_policy_origin(policy, key, origin, sizeof(origin)));

    return json ? json : json_null();
}

static bool is_same(const json_t *setting, const struct cl_policy *policy, enum cl_key key)
{
    cleanup_free char *value = cl_policy_text(policy, key);

    return value && strcmp(json_string_value(json_object_get(setting, "value")), value) == 0;
}

static bool grace_changes(const struct apply_cell *c)
{
    return c->policy && c->selected && c->policy->session.grace != c->record->grace;
}

static json_t *changes_json(const struct apply_cell *c)
{
    struct limit_change changes[LIMIT_CHANGES_MAX];
    size_t n = limits_compare(&c->before, &c->target, changes);
    json_t *array = json_array(), *grace;
    char text[32];

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(
            array, json_pack("{s:s, s:o, s:o}", "key", (changes[i].before ? changes[i].before : changes[i].after)->key,
                             "before", side(changes[i].before), "after", side(changes[i].after)));
    if (!grace_changes(c))
        return array;
    (void)snprintf(text, sizeof(text), "%llus", (unsigned long long)c->record->grace);
    grace = kept_settings_get(c->kept, CL_KEY_SESSION_GRACE);
    (void)json_array_append_new(
        array, json_pack("{s:s, s:o, s:o}", "key", cl_key_name(CL_KEY_SESSION_GRACE), "before",
                         grace ? json_incref(grace) : json_pack("{s:s, s:s}", "value", text, "source", "?"), "after",
                         policy_side(c->policy, CL_KEY_SESSION_GRACE)));
    return array;
}

/* What only a new login gets. null: not known. */
static json_t *later_json(const struct apply_cell *c)
{
    json_t *array;

    if (!c->kept || !c->policy)
        return json_null();
    array = json_array();
    for (enum cl_key key = CL_KEY_MODE; key < CL_KEY_COUNT; key++) {
        json_t *setting = kept_settings_get(c->kept, key);

        if (setting && !counts_now(key) && !is_same(setting, c->policy, key))
            (void)json_array_append_new(array, json_pack("{s:s, s:O, s:o}", "key", cl_key_name(key), "before", setting,
                                                         "after", policy_side(c->policy, key)));
    }
    return array;
}

json_t *apply_cell_json(const struct apply_cell *c)
{
    const struct record *r = c->record;
    char why[1200];

    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?, s:s?, s:s?, s:o, s:o}", "id", r->id, "user", r->user, "uid",
                     (json_int_t)r->uid, "service", r->service, "policy", r->policy, "policy_now",
                     c->policy ? c->policy->name : NULL, "left_alone", c->why[0] ? c->why : NULL, "error",
                     c->error.err ? cl_error_format(&c->error, why, sizeof(why)) : NULL, "changes", changes_json(c),
                     "next_login", later_json(c));
}

static void log_changes(const struct apply_cell *c)
{
    struct limit_change changes[LIMIT_CHANGES_MAX];
    size_t n = limits_compare(&c->before, &c->target, changes), used = 0;
    struct cl_log_about about = event_about(c->record);
    char text[1024] = "", why[1200];

    for (size_t i = 0; i < n && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %s=%s", changes[i].after ? changes[i].after->key : changes[i].before->key,
                                 changes[i].after ? changes[i].after->value : "max");
    if (n > 0)
        cl_log_about(LOG_NOTICE, &about, "apply: id=%s user=%s policy=%s%s", c->record->id, c->record->user,
                     c->policy ? c->policy->name : c->record->policy, text);
    about.error = &c->error;
    if (c->error.err)
        cl_log_about(LOG_ERR, &about, "apply: id=%s user=%s failed: %s", c->record->id, c->record->user,
                     cl_error_format(&c->error, why, sizeof(why)));
}

static int save(const struct apply_cell *c, int run_fd, struct cl_error *e)
{
    struct record record = *c->record;

    memcpy(record.limits, c->target.items, sizeof(record.limits));
    record.n_limits = c->target.n;
    if (c->policy && c->selected)
        record.grace = c->policy->session.grace;
    return record_save(run_fd, &record, e);
}

/* Told to the cell, too; one that shows no status has nothing to be told. */
static void tell_cell(const struct apply_cell *c)
{
    cleanup_fd int init_fd = record_pidfd(c->record->init, c->record->init_start);
    struct limit_change changes[LIMIT_CHANGES_MAX];
    struct limits login;
    int r;

    if (init_fd < 0 || limits_compare(&c->before, &c->target, changes) == 0)
        return;
    if (c->policy)
        limits_of(c->policy, &login);
    r = status_change(init_fd, &c->target, c->policy ? &login : NULL);
    if (r < 0 && r != -ENOENT)
        cl_log(LOG_WARNING, "apply: id=%s: `cloister status` in the cell still shows the limits before: %s", c->record->id,
               strerror(-r));
}

static void keep_grace(const struct apply_cell *c, int run_fd)
{
    json_t *kept = c->kept && grace_changes(c) ? json_deep_copy(c->kept) : NULL;

    if (!kept)
        return;
    kept_settings_put(kept, c->policy, CL_KEY_SESSION_GRACE);
    (void)!kept_settings_write(run_fd, c->record->id, kept, NULL);
    json_decref(kept);
}

void apply_cell_record(struct apply_cell *c, int run_fd, const struct cl_policy *user)
{
    struct limits wanted = c->target;

    if (c->record->cgroup[0])
        limits_held(&c->before, &wanted, pending(c, user, true), pending(c, c->selected ? c->policy : NULL, false),
                    &c->target);
    if (save(c, run_fd, c->error.err ? NULL : &c->error) == 0) {
        keep_grace(c, run_fd);
        if (c->error.err == 0 && c->policy && c->selected)
            join_apply_document(run_fd, c->record->id, c->policy, counts_now);
        tell_cell(c);
    }
    log_changes(c);
}

void apply_cell_clear(struct apply_cell *c)
{
    record_free(c->record);
    json_decref(c->kept);
    cl_policy_free(c->policy);
}
