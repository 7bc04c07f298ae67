/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a policy takes from the one it inherits from. A value replaces the inherited one, variables of env
 * replace those of the same name, and `add`, `drop`, `allow` and `deny` work on what is inherited: the nearer
 * one wins. Who gives `bounding` or `profile` anew starts from it, without what others had laid on top of
 * theirs.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "loader.h"
#include "util.h"

/* Two lists that work against each other on top of a base. */
struct overlay {
    enum cl_key base, plus, minus;
    bool capabilities; /* or system calls, which have no sets */
};

static const struct overlay overlays[] = {
    {CL_KEY_CAPABILITIES_BOUNDING, CL_KEY_CAPABILITIES_ADD, CL_KEY_CAPABILITIES_DROP, true},
    {CL_KEY_SECCOMP_PROFILE, CL_KEY_SECCOMP_ALLOW, CL_KEY_SECCOMP_DENY, false},
};

static char ***list_of(struct cl_policy *policy, enum cl_key key)
{
    return schema_field(&schema_policy[key], policy);
}

static char *const *list_of_const(const struct cl_policy *policy, enum cl_key key)
{
    return *(char **const *)schema_field_const(&schema_policy[key], policy);
}

static int add_once(char ***list, const char *name)
{
    return cl_strv_contains(*list, name) ? 0 : cl_strv_add(list, name);
}

/* What is left of a capability name, which may be a set, once some capabilities are taken out of it. */
static int add_capability_without(char ***list, const char *name, uint64_t without)
{
    uint64_t mask;
    char one[32];

    if (capability_mask(name, &mask) < 0 || (mask & without) == 0)
        return add_once(list, name);
    for (unsigned bit = 0; capability_name(bit, one, sizeof(one)); bit++) {
        int r = (mask & ~without) & (UINT64_C(1) << bit) ? add_once(list, one) : 0;

        if (r < 0)
            return r;
    }
    return 0;
}

/* inherited, without what is in against, then own. *own is replaced. */
static int overlay_list(char *const *inherited, char *const *against, bool capabilities, char ***own)
{
    uint64_t mask = capabilities ? capability_mask_of(against) : 0;
    cleanup_strv char **list = NULL;
    int r = 0;

    for (size_t i = 0; inherited && inherited[i] && r == 0; i++) {
        if (capabilities)
            r = add_capability_without(&list, inherited[i], mask);
        else if (!cl_strv_contains(against, inherited[i]))
            r = add_once(&list, inherited[i]);
    }
    for (size_t i = 0; *own && (*own)[i] && r == 0; i++)
        r = add_once(&list, (*own)[i]);
    if (r < 0)
        return r;
    cl_strv_free(*own);
    *own = list;
    list = NULL;
    return 0;
}

static int inherit_overlay(const struct overlay *o, struct cl_policy *policy, const struct cl_policy *parent)
{
    cleanup_strv char **plus = NULL;
    const enum cl_key both[] = {o->plus, o->minus};
    int r;

    if (policy->origin[o->base].file) {
        for (size_t i = 0; i < CL_ARRAY_SIZE(both); i++)
            if (!policy->origin[both[i]].file)
                policy->origin[both[i]] = policy->origin[o->base];
        return 0;
    }
    r = cl_strv_copy(list_of_const(policy, o->plus), &plus);
    if (r == 0)
        r = overlay_list(list_of_const(parent, o->plus), list_of_const(policy, o->minus), o->capabilities,
                         list_of(policy, o->plus));
    if (r == 0)
        r = overlay_list(list_of_const(parent, o->minus), plus, o->capabilities, list_of(policy, o->minus));
    if (r < 0)
        return r;
    for (size_t i = 0; i < CL_ARRAY_SIZE(both); i++)
        if (!policy->origin[both[i]].file)
            policy->origin[both[i]] = parent->origin[both[i]];
    return 0;
}

static int add_variable(struct cl_policy *policy, const struct cl_env *from)
{
    struct cl_env *grown = reallocarray(policy->env, policy->n_env + 1, sizeof(*grown));
    struct cl_env copy;

    if (!grown)
        return -ENOMEM;
    policy->env = grown;
    copy = (struct cl_env){.name = strdup(from->name), .value = strdup(from->value)};
    if (!copy.name || !copy.value) {
        free(copy.name);
        free(copy.value);
        return -ENOMEM;
    }
    policy->env[policy->n_env++] = copy;
    return 0;
}

static int inherit_env(struct cl_policy *policy, const struct cl_policy *parent)
{
    size_t own = policy->n_env;

    for (size_t i = 0; i < parent->n_env; i++) {
        bool replaced = false;
        int r = 0;

        for (size_t k = 0; k < own; k++)
            replaced = replaced || strcmp(policy->env[k].name, parent->env[i].name) == 0;
        if (!replaced)
            r = add_variable(policy, &parent->env[i]);
        if (r < 0)
            return r;
    }
    if (!policy->origin[CL_KEY_ENV].file)
        policy->origin[CL_KEY_ENV] = parent->origin[CL_KEY_ENV];
    return 0;
}

int inherit_policy(struct cl_policy *policy, const struct cl_policy *parent)
{
    int r = inherit_env(policy, parent);

    for (size_t i = 0; i < CL_ARRAY_SIZE(overlays) && r == 0; i++)
        r = inherit_overlay(&overlays[i], policy, parent);
    for (size_t i = 0; i < CL_KEY_COUNT && r == 0; i++) {
        const struct schema_key *key = &schema_policy[i];

        if ((key->flags & (SCHEMA_OWN | SCHEMA_APPENDS)) || key->kind == SCHEMA_ENV || policy->origin[i].file)
            continue;
        r = schema_copy(key, parent, policy);
        policy->origin[i] = parent->origin[i];
    }
    return r;
}
