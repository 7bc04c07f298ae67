/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * flip DIRECTORY [mount]: a tenant who makes DIRECTORY/flip change as fast as the kernel lets it, until its standard input ends. By
 * turns it is a folder, a link to /etc, to /root and to itself, a FIFO, a socket, a file, and nothing. Each of the folders
 * holds an "m", by turns a folder, a file, a link to /etc, a FIFO, or none: so what lies below changes its kind too.
 * With "mount", three of these folders change places with the first, in which the host may have mounted something at "m".
 * "ready" on standard output: it has begun.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PLACE  "flip"
#define ROUNDS 64 /* between two looks at standard input */

static int make_folder(const char *name, const char *m)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/m", name);
    if (mkdir(name, 0755) < 0 && errno != EEXIST)
        return -1;
    if (strcmp(m, "folder") == 0)
        return mkdir(path, 0755);
    if (strcmp(m, "file") == 0)
        return mknod(path, S_IFREG | 0644, 0);
    if (strcmp(m, "fifo") == 0)
        return mkfifo(path, 0666);
    return *m ? symlink(m, path) : 0;
}

static int make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    union {
        const struct sockaddr_un *un;
        const struct sockaddr *any;
    } where = {.un = &address};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    return fd < 0 ? -1 : bind(fd, where.any, sizeof(address));
}

/* What another run left is good as it is. */
static int make(void)
{
    static const char *const names[] = {"folder", "file", "/etc", "fifo", ""};
    static const struct {
        const char *name, *target;
    } links[] = {{"x-etc", "/etc"}, {"x-root", "/root"}, {"x-loop", "x-loop"}};
    char name[16];
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(name, sizeof(name), "x-d%zu", i);
        if (make_folder(name, names[i]) < 0 && errno != EEXIST)
            r = -1;
    }
    for (size_t i = 0; r == 0 && i < sizeof(links) / sizeof(links[0]); i++)
        if (symlink(links[i].target, links[i].name) < 0 && errno != EEXIST)
            r = -1;
    if (r == 0 && ((mkfifo("x-fifo", 0666) < 0 && errno != EEXIST) ||
                   (mknod("x-file", S_IFREG | 0644, 0) < 0 && errno != EEXIST) ||
                   (make_socket("x-sock") < 0 && errno != EADDRINUSE)))
        r = -1;
    if (mkdir(PLACE, 0755) < 0 && errno != EEXIST)
        return -1;
    return r;
}

/* Each exchange leaves one whole thing at the place; the last step leaves nothing there for a moment. */
static void flip(void)
{
    static const char *const things[] = {"x-d0", "x-etc",  "x-d1", "x-root", "x-d2",  "x-fifo",
                                         "x-d3", "x-loop", "x-d4", "x-file", "x-sock"};

    for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
        (void)renameat2(AT_FDCWD, PLACE, AT_FDCWD, things[i], RENAME_EXCHANGE);
        (void)renameat2(AT_FDCWD, PLACE, AT_FDCWD, things[i], RENAME_EXCHANGE);
    }
    (void)rename(PLACE, "x-gone");
    (void)rename("x-gone", PLACE);
}

/* A mount of the host in the first is now where the other one has a file, a FIFO or nothing. */
static void flip_mount(void)
{
    static const char *const things[] = {"x-d1", "x-d3", "x-d4"};

    for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++)
        (void)renameat2(AT_FDCWD, "x-d0", AT_FDCWD, things[i], RENAME_EXCHANGE);
}

int main(int argc, char **argv)
{
    struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};

    if (argc < 2 || argc > 3 || chdir(argv[1]) < 0 || make() < 0) {
        perror("flip");
        return 1;
    }
    (void)dprintf(STDOUT_FILENO, "ready\n");
    while (poll(&end, 1, 0) == 0)
        for (int i = 0; i < ROUNDS; i++)
            (argc == 3 ? flip_mount : flip)();
    return 0;
}
