/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Walking a parsed file along the schema's rows: known keys to their values, all else refused with the
 * nearest known name.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "loader.h"
#include "util.h"

/* A group while it is walked. */
struct walk {
    struct loader *l;
    const struct schema_key *rows;
    size_t n_rows;
    const char *prefix; /* before the names in messages */
    void *base;
    loader_given *given;
    void *arg;
};

static size_t dots(const char *name)
{
    size_t n = 0;

    for (; *name; name++)
        n += *name == '.';
    return n;
}

/* The rows' names, cut to as many parts as the name that is looked for: groups are candidates too. */
struct candidates {
    const struct walk *w;
    size_t dots;
    char text[80];
};

static const char *next_name(size_t i, void *arg)
{
    struct candidates *c = arg;
    size_t left = c->dots;
    char *p;

    if (i >= c->w->n_rows)
        return NULL;
    snprintf(c->text, sizeof(c->text), "%s", c->w->rows[i].name);
    for (p = c->text; *p && (*p != '.' || left-- > 0); p++)
        ;
    *p = '\0';
    return c->text;
}

/* "prio" is the beginning of "priority"; "hide" is a key, but of files. */
static const char *obvious_name(struct candidates *c, const char *name)
{
    const char *last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
    const char *candidate;

    for (size_t i = 0; strlen(last) >= 3 && (candidate = next_name(i, c)); i++)
        if (strncmp(candidate, name, strlen(name)) == 0)
            return candidate;
    for (size_t i = 0; i < c->w->n_rows; i++) {
        const char *dot = strrchr(c->w->rows[i].name, '.');

        if (dot && strcmp(dot + 1, last) == 0)
            return c->w->rows[i].name;
    }
    return NULL;
}

static void unknown_key(struct walk *w, const char *name, unsigned line)
{
    struct candidates c = {.w = w, .dots = dots(name)};
    const char *obvious = obvious_name(&c, name);
    char near[80];

    if (!obvious && names_nearest(name, next_name, &c, near, sizeof(near)))
        obvious = near;
    if (obvious)
        loader_error(w->l, line, "%s%.80s: unknown key; did you mean \"%s\"?", w->prefix, name, obvious);
    else
        loader_error(w->l, line, "%s%.80s: unknown key, see cloister.conf(5)", w->prefix, name);
}

static void walk_group(struct walk *w, const char *path, config_setting_t *group, int depth);

static void walk_member(struct walk *w, const char *path, config_setting_t *member, int depth)
{
    unsigned line = config_setting_source_line(member);
    const struct schema_key *key;
    char name[160];
    bool group;

    if (snprintf(name, sizeof(name), "%s%s%s", path, *path ? "." : "", config_setting_name(member)) >=
        (int)sizeof(name)) {
        loader_error(w->l, line, "a key of more than 160 bytes");
        return;
    }
    key = schema_find(w->rows, w->n_rows, name, &group);
    if (key) {
        if (loader_value(w->l, key, w->prefix, member, w->base) == 0)
            w->given(key, line, w->arg);
    } else if (group && config_setting_is_group(member) && depth > 0) {
        walk_group(w, name, member, depth - 1);
    } else if (group) {
        loader_error(w->l, line, "%s%s: found a value; allowed: a group %s = { ... };", w->prefix, name,
                     name);
    } else {
        unknown_key(w, name, line);
    }
}

static void walk_group(struct walk *w, const char *path, config_setting_t *group, int depth)
{
    int n = config_setting_length(group);

    for (int i = 0; i < n && !loader_is_full(w->l); i++)
        walk_member(w, path, config_setting_get_elem(group, (unsigned)i), depth);
}

void loader_group(struct loader *l, const struct schema_key *rows, size_t n_rows, const char *prefix,
                  config_setting_t *group, void *base, loader_given *given, void *arg)
{
    struct walk w = {
        .l = l, .rows = rows, .n_rows = n_rows, .prefix = prefix, .base = base, .given = given, .arg = arg};

    walk_group(&w, "", group, 3);
}

/* Where each key of a policy was written. */
static void note_origin(const struct schema_key *key, unsigned line, void *arg)
{
    const struct draft *draft = arg;
    size_t i = (size_t)(key - schema_policy);

    if (i < CL_KEY_COUNT)
        draft->policy->origin[i] = (struct cl_origin){.file = draft->file, .line = line};
}

static struct draft *new_draft(struct loader *l, struct drafts *drafts, unsigned line)
{
    struct draft *draft;

    if (drafts->n == drafts->allocated) {
        size_t allocated = drafts->allocated ? drafts->allocated * 2 : 16;
        struct draft *items = reallocarray(drafts->items, allocated, sizeof(*items));

        if (!items)
            goto fail;
        drafts->items = items;
        drafts->allocated = allocated;
    }
    draft = &drafts->items[drafts->n];
    *draft = (struct draft){.file = l->file, .line = line, .policy = calloc(1, sizeof(*draft->policy))};
    if (!draft->policy)
        goto fail;
    drafts->n++;
    return draft;
fail:
    l->out_of_memory = true;
    return NULL;
}

static void read_policy(struct loader *l, config_setting_t *group, struct drafts *drafts)
{
    unsigned line = config_setting_source_line(group);
    size_t errors = l->n_errors;
    const char *name = NULL;
    struct draft *draft;
    char prefix[96] = "";

    if (!config_setting_is_group(group)) {
        loader_error(l, line,
                     "policies: found a value; allowed: a list of groups ( { name = \"...\"; }, ... )");
        return;
    }
    draft = new_draft(l, drafts, line);
    if (!draft)
        return;
    if (config_setting_lookup_string(group, "name", &name))
        snprintf(prefix, sizeof(prefix), "%.64s: ", name);
    loader_group(l, schema_policy, SCHEMA_POLICY_COUNT, prefix, group, draft->policy, note_origin, draft);
    if (!config_setting_get_member(group, "name"))
        loader_error(l, line, "a policy without a name: name = \"...\"; is missing");
    draft->faulty = l->n_errors > errors;
}

void loader_policies(struct loader *l, config_setting_t *root, struct drafts *drafts)
{
    config_setting_t *policies = config_setting_get_member(root, "policies");
    int n = config_setting_length(root);

    for (int i = 0; i < n && !loader_is_full(l); i++) {
        config_setting_t *member = config_setting_get_elem(root, (unsigned)i);

        if (member != policies)
            loader_error(l, config_setting_source_line(member),
                         "%.80s: unknown key; allowed: policies = ( ... );", config_setting_name(member));
    }
    if (!policies) {
        loader_warning(l, 0, "no policies = ( ... ); in this file");
        return;
    }
    if (!config_setting_is_list(policies)) {
        loader_error(l, config_setting_source_line(policies),
                     "policies: allowed: a list of groups ( { name = \"...\"; }, ... )");
        return;
    }
    n = config_setting_length(policies);
    if (drafts->n + (size_t)n > LOADER_POLICIES_MAX) {
        loader_error(l, 0, "more than %d policies", LOADER_POLICIES_MAX);
        return;
    }
    for (int i = 0; i < n && !loader_is_full(l); i++)
        read_policy(l, config_setting_get_elem(policies, (unsigned)i), drafts);
}

/* One text with all of them: r0 = true; r1 = 512; ... */
static int fallback_text(const struct schema_key *rows, size_t n, char **ret)
{
    size_t size;
    FILE *f = open_memstream(ret, &size);

    if (!f)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (rows[i].fallback)
            fprintf(f, "r%zu = %s;\n", i, rows[i].fallback);
    return fclose(f) == 0 ? 0 : -ENOMEM;
}

int loader_fallbacks(struct loader *l, const struct schema_key *rows, size_t n, void *base)
{
    cleanup_free char *text = NULL;
    config_t config;
    char name[32];
    int r = fallback_text(rows, n, &text);

    if (r < 0)
        return r;
    config_init(&config);
    r = loader_parse_text(l, text, &config);
    for (size_t i = 0; i < n && r == 0; i++) {
        if (!rows[i].fallback)
            continue;
        snprintf(name, sizeof(name), "r%zu", i);
        r = loader_value(l, &rows[i], "", config_setting_get_member(config_root_setting(&config), name),
                         base);
    }
    config_destroy(&config);
    return r;
}
