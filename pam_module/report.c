/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last words of a child that could not be placed. syslog(3) would open /dev/log, which the cell does not
 * have, and openlog(3) would change the service's own settings: so a connected socket is kept across the
 * placement.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "module.h"
#include "util.h"

int report_open(void)
{
    static const struct sockaddr_un log_address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    union {
        const struct sockaddr_un *un;
        const struct sockaddr *any;
    } address = {.un = &log_address};

    if (fd >= 0 && connect(fd, address.any, sizeof(log_address)) < 0)
        cl_close(&fd);
    return cl_take_fd(&fd);
}

void report_failure(int log_fd, const struct cl_plan *plan, const struct cl_error *e)
{
    char why[1024], line[1400];

    (void)cl_error_format(e, why, sizeof(why));
    (void)snprintf(line, sizeof(line), "<%d>pam_cloister[%d]: refused: uid=%u policy=%s id=%s %s",
                   LOG_AUTHPRIV | LOG_ERR, (int)getpid(), plan->uid, plan->policy, plan->id, why);
    if (log_fd < 0 || send(log_fd, line, strlen(line), MSG_NOSIGNAL) < 0)
        syslog(LOG_AUTHPRIV | LOG_ERR, "%s", line);
    _exit(1);
}
