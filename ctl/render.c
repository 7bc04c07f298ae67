/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Values as text and as JSON, by what the schema says they are.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

/* As the file would say it, with what always holds. */
static void options_text(const struct cl_mount *mount, char *buf, size_t size)
{
    char bytes[32];

    snprintf(buf, size, "%s,nosuid,nodev%s%s%s%s", mount->read_only ? "ro" : "rw",
             mount->noexec ? ",noexec" : "", mount->recursive ? ",rbind" : "",
             mount->size != CL_UNLIMITED ? ",size=" : "",
             mount->size != CL_UNLIMITED ? schema_size_text(mount->size, bytes, sizeof(bytes)) : "");
}

static void put_value(const struct schema_key *row, const void *base, FILE *out);

static void put_number(const struct schema_key *row, const void *base, FILE *out)
{
    uint64_t value = number(row, base);
    char text[32];

    if (row->word && value == CL_UNLIMITED)
        fputs(row->word, out);
    else if (row->kind == SCHEMA_SIZE)
        fputs(schema_size_text(value, text, sizeof(text)), out);
    else if (row->kind == SCHEMA_INTEGER)
        fprintf(out, "%" PRId64, (int64_t)value);
    else
        fprintf(out, "%" PRIu64 "%s", value,
                row->kind == SCHEMA_PERCENT   ? "%"
                : row->kind == SCHEMA_SECONDS ? "s"
                                              : "");
}

static void put_records(const struct schema_key *row, const void *base, FILE *out)
{
    size_t n = schema_count_const(row, base);

    for (size_t i = 0; i < n; i++) {
        fputs(i > 0 ? ", " : "", out);
        for (size_t k = 0; k < row->record->n_keys; k++) {
            fprintf(out, "%s%s=", k > 0 ? " " : "", row->record->keys[k].name);
            put_value(&row->record->keys[k], record_at(row, base, i), out);
        }
    }
    fputs(n == 0 ? "-" : "", out);
}

static void put_env(const struct schema_key *row, const void *base, FILE *out)
{
    const struct cl_env *env = *(struct cl_env *const *)schema_field_const(row, base);
    size_t n = schema_count_const(row, base);

    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s=%s", i > 0 ? ", " : "", env[i].name, env[i].value);
    fputs(n == 0 ? "-" : "", out);
}

static void put_strings(char *const *list, FILE *out)
{
    for (size_t i = 0; list && list[i]; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", list[i]);
    fputs(list && list[0] ? "" : "-", out);
}

static void put_value(const struct schema_key *row, const void *base, FILE *out)
{
    char options[128];

    switch (row->kind) {
    case SCHEMA_BOOL:
        fputs(*(const bool *)schema_field_const(row, base) ? "true" : "false", out);
        break;
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
        put_number(row, base, out);
        break;
    case SCHEMA_ENUM:
        fputs(word(row, base), out);
        break;
    case SCHEMA_STRING:
        fputs(string(row, base) ? string(row, base) : row->word ? row->word : "-", out);
        break;
    case SCHEMA_STRINGS:
        put_strings(*(char **const *)schema_field_const(row, base), out);
        break;
    case SCHEMA_RECORDS:
        put_records(row, base, out);
        break;
    case SCHEMA_ENV:
        put_env(row, base, out);
        break;
    case SCHEMA_OPTIONS:
        options_text(base, options, sizeof(options));
        fputs(options, out);
        break;
    }
}

char *render_text(const struct cl_policy *policy, enum cl_key key)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    put_value(&schema_policy[key], policy, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
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
        options_text(base, options, sizeof(options));
        return json_string(options);
    }
    return json_null();
}

json_t *render_json(const struct cl_policy *policy, enum cl_key key)
{
    return json_value(&schema_policy[key], policy);
}
