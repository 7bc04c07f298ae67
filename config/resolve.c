/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From drafts to policies: names that are unique, parents that exist, chains that end, and then every value
 * in its place. A policy without a parent starts from the built-in values.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "loader.h"
#include "util.h"

/* All drafts that have a name, sorted by it: the look-up must not depend on how many there are. */
struct index {
    struct draft **items;
    size_t n;
};

static int compare_drafts(const void *a, const void *b)
{
    const struct draft *x = *(struct draft *const *)a, *y = *(struct draft *const *)b;
    int r = strcmp(x->policy->name, y->policy->name);

    return r != 0 ? r : x < y ? -1 : x > y;
}

static int compare_name(const void *name, const void *item)
{
    const struct draft *draft = *(struct draft *const *)item;

    return strcmp(name, draft->policy->name);
}

static int index_build(struct loader *l, struct drafts *drafts, struct index *ret)
{
    struct draft **items = calloc(drafts->n + 1, sizeof(*items));
    size_t n = 0, kept = 0;

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < drafts->n; i++) {
        if (drafts->items[i].policy->name)
            items[n++] = &drafts->items[i];
        else
            drafts->items[i].state = DRAFT_BROKEN;
    }
    qsort(items, n, sizeof(struct draft *), compare_drafts);
    for (size_t i = 0; i < n; i++) {
        struct draft *first = kept ? items[kept - 1] : NULL;

        if (!first || strcmp(first->policy->name, items[i]->policy->name) != 0) {
            items[kept++] = items[i];
            continue;
        }
        l->file = items[i]->file;
        loader_error(l, items[i]->line, "%s: a policy of this name is at %s:%u already",
                     items[i]->policy->name, first->file, first->line);
        items[i]->state = DRAFT_BROKEN;
    }
    *ret = (struct index){.items = items, .n = kept};
    return 0;
}

static struct draft *index_find(const struct index *index, const char *name)
{
    struct draft **item = bsearch(name, index->items, index->n, sizeof(*index->items), compare_name);

    return item ? *item : NULL;
}

static const char *next_policy(size_t i, void *arg)
{
    const struct index *index = arg;

    return i < index->n ? index->items[i]->policy->name : NULL;
}

static void unknown_parent(struct loader *l, const struct draft *draft, struct index *index)
{
    const struct cl_policy *policy = draft->policy;
    char near[80], note[128] = "";

    if (!loader_is_full(l) && names_nearest(policy->inherit, next_policy, index, near, sizeof(near)))
        snprintf(note, sizeof(note), "; did you mean \"%s\"?", near);
    loader_error(l, policy->origin[CL_KEY_INHERIT].line, "%s: inherit: found \"%s\", which is no policy%s",
                 policy->name, policy->inherit, note);
}

/* A chain from a draft up to what is resolved already, the draft itself first. */
struct chain {
    struct draft *items[LOADER_DEPTH_MAX];
    size_t n;
    struct draft *parent; /* resolved; NULL: the built-in values */
};

static void report_cycle(struct loader *l, const struct chain *chain, const struct draft *first)
{
    const struct draft *last = chain->items[chain->n - 1];
    char path[512] = "";
    bool inside = false;

    for (size_t i = 0; i < chain->n; i++) {
        inside = inside || chain->items[i] == first;
        if (inside)
            snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s, ", chain->items[i]->policy->name);
    }
    loader_error(l, last->policy->origin[CL_KEY_INHERIT].line, "%s: inherit: a circle: %s%s",
                 last->policy->name, path, first->policy->name);
}

/* False, with the problem recorded, when the chain does not end well. */
static bool chain_build(struct loader *l, struct index *index, struct draft *draft, struct chain *chain)
{
    for (;;) {
        const char *inherit = draft->policy->inherit;
        struct draft *parent;

        draft->state = DRAFT_VISITED;
        chain->items[chain->n++] = draft;
        if (!inherit)
            return true;
        parent = index_find(index, inherit);
        l->file = draft->file;
        if (!parent) {
            unknown_parent(l, draft, index);
            return false;
        }
        parent->has_children = true;
        if (parent->state == DRAFT_VISITED) {
            report_cycle(l, chain, parent);
            return false;
        }
        if (parent->state == DRAFT_BROKEN)
            return false;
        if (chain->n == LOADER_DEPTH_MAX ||
            (parent->state == DRAFT_RESOLVED && parent->depth + chain->n > LOADER_DEPTH_MAX)) {
            loader_error(l, chain->items[0]->line, "%s: a chain of more than %d policies",
                         chain->items[0]->policy->name, LOADER_DEPTH_MAX);
            return false;
        }
        if (parent->state == DRAFT_RESOLVED) {
            chain->parent = parent;
            return true;
        }
        draft = parent;
    }
}

static void resolve_masks(struct cl_policy *policy)
{
    policy->capabilities.bounding = (capability_mask_of(policy->capabilities.bounding_names) |
                                     capability_mask_of(policy->capabilities.add)) &
                                    ~capability_mask_of(policy->capabilities.drop);
    policy->capabilities.ambient = capability_mask_of(policy->capabilities.ambient_names);
}

/* An inherited list that grew past what one list may hold. */
static void check_lengths(struct loader *l, const struct draft *draft)
{
    for (size_t i = 0; i < CL_KEY_COUNT; i++) {
        const struct schema_key *key = &schema_policy[i];

        if ((key->flags & SCHEMA_APPENDS) &&
            cl_strv_length(*(char **const *)schema_field_const(key, draft->policy)) > LOADER_LIST_MAX)
            loader_error(l, draft->line, "%s: %s: more than %d entries with the inherited ones",
                         draft->policy->name, key->name, LOADER_LIST_MAX);
    }
    if (draft->policy->n_env > LOADER_LIST_MAX)
        loader_error(l, draft->line, "%s: env: more than %d variables with the inherited ones",
                     draft->policy->name, LOADER_LIST_MAX);
}

/* Each child has a copy of what it inherits: a large parent of many children outgrows the files by far.
 * -E2BIG, with the problem recorded. */
static int check_total(struct loader *l, const struct draft *draft)
{
    for (size_t i = 0; i < CL_KEY_COUNT; i++)
        l->n_bytes += schema_bytes(&schema_policy[i], draft->policy);
    if (l->n_bytes <= LOADER_TOTAL_MAX)
        return 0;
    loader_error(l, draft->line,
                 "%s: all policies up to this one, with what they inherit, need more than %d MiB",
                 draft->policy->name, LOADER_TOTAL_MAX / (1024 * 1024));
    return -E2BIG;
}

/* A cell sees its own cgroup only, and no session gets more than its user: runtimes that fit themselves to the limits they can
 * read (the JVM, Go, Node.js) find those of the user in it. */
static const struct {
    enum cl_key session, user;
} follows[] = {
    {CL_KEY_CGROUP_SESSION_MEMORY_MAX, CL_KEY_CGROUP_MEMORY_MAX},
    {CL_KEY_CGROUP_SESSION_CPU_MAX, CL_KEY_CGROUP_CPU_MAX},
};

static unsigned session_given(const struct draft *draft, const struct draft *parent)
{
    unsigned given = parent ? parent->session_given : 0;

    for (size_t i = 0; i < CL_ARRAY_SIZE(follows); i++)
        if (draft->policy->origin[follows[i].session].file)
            given |= 1U << i;
    return given;
}

static void follow_user(struct draft *draft)
{
    struct cl_policy *policy = draft->policy;

    for (size_t i = 0; i < CL_ARRAY_SIZE(follows); i++) {
        const struct schema_key *session = &schema_policy[follows[i].session], *user = &schema_policy[follows[i].user];

        if (draft->session_given & 1U << i)
            continue;
        memcpy(schema_field(session, policy), schema_field_const(user, policy), sizeof(uint64_t));
        policy->origin[follows[i].session] = policy->origin[follows[i].user];
    }
}

static int resolve_one(struct loader *l, struct draft *draft, const struct draft *parent,
                       const struct cl_policy *builtin)
{
    const struct cl_policy *from = parent ? parent->policy : builtin;
    int r;

    l->file = draft->file;
    draft->faulty = draft->faulty || (parent && parent->faulty);
    draft->net_given = draft->policy->origin[CL_KEY_NAMESPACES_NET].file || (parent && parent->net_given);
    draft->mode_given = draft->policy->origin[CL_KEY_NETWORK_MODE].file || (parent && parent->mode_given);
    draft->session_given = session_given(draft, parent);
    if (!draft->faulty)
        consistency_of_draft(l, draft);
    r = inherit_policy(draft->policy, from);
    if (r == 0)
        r = check_total(l, draft);
    if (r < 0)
        return r;
    resolve_masks(draft->policy);
    follow_user(draft);
    check_lengths(l, draft);
    if (draft->net_given || draft->mode_given)
        consistency_of_network(l, draft, from);
    if (!draft->faulty)
        consistency_of_policy(l, draft, from);
    draft->depth = parent ? parent->depth + 1 : 1;
    draft->state = DRAFT_RESOLVED;
    return 0;
}

static int resolve_chain(struct loader *l, struct index *index, struct draft *draft,
                         const struct cl_policy *builtin)
{
    struct chain chain = {0};
    const struct draft *parent;

    if (!chain_build(l, index, draft, &chain)) {
        for (size_t i = 0; i < chain.n; i++)
            chain.items[i]->state = DRAFT_BROKEN;
        return 0;
    }
    parent = chain.parent;
    while (chain.n > 0) {
        struct draft *next = chain.items[--chain.n];
        int r = resolve_one(l, next, parent, builtin);

        if (r < 0)
            return r;
        parent = next;
    }
    return 0;
}

static void warn_unreachable(struct loader *l, const struct drafts *drafts)
{
    for (size_t i = 0; i < drafts->n; i++) {
        const struct draft *draft = &drafts->items[i];
        const struct cl_policy *policy = draft->policy;

        if (draft->state != DRAFT_RESOLVED || draft->faulty || draft->has_children || policy->match.groups ||
            policy->match.users || policy->match.services || strcmp(policy->name, "default") == 0)
            continue;
        l->file = draft->file;
        loader_warning(l, draft->line, "%s: matches no one and nothing inherits from it: no match is given",
                       policy->name);
    }
}

int resolve_policies(struct loader *l, struct drafts *drafts)
{
    cleanup_policy struct cl_policy *builtin = calloc(1, sizeof(*builtin));
    struct index index = {0};
    int r;

    if (!builtin)
        return -ENOMEM;
    r = loader_fallbacks(l, schema_policy, SCHEMA_POLICY_COUNT, builtin);
    if (r == 0)
        r = index_build(l, drafts, &index);
    for (size_t i = 0; i < drafts->n && r == 0; i++)
        if (drafts->items[i].state == DRAFT_NEW)
            r = resolve_chain(l, &index, &drafts->items[i], builtin);
    if (r == 0)
        warn_unreachable(l, drafts);
    free(index.items);
    return r;
}
