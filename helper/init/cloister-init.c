/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister-init: pid 1 of a cell, and all that stays resident of Cloister. It reaps, and it ends the cell
 * when the login ends: when pid 1 of a pid namespace exits, the kernel kills everything in it
 * (pid_namespaces(7)). It runs as uid 0 of the cell, which is the nobody "cloister" on the host: the tenant
 * can neither signal nor trace it. It has no capability, opens nothing, and reads nothing that a tenant
 * writes.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOGIN_FD 3 /* pidfd of the login, readable when it has ended: pidfd_open(2) */
#define GO_FD    4 /* one byte when the cell is handed over */

static void on_child(int sig)
{
    (void)sig; /* only to interrupt poll(2) */
}

static int prepare(sigset_t *while_waiting)
{
    const struct sigaction child = {.sa_handler = on_child};
    sigset_t all;

    if (prctl(PR_SET_NAME, "cloister-init", 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -1;
    if (sigfillset(&all) < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0)
        return -1;
    if (sigfillset(while_waiting) < 0 || sigdelset(while_waiting, SIGCHLD) < 0)
        return -1;
    return sigaction(SIGCHLD, &child, NULL);
}

int main(void)
{
    struct pollfd login = {.fd = LOGIN_FD, .events = POLLIN};
    sigset_t while_waiting;
    ssize_t n;
    char byte;

    if (prepare(&while_waiting) < 0)
        return 1;
    do
        n = read(GO_FD, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n != 1)
        return 1; /* the helper died, or took the cell back */
    (void)close(GO_FD);
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        n = ppoll(&login, 1, NULL, &while_waiting);
        if (n > 0 || (n < 0 && errno != EINTR))
            return 0;
    }
}
