/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a key allows, in words, from its row: the same text in every message.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

static void append(char *buf, size_t size, const char *text)
{
    size_t used = strlen(buf);

    if (used < size)
        snprintf(buf + used, size - used, "%s", text);
}

const char *schema_size_text(uint64_t bytes, char *buf, size_t size)
{
    static const char units[] = "KMGT";
    int unit = -1;

    while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
        bytes /= 1024;
        unit++;
    }
    if (unit < 0)
        snprintf(buf, size, "%" PRIu64, bytes);
    else
        snprintf(buf, size, "%" PRIu64 "%c", bytes, units[unit]);
    return buf;
}

static void words_text(const char *const *words, char *buf, size_t size)
{
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            append(buf, size, words[i + 1] ? ", " : " or ");
        append(buf, size, "\"");
        append(buf, size, words[i]);
        append(buf, size, "\"");
    }
}

static void number_text(const struct schema_key *key, char *buf, size_t size)
{
    char least[32], most[32];

    if (key->kind == SCHEMA_SIZE)
        snprintf(buf, size, "%s from %s to %s, as a number or with K, M, G or T", key->allowed ? key->allowed : "bytes",
                 schema_size_text(key->min, least, sizeof(least)),
                 schema_size_text(key->max, most, sizeof(most)));
    else if (key->kind == SCHEMA_PERCENT)
        snprintf(buf, size, "percent of one CPU from %" PRIu64 " to %" PRIu64 ", as 150 or \"150%%\"",
                 key->min, key->max);
    else if (key->kind == SCHEMA_SECONDS)
        snprintf(buf, size, "seconds from %" PRIu64 " to %" PRIu64 ", as a number or with s, m, h or d",
                 key->min, key->max);
    else if (key->kind == SCHEMA_INTEGER)
        snprintf(buf, size, "a number from %" PRId64 " to %" PRId64, (int64_t)key->min, (int64_t)key->max);
    else
        snprintf(buf, size, "a number from %" PRIu64 " to %" PRIu64, key->min, key->max);
    if (key->word) {
        append(buf, size, ", or \"");
        append(buf, size, key->word);
        append(buf, size, "\"");
    }
}

static void record_text(const struct schema_key *key, char *buf, size_t size)
{
    append(buf, size, "a list of groups ( { ");
    for (size_t i = 0; i < key->record->n_keys; i++) {
        append(buf, size, key->record->keys[i].name);
        append(buf, size, " = ...; ");
    }
    append(buf, size, "} )");
}

const char *schema_allowed(const struct schema_key *key, char *buf, size_t size)
{
    buf[0] = '\0';
    switch (key->kind) {
    case SCHEMA_BOOL:
        append(buf, size, key->min ? "true" : key->max ? "true or false" : "false");
        break;
    case SCHEMA_INTEGER:
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
        number_text(key, buf, size);
        break;
    case SCHEMA_STRINGS:
        append(buf, size, "a list of ");
        append(buf, size, key->allowed);
        break;
    case SCHEMA_ENUM:
    case SCHEMA_STRING:
    case SCHEMA_OPTIONS:
        if (key->values)
            words_text(key->values, buf, size);
        else
            append(buf, size, key->allowed);
        break;
    case SCHEMA_RECORDS:
        record_text(key, buf, size);
        break;
    case SCHEMA_ENV:
        append(buf, size, "a group of strings { NAME = \"value\"; }");
        break;
    }
    if (key->reason) {
        append(buf, size, " (");
        append(buf, size, key->reason);
        append(buf, size, ")");
    }
    return buf;
}
