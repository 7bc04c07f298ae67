/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Requests to rtnetlink(7). The kernel answers at once, so nothing here waits for anyone else.
 */
#include "config.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "rtnl.h"

int rtnl_open(struct rtnl *n, struct cl_error *e)
{
    return rtnl_open_family(n, NETLINK_ROUTE, e);
}

int rtnl_open_family(struct rtnl *n, int protocol, struct cl_error *e)
{
    n->sequence = 0;
    n->socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
    if (!n->socket)
        return cl_fail(e, errno, "open netlink");
    if (mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        int r = cl_fail(e, errno, "bind netlink");

        rtnl_close(n);
        return r;
    }
    return 0;
}

void rtnl_close(struct rtnl *n)
{
    if (n->socket)
        (void)mnl_socket_close(n->socket);
    n->socket = NULL;
}

struct nlmsghdr *rtnl_begin(struct rtnl *n, uint16_t type, uint16_t flags, const void *header, size_t size)
{
    struct nlmsghdr *message;

    memset(&n->out, 0, sizeof(n->out));
    message = mnl_nlmsg_put_header(&n->out);
    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    message->nlmsg_seq = ++n->sequence;
    memcpy(mnl_nlmsg_put_extra_header(message, size), header, size);
    return message;
}

int rtnl_do(struct rtnl *n)
{
    return rtnl_dump(n, NULL, NULL);
}

int rtnl_dump(struct rtnl *n, mnl_cb_t see, void *arg)
{
    char answer[32768]; /* as much as the kernel puts into one datagram */
    ssize_t size;
    int r;

    if (mnl_socket_sendto(n->socket, &n->out, n->out.header.nlmsg_len) < 0)
        return -errno;
    do {
        size = mnl_socket_recvfrom(n->socket, answer, sizeof(answer));
        if (size < 0)
            return -errno;
        r = mnl_cb_run(answer, (size_t)size, n->sequence, mnl_socket_get_portid(n->socket), see, arg);
    } while (r > 0);
    return r < 0 ? -errno : 0;
}
