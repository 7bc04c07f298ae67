/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The probe of the default seccomp profile: runs as the payload of a cell and tries every call that the
 * profile denies, by its native number, by its x32 number and, for some, through the 32-bit gate. Prints a
 * line of TAP for each. Static and alone, so that it runs in any root. Without a filter most of it fails,
 * even as root: a test can tell a filter that is missing.
 *
 *   probe-syscalls                 what the cell's filter answers
 *   probe-syscalls --filter FILE   load FILE, an array of struct sock_filter, under no_new_privs first
 *   probe-syscalls --kernel        without a filter, as a user: check that FILTER_ONLY is true here
 *
 * Each call is made in a child of its own, in a session without a terminal.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "denied.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define X32_BIT       0x40000000L
#define SUCCESS       0    /* as an expected or seen errno */
#define BY_SIGNAL     1000 /* a seen errno above this: the child died of signal n - BY_SIGNAL */
#define GARBAGE       0x5a5a5a5a00000000L

enum gate { NATIVE, INT80 };

struct call {
    const char *name;
    enum gate gate;
    long number;
    long args[6];
    int expected; /* errno, with the filter */
    int kernel;   /* KERNEL_TOO: may answer the same without a filter */
};

#ifdef __x86_64__

#define ROW(name, expected, kernel, a, b, c, d, e, f)                                                        \
    {#name, NATIVE, SYS_##name, {a, b, c, d, e, f}, expected, kernel},
#define ROW_X32(name, expected, kernel, a, b, c, d, e, f)                                                    \
    {"x32 " #name,       NATIVE,   SYS_##name | X32_BIT,                                                     \
     {a, b, c, d, e, f}, expected, (expected) == ENOSYS ? KERNEL_TOO : FILTER_ONLY},
#define ROW_RECENT(name, number, expected)                                                                   \
    {#name,    NATIVE,                                                                                       \
     number,   {BAD, BAD, BAD, BAD, BAD, BAD},                                                               \
     expected, (expected) == ENOSYS ? KERNEL_TOO : FILTER_ONLY},

static const struct call table[] = {DENIED_CALLS(ROW) DENIED_CALLS(ROW_X32) DENIED_CALLS_RECENT(ROW_RECENT)};

/* What depends on arguments, with calls beside each that must go through to the kernel. */
static const struct call special[] = {
    {"clone NEWUSER", NATIVE, SYS_clone, {CLONE_NEWUSER | SIGCHLD}, EPERM, FILTER_ONLY},
    {"clone NEWNS", NATIVE, SYS_clone, {CLONE_NEWNS | SIGCHLD}, EPERM, KERNEL_TOO},
    {"clone NEWPID", NATIVE, SYS_clone, {CLONE_NEWPID | SIGCHLD}, EPERM, KERNEL_TOO},
    {"clone NEWNET", NATIVE, SYS_clone, {CLONE_NEWNET | SIGCHLD}, EPERM, KERNEL_TOO},
    {"clone NEWIPC", NATIVE, SYS_clone, {CLONE_NEWIPC | SIGCHLD}, EPERM, KERNEL_TOO},
    {"clone NEWUTS", NATIVE, SYS_clone, {CLONE_NEWUTS | SIGCHLD}, EPERM, KERNEL_TOO},
    {"clone NEWCGROUP", NATIVE, SYS_clone, {CLONE_NEWCGROUP | SIGCHLD}, EPERM, KERNEL_TOO},
    {"clone NEWUSER, upper bits", NATIVE, SYS_clone, {GARBAGE | CLONE_NEWUSER | SIGCHLD}, EPERM, FILTER_ONLY},
    {"clone of a process", NATIVE, SYS_clone, {SIGCHLD}, SUCCESS, KERNEL_TOO},
    {"unshare NEWUSER", NATIVE, SYS_unshare, {CLONE_NEWUSER}, EPERM, FILTER_ONLY},
    {"x32 clone NEWUSER", NATIVE, SYS_clone | X32_BIT, {CLONE_NEWUSER | SIGCHLD}, EPERM, FILTER_ONLY},
    {"personality ADDR_NO_RANDOMIZE", NATIVE, SYS_personality, {0x0040000}, EPERM, FILTER_ONLY},
    {"personality READ_IMPLIES_EXEC", NATIVE, SYS_personality, {0x0400000}, EPERM, FILTER_ONLY},
    {"personality of Linux", NATIVE, SYS_personality, {0}, SUCCESS, KERNEL_TOO},
    {"personality asked for", NATIVE, SYS_personality, {0xffffffff}, SUCCESS, KERNEL_TOO},
    {"socket VSOCK", NATIVE, SYS_socket, {40, SOCK_STREAM}, EPERM, FILTER_ONLY},
    {"socket VSOCK with upper bits", NATIVE, SYS_socket, {GARBAGE | 40, SOCK_STREAM}, EPERM, FILTER_ONLY},
    {"socket ALG", NATIVE, SYS_socket, {38, SOCK_SEQPACKET}, EPERM, FILTER_ONLY},
    {"socket of an unknown family", NATIVE, SYS_socket, {99, SOCK_STREAM}, EPERM, FILTER_ONLY},
    {"socket UNIX", NATIVE, SYS_socket, {1, SOCK_STREAM}, SUCCESS, KERNEL_TOO},
    {"socket INET", NATIVE, SYS_socket, {2, SOCK_STREAM}, SUCCESS, KERNEL_TOO},
    {"socket NETLINK", NATIVE, SYS_socket, {16, SOCK_RAW}, SUCCESS, KERNEL_TOO},
    {"ioctl TIOCSTI", NATIVE, SYS_ioctl, {BAD, 0x5412, BAD}, EPERM, FILTER_ONLY},
    {"ioctl TIOCLINUX", NATIVE, SYS_ioctl, {BAD, 0x541c, BAD}, EPERM, FILTER_ONLY},
    {"ioctl TIOCSTI with upper bits", NATIVE, SYS_ioctl, {BAD, GARBAGE | 0x5412, BAD}, EPERM, FILTER_ONLY},
    {"ioctl TIOCSTI, all upper bits",
     NATIVE,
     SYS_ioctl,
     {BAD, ~0xffffffffL | 0x5412, BAD},
     EPERM,
     FILTER_ONLY},
    {"ioctl TIOCLINUX with upper bits", NATIVE, SYS_ioctl, {BAD, GARBAGE | 0x541c, BAD}, EPERM, FILTER_ONLY},
    {"ioctl TIOCLINUX with bit 32", NATIVE, SYS_ioctl, {BAD, 0x10000541cL, BAD}, EPERM, FILTER_ONLY},
    {"x32 ioctl TIOCSTI", NATIVE, 514 | X32_BIT, {BAD, 0x5412, BAD}, EPERM, FILTER_ONLY},
    {"x32 ioctl TIOCLINUX, upper bits",
     NATIVE,
     514 | X32_BIT,
     {BAD, GARBAGE | 0x541c, BAD},
     EPERM,
     FILTER_ONLY},
    {"ioctl TCGETS", NATIVE, SYS_ioctl, {BAD, 0x5401, BAD}, EBADF, KERNEL_TOO},
    {"ioctl TIOCSWINSZ", NATIVE, SYS_ioctl, {BAD, 0x5414, BAD}, EBADF, KERNEL_TOO},
    {"ioctl TIOCNOTTY", NATIVE, SYS_ioctl, {BAD, 0x5422, BAD}, EBADF, KERNEL_TOO},
    {"ptrace of nobody", NATIVE, SYS_ptrace, {16, 0x7ffffff0}, ESRCH, KERNEL_TOO},
    {"capset goes to the kernel", NATIVE, SYS_capset, {BAD, BAD}, EFAULT, KERNEL_TOO},
    {"a call of the far future", NATIVE, 9999, {0}, ENOSYS, KERNEL_TOO},
};

/* Numbers of the 32-bit kernel interface. */
static const struct call int80[] = {
    {"int80 getpid", INT80, 20, {0}, SUCCESS, KERNEL_TOO},
    {"int80 mount", INT80, 21, {BAD, BAD, BAD}, EPERM, FILTER_ONLY},
    {"int80 clone NEWUSER", INT80, 120, {CLONE_NEWUSER | SIGCHLD}, EPERM, FILTER_ONLY},
    {"int80 personality", INT80, 136, {0x0040000}, EPERM, FILTER_ONLY},
    {"int80 ioctl TIOCSTI", INT80, 54, {BAD, 0x5412, BAD}, EPERM, FILTER_ONLY},
    {"int80 ioctl TIOCLINUX", INT80, 54, {BAD, 0x541c, BAD}, EPERM, FILTER_ONLY},
    {"int80 ioctl TCGETS", INT80, 54, {BAD, 0x5401, BAD}, EBADF, KERNEL_TOO},
    {"int80 pivot_root", INT80, 217, {BAD, BAD}, EPERM, KERNEL_TOO},
    {"int80 add_key", INT80, 286, {BAD, BAD, 0, 0}, EPERM, FILTER_ONLY},
    {"int80 keyctl", INT80, 288, {9999}, EPERM, FILTER_ONLY},
    {"int80 unshare NEWUSER", INT80, 310, {CLONE_NEWUSER}, EPERM, FILTER_ONLY},
    {"int80 bpf", INT80, 357, {0, BAD, 8}, EPERM, KERNEL_TOO},
    {"int80 socket VSOCK", INT80, 359, {40, SOCK_STREAM, 0}, EPERM, FILTER_ONLY},
    {"int80 userfaultfd", INT80, 374, {0x7fff0000}, EPERM, KERNEL_TOO},
    {"int80 io_uring_setup", INT80, 425, {1, BAD}, EPERM, FILTER_ONLY},
    {"int80 clone3", INT80, 435, {BAD, 0}, ENOSYS, FILTER_ONLY},
};

static long through_int80(const struct call *call)
{
    long ret;

    __asm__ volatile("int $0x80"
                     : "=a"(ret)
                     : "a"(call->number), "b"(call->args[0]), "c"(call->args[1]), "d"(call->args[2]),
                       "S"(call->args[3])
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)ret;
}

#else

static const struct call table[] = {{"", NATIVE, 0, {0}, 0, 0}}, special[] = {{"", NATIVE, 0, {0}, 0, 0}};
static const struct call int80[] = {{"", INT80, 0, {0}, 0, 0}};

static long through_int80(const struct call *call)
{
    (void)call;
    return -ENOSYS;
}

#endif

static int make_call(const struct call *call)
{
    const long *a = call->args;
    long ret;

    if (call->gate == INT80) {
        ret = through_int80(call);
        return ret < 0 && ret > -4096 ? (int)-ret : SUCCESS;
    }
    ret = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return ret < 0 ? errno : SUCCESS; /* the child of a clone comes by here too, and ends as its parent */
}

/* Returns the errno, or BY_SIGNAL and the signal. */
static int try_call(const struct call *call)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        alarm(10);
        _exit(make_call(call));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        perror("probe-syscalls: fork");
        exit(2);
    }
    return WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static const char *outcome(int err)
{
    static char text[64];
    const char *name = err > BY_SIGNAL ? NULL : strerrorname_np(err);

    if (err == SUCCESS)
        return "success";
    if (err > BY_SIGNAL)
        snprintf(text, sizeof(text), "signal %d", err - BY_SIGNAL);
    else
        snprintf(text, sizeof(text), "%s", name ? name : "an unknown errno");
    return text;
}

struct run {
    unsigned n, failed;
    bool kernel; /* there is no filter */
};

static void check(struct run *run, const struct call *call)
{
    int got = try_call(call);
    bool same = got == call->expected;
    bool ok = run->kernel ? !same || call->kernel == KERNEL_TOO : same;

    run->n++;
    run->failed += !ok;
    printf("%s %u %s: ", ok ? "ok" : "not ok", run->n, call->name);
    if (!same)
        printf("expected %s, ", outcome(call->expected));
    printf("%s%s\n", outcome(got),
           call->kernel == KERNEL_TOO && call->expected == EPERM ? " (the kernel alone may say so too)" : "");
}

static void check_all(struct run *run, const struct call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(run, &calls[i]);
}

static void skip(struct run *run, const char *what, const char *why)
{
    run->n++;
    printf("ok %u # SKIP %s: %s\n", run->n, what, why);
}

static void load_filter(const char *path)
{
    static struct sock_filter insns[BPF_MAXINSNS];
    struct sock_fprog program = {.filter = insns};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, insns, sizeof(insns));

    if (size <= 0 || (size_t)size % sizeof(insns[0]) != 0) {
        fprintf(stderr, "probe-syscalls: %s: not a filter\n", path);
        exit(2);
    }
    close(fd);
    program.len = (unsigned short)((size_t)size / sizeof(insns[0]));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) {
        fprintf(stderr, "probe-syscalls: %s: %s\n", path, strerror(errno));
        exit(2);
    }
}

static void check_x86_64(struct run *run)
{
    check_all(run, table, ARRAY_SIZE(table));
    check_all(run, special, ARRAY_SIZE(special));
    if (try_call(&int80[0]) == BY_SIGNAL + SIGSEGV)
        skip(run, "int80", "this kernel runs no 32-bit programs");
    else
        check_all(run, int80, ARRAY_SIZE(int80));
}

int main(int argc, char **argv)
{
    struct run run = {0};

    if (argc == 3 && strcmp(argv[1], "--filter") == 0) {
        load_filter(argv[2]);
    } else if (argc == 2 && strcmp(argv[1], "--kernel") == 0) {
        run.kernel = true;
    } else if (argc != 1) {
        fprintf(stderr, "usage: probe-syscalls [--filter FILE | --kernel]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
#ifdef __x86_64__
    check_x86_64(&run);
#else
    (void)check_x86_64;
    skip(&run, "all", "the table has x86_64's numbers");
#endif
    printf("1..%u\n", run.n);
    return run.failed > 0;
}
