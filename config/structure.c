/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Values that have parts: lists of groups, variables of the environment, mount options.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "reading.h"
#include "util.h"

static bool set_option(struct cl_mount *mount, const char *option)
{
    if (strcmp(option, "ro") == 0)
        mount->read_only = true;
    else if (strcmp(option, "rw") == 0)
        mount->read_only = false;
    else if (strcmp(option, "noexec") == 0)
        mount->noexec = true;
    else if (strcmp(option, "exec") == 0)
        mount->noexec = false;
    else if (strcmp(option, "rbind") == 0)
        mount->recursive = true;
    else if (strcmp(option, "bind") == 0)
        mount->recursive = false;
    else if (strncmp(option, "size=", 5) == 0)
        return reading_quantity(SCHEMA_SIZE, option + 5, &mount->size) == 0 && mount->size >= 65536 &&
               mount->size <= SCHEMA_SIZE_MAX;
    else if (strncmp(option, "inodes=", 7) == 0)
        return reading_quantity(SCHEMA_NUMBER, option + 7, &mount->inodes) == 0 && mount->inodes >= 64 &&
               mount->inodes <= 1000000000;
    else
        return strcmp(option, "nosuid") == 0 || strcmp(option, "nodev") == 0;
    return true;
}

int reading_options(const struct reading *r)
{
    const char *text = config_setting_get_string(r->setting);
    cleanup_free char *copy = NULL;
    char why[128], *rest, *option;

    if (!text)
        return reading_refuse(r, r->setting, "", "");
    rest = copy = strdup(text);
    if (!copy)
        return reading_out_of_memory(r);
    while ((option = strsep(&rest, ","))) {
        if (*option == '\0' || set_option(r->base, option))
            continue;
        if (strcmp(option, "suid") == 0 || strcmp(option, "dev") == 0)
            snprintf(why, sizeof(why), "nosuid and nodev always hold");
        else
            snprintf(why, sizeof(why), "not \"%.40s\"", option);
        return reading_refuse(r, r->setting, why, "");
    }
    return 0;
}

struct given_keys {
    const struct schema_key *rows;
    uint64_t seen; /* bit n: row n */
};

static void note_given(const struct schema_key *key, unsigned line, void *arg)
{
    struct given_keys *given = arg;

    (void)line;
    given->seen |= UINT64_C(1) << (key - given->rows);
}

static const char *unique_string(const struct schema_record *record, const char *records, size_t i)
{
    return *(char *const *)(const void *)(records + i * record->size + record->unique);
}

/* Earlier elements may lack the string: they were refused. */
static bool is_repeated(const struct schema_record *record, const char *records, size_t n)
{
    const char *last = unique_string(record, records, n);

    for (size_t i = 0; last && i < n; i++) {
        const char *other = unique_string(record, records, i);

        if (other && strcmp(other, last) == 0)
            return true;
    }
    return false;
}

/* Element i of the list into its place; the place is counted already, so that a failure leaves nothing
 * behind. */
static int read_record(const struct reading *r, config_setting_t *group, char *records, size_t i)
{
    const struct schema_record *record = r->key->record;
    struct given_keys given = {.rows = record->keys};
    unsigned line = config_setting_source_line(group);
    size_t before = r->l->n_errors;
    const char *why = "";
    char prefix[440];

    if (!config_setting_is_group(group))
        return reading_refuse(r, group, "", "");
    snprintf(prefix, sizeof(prefix), "%s[%zu].", r->name, i);
    if (record->init)
        record->init(records + i * record->size);
    loader_group(r->l, record->keys, record->n_keys, prefix, group, records + i * record->size, note_given,
                 &given);
    for (size_t k = 0; k < record->n_keys; k++)
        if ((record->keys[k].flags & SCHEMA_REQUIRED) && !(given.seen & UINT64_C(1) << k) &&
            r->l->n_errors == before)
            loader_error(r->l, line, "%s%s is missing", prefix, record->keys[k].name);
    if (r->l->n_errors == before && is_repeated(record, records, i))
        loader_error(r->l, line, "%s[%zu]: the same as an earlier one", r->name, i);
    if (r->l->n_errors == before && record->finish && !record->finish(records + i * record->size, &why))
        loader_error(r->l, line, "%s[%zu]: %s", r->name, i, why);
    return r->l->n_errors == before ? 0 : -EINVAL;
}

int reading_records(const struct reading *r)
{
    const struct schema_record *record = r->key->record;
    int n = config_setting_length(r->setting), e = 0;
    char *records;

    if (!config_setting_is_list(r->setting) && !(config_setting_is_array(r->setting) && n == 0))
        return reading_refuse(r, r->setting, "", "");
    if ((size_t)n > record->max) {
        loader_error(r->l, config_setting_source_line(r->setting),
                     "%s: found %d entries; allowed: at most %zu", r->name, n, record->max);
        return -EINVAL;
    }
    if (n == 0)
        return 0;
    records = calloc((size_t)n, record->size);
    if (!records)
        return reading_out_of_memory(r);
    *(char **)schema_field(r->key, r->base) = records;
    for (int i = 0; i < n; i++) {
        *schema_count(r->key, r->base) = (size_t)i + 1;
        if (read_record(r, config_setting_get_elem(r->setting, (unsigned)i), records, (size_t)i) < 0)
            e = -EINVAL;
    }
    if (e < 0)
        schema_clear(r->key, r->base);
    return e;
}

static int read_variable(const struct reading *r, config_setting_t *variable, struct cl_env *env)
{
    const char *name = config_setting_name(variable), *value = config_setting_get_string(variable);
    char why[192] = "", what[128];
    unsigned line = config_setting_source_line(variable);

    if (!check_env_name(name, why, sizeof(why)))
        loader_error(r->l, line, "%s.%.80s: %s", r->name, name, why);
    else if (!value || strlen(value) > LOADER_STRING_MAX)
        loader_error(r->l, line, "%s.%s: found %s; allowed: a string of at most %d bytes", r->name, name,
                     reading_found(variable, what, sizeof(what)), LOADER_STRING_MAX);
    else if (!check_template(value, reading_letters(r->key), why, sizeof(why)) ||
             !check_env_value(value, why, sizeof(why)))
        loader_error(r->l, line, "%s.%s: found %s (%s)", r->name, name,
                     reading_found(variable, what, sizeof(what)), why);
    else if (!(env->name = strdup(name)) || !(env->value = strdup(value)))
        return reading_out_of_memory(r);
    else
        return 0;
    return -EINVAL;
}

int reading_env(const struct reading *r)
{
    struct cl_env *env;
    int n, e = 0;

    if (!config_setting_is_group(r->setting))
        return reading_refuse(r, r->setting, "", "");
    n = config_setting_length(r->setting);
    if (n > LOADER_LIST_MAX) {
        loader_error(r->l, config_setting_source_line(r->setting),
                     "%s: found %d variables; allowed: at most %d", r->name, n, LOADER_LIST_MAX);
        return -EINVAL;
    }
    if (n == 0)
        return 0;
    env = calloc((size_t)n, sizeof(*env));
    if (!env)
        return reading_out_of_memory(r);
    *(struct cl_env **)schema_field(r->key, r->base) = env;
    *schema_count(r->key, r->base) = (size_t)n;
    for (int i = 0; i < n; i++) {
        int one = read_variable(r, config_setting_get_elem(r->setting, (unsigned)i), &env[i]);

        e = one < 0 ? one : e;
    }
    if (e < 0)
        schema_clear(r->key, r->base);
    return e;
}
