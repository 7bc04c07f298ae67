/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking another program, such as `sshd -T`: no shell, nothing of our caller's, and not for longer than it may take.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor.h"
#include "util.h"

#define DEADLINE_MS (10 * 1000)
#define OUTPUT_MAX  (1024 * 1024)

static void __attribute__((noreturn)) become(char *const *argv, int out, int err)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    static char *const environment[] = {path, locale, NULL};
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0 ||
        chdir("/") < 0 || syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) < 0)
        _exit(127);
    (void)execve(argv[0], argv, environment);
    _exit(127);
}

/* Append what can be read. 0 at the end, 1 when there may be more, -errno. */
static int take(int fd, char *buf, size_t *size)
{
    char waste[4096];
    size_t room = OUTPUT_MAX - *size;
    ssize_t n = room > 0 ? read(fd, buf + *size, room) : read(fd, waste, sizeof(waste));

    if (n < 0)
        return errno == EINTR ? 1 : -errno;
    if (room > 0)
        *size += (size_t)n;
    return n > 0;
}

/* Both streams, until both end. 0, -ETIMEDOUT, or -errno. */
static int collect(const int *fds, char *const *buf, size_t *size)
{
    struct pollfd polls[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
    int64_t until = cl_now_ms() + DEADLINE_MS;

    while (polls[0].fd >= 0 || polls[1].fd >= 0) {
        int64_t left = until - cl_now_ms();
        int r = left > 0 ? poll(polls, 2, (int)left) : 0;

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : -ETIMEDOUT;
        for (int i = 0; i < 2; i++) {
            if (polls[i].fd < 0 || polls[i].revents == 0)
                continue;
            r = take(polls[i].fd, buf[i], &size[i]);
            if (r < 0)
                return r;
            if (r == 0)
                polls[i].fd = -1;
        }
    }
    return 0;
}

static int finish(pid_t pid, int r)
{
    int status;

    if (r < 0)
        (void)kill(pid, SIGKILL); /* not reaped, so it is still the one */
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (r < 0)
        return r;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int doctor_run(char *const *argv, char **ret_output)
{
    cleanup_free char *out = calloc(1, OUTPUT_MAX + 1), *err = calloc(1, OUTPUT_MAX + 1);
    cleanup_fd int out_read = -1, out_write = -1, err_read = -1, err_write = -1;
    int pair[2];
    size_t size[2] = {0};
    pid_t pid;
    int r;

    if (!out || !err)
        return -ENOMEM;
    if (access(argv[0], X_OK) < 0 || pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    out_read = pair[0];
    out_write = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    err_read = pair[0];
    err_write = pair[1];
    pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become(argv, out_write, err_write);
    cl_close(&out_write);
    cl_close(&err_write);
    r = finish(pid, collect((const int[]){out_read, err_read}, (char *const[]){out, err}, size));
    if (r < 0)
        return r;
    *ret_output = size[0] > 0 ? out : err;
    if (size[0] > 0)
        out = NULL;
    else
        err = NULL;
    return r;
}
