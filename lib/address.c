/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Parsing addresses. Everything is kept as numbers: no text of the configuration reaches the kernel's rules.
 */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "util.h"

#define TEXT_MAX 96

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
    return cl_parse_u64(text, ret) == 0 && *ret <= max;
}

static bool host_bits_are_zero(const struct cl_prefix *prefix)
{
    unsigned bits = prefix->family == AF_INET ? 32 : 128;

    for (unsigned i = prefix->length; i < bits; i++)
        if (prefix->address[i / 8] & (0x80 >> i % 8))
            return false;
    return true;
}

bool cl_prefix_parse(const char *text, struct cl_prefix *ret)
{
    struct cl_prefix prefix = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
    unsigned bits = prefix.family == AF_INET ? 32 : 128;
    char address[TEXT_MAX];
    uint64_t length = bits;
    char *slash;

    if (strlen(text) >= sizeof(address))
        return false;
    strcpy(address, text);
    slash = strchr(address, '/');
    if (slash) {
        *slash = '\0';
        if (!parse_number(slash + 1, bits, &length))
            return false;
    }
    prefix.length = (unsigned)length;
    if (inet_pton(prefix.family, address, prefix.address) != 1 || !host_bits_are_zero(&prefix))
        return false;
    *ret = prefix;
    return true;
}

/* "443", "8000-8010" */
static bool parse_ports(char *text, struct cl_destination *d)
{
    char *dash = strchr(text, '-');
    uint64_t first, last;

    if (dash)
        *dash++ = '\0';
    if (!parse_number(text, UINT16_MAX, &first) || !parse_number(dash ? dash : text, UINT16_MAX, &last) ||
        first == 0 || last < first)
        return false;
    d->first = (uint16_t)first;
    d->last = (uint16_t)last;
    return true;
}

/* "10.0.0.5", "10.0.0.5:5432", "fd00::/64", "[fd00::5]:5432" */
static bool parse_place(char *text, struct cl_destination *d)
{
    char *ports = NULL, *end;

    if (*text == '[') {
        end = strchr(++text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        ports = end[1] ? end + 2 : NULL;
        *end = '\0';
        if (!strchr(text, ':'))
            return false;
    } else if ((end = strchr(text, ':')) && !strchr(end + 1, ':')) {
        ports = end + 1;
        *end = '\0';
    }
    return cl_prefix_parse(text, &d->to) && (!ports || parse_ports(ports, d));
}

bool cl_destination_parse(const char *text, struct cl_destination *ret)
{
    struct cl_destination d = {0};
    char buf[TEXT_MAX], *rest = buf;

    if (strlen(text) >= sizeof(buf))
        return false;
    strcpy(buf, text);
    if (strcmp(buf, "outside") == 0) {
        *ret = (struct cl_destination){.outside = true};
        return true;
    }
    if (strncmp(buf, "tcp:", 4) == 0)
        d.protocol = IPPROTO_TCP;
    else if (strncmp(buf, "udp:", 4) == 0)
        d.protocol = IPPROTO_UDP;
    if (d.protocol)
        rest += 4;
    d.outside = d.protocol && !strpbrk(rest, ".:");
    if (d.outside ? !parse_ports(rest, &d) : !parse_place(rest, &d))
        return false;
    *ret = d;
    return true;
}
