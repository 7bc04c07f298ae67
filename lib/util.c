/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Cleanup attributes, string vectors, numbers and the clock.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void cl_close(int *fd)
{
    int saved = errno;

    /* Linux frees the descriptor whatever close(2) answers: never close twice. */
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved;
}

int cl_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

void cl_freep(void *p)
{
    void **pointer = p;

    free(*pointer);
    *pointer = NULL;
}

void cl_fclosep(FILE **f)
{
    if (*f)
        (void)fclose(*f);
    *f = NULL;
}

size_t cl_strv_length(char *const *strv)
{
    size_t n = 0;

    while (strv && strv[n])
        n++;
    return n;
}

bool cl_strv_contains(char *const *strv, const char *s)
{
    for (size_t i = 0; strv && strv[i]; i++)
        if (strcmp(strv[i], s) == 0)
            return true;
    return false;
}

int cl_strv_add(char ***strv, const char *s)
{
    size_t n = cl_strv_length(*strv);
    char *copy = strdup(s);
    char **grown = copy ? reallocarray(*strv, n + 2, sizeof(*grown)) : NULL;

    if (!grown) {
        free(copy);
        return -ENOMEM;
    }
    grown[n] = copy;
    grown[n + 1] = NULL;
    *strv = grown;
    return 0;
}

int cl_strv_copy(char *const *strv, char ***ret)
{
    cleanup_strv char **copy = NULL;

    for (size_t i = 0; strv && strv[i]; i++) {
        int r = cl_strv_add(&copy, strv[i]);
        if (r < 0)
            return r;
    }
    *ret = copy;
    copy = NULL;
    return 0;
}

void cl_strv_free(char **strv)
{
    for (size_t i = 0; strv && strv[i]; i++)
        free(strv[i]);
    free(strv);
}

void cl_strv_freep(char ***strv)
{
    cl_strv_free(*strv);
    *strv = NULL;
}

int cl_asprintf(char **ret, const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -ENOMEM;
    *ret = s;
    return 0;
}

size_t cl_escape(const char *text, char *buf, size_t size)
{
    size_t n = 0;

    for (const char *p = text; *p && n + 5 < size; p++) {
        if (*p < ' ' || *p > '~')
            n += (size_t)snprintf(buf + n, size - n, "\\x%02x", (unsigned)(unsigned char)*p);
        else
            buf[n++] = *p;
    }
    buf[n] = '\0';
    return n;
}

int cl_parse_u64(const char *s, uint64_t *ret)
{
    unsigned long long value;
    char *end;

    if (*s < '0' || *s > '9') /* strtoull takes blanks and signs */
        return -EINVAL;
    errno = 0;
    value = strtoull(s, &end, 10);
    if (errno == ERANGE)
        return -ERANGE;
    if (*end)
        return -EINVAL;
    *ret = value;
    return 0;
}

int64_t cl_now_ms(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        abort(); /* cannot fail: clock_gettime(2) */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
