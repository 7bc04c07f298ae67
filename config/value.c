/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One value of a file into its place, by the row of its key. Every refusal says what was found, what is
 * allowed, and the nearest known word.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "reading.h"
#include "util.h"

const char *reading_found(const config_setting_t *setting, char *buf, size_t size)
{
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        snprintf(buf, size, "\"%.80s\"", config_setting_get_string(setting));
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(buf, size, "%lld", config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(buf, size, "%g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(buf, size, "%s", config_setting_get_bool(setting) ? "true" : "false");
        break;
    case CONFIG_TYPE_GROUP:
        snprintf(buf, size, "a group { }");
        break;
    default:
        snprintf(buf, size, "a list");
        break;
    }
    return buf;
}

/* why is put after what was found, and may be empty; note comes last. */
int reading_refuse(const struct reading *r, const config_setting_t *setting, const char *why,
                   const char *note)
{
    char what[128], allowed[512];

    loader_error(r->l, config_setting_source_line(setting), "%s: found %s%s%s%s; allowed: %s%s%s", r->name,
                 reading_found(setting, what, sizeof(what)), *why ? " (" : "", why, *why ? ")" : "",
                 schema_allowed(r->key, allowed, sizeof(allowed)), *note ? "; " : "", note);
    return -EINVAL;
}

int reading_out_of_memory(const struct reading *r)
{
    r->l->out_of_memory = true;
    return -ENOMEM;
}

static bool is_integer(const config_setting_t *setting)
{
    int type = config_setting_type(setting);

    return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

/* libconfig cuts hexadecimal numbers to 32 bits without a word, so they are refused. */
static int read_integer(const struct reading *r, int64_t *ret)
{
    if (!is_integer(r->setting))
        return reading_refuse(r, r->setting, "", "");
    if (config_setting_get_format(r->setting) != CONFIG_FORMAT_DEFAULT)
        return reading_refuse(r, r->setting, "", "write it in decimal");
    *ret = config_setting_get_int64(r->setting);
    return 0;
}

/* The factor of a unit's letter, 0 when it has none. */
static uint64_t unit_factor(enum schema_kind kind, char unit)
{
    unit = (char)tolower((unsigned char)unit);
    if (kind == SCHEMA_SIZE)
        return unit == 'k'   ? UINT64_C(1) << 10
               : unit == 'm' ? UINT64_C(1) << 20
               : unit == 'g' ? UINT64_C(1) << 30
               : unit == 't' ? UINT64_C(1) << 40
                             : 0;
    if (kind == SCHEMA_SECONDS)
        return unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86400 : 0;
    return kind == SCHEMA_PERCENT && unit == '%';
}

/* "512M": digits, then at most one letter of the kind. */
int reading_quantity(enum schema_kind kind, const char *text, uint64_t *ret)
{
    uint64_t value = 0, factor = 1;
    const char *p = text;

    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *p - '0', &value))
            return -ERANGE;
    if (p == text || (p[0] && p[1]))
        return -EINVAL;
    if (*p)
        factor = unit_factor(kind, *p);
    if (factor == 0)
        return -EINVAL;
    return __builtin_mul_overflow(value, factor, ret) ? -ERANGE : 0;
}

static int read_number(const struct reading *r)
{
    const char *text = config_setting_get_string(r->setting);
    uint64_t value;
    int64_t integer;
    int e;

    if (text && r->key->word && strcmp(text, r->key->word) == 0) {
        *(uint64_t *)schema_field(r->key, r->base) = CL_UNLIMITED;
        return 0;
    }
    if (text) {
        e = reading_quantity(r->key->kind, text, &value);
        if (e < 0)
            return reading_refuse(r, r->setting, e == -ERANGE ? "out of range" : "", "");
    } else {
        e = read_integer(r, &integer);
        if (e < 0)
            return e;
        if (integer < 0)
            return reading_refuse(r, r->setting, "out of range", "");
        value = (uint64_t)integer;
    }
    if (value < r->key->min || value > r->key->max)
        return reading_refuse(r, r->setting, "out of range", "");
    *(uint64_t *)schema_field(r->key, r->base) = value;
    return 0;
}

static int read_signed(const struct reading *r)
{
    int64_t value;
    int e = read_integer(r, &value);

    if (e < 0)
        return e;
    if (value < (int64_t)r->key->min || value > (int64_t)r->key->max)
        return reading_refuse(r, r->setting, "out of range", "");
    *(int64_t *)schema_field(r->key, r->base) = value;
    return 0;
}

static int read_bool(const struct reading *r)
{
    bool value;

    if (config_setting_type(r->setting) != CONFIG_TYPE_BOOL) {
        const char *text = config_setting_get_string(r->setting);
        bool quoted = text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0);

        return reading_refuse(r, r->setting, "", quoted ? "write it without quotes" : "");
    }
    value = config_setting_get_bool(r->setting);
    if ((r->key->min && !value) || (!r->key->max && value))
        return reading_refuse(r, r->setting, "", "");
    if (!(r->key->flags & SCHEMA_UNSTORED))
        *(bool *)schema_field(r->key, r->base) = value;
    return 0;
}

/* The index of the word, or -EINVAL with the problem recorded. */
static int find_word(const struct reading *r, const char *text)
{
    char near[80], note[128] = "";

    for (int i = 0; r->key->values[i]; i++)
        if (strcmp(text, r->key->values[i]) == 0)
            return i;
    for (size_t i = 0; r->key->later && r->key->later[i]; i++)
        if (strcmp(text, r->key->later[i]) == 0)
            return reading_refuse(r, r->setting, "not in this release", "");
    if (names_nearest_word(text, r->key->values, near, sizeof(near)))
        snprintf(note, sizeof(note), "did you mean \"%s\"?", near);
    return reading_refuse(r, r->setting, "", note);
}

static int read_enum(const struct reading *r)
{
    const char *text = config_setting_get_string(r->setting);
    int i = text ? find_word(r, text) : reading_refuse(r, r->setting, "", "");

    if (i < 0)
        return i;
    if (!(r->key->flags & SCHEMA_UNSTORED))
        *(unsigned *)schema_field(r->key, r->base) = (unsigned)(r->key->min + (uint64_t)i);
    return 0;
}

const char *reading_letters(const struct schema_key *key)
{
    return key->flags & SCHEMA_EXPANDS ? "uUgh" : key->flags & SCHEMA_EXPANDS_HOST ? "uUg" : NULL;
}

static int check_string(const struct reading *r, const config_setting_t *setting, const char *text)
{
    const char *letters = reading_letters(r->key);
    char why[192] = "";

    if (strlen(text) > LOADER_STRING_MAX)
        return reading_refuse(r, setting, "too long", "");
    if (r->key->values) {
        int i = find_word(r, text);

        return i < 0 ? i : 0;
    }
    if (letters && !check_template(text, letters, why, sizeof(why)))
        return reading_refuse(r, setting, why, "");
    if (r->key->check && !r->key->check(text, false, why, sizeof(why)))
        return reading_refuse(r, setting, why, "");
    return 0;
}

static int read_string(const struct reading *r)
{
    const char *text = config_setting_get_string(r->setting);
    char *copy;
    int e;

    if (!text)
        return reading_refuse(r, r->setting, "", "");
    if ((!*text && (r->key->flags & SCHEMA_MAY_BE_EMPTY)) ||
        (r->key->word && strcmp(text, r->key->word) == 0))
        return 0;
    e = check_string(r, r->setting, text);
    if (e < 0)
        return e;
    copy = strdup(text);
    if (!copy)
        return reading_out_of_memory(r);
    *(char **)schema_field(r->key, r->base) = copy;
    return 0;
}

static int read_strings(const struct reading *r)
{
    cleanup_strv char **list = NULL;
    int n, e = 0;

    if (!config_setting_is_array(r->setting) && !config_setting_is_list(r->setting))
        return reading_refuse(r, r->setting, "",
                              config_setting_get_string(r->setting) ? "write it in [ ]" : "");
    n = config_setting_length(r->setting);
    if (n > LOADER_LIST_MAX) {
        loader_error(r->l, config_setting_source_line(r->setting),
                     "%s: found %d entries; allowed: at most %d", r->name, n, LOADER_LIST_MAX);
        return -EINVAL;
    }
    for (int i = 0; i < n && !loader_is_full(r->l); i++) {
        config_setting_t *element = config_setting_get_elem(r->setting, (unsigned)i);
        const char *text = config_setting_get_string(element);
        int one = text ? check_string(r, element, text) : reading_refuse(r, element, "", "");

        if (one < 0)
            e = one;
        else if (!cl_strv_contains(list, text) && cl_strv_add(&list, text) < 0)
            return reading_out_of_memory(r);
    }
    if (e < 0)
        return e;
    *(char ***)schema_field(r->key, r->base) = list;
    list = NULL;
    return 0;
}

int loader_value(struct loader *l, const struct schema_key *key, const char *prefix,
                 config_setting_t *setting, void *base)
{
    char name[400];
    const struct reading r = {.l = l, .key = key, .name = name, .setting = setting, .base = base};

    snprintf(name, sizeof(name), "%s%s", prefix, key->name);
    switch (key->kind) {
    case SCHEMA_BOOL:
        return read_bool(&r);
    case SCHEMA_INTEGER:
        return read_signed(&r);
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
    case SCHEMA_PERCENT:
    case SCHEMA_SECONDS:
        return read_number(&r);
    case SCHEMA_ENUM:
        return read_enum(&r);
    case SCHEMA_STRING:
        return read_string(&r);
    case SCHEMA_STRINGS:
        return read_strings(&r);
    case SCHEMA_RECORDS:
        return reading_records(&r);
    case SCHEMA_ENV:
        return reading_env(&r);
    case SCHEMA_OPTIONS:
        return reading_options(&r);
    }
    return -EINVAL;
}
