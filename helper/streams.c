/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Pipes and a pseudo-terminal for a command in a cell.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "streams.h"
#include "util.h"

static int make_pipe(struct streams *s, int number, struct cl_error *e)
{
    int ends[2], inner = number == STDIN_FILENO ? 0 : 1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return cl_fail(e, errno, "make a pipe");
    s->inner[number] = ends[inner];
    s->outer[number] = ends[!inner];
    return 0;
}

/* Nobody in the cell can mount there, and a process that took over the number of a pid 1 that ended is told by its pidfd. */
int streams_find_pts(pid_t init, int init_fd, int *ret_fd, struct cl_error *e)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    struct pollfd ended = {.fd = init_fd, .events = POLLIN};
    cleanup_fd int root = -1, fd = -1;
    struct statfs fs;
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/%d/root", init);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, "dev/pts", &how, sizeof(how));
    if (fd < 0 || fstatfs(fd, &fs) < 0)
        return cl_fail(e, errno, "open /dev/pts of the cell");
    if (poll(&ended, 1, 0) != 0)
        return cl_fail(e, ESRCH, "the cell has ended");
    if (fs.f_type != DEVPTS_SUPER_MAGIC)
        return cl_fail(e, ENODEV, "/dev/pts of the cell has no terminals");
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

/* By descriptor all the way, so that no name of a terminal counts: ioctl_tty(2), TIOCGPTPEER. */
static int make_terminal(struct streams *s, int pts, struct cl_error *e)
{
    int locked = 0, master = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    unsigned number;

    if (master < 0)
        return cl_fail(e, errno, "open /dev/pts/ptmx of the cell");
    s->outer[STDIN_FILENO] = master;
    if (ioctl(master, TIOCSPTLCK, &locked) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
        return cl_fail(e, errno, "unlock the new terminal");
    s->inner[STDIN_FILENO] = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s->inner[STDIN_FILENO] < 0)
        return cl_fail(e, errno, "open the new terminal");
    (void)snprintf(s->tty, sizeof(s->tty), "pts/%u", number);
    return 0;
}

static int share_terminal(struct streams *s, int number, struct cl_error *e)
{
    s->inner[number] = fcntl(s->inner[STDIN_FILENO], F_DUPFD_CLOEXEC, 3);
    return s->inner[number] < 0 ? cl_fail(e, errno, "duplicate the new terminal") : 0;
}

int streams_open(int pts, bool terminal, bool error_terminal, struct streams *ret, struct cl_error *e)
{
    struct streams s = {.terminal = terminal, .inner = {-1, -1, -1}, .outer = {-1, -1, -1}};
    int r = terminal ? make_terminal(&s, pts, e) : make_pipe(&s, STDIN_FILENO, e);

    for (int number = STDOUT_FILENO; r == 0 && number <= STDERR_FILENO; number++)
        r = terminal && (number == STDOUT_FILENO || error_terminal) ? share_terminal(&s, number, e)
                                                                     : make_pipe(&s, number, e);
    if (r < 0)
        streams_clear(&s);
    else
        *ret = s;
    return r;
}

/* A terminal keeps its group and mode, which the mount of devpts gives it. */
int streams_give(const struct streams *streams, uid_t uid, gid_t gid, struct cl_error *e)
{
    for (int number = 0; number < 3; number++) {
        bool is_terminal = streams->terminal && (number == STDIN_FILENO || streams->outer[number] < 0);

        if (fchown(streams->inner[number], uid, is_terminal ? (gid_t)-1 : gid) < 0)
            return cl_fail(e, errno, "give descriptor %d to uid %u", number, uid);
    }
    return 0;
}

int streams_adopt(const struct streams *streams, struct cl_error *e)
{
    if (streams->terminal && ioctl(streams->inner[STDIN_FILENO], TIOCSCTTY, 0) < 0)
        return cl_fail(e, errno, "take the terminal");
    for (int number = 0; number < 3; number++)
        if (dup2(streams->inner[number], number) < 0)
            return cl_fail(e, errno, "arrange descriptor %d", number);
    return 0;
}

size_t streams_outer(const struct streams *streams, int ret[3])
{
    size_t n = 0;

    for (int number = 0; number < 3; number++)
        if (streams->outer[number] >= 0)
            ret[n++] = streams->outer[number];
    return n;
}

void streams_close_inner(struct streams *streams)
{
    for (int number = 0; number < 3; number++)
        cl_close(&streams->inner[number]);
}

void streams_clear(struct streams *streams)
{
    streams_close_inner(streams);
    for (int number = 0; number < 3; number++)
        cl_close(&streams->outer[number]);
}
