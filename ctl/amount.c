/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Numbers with units, for people.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "amount.h"

const char *amount_bytes(uint64_t bytes, char *buf, size_t size)
{
    static const char units[] = "KMGTPE";
    uint64_t whole = bytes, rest = 0;
    int unit = -1;

    for (; whole >= 1024; unit++) {
        rest = whole % 1024;
        whole /= 1024;
    }
    if (unit < 0)
        (void)snprintf(buf, size, "%" PRIu64, whole);
    else if (whole < 10)
        (void)snprintf(buf, size, "%" PRIu64 ".%" PRIu64 "%c", whole, rest * 10 / 1024, units[unit]);
    else
        (void)snprintf(buf, size, "%" PRIu64 "%c", whole, units[unit]);
    return buf;
}

const char *amount_age(int64_t seconds, char *buf, size_t size)
{
    int64_t s = seconds < 0 ? 0 : seconds;

    if (s < 3600)
        (void)snprintf(buf, size, "%" PRId64 ":%02" PRId64, s / 60, s % 60);
    else if (s < 24 * 3600)
        (void)snprintf(buf, size, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
    else
        (void)snprintf(buf, size, "%" PRId64 "d%02" PRId64 "h", s / (24 * 3600), s / 3600 % 24);
    return buf;
}

const char *amount_cpu(uint64_t usec, char *buf, size_t size)
{
    if (usec >= 60 * UINT64_C(1000000))
        return amount_age((int64_t)(usec / 1000000), buf, size);
    (void)snprintf(buf, size, "%" PRIu64 ".%02" PRIu64 "s", usec / 1000000, usec / 10000 % 100);
    return buf;
}
