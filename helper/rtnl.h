/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One rtnetlink(7) request and its acknowledgement at a time, through libmnl.
 */
#ifndef CL_RTNL_H
#define CL_RTNL_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct rtnl {
    struct mnl_socket *socket; /* NULL: not open */
    unsigned sequence;
    union {
        struct nlmsghdr header;
        char bytes[4096];
    } out;
};

/* In the network namespace that the process is in now; it stays there. */
int rtnl_open(struct rtnl *n, struct cl_error *e) CL_WARN_UNUSED;
/* Of another netlink protocol. */
int rtnl_open_family(struct rtnl *n, int protocol, struct cl_error *e) CL_WARN_UNUSED;
void rtnl_close(struct rtnl *n);
#define cleanup_rtnl __attribute__((cleanup(rtnl_close)))

/* Begin a request: its type, NLM_F_ flags, and the family's own header. Attributes are added to what it returns. */
struct nlmsghdr *rtnl_begin(struct rtnl *n, uint16_t type, uint16_t flags, const void *header, size_t size);
/* Send it and wait for the kernel's answer: 0 or -errno. */
int rtnl_do(struct rtnl *n) CL_WARN_UNUSED;
/* The same for a request with NLM_F_DUMP: each message of the answer to see. -EINTR: it changed meanwhile. */
int rtnl_dump(struct rtnl *n, mnl_cb_t see, void *arg) CL_WARN_UNUSED;

#endif
