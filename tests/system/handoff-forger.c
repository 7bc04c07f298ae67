/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * handoff-forger HELPER: what a local user may try on the setuid helper: hands it, as descriptor 3, each kind of socket
 * that is not a login service's socket pair, with a request in it, and prints how the helper ended, one line each. Any
 * line but "refused" is a hole.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handoff.h"

static void run(const char *name, const char *helper, int fd, int peer)
{
    struct cl_request request = {.version = CL_HANDOFF_VERSION, .verb = CL_VERB_EXEMPT};
    struct cl_reply reply;
    int status = -1;
    pid_t pid;

    (void)strcpy(request.user, "root");
    if (peer >= 0)
        (void)!send(peer, &request, sizeof(request), MSG_NOSIGNAL);
    pid = fork();
    if (pid == 0) {
        if (dup2(fd, CL_HANDOFF_FD) < 0)
            _exit(3);
        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        (void)execl(helper, "cloister-helper", "handoff", (char *)NULL);
        _exit(3);
    }
    if (pid > 0)
        (void)waitpid(pid, &status, 0);
    if (peer >= 0 && recv(peer, &reply, sizeof(reply), MSG_DONTWAIT) > 0)
        (void)printf("%s: answered\n", name);
    else
        (void)printf("%s: %s\n", name, WIFEXITED(status) && WEXITSTATUS(status) == 1 ? "refused" : "odd");
}

/* Both ends of a connection, the first accepted from a listener of ours. */
static int connected(int type, int ends[2])
{
    struct sockaddr_un name = {.sun_family = AF_UNIX}; /* an abstract name of the kernel's choice: unix(7) */
    socklen_t size = sizeof(sa_family_t);
    union {
        struct sockaddr_un *un;
        struct sockaddr *any;
    } address = {.un = &name};
    int listener = socket(AF_UNIX, type, 0);

    ends[1] = socket(AF_UNIX, type, 0);
    if (listener < 0 || bind(listener, address.any, size) < 0 || listen(listener, 1) < 0)
        return -1;
    size = sizeof(name);
    if (getsockname(listener, address.any, &size) < 0 || connect(ends[1], address.any, size) < 0)
        return -1;
    ends[0] = accept(listener, NULL, NULL);
    return ends[0] < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int type;
    } kinds[] = {{"stream", SOCK_STREAM}, {"seqpacket", SOCK_SEQPACKET}};
    int ends[2];

    if (argc != 2)
        return 2;
    run("no socket", argv[1], STDIN_FILENO, -1);
    for (size_t i = 0; i < 2; i++) {
        char name[64];

        (void)snprintf(name, sizeof(name), "own %s pair", kinds[i].name);
        if (socketpair(AF_UNIX, kinds[i].type, 0, ends) < 0)
            return 3;
        run(name, argv[1], ends[0], ends[1]);
        if (connected(kinds[i].type, ends) < 0)
            return 3;
        (void)snprintf(name, sizeof(name), "accepted %s", kinds[i].name);
        run(name, argv[1], ends[0], ends[1]);
        if (connected(kinds[i].type, ends) < 0) /* anew: the first one's request lies unread in it */
            return 3;
        (void)snprintf(name, sizeof(name), "connected %s", kinds[i].name);
        run(name, argv[1], ends[1], ends[0]);
    }
    return 0;
}
