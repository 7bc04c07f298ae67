/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Values as JSON, by what the schema says they are.
 */
#include "config.h"

#include "ctl.h"
#include "schema.h"
#include "util.h"

static uint64_t number(const struct schema_key *row, const void *base)
{
    return *(const uint64_t *)schema_field_const(row, base);
}

static const char *word(const struct schema_key *row, const void *base)
{
    return row->values[*(const unsigned *)schema_field_const(row, base) - row->min];
}

static const char *string(const struct schema_key *row, const void *base)
{
    return *(char *const *)schema_field_const(row, base);
}

static const void *record_at(const struct schema_key *row, const void *base, size_t i)
{
    return *(char *const *)schema_field_const(row, base) + i * row->record->size;
}

static json_t *json_value(const struct schema_key *row, const void *base);

static json_t *json_number(const struct schema_key *row, const void *base)
{
    uint64_t value = number(row, base);

    if (row->word && value == CL_UNLIMITED)
        return json_string(row->word);
    return json_integer((json_int_t)value);
}

static json_t *json_strings(char *const *list)
{
    json_t *array = json_array();

    for (size_t i = 0; list && list[i]; i++)
        json_array_append_new(array, ctl_json_string(list[i]));
    return array;
}

static json_t *json_records(const struct schema_key *row, const void *base)
{
    json_t *array = json_array();

    for (size_t i = 0; i < schema_count_const(row, base); i++) {
        json_t *object = json_object();

        for (size_t k = 0; k < row->record->n_keys; k++)
            json_object_set_new(object, row->record->keys[k].name,
                                json_value(&row->record->keys[k], record_at(row, base, i)));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_env(const struct schema_key *row, const void *base)
{
    const struct cl_env *env = *(struct cl_env *const *)schema_field_const(row, base);
    json_t *object = json_object();

    for (size_t i = 0; i < schema_count_const(row, base); i++)
        json_object_set_new(object, env[i].name, ctl_json_string(env[i].value));
    return object;
}

static json_t *json_value(const struct schema_key *row, const void *base)
{
    char options[128];

    switch (row->kind) {
    case SCHEMA_BOOL:
        return json_boolean(*(const bool *)schema_field_const(row, base));
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
        return json_number(row, base);
    case SCHEMA_ENUM:
        return json_string(word(row, base));
    case SCHEMA_STRING:
        return ctl_json_string(string(row, base) ? string(row, base) : row->word);
    case SCHEMA_STRINGS:
        return json_strings(*(char **const *)schema_field_const(row, base));
    case SCHEMA_RECORDS:
        return json_records(row, base);
    case SCHEMA_ENV:
        return json_env(row, base);
    case SCHEMA_OPTIONS:
        schema_options_text(base, options, sizeof(options));
        return json_string(options);
    }
    return json_null();
}

json_t *render_json(const struct cl_policy *policy, enum cl_key key)
{
    return json_value(&schema_policy[key], policy);
}
