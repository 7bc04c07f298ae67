/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A policy as text that two policies share only when they say the same: each value by the row of its key, each string with
 * its length in front, so that none can pass for two.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configuration.h"
#include "schema.h"
#include "util.h"

static void put_string(const char *text, FILE *out)
{
    if (text)
        (void)fprintf(out, "%zu:%s", strlen(text), text);
    else
        (void)fputs("-", out);
}

static void put_strings(char *const *list, FILE *out)
{
    (void)fprintf(out, "%zu", cl_strv_length(list));
    for (size_t i = 0; list && list[i]; i++)
        put_string(list[i], out);
}

static void put_env(const struct schema_key *row, const void *base, FILE *out)
{
    const struct cl_env *env = *(struct cl_env *const *)schema_field_const(row, base);

    for (size_t i = 0; i < schema_count_const(row, base); i++) {
        put_string(env[i].name, out);
        put_string(env[i].value, out);
    }
}

static void put_value(const struct schema_key *row, const void *base, FILE *out);

static void put_records(const struct schema_key *row, const void *base, FILE *out)
{
    const char *records = *(char *const *)schema_field_const(row, base);

    for (size_t i = 0; i < schema_count_const(row, base); i++)
        for (size_t k = 0; k < row->record->n_keys; k++) {
            put_value(&row->record->keys[k], records + i * row->record->size, out);
            (void)fputc(' ', out);
        }
}

static void put_mount_options(const struct cl_mount *mount, FILE *out)
{
    (void)fprintf(out, "%d%d%d %" PRIu64 " %" PRIu64, mount->read_only, mount->noexec, mount->recursive, mount->size,
                  mount->inodes);
}

static void put_value(const struct schema_key *row, const void *base, FILE *out)
{
    const void *field = schema_field_const(row, base);

    switch (row->kind) {
    case SCHEMA_BOOL:
        (void)fprintf(out, "%d", *(const bool *)field);
        break;
    case SCHEMA_INTEGER:
        (void)fprintf(out, "%" PRId64, *(const int64_t *)field);
        break;
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
        (void)fprintf(out, "%" PRIu64, *(const uint64_t *)field);
        break;
    case SCHEMA_ENUM:
        (void)fprintf(out, "%u", *(const unsigned *)field);
        break;
    case SCHEMA_STRING:
        put_string(*(char *const *)field, out);
        break;
    case SCHEMA_STRINGS:
        put_strings(*(char **const *)field, out);
        break;
    case SCHEMA_RECORDS:
        put_records(row, base, out);
        break;
    case SCHEMA_ENV:
        put_env(row, base, out);
        break;
    case SCHEMA_OPTIONS:
        put_mount_options(base, out);
        break;
    }
}

/* Who is meant, and which policy wins, makes no cell. */
static bool is_about_selection(enum cl_key key)
{
    return key <= CL_KEY_MATCH_SERVICES;
}

int cl_policy_document(const struct cl_policy *policy, char **ret)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool failed;

    if (!out)
        return -ENOMEM;
    for (enum cl_key key = 0; key < CL_KEY_COUNT; key++) {
        if (is_about_selection(key))
            continue;
        (void)fprintf(out, "%s=", cl_key_name(key));
        put_value(&schema_policy[key], policy, out);
        (void)fputc('\n', out);
    }
    failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}
