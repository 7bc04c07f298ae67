/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Forget everything that a caller can set before a setuid program starts: see "Secure programming", and what
 * survives execve(2).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "caller.h"
#include "cgroup.h"
#include "util.h"

static int fix_descriptors(int keep_fd)
{
    /* A closed 0, 1 or 2 would be the next file opened, and a message would be written into it. */
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", O_RDWR) != fd) /* the lowest free number is fd */
            return -EBADF;
    }
    for (int fd = 3; fd <= keep_fd; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return close_range((unsigned)keep_fd + 1, ~0U, 0) < 0 ? -errno : 0;
}

static int fix_limits(void)
{
    static const struct {
        int resource;
        rlim_t value;
    } limits[] = {
        {RLIMIT_AS, RLIM_INFINITY},    {RLIMIT_CORE, 0},
        {RLIMIT_CPU, RLIM_INFINITY},   {RLIMIT_DATA, RLIM_INFINITY},
        {RLIMIT_FSIZE, RLIM_INFINITY}, {RLIMIT_MEMLOCK, RLIM_INFINITY},
        {RLIMIT_NOFILE, 1024},         {RLIMIT_NPROC, RLIM_INFINITY},
        {RLIMIT_SIGPENDING, 4096},     {RLIMIT_STACK, 8 * 1024 * 1024},
    };

    for (size_t i = 0; i < CL_ARRAY_SIZE(limits); i++) {
        __rlimit_resource_t resource = (__rlimit_resource_t)limits[i].resource;
        struct rlimit limit = {.rlim_cur = limits[i].value, .rlim_max = limits[i].value};

        if (setrlimit(resource, &limit) == 0)
            continue;
        /* A container's root may lack CAP_SYS_RESOURCE: then its own hard limit is the best there is. */
        if (errno != EPERM || getrlimit(resource, &limit) < 0)
            return -errno;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(resource, &limit) < 0)
            return -errno;
    }
    return 0;
}

static int fix_signals(void)
{
    /* The kernel's structure, whose size no header gives: glibc's sigaction(3) refuses its own two signals. */
    static const char defaults[128];
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            (void)syscall(SYS_rt_sigaction, sig, defaults, NULL, (size_t)(NSIG - 1) / 8);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* Timers survive execve(2), and would kill us half-way. */
static void stop_timers(void)
{
    static const struct itimerval off = {0};

    (void)setitimer(ITIMER_REAL, &off, NULL);
    (void)setitimer(ITIMER_VIRTUAL, &off, NULL);
    (void)setitimer(ITIMER_PROF, &off, NULL);
}

static int remember(struct caller *ret)
{
    ret->uid = getuid();
    for (int i = 0; i < RLIM_NLIMITS; i++)
        if (getrlimit((__rlimit_resource_t)i, &ret->limits[i]) < 0)
            return -errno;
    return 0;
}

int caller_distrust(int keep_fd, struct caller *ret, struct cl_error *e)
{
    int r;

    stop_timers();
    schedule_reset(&ret->schedule);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return cl_fail(e, errno, "become non-dumpable");
    (void)umask(077);
    r = remember(ret);
    if (r == 0)
        r = fix_descriptors(keep_fd);
    if (r == 0)
        r = fix_limits();
    if (r == 0)
        r = fix_signals();
    if (r < 0)
        return cl_fail(e, -r, "reset what the caller set");
    if (clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0)
        return cl_fail(e, ENOMEM, "reset the environment");
    if (chdir("/") < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return cl_fail(e, errno, "become root");
    return 0;
}

int caller_leave(struct cl_error *e)
{
    /* sched(7): in the root cgroup, a session's processes share what its autogroup gets. */
    if (setsid() < 0)
        (void)!cl_write_file_at(AT_FDCWD, "/proc/self/autogroup", "0"); /* its leader already */
    return cgroup_leave(e);
}
