/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The opener is whoever made the socket pair, as the right user, and it is our parent. A user who starts the helper by
 * hand has made the pair, or has none: so for pam_cloister's requests, which must be root's, only a login service can
 * be that, and for `cloister run` it is a process of the caller, never one that merely inherited us.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "opener.h"
#include "util.h"

static bool is_unnamed(int (*get_name)(int, struct sockaddr *, socklen_t *), int sock)
{
    struct sockaddr_un name;
    socklen_t size = sizeof(name);
    union {
        struct sockaddr_un *un;
        struct sockaddr *any;
    } address = {.un = &name};

    return get_name(sock, address.any, &size) == 0 && name.sun_family == AF_UNIX &&
           size == sizeof(sa_family_t);
}

/* Both ends of a socket pair are unnamed, and only of a pair: unix(7). Of a connected socket, SO_PEERCRED may
 * name who listens, such as pid 1 for a socket that systemd made. */
static bool is_pair(int sock)
{
    int domain = 0, type = 0;
    socklen_t size = sizeof(int);

    return getsockopt(sock, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET &&
           is_unnamed(getsockname, sock) && is_unnamed(getpeername, sock);
}

int opener_find(int sock, uid_t uid, pid_t *ret_pid, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int fd = -1;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (!is_pair(sock))
        return cl_fail(e, EPERM, "hand-off is not a socket pair");
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return cl_fail(e, errno, "find out who made the hand-off");
    if (peer.uid != uid || peer.pid <= 1 || peer.pid != getppid())
        return cl_fail(e, EPERM, "hand-off comes from uid %u, pid %d, not from the parent", peer.uid,
                       peer.pid);
    fd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (fd < 0)
        return cl_fail(e, errno, "open the opener's pidfd");
    if (getppid() != peer.pid) /* it ended before we had the pidfd: the pid may be another's */
        return cl_fail(e, ESRCH, "the opener is gone");
    *ret_pid = peer.pid;
    *ret_fd = cl_take_fd(&fd);
    return 0;
}
