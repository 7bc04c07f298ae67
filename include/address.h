/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses as the configuration writes them: a network with its prefix length, and where a cell may connect to.
 */
#ifndef CL_ADDRESS_H
#define CL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct cl_prefix {
    int family; /* AF_INET, AF_INET6 */
    uint8_t address[16]; /* network byte order; the first 4 of IPv4 */
    unsigned length;     /* bits */
};

/* An entry of network.allow: "outside", "tcp:443", "10.1.0.0/16", "10.0.0.5:5432", "udp:[fd00::5]:53". */
struct cl_destination {
    bool outside;        /* what is public, else `to` */
    struct cl_prefix to;
    int protocol;        /* IPPROTO_TCP, IPPROTO_UDP; 0: either, and without a port any */
    uint16_t first, last; /* ports; 0: any */
};

/* "10.1.0.0/16", "fd00::/64"; without a length, one address. Bits beyond the length must be 0. */
bool cl_prefix_parse(const char *text, struct cl_prefix *ret);
bool cl_destination_parse(const char *text, struct cl_destination *ret);

#endif
