/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The value of a key as text, for people, by what the schema says it is.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema.h"

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

void schema_options_text(const struct cl_mount *mount, char *buf, size_t size)
{
    char bytes[32], inodes[40] = "";

    if (mount->inodes != CL_UNLIMITED)
        snprintf(inodes, sizeof(inodes), ",inodes=%" PRIu64, mount->inodes);
    snprintf(buf, size, "%s,nosuid,nodev%s%s%s%s%s", mount->read_only ? "ro" : "rw",
             mount->noexec ? ",noexec" : "", mount->recursive ? ",rbind" : "",
             mount->size != CL_UNLIMITED ? ",size=" : "",
             mount->size != CL_UNLIMITED ? schema_size_text(mount->size, bytes, sizeof(bytes)) : "", inodes);
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
        schema_options_text(base, options, sizeof(options));
        fputs(options, out);
        break;
    }
}

char *cl_policy_text(const struct cl_policy *policy, enum cl_key key)
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
