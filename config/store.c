/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Copying and freeing values by what the schema says they are.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "schema.h"
#include "util.h"

size_t *schema_count(const struct schema_key *key, void *base)
{
    return (size_t *)(void *)((char *)base + key->count_offset);
}

size_t schema_count_const(const struct schema_key *key, const void *base)
{
    return *(const size_t *)(const void *)((const char *)base + key->count_offset);
}

static size_t scalar_size(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_BOOL:
        return sizeof(bool);
    case SCHEMA_ENUM:
        return sizeof(enum cl_placement);
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
        return sizeof(uint64_t);
    case SCHEMA_STRING:
    case SCHEMA_STRINGS:
    case SCHEMA_RECORDS:
    case SCHEMA_ENV:
    case SCHEMA_OPTIONS:
        return 0;
    }
    return 0;
}

static void clear_records(const struct schema_key *key, void *base)
{
    void **records = schema_field(key, base);
    size_t *n = schema_count(key, base);

    for (size_t i = 0; i < *n; i++)
        schema_clear_all(key->record->keys, key->record->n_keys, (char *)*records + i * key->record->size);
    free(*records);
    *records = NULL;
    *n = 0;
}

static void clear_env(const struct schema_key *key, void *base)
{
    struct cl_env **env = schema_field(key, base);
    size_t *n = schema_count(key, base);

    for (size_t i = 0; i < *n; i++) {
        free((*env)[i].name);
        free((*env)[i].value);
    }
    free(*env);
    *env = NULL;
    *n = 0;
}

void schema_clear(const struct schema_key *key, void *base)
{
    if (key->flags & SCHEMA_UNSTORED)
        return;
    if (key->kind == SCHEMA_STRING) {
        cl_freep(schema_field(key, base));
        *(char **)schema_field(key, base) = NULL;
    } else if (key->kind == SCHEMA_STRINGS) {
        cl_strv_freep(schema_field(key, base));
        *(char ***)schema_field(key, base) = NULL;
    } else if (key->kind == SCHEMA_RECORDS) {
        clear_records(key, base);
    } else if (key->kind == SCHEMA_ENV) {
        clear_env(key, base);
    }
}

void schema_clear_all(const struct schema_key *rows, size_t n, void *base)
{
    for (size_t i = 0; i < n; i++)
        schema_clear(&rows[i], base);
}

/* The bytes of a record are copied first, so that members that no row names come along. */
static int copy_record(const struct schema_record *record, const void *from, void *to)
{
    int r = 0;

    memcpy(to, from, record->size);
    for (size_t i = 0; i < record->n_keys; i++)
        if (record->keys[i].kind == SCHEMA_STRING)
            *(char **)schema_field(&record->keys[i], to) = NULL;
    for (size_t i = 0; i < record->n_keys && r == 0; i++)
        r = schema_copy(&record->keys[i], from, to);
    return r;
}

static int copy_records(const struct schema_key *key, const void *from, void *to)
{
    const char *source = *(char *const *)schema_field_const(key, from);
    size_t n = schema_count_const(key, from);
    char *copy;

    if (n == 0)
        return 0;
    copy = calloc(n, key->record->size);
    if (!copy)
        return -ENOMEM;
    *(char **)schema_field(key, to) = copy;
    for (size_t i = 0; i < n; i++) {
        *schema_count(key, to) = i + 1;
        if (copy_record(key->record, source + i * key->record->size, copy + i * key->record->size) < 0) {
            schema_clear(key, to);
            return -ENOMEM;
        }
    }
    return 0;
}

static int copy_env(const struct schema_key *key, const void *from, void *to)
{
    const struct cl_env *source = *(struct cl_env *const *)schema_field_const(key, from);
    size_t n = schema_count_const(key, from);
    struct cl_env *copy;

    if (n == 0)
        return 0;
    copy = calloc(n, sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *(struct cl_env **)schema_field(key, to) = copy;
    *schema_count(key, to) = n;
    for (size_t i = 0; i < n; i++) {
        copy[i].name = strdup(source[i].name);
        copy[i].value = strdup(source[i].value);
        if (!copy[i].name || !copy[i].value) {
            schema_clear(key, to);
            return -ENOMEM;
        }
    }
    return 0;
}

static int copy_string(const struct schema_key *key, const void *from, void *to)
{
    const char *source = *(char *const *)schema_field_const(key, from);
    char *copy = NULL;

    if (source && !(copy = strdup(source)))
        return -ENOMEM;
    *(char **)schema_field(key, to) = copy;
    return 0;
}

int schema_copy(const struct schema_key *key, const void *from, void *to)
{
    if (key->flags & SCHEMA_UNSTORED)
        return 0;
    switch (key->kind) {
    case SCHEMA_STRING:
        return copy_string(key, from, to);
    case SCHEMA_STRINGS:
        return cl_strv_copy(*(char **const *)schema_field_const(key, from), schema_field(key, to));
    case SCHEMA_RECORDS:
        return copy_records(key, from, to);
    case SCHEMA_ENV:
        return copy_env(key, from, to);
    case SCHEMA_BOOL:
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
    case SCHEMA_ENUM:
    case SCHEMA_OPTIONS:
        memcpy(schema_field(key, to), schema_field_const(key, from), scalar_size(key->kind));
        return 0;
    }
    return 0;
}

static size_t string_bytes(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static size_t env_bytes(const struct cl_env *env, size_t n)
{
    size_t bytes = n * sizeof(*env);

    for (size_t i = 0; i < n; i++)
        bytes += string_bytes(env[i].name) + string_bytes(env[i].value);
    return bytes;
}

static size_t records_bytes(const struct schema_record *record, const char *records, size_t n)
{
    size_t bytes = n * record->size;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < record->n_keys; k++)
            bytes += schema_bytes(&record->keys[k], records + i * record->size);
    return bytes;
}

size_t schema_bytes(const struct schema_key *key, const void *base)
{
    const void *field = schema_field_const(key, base);
    size_t bytes = 0;

    if (key->flags & SCHEMA_UNSTORED)
        return 0;
    if (key->kind == SCHEMA_STRING)
        bytes = string_bytes(*(char *const *)field);
    else if (key->kind == SCHEMA_RECORDS)
        bytes = records_bytes(key->record, *(char *const *)field, schema_count_const(key, base));
    else if (key->kind == SCHEMA_ENV)
        bytes = env_bytes(*(struct cl_env *const *)field, schema_count_const(key, base));
    else if (key->kind == SCHEMA_STRINGS)
        for (char *const *list = *(char **const *)field; list && *list; list++)
            bytes += sizeof(*list) + string_bytes(*list);
    return bytes;
}
