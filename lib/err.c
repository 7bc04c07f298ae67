/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The error object: filled once where the cause is known, printed once by a main function.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "util.h"

static int record(struct cl_error *e, int err, const char *key, const char *origin, const char *fmt,
                  va_list ap) __attribute__((format(printf, 5, 0)));

static int record(struct cl_error *e, int err, const char *key, const char *origin, const char *fmt,
                  va_list ap)
{
    int saved = errno;

    if (err <= 0)
        err = EINVAL;
    if (e && !e->err) {
        e->err = err;
        (void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
        if (key)
            (void)snprintf(e->key, sizeof(e->key), "%s", key);
        if (origin)
            (void)snprintf(e->origin, sizeof(e->origin), "%s", origin);
    }
    errno = saved;
    return -err;
}

int cl_fail(struct cl_error *e, int err, const char *fmt, ...)
{
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = record(e, err, NULL, NULL, fmt, ap);
    va_end(ap);
    return r;
}

int cl_fail_key(struct cl_error *e, int err, const char *key, const char *origin, const char *fmt, ...)
{
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = record(e, err, key, origin, fmt, ap);
    va_end(ap);
    return r;
}

const char *cl_error_format(const struct cl_error *e, char *buf, size_t size)
{
    char raw[1100];

    (void)snprintf(raw, sizeof(raw), "%s%s%s%s%s%s%s%s%s: %s", e->stage[0] ? "stage=" : "", e->stage,
                   e->stage[0] && e->key[0] ? " " : "", e->key[0] ? "key=" : "", e->key,
                   e->origin[0] ? " (" : "", e->origin,
                   e->origin[0]                 ? "): "
                   : (e->stage[0] || e->key[0]) ? ": "
                                                : "",
                   e->text, strerror(e->err));
    if (size)
        (void)cl_escape(raw, buf, size);
    return buf;
}
