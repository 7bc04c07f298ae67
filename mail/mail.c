/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister-mail: systemd starts it for each connection of cloister-sendmail, with the socket as standard input. It becomes the
 * user whom the kernel names as the peer, and runs the host's sendmail with that user's recipients and message. The one that
 * stays root reads nothing of the user's but what sendmail said, which it hands back.
 *
 * The user decides recipients and text, as on a host without cells: not options, environment, limits, the working folder or
 * what a mailer reads in a home.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "submission.h"
#include "user.h"
#include "util.h"

#define SENDMAIL        "/usr/sbin/sendmail"
#define LOCKS           CL_RUN_DIR "-mail"
#define AT_ONCE         4  /* messages of one user; cloister-mail.socket has the limit of all */
#define SPOOL           "/var/tmp" /* for a file without a name, which is the user's and counts for the user's quota */
#define PATIENCE        60 /* seconds without a byte */

/* One of the user's turns, held by *ret_fd until this process ends. -EAGAIN: all are taken. */
static int take_turn(uid_t uid, int *ret_fd)
{
    cleanup_fd int dir = -1;
    struct stat st;

    if (mkdir(LOCKS, 0700) < 0 && errno != EEXIST)
        return -errno;
    dir = open(LOCKS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &st) < 0)
        return -errno;
    if (st.st_uid != 0 || (st.st_mode & 022) != 0)
        return -EPERM;
    for (unsigned turn = 0; turn < AT_ONCE; turn++) {
        cleanup_fd int fd = -1;
        char name[32];

        (void)snprintf(name, sizeof(name), "%u.%u", (unsigned)uid, turn);
        fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            *ret_fd = cl_take_fd(&fd);
            return 0;
        }
    }
    return -EAGAIN;
}

static int become(const struct cl_user *user)
{
    if (setgroups(user->n_groups, user->groups) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
        setresuid(user->uid, user->uid, user->uid) < 0)
        return -errno;
    return setuid(0) == 0 ? -EPERM : 0;
}

/* One line, without its end, byte by byte: what follows is sendmail's to read. -EBADMSG: too long, or no end. */
static int read_line(char *line, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        ssize_t r = read(STDIN_FILENO, line + n, 1);

        if (r < 0)
            return -errno;
        if (r == 0 || line[n] == '\0')
            return -EBADMSG;
        if (line[n] == '\n') {
            line[n] = '\0';
            return 0;
        }
    }
    return -EBADMSG;
}

/* Neither an option, a file nor a program, whatever sendmail it is. */
static bool is_address(const char *text)
{
    if (!*text || strchr("-|/:", *text) || strlen(text) > MAIL_ADDRESS_MAX)
        return false;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c <= ' ' || *c == 0x7f)
            return false;
    return true;
}

/* sendmail's arguments: its name, -i, perhaps -t, recipients. */
static int read_request(char ***ret)
{
    char line[MAIL_ADDRESS_MAX + 4];
    bool in_header = false;
    size_t n = 0;
    int r;

    r = cl_strv_add(ret, "sendmail");
    if (r == 0)
        r = cl_strv_add(ret, "-i");
    while (r == 0) {
        r = read_line(line, sizeof(line));
        if (r < 0 || !*line)
            break;
        if (strcmp(line, "t") == 0 && !in_header && n == 0) {
            in_header = true;
            r = cl_strv_add(ret, "-t");
        } else if (strncmp(line, "r ", 2) == 0 && is_address(line + 2) && n++ < MAIL_RECIPIENTS_MAX) {
            r = cl_strv_add(ret, line + 2);
        } else {
            r = -EBADMSG;
        }
    }
    return r;
}

/* The message, whole, becomes standard input: of one whose sender is gone before its end, nothing is sent. */
static int take_message(void)
{
    cleanup_fd int spool = open(SPOOL, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    struct pollfd peer = {.fd = STDIN_FILENO};
    static char block[65536];
    size_t size = 0;
    ssize_t n;
    int r;

    if (spool < 0)
        return -errno;
    while ((n = read(STDIN_FILENO, block, sizeof(block))) > 0) {
        size += (size_t)n;
        if (size > MAIL_MESSAGE_MAX)
            return -EFBIG;
        r = cl_write_all(spool, block, (size_t)n);
        if (r < 0)
            return r;
    }
    /* Shut down is one side only, unix(7): a peer that is gone has hung up. */
    if (n < 0 || poll(&peer, 1, 0) < 0)
        return -errno;
    if ((peer.revents & POLLHUP) != 0)
        return -ECONNABORTED;
    return lseek(spool, 0, SEEK_SET) < 0 || dup2(spool, STDIN_FILENO) < 0 ? -errno : 0;
}

static const char *reason(int r)
{
    switch (r) {
    case -EBADMSG:
        return "not an address, or too many";
    case -EFBIG:
        return "the message is too large";
    default:
        return strerror(-r);
    }
}

/* In the child: does not return. */
static void run_sendmail(const struct cl_user *user, int said)
{
    cleanup_strv char **arguments = NULL;
    cleanup_free char *logname = NULL, *name = NULL;
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char home[] = "HOME=/nonexistent"; /* there are mailers that run what a file in the home says, msmtp(1) passwordeval */
    int r;

    if (dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0 || close_range(3, ~0U, 0) < 0)
        _exit(EX_OSERR);
    if (become(user) < 0 || signal(SIGPIPE, SIG_DFL) == SIG_ERR)
        _exit(EX_OSERR);
    /* Nobody reads a message on when its time is over and the one that stays root has been ended. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() == 1)
        _exit(EX_OSERR);
    if (cl_asprintf(&logname, "LOGNAME=%s", user->name) < 0 || cl_asprintf(&name, "USER=%s", user->name) < 0)
        _exit(EX_OSERR);
    r = read_request(&arguments);
    if (r == 0)
        r = take_message();
    if (r < 0) {
        (void)fprintf(stderr, "sendmail: %s\n", reason(r));
        _exit(r == -EBADMSG || r == -EFBIG ? EX_DATAERR : EX_TEMPFAIL);
    }
    (void)execve(SENDMAIL, arguments, (char *const[]){path, home, logname, name, NULL});
    (void)fprintf(stderr, "sendmail: the host has no " SENDMAIL ": %s\n", strerror(errno));
    _exit(EX_UNAVAILABLE);
}

/* The exit status of the user's sendmail, whose words are in *ret_said. */
static int submit(const struct cl_user *user, int *ret_said)
{
    cleanup_fd int said = memfd_create("said", MFD_CLOEXEC);
    int status;
    pid_t pid;

    if (said < 0)
        return EX_OSERR;
    pid = fork();
    if (pid < 0)
        return EX_OSERR;
    if (pid == 0)
        run_sendmail(user, said);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return EX_OSERR;
    *ret_said = cl_take_fd(&said);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

/* A client that is gone learns nothing; its message is on its way, or not, all the same. */
static void answer(int status, const char *text, int said)
{
    char reply[MAIL_REPLY_MAX + 16];
    int n = snprintf(reply, sizeof(reply), "%d\n%s", status, text);
    ssize_t more = said < 0 ? 0 : pread(said, reply + n, MAIL_REPLY_MAX - (size_t)n, 0);

    (void)!write(STDIN_FILENO, reply, (size_t)n + (more > 0 ? (size_t)more : 0));
}

static int refuse(uid_t uid, const char *why)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "sendmail: %s\n", why);
    cl_log(LOG_NOTICE, "no mail of uid %u: %s", (unsigned)uid, why);
    answer(EX_TEMPFAIL, text, -1);
    return EXIT_FAILURE;
}

int main(void)
{
    cleanup_user struct cl_user *user = NULL;
    cleanup_fd int turn = -1, said = -1;
    static const struct timeval patience = {.tv_sec = PATIENCE};
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int r, status;

    cl_log_init("cloister-mail", false);
    (void)umask(077);
    if (getuid() != 0 || getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        (void)fprintf(stderr, "cloister-mail: for cloister-mail.socket of systemd to start, see cloister(8)\n");
        return EX_USAGE;
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || chdir("/") < 0 ||
        setsockopt(STDIN_FILENO, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
        return refuse(peer.uid, strerror(errno));
    if (peer.uid == 0)
        return refuse(peer.uid, "root has a sendmail of its own");
    r = take_turn(peer.uid, &turn);
    if (r == -EPERM)
        return refuse(peer.uid, LOCKS " is not root's alone to write");
    if (r < 0)
        return refuse(peer.uid, r == -EAGAIN ? "too many messages at once" : strerror(-r));
    if (cl_user_lookup_uid(peer.uid, &user, NULL) < 0 || user->uid == 0)
        return refuse(peer.uid, "no such user");
    status = submit(user, &said);
    cl_log_about(LOG_INFO, &(struct cl_log_about){.user = user->name, .uid = user->uid}, "mail of user=%s: status %d", user->name,
                 status);
    answer(status, "", said);
    return EXIT_SUCCESS;
}
