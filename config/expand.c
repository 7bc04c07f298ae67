/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A policy for one user: %u %U %g %h become what they stand for, and the result is checked again, because a
 * name from a directory service is nobody's promise.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "loader.h"
#include "util.h"

/* What is needed to expand one string, and to say what went wrong. */
struct expansion {
    const struct cl_policy *policy;
    const struct cl_user *user;
    enum cl_key key;
    const struct schema_key *row; /* of the string itself; differs from the key's where it is in a record */
    struct cl_error *e;
};

static int fail(const struct expansion *x, const char *text, const char *why)
{
    return cl_policy_fail(x->policy, x->key, x->e, EINVAL, "\"%.200s\" for user \"%.64s\": %s", text,
                          x->user->name, why);
}

/* A name that goes into a path is one component of it. */
static bool is_component(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void put_host_name(FILE *out, const char *name)
{
    for (; *name; name++)
        fputc((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                      (*name >= '0' && *name <= '9') || strchr("-_.", *name)
                  ? *name
                  : '-',
              out);
}

static int put_name(const struct expansion *x, FILE *out, const char *text, const char *name)
{
    bool path = x->row->kind == SCHEMA_STRING || x->row->kind == SCHEMA_STRINGS;

    if (x->row->flags & SCHEMA_EXPANDS_HOST)
        put_host_name(out, name);
    else if (path && !is_component(name))
        return fail(x, text, "the name can't be a part of a path");
    else
        fputs(name, out);
    return 0;
}

/* Without the slashes at its end: "%h/work" is to be a path. */
static void put_home(const struct cl_user *user, FILE *out)
{
    const char *home = user->home ? user->home : "";
    size_t length = strlen(home);

    while (length > 0 && home[length - 1] == '/')
        length--;
    fwrite(home, 1, length, out);
}

static int put_expanded(const struct expansion *x, const char *text, FILE *out)
{
    int r = 0;

    for (const char *p = text; *p && r == 0; p++) {
        if (*p != '%') {
            fputc(*p, out);
            continue;
        }
        switch (*++p) {
        case 'u':
            r = put_name(x, out, text, x->user->name);
            break;
        case 'g':
            r = put_name(x, out, text, x->user->group);
            break;
        case 'U':
            fprintf(out, "%ju", (uintmax_t)x->user->uid);
            break;
        case 'h':
            put_home(x->user, out);
            break;
        case '%':
            fputc('%', out);
            break;
        default: /* the loader has refused all others */
            return fail(x, text, "unknown % sequence");
        }
    }
    return r;
}

static int check_expanded(const struct expansion *x, const char *text)
{
    char why[192] = "";

    if (strlen(text) > LOADER_STRING_MAX)
        return fail(x, text, "too long");
    if (x->row->check && !x->row->check(text, true, why, sizeof(why)))
        return fail(x, text, *why ? why : "not allowed");
    if (!x->row->check && !check_env_value(text, why, sizeof(why)))
        return fail(x, text, why);
    return 0;
}

/* Replace *text, which a '%' is in. */
static int expand_string(const struct expansion *x, char **text)
{
    cleanup_free char *expanded = NULL;
    size_t size;
    FILE *out;
    int r;

    if (!*text || !strchr(*text, '%'))
        return 0;
    out = open_memstream(&expanded, &size);
    if (!out)
        return cl_fail(x->e, ENOMEM, "expand a policy");
    r = put_expanded(x, *text, out);
    if (fclose(out) != 0)
        return cl_fail(x->e, ENOMEM, "expand a policy");
    if (r == 0)
        r = check_expanded(x, expanded);
    if (r < 0)
        return r;
    free(*text);
    *text = expanded;
    expanded = NULL;
    return 0;
}

static int expand_records(const struct expansion *x, struct cl_policy *policy)
{
    const struct schema_record *record = x->row->record;
    char *records = *(char **)schema_field(x->row, policy);
    int r = 0;

    for (size_t i = 0; i < *schema_count(x->row, policy); i++)
        for (size_t k = 0; k < record->n_keys && r == 0; k++) {
            struct expansion inner = *x;

            inner.row = &record->keys[k];
            if (inner.row->kind == SCHEMA_STRING && (inner.row->flags & SCHEMA_EXPANDS))
                r = expand_string(&inner, schema_field(inner.row, records + i * record->size));
        }
    return r;
}

static int expand_key(const struct expansion *x, struct cl_policy *policy)
{
    char **list;
    int r = 0;

    if (x->row->kind == SCHEMA_STRING)
        return expand_string(x, schema_field(x->row, policy));
    if (x->row->kind == SCHEMA_RECORDS)
        return expand_records(x, policy);
    if (x->row->kind == SCHEMA_ENV) {
        for (size_t i = 0; i < policy->n_env && r == 0; i++)
            r = expand_string(x, &policy->env[i].value);
        return r;
    }
    list = *(char ***)schema_field(x->row, policy);
    for (size_t i = 0; list && list[i] && r == 0; i++)
        r = expand_string(x, &list[i]);
    return r;
}

static int copy_policy(const struct cl_policy *policy, struct cl_policy **ret)
{
    cleanup_policy struct cl_policy *copy = calloc(1, sizeof(*copy));

    if (!copy)
        return -ENOMEM;
    for (size_t i = 0; i < SCHEMA_POLICY_COUNT; i++) {
        int r = schema_copy(&schema_policy[i], policy, copy);

        if (r < 0)
            return r;
    }
    copy->capabilities.bounding = policy->capabilities.bounding;
    copy->capabilities.ambient = policy->capabilities.ambient;
    memcpy(copy->origin, policy->origin, sizeof(copy->origin));
    *ret = copy;
    copy = NULL;
    return 0;
}

int cl_policy_expand(const struct cl_policy *policy, const struct cl_user *user, struct cl_policy **ret,
                     struct cl_error *e)
{
    cleanup_policy struct cl_policy *copy = NULL;

    if (copy_policy(policy, &copy) < 0)
        return cl_fail(e, ENOMEM, "copy a policy");
    for (enum cl_key key = 0; key < CL_KEY_COUNT; key++) {
        const struct expansion x = {
            .policy = policy, .user = user, .key = key, .row = &schema_policy[key], .e = e};
        int r = 0;

        if (x.row->flags & (SCHEMA_EXPANDS | SCHEMA_EXPANDS_HOST))
            r = expand_key(&x, copy);
        if (r < 0)
            return r;
    }
    *ret = copy;
    copy = NULL;
    return 0;
}
