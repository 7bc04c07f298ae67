/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * JSON of seccomp profiles, on top of jansson. Docker reads profiles with Go's decoder, so null counts as
 * absent, unknown keys are nobody's business, and integers have 64 bits without a sign.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "seccomp_json.h"
#include "util.h"

const char *js_path(char *buf, const char *path, const char *key)
{
    snprintf(buf, JS_PATH_SIZE, "%s%s%s", path, *path ? "." : "", key);
    return buf;
}

const char *js_path_item(char *buf, const char *path, size_t i)
{
    snprintf(buf, JS_PATH_SIZE, "%s[%zu]", path, i);
    return buf;
}

int js_bad(const struct js_parse *p, int err, const char *path, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return cl_fail(p->e, err, "%s: %s: %s", p->name, path, text);
}

static int member(const struct js_parse *p, json_t *object, const char *path, const char *key, json_type type,
                  const char *what, json_t **ret)
{
    json_t *value = json_object_get(object, key);
    char sub[JS_PATH_SIZE];

    if (json_is_null(value))
        value = NULL;
    if (value && json_typeof(value) != type)
        return js_bad(p, EINVAL, js_path(sub, path, key), "is not %s", what);
    *ret = value;
    return 0;
}

int js_string(const struct js_parse *p, json_t *object, const char *path, const char *key, const char **ret)
{
    json_t *value = NULL;
    int r = member(p, object, path, key, JSON_STRING, "a string", &value);

    if (r == 0)
        *ret = value ? json_string_value(value) : "";
    return r;
}

int js_array(const struct js_parse *p, json_t *object, const char *path, const char *key, json_t **ret)
{
    return member(p, object, path, key, JSON_ARRAY, "an array", ret);
}

int js_object(const struct js_parse *p, json_t *object, const char *path, const char *key, json_t **ret)
{
    return member(p, object, path, key, JSON_OBJECT, "an object", ret);
}

int js_number(const struct js_parse *p, json_t *object, const char *path, const char *key, uint64_t otherwise,
              uint64_t *ret)
{
    json_t *value = NULL;
    int r = member(p, object, path, key, JSON_INTEGER, "a whole number", &value);

    if (r == 0)
        *ret = value ? (uint64_t)json_integer_value(value) : otherwise;
    return r;
}

int js_string_at(const struct js_parse *p, json_t *array, const char *path, size_t i, const char **ret)
{
    const char *value = json_string_value(json_array_get(array, i));
    char sub[JS_PATH_SIZE];

    if (!value || *value == '\0')
        return js_bad(p, EINVAL, js_path_item(sub, path, i), "is not a name");
    *ret = value;
    return 0;
}

static size_t count_digits(const char *text, size_t size)
{
    size_t n = 0;

    while (n < size && isdigit((unsigned char)text[n]))
        n++;
    return n;
}

/* Write the n digits at text, or, where they are above INT64_MAX, the negative number of the same 64 bits.
 * Returns the number of bytes written, at most n + 1. */
static size_t wrap_number(char *out, const char *text, size_t n)
{
    char digits[21] = {0};
    uint64_t value = 0;

    if (n == 19 || n == 20) {
        memcpy(digits, text, n);
        if (cl_parse_u64(digits, &value) < 0)
            value = 0; /* even larger: jansson refuses it */
    }
    if (value > INT64_MAX)
        return (size_t)sprintf(out, "%" PRId64, (int64_t)value);
    memcpy(out, text, n);
    return n;
}

/* jansson has no integers above INT64_MAX: give it the negative ones, which js_number() turns back. */
static int wrap_large_numbers(const char *text, size_t size, char **ret, size_t *ret_size)
{
    char *out = malloc(size + size / 19 + 1), *o = out; /* a sign for at most every nineteenth byte */
    bool in_string = false;

    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < size;) {
        size_t n = in_string ? 0 : count_digits(text + i, size - i);

        if (n > 0) {
            o += wrap_number(o, text + i, n);
            i += n;
            continue;
        }
        if (in_string && text[i] == '\\' && i + 1 < size)
            *o++ = text[i++];
        else if (text[i] == '"')
            in_string = !in_string;
        *o++ = text[i++];
    }
    *ret_size = (size_t)(o - out);
    *ret = out;
    return 0;
}

int js_parse(const struct js_parse *p, const char *text, size_t size, json_t **ret)
{
    cleanup_free char *wrapped = NULL;
    json_error_t where;
    json_t *root;

    if (wrap_large_numbers(text, size, &wrapped, &size) < 0)
        return cl_fail(p->e, ENOMEM, "load %s", p->name);
    root = json_loadb(wrapped, size, 0, &where);
    if (!root)
        return cl_fail(p->e, EINVAL, "%s:%d:%d: %s", p->name, where.line, where.column, where.text);
    *ret = root;
    return 0;
}
