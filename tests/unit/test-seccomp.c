/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seccomp: what a profile compiles to, asked call by call through a BPF interpreter, for x86_64, x86 and x32;
 * what the kernel does with it; what the parser refuses; the cache.
 *
 * TEST_PROFILE is the shipped profile, TEST_PROBE the probe program. A profile that nobody here wrote is
 * taken from $CLOISTER_TEST_OCI_PROFILE or where Debian's golang-github-containers-common puts it.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../probe/denied.h"
#include "bpf-run.h"
#include "seccomp.h"
#include "seccomp_cache.h"
#include "seccomp_profile.h"
#include "util.h"

#define X32        0x40000000u
#define GARBAGE    0xa5a5a5a500000000u
#define ERRNO(err) (SECCOMP_RET_ERRNO | (err))
#define CONTAINERS "/usr/share/containers/seccomp.json"
#define ALLOW_ALL  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
#define DENY_ALL   "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
#define CAP(n)     (1ull << (n))
#define CAP_CHROOT 18
#define CAP_ADMIN  21

/* A profile's file in a directory of its own, and the filter compiled from it. */
struct fixture {
    char dir[32];
    char path[64];
    struct cl_policy policy;
    struct sock_filter insns[BPF_MAXINSNS];
    size_t n;
    struct cl_error e;
};

static const struct {
    uint32_t token, audit;
} arches[] = {{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64},
              {SCMP_ARCH_X86, AUDIT_ARCH_I386},
              {SCMP_ARCH_X32, AUDIT_ARCH_X86_64}};

static void write_file(const char *path, const char *text, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(cl_write_all(fd, text, size), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void write_profile(struct fixture *f, const char *text)
{
    write_file(f->path, text, strlen(text), 0600);
}

static void copy_profile(struct fixture *f, const char *from)
{
    cleanup_fd int fd = open(from, O_RDONLY | O_CLOEXEC);
    cleanup_free char *text = NULL;
    size_t size;

    assert_true(fd >= 0);
    assert_int_equal(cl_read_all(fd, 1 << 20, &text, &size), 0);
    write_file(f->path, text, size, 0600);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    strcpy(f->dir, "/tmp/test-seccomp-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/profile.json", f->dir);
    f->policy.seccomp.profile = f->path;
    f->policy.seccomp.action = CL_SECCOMP_ERRNO;
    *state = f;
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        char sub[512];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(sub, sizeof(sub), "%s/%s", path, entry->d_name);
        if (unlink(sub) < 0)
            remove_tree(sub);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    remove_tree(f->dir);
    cl_strv_free(f->policy.seccomp.allow);
    cl_strv_free(f->policy.seccomp.deny);
    free(f);
    return 0;
}

static void allow(struct fixture *f, const char *name)
{
    assert_int_equal(cl_strv_add(&f->policy.seccomp.allow, name), 0);
}

static void deny(struct fixture *f, const char *name)
{
    assert_int_equal(cl_strv_add(&f->policy.seccomp.deny, name), 0);
}

static int compile(struct fixture *f, const char *cache)
{
    cleanup_fd int fd = -1;
    ssize_t size;
    int r;

    memset(&f->e, 0, sizeof(f->e));
    r = seccomp_filter(&f->policy, cache, &fd, &f->e);
    if (r < 0)
        return r;
    size = pread(fd, f->insns, sizeof(f->insns), 0);
    assert_true(size > 0 && size % (ssize_t)sizeof(f->insns[0]) == 0);
    f->n = (size_t)size / sizeof(f->insns[0]);
    return 0;
}

static void compile_text(struct fixture *f, const char *text)
{
    char line[1024];

    write_profile(f, text);
    if (compile(f, NULL) < 0)
        fail_msg("%s", cl_error_format(&f->e, line, sizeof(line)));
}

static void compile_default(struct fixture *f)
{
    copy_profile(f, TEST_PROFILE);
    assert_int_equal(compile(f, NULL), 0);
}

static uint32_t ask_number(const struct fixture *f, uint32_t audit, uint32_t number, uint64_t a0, uint64_t a1)
{
    const struct seccomp_data data = {.nr = (int)number, .arch = audit, .args = {a0, a1}};

    return bpf_run(f->insns, f->n, &data);
}

/* The kernel's number on arches[i], or -1. libseccomp has numbers of its own for calls behind socketcall and
 * ipc. */
static int number_on(size_t i, const char *name)
{
    int number = seccomp_syscall_resolve_name_arch(arches[i].token, name);

    for (int k = 0; number < 0 && k < 512; k++) {
        char *found = seccomp_syscall_resolve_num_arch(arches[i].token, k);

        if (found && strcmp(found, name) == 0)
            number = k;
        free(found);
    }
    return number < 0 ? -1 : number;
}

/* On arches[i]; fails for a name without a number there. */
static uint32_t ask_on(const struct fixture *f, size_t i, const char *name, uint64_t a0, uint64_t a1)
{
    int number = number_on(i, name);

    if (number < 0)
        fail_msg("%s has no number on architecture %zu", name, i);
    return ask_number(f, arches[i].audit, (uint32_t)number, a0, a1);
}

static uint32_t ask(const struct fixture *f, const char *name, uint64_t a0, uint64_t a1)
{
    return ask_on(f, 0, name, a0, a1);
}

static void expect_everywhere(const struct fixture *f, const char *name, uint32_t action)
{
    unsigned found = 0;

    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++) {
        int number = number_on(i, name);
        uint32_t got;

        if (number < 0)
            continue;
        found++;
        got = ask_number(f, arches[i].audit, (uint32_t)number, 0, 0);
        if (got != action)
            fail_msg("%s on architecture %zu: %#x instead of %#x", name, i, got, action);
    }
    if (found == 0)
        fail_msg("%s has no number anywhere", name);
}

static void test_default_denies(void **state)
{
#define ROW(name, err, ...) {#name, err},
#define ROW_32(name)        {#name, EPERM},
    static const struct {
        const char *name;
        unsigned err;
    } denied[] = {DENIED_CALLS(ROW) DENIED_CALLS_32(ROW_32)};
    struct fixture *f = *state;

    compile_default(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(denied); i++)
        expect_everywhere(f, denied[i].name, ERRNO(denied[i].err));
}

/* Whatever libseccomp's tables hold beyond the names above must not have slipped in: the shares are counted.
 */
static void test_default_denies_nothing_else(void **state)
{
    struct fixture *f = *state;
    size_t denied[CL_ARRAY_SIZE(arches)] = {0};

    compile_default(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++)
        for (uint32_t k = 0; k < 451; k++) {
            uint32_t number = k | (arches[i].token == SCMP_ARCH_X32 ? X32 : 0);
            char *name = seccomp_syscall_resolve_num_arch(arches[i].token, (int)number);

            if (name && ask_number(f, arches[i].audit, number, 0, 0) != SECCOMP_RET_ALLOW)
                denied[i]++;
            free(name);
        }
#define ONE(...) +1
    assert_int_equal(denied[0], 0 DENIED_CALLS(ONE));
    assert_true(denied[1] > denied[2] && denied[2] > 50);
}

static void test_default_denies_recent(void **state)
{
#define ROW_RECENT(name, number, err) {number, err},
    static const struct {
        uint32_t number;
        unsigned err;
    } recent[] = {DENIED_CALLS_RECENT(ROW_RECENT)};
    struct fixture *f = *state;

    compile_default(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(recent); i++) {
        assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, recent[i].number, 0, 0), ERRNO(recent[i].err));
        assert_int_equal(ask_number(f, AUDIT_ARCH_I386, recent[i].number, 0, 0), ERRNO(recent[i].err));
        /* x32 has calls of its own up to 547, so these are not beyond the last one there */
        assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, recent[i].number | X32, 0, 0), ERRNO(EPERM));
    }
    /* cachestat to removexattrat, less the three of lsm_* */
    for (uint32_t number = 451; number <= 466; number++)
        if (number < 459 || number > 461) {
            assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, number, 0, 0), SECCOMP_RET_ALLOW);
            assert_int_equal(ask_number(f, AUDIT_ARCH_I386, number, 0, 0), SECCOMP_RET_ALLOW);
            if (number != 453) /* x32 has no shadow stacks */
                assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, number | X32, 0, 0), SECCOMP_RET_ALLOW);
        }
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 1000, 0, 0), ERRNO(ENOSYS));
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, X32 | 1000, 0, 0), ERRNO(ENOSYS));
    assert_int_equal(ask_number(f, AUDIT_ARCH_I386, 1000, 0, 0), ERRNO(ENOSYS));
}

static void test_default_allows(void **state)
{
    static const char *const everyday[] = {
        "read",
        "write",
        "open",
        "openat",
        "openat2",
        "close",
        "stat",
        "fstat",
        "lstat",
        "newfstatat",
        "statx",
        "poll",
        "ppoll",
        "select",
        "pselect6",
        "lseek",
        "mmap",
        "mmap2",
        "mprotect",
        "munmap",
        "brk",
        "rt_sigaction",
        "rt_sigprocmask",
        "sigprocmask",
        "rt_sigreturn",
        "ioctl",
        "pread64",
        "pwrite64",
        "readv",
        "writev",
        "access",
        "faccessat2",
        "pipe",
        "pipe2",
        "sched_yield",
        "mremap",
        "msync",
        "madvise",
        "shmget",
        "shmat",
        "dup",
        "dup2",
        "dup3",
        "nanosleep",
        "clock_nanosleep",
        "getpid",
        "sendfile",
        "connect",
        "accept4",
        "sendmsg",
        "recvmsg",
        "bind",
        "listen",
        "socketpair",
        "getsockopt",
        "setsockopt",
        "fork",
        "vfork",
        "clone",
        "execve",
        "execveat",
        "exit_group",
        "wait4",
        "waitid",
        "kill",
        "tgkill",
        "uname",
        "fcntl",
        "flock",
        "fsync",
        "ftruncate",
        "getdents64",
        "getcwd",
        "chdir",
        "rename",
        "renameat2",
        "mkdir",
        "unlink",
        "unlinkat",
        "symlink",
        "readlink",
        "chmod",
        "fchmodat",
        "chown",
        "umask",
        "gettimeofday",
        "getrlimit",
        "prlimit64",
        "getrusage",
        "sysinfo",
        "times",
        "ptrace",
        "process_vm_readv",
        "getuid",
        "setuid",
        "setgid",
        "setgroups",
        "setresuid",
        "setresgid",
        "setreuid",
        "capget",
        "capset",
        "setsid",
        "setpgid",
        "prctl",
        "arch_prctl",
        "gettid",
        "futex",
        "set_robust_list",
        "rseq",
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "eventfd2",
        "signalfd4",
        "timerfd_create",
        "inotify_init1",
        "getrandom",
        "memfd_create",
        "copy_file_range",
        "close_range",
        "pidfd_open",
        "seccomp",
        "landlock_restrict_self",
        "mknod",
        "utimensat",
        "membarrier",
        "sched_setaffinity",
        "setpriority",
        "mlock",
        "io_submit",
        "statfs",
    };
    struct fixture *f = *state;

    compile_default(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(everyday); i++)
        expect_everywhere(f, everyday[i], SECCOMP_RET_ALLOW);
}

static void test_default_arguments(void **state)
{
    static const uint64_t flags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                     CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
    static const unsigned families[] = {3, 4, 5, 6, 11, 12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 47, 1000};
    struct fixture *f = *state;

    compile_default(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++) {
        for (size_t k = 0; k < CL_ARRAY_SIZE(flags); k++) {
            assert_int_equal(ask_on(f, i, "clone", flags[k] | SIGCHLD, 0), ERRNO(EPERM));
            assert_int_equal(ask_on(f, i, "clone", GARBAGE | flags[k], 0), ERRNO(EPERM));
        }
        assert_int_equal(ask_on(f, i, "clone", 0x3d0f00, 0), SECCOMP_RET_ALLOW); /* a thread */
        for (size_t k = 0; k < CL_ARRAY_SIZE(families); k++) {
            assert_int_equal(ask_on(f, i, "socket", families[k], 0), ERRNO(EPERM));
            assert_int_equal(ask_on(f, i, "socket", GARBAGE | families[k], 0), ERRNO(EPERM));
        }
        assert_int_equal(ask_on(f, i, "socket", 1, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "socket", 2, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "socket", 10, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "socket", 16, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "personality", 0, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "personality", 0xffffffff, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "personality", 0x20008, 0), SECCOMP_RET_ALLOW);
        assert_int_equal(ask_on(f, i, "personality", 0x40000, 0), ERRNO(EPERM));
        assert_int_equal(ask_on(f, i, "personality", 0x40000 | 8, 0), ERRNO(EPERM));
    }
}

static void test_default_ioctl(void **state)
{
    struct fixture *f = *state;
    uint32_t request = 1;

    compile_default(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++) {
        for (uint64_t upper = 0; upper < 3; upper++) {
            uint64_t high = upper == 0 ? 0 : upper == 1 ? GARBAGE : 0xffffffff00000000;

            for (uint64_t r = 0x5400; r < 0x5430; r++)
                assert_int_equal(ask_on(f, i, "ioctl", 0, high | r),
                                 r == 0x5412 || r == 0x541c ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
        }
        for (unsigned bit = 0; bit < 32; bit++)
            assert_int_equal(ask_on(f, i, "ioctl", 0, 0x5412 ^ (1u << bit)), SECCOMP_RET_ALLOW);
        for (unsigned k = 0; k < 20000; k++) {
            request = request * 1664525 + 1013904223;
            assert_int_equal(ask_on(f, i, "ioctl", 0, request), SECCOMP_RET_ALLOW);
        }
    }
}

static void test_other_architecture_is_killed(void **state)
{
    struct fixture *f = *state;

    compile_default(f);
    assert_int_equal(ask_number(f, AUDIT_ARCH_AARCH64, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(ask_number(f, 0, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    compile_text(f, DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, X32, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, X32 | 5000, 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(ask_number(f, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

static void test_capabilities_open(void **state)
{
    struct fixture *f = *state;

    f->policy.capabilities.bounding = CAP(CAP_CHROOT);
    compile_default(f);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "mount", 0, 0), ERRNO(EPERM));
    f->policy.capabilities.bounding = CAP(CAP_ADMIN);
    compile_default(f);
    assert_int_equal(ask(f, "chroot", 0, 0), ERRNO(EPERM));
    assert_int_equal(ask(f, "mount", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "unshare", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "clone3", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "clone", CLONE_NEWUSER, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "ioctl", 0, 0x5412), ERRNO(EPERM));
}

/* Parse text for a host of the test's choosing; returns how many of its rules apply. */
static size_t rules_for(uint32_t arch, unsigned major, unsigned minor, uint64_t bounding,
                        const char *conditions)
{
    const struct seccomp_host host = {
        .arch = arch, .kernel_major = major, .kernel_minor = minor, .bounding = bounding};
    struct seccomp_profile *profile = NULL;
    struct cl_error e = {0};
    char text[512];
    size_t n;

    snprintf(text, sizeof(text), DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"%s}]}",
             conditions);
    if (seccomp_profile_parse("test", text, strlen(text), &host, &profile, &e) < 0)
        fail_msg("%s", e.text);
    n = profile->n_rules;
    seccomp_profile_free(profile);
    return n;
}

static void test_includes_excludes(void **state)
{
#define X64 SCMP_ARCH_X86_64
    static const struct {
        uint32_t arch;
        unsigned major, minor;
        uint64_t bounding;
        const char *conditions;
        size_t rules;
    } cases[] = {
        {X64, 5, 14, 0, "", 1},
        {X64, 5, 14, 0, ",\"includes\":{},\"excludes\":null", 1},
        {X64, 5, 14, 0, ",\"includes\":{\"minKernel\":\"5.14\"}", 1},
        {X64, 5, 14, 0, ",\"includes\":{\"minKernel\":\"5.15\"}", 0},
        {X64, 5, 14, 0, ",\"includes\":{\"minKernel\":\"4.99\"}", 1},
        {X64, 5, 14, 0, ",\"includes\":{\"minKernel\":\"6.0\"}", 0},
        {X64, 5, 14, 0, ",\"excludes\":{\"minKernel\":\"5.14\"}", 0},
        {X64, 5, 14, 0, ",\"excludes\":{\"minKernel\":\"5.15\"}", 1},
        {X64, 5, 14, 0, ",\"includes\":{\"arches\":[\"arm64\",\"amd64\"]}", 1},
        {X64, 5, 14, 0, ",\"includes\":{\"arches\":[\"arm64\",\"x32\"]}", 0},
        {X64, 5, 14, 0, ",\"excludes\":{\"arches\":[\"arm64\",\"amd64\"]}", 0},
        {SCMP_ARCH_AARCH64, 5, 14, 0, ",\"includes\":{\"arches\":[\"arm64\"]}", 1},
        {SCMP_ARCH_S390X, 5, 14, 0, ",\"excludes\":{\"arches\":[\"s390\",\"s390x\"]}", 0},
        {X64, 5, 14, CAP(CAP_ADMIN), ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", 1},
        {X64, 5, 14, ~CAP(CAP_ADMIN), ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", 0},
        {X64, 5, 14, CAP(CAP_ADMIN), ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_SYS_CHROOT\"]}", 0},
        {X64, 5, 14, CAP(CAP_ADMIN), ",\"excludes\":{\"caps\":[\"CAP_SYS_CHROOT\",\"CAP_SYS_ADMIN\"]}", 0},
        {X64, 5, 14, 0, ",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}", 1},
        {X64, 5, 14, ~0ull, ",\"includes\":{\"caps\":[\"CAP_NO_SUCH\"]}", 0},
        {X64, 5, 14, CAP(CAP_ADMIN),
         ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]},\"excludes\":{\"minKernel\":\"5.1\"}", 0},
    };

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++)
        if (rules_for(cases[i].arch, cases[i].major, cases[i].minor, cases[i].bounding,
                      cases[i].conditions) != cases[i].rules)
            fail_msg("case %zu: %s", i, cases[i].conditions);
}

static void test_operators(void **state)
{
    static const struct {
        const char *op;
        uint64_t value;
        bool holds;
    } cases[] = {
        {"EQ", 7, true},
        {"EQ", 8, false},
        {"NE", 7, false},
        {"NE", 6, true},
        {"LT", 6, true},
        {"LT", 7, false},
        {"LE", 7, true},
        {"LE", 8, false},
        {"GT", 8, true},
        {"GT", 7, false},
        {"GE", 7, true},
        {"GE", 6, false},
        {"EQ", 0x100000007, false},
        {"GT", 0x100000000, true},
    };
    struct fixture *f = *state;
    char text[512];

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        snprintf(text, sizeof(text),
                 DENY_ALL "{\"name\":\"read\",\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
                          "[{\"index\":1,\"value\":7,\"op\":\"SCMP_CMP_%s\"}]}]}",
                 cases[i].op);
        compile_text(f, text);
        if (ask(f, "read", 0, cases[i].value) != (cases[i].holds ? SECCOMP_RET_ALLOW : ERRNO(EPERM)))
            fail_msg("case %zu", i);
    }
    /* value is the mask, valueTwo what must be left under it */
    compile_text(f, DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
                             "\"value\":240,\"valueTwo\":32,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}");
    assert_int_equal(ask(f, "read", 0xff2f, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", 0x3f, 0), ERRNO(EPERM));
    /* more than jansson's integers hold */
    compile_text(
        f, DENY_ALL
        "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"comment\":\"\\\"18446744073709551615\","
        "\"args\":[{\"index\":0,\"value\":18446744073709551615,\"op\":\"SCMP_CMP_EQ\"}]}]}");
    assert_int_equal(ask(f, "read", UINT64_MAX, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", INT64_MAX, 0), ERRNO(EPERM));
    compile_text(f,
                 DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\","
                          "\"args\":[{\"index\":0,\"value\":9223372036854775808,\"op\":\"SCMP_CMP_EQ\"}]}]}");
    assert_int_equal(ask(f, "read", 1ull << 63, 0), SECCOMP_RET_ALLOW);
}

/* Conditions on two arguments must both hold; two on the same one are alternatives, as in runc. */
static void test_several_conditions(void **state)
{
    struct fixture *f = *state;

    compile_text(f, DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                             "{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
                             "{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]}]}");
    assert_int_equal(ask(f, "read", 1, 2), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", 1, 0), ERRNO(EPERM));
    compile_text(f, DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                             "{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
                             "{\"index\":1,\"value\":9,\"op\":\"SCMP_CMP_EQ\"},"
                             "{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]}]}");
    assert_int_equal(ask(f, "read", 1, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", 2, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", 3, 9), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", 3, 0), ERRNO(EPERM));
}

static void test_actions(void **state)
{
    static const struct {
        const char *action;
        uint32_t ret;
    } cases[] = {
        {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
        {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
        {"SCMP_ACT_ERRNO", ERRNO(EPERM)},
        {"SCMP_ACT_ERRNO\",\"errnoRet\":13,\"comment\":\"", ERRNO(13)},
        {"SCMP_ACT_ERRNO\",\"errnoRet\":0,\"comment\":\"", ERRNO(0)},
        {"SCMP_ACT_TRAP\",\"errnoRet\":13,\"comment\":\"", SECCOMP_RET_TRAP}, /* Docker ignores it there */
    };
    struct fixture *f = *state;
    char text[512];

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        snprintf(text, sizeof(text), ALLOW_ALL "{\"names\":[\"read\"],\"action\":\"%s\"}]}", cases[i].action);
        write_profile(f, text);
        assert_int_equal(compile(f, NULL), 0);
        assert_int_equal(ask(f, "read", 0, 0), cases[i].ret);
        assert_int_equal(ask(f, "write", 0, 0), SECCOMP_RET_ALLOW);
    }
    compile_text(f, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":"
                    "[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\"}]}");
    assert_int_equal(ask(f, "read", 0, 0), ERRNO(EPERM));
    assert_int_equal(ask(f, "write", 0, 0), ERRNO(ENOSYS));
    compile_text(f, "{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":null}");
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_KILL_PROCESS);
}

static void test_architectures(void **state)
{
    struct fixture *f = *state;

    compile_text(
        f, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\","
           "\"SCMP_ARCH_S390X\",\"SCMP_ARCH_LOONGARCH64\"],\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
           "\"syscalls\":[{\"names\":[\"read\",\"getdents\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_on(f, 1, "read", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_on(f, 1, "write", 0, 0), ERRNO(EPERM));
    assert_int_equal(ask_on(f, 2, "read", 0, 0), SECCOMP_RET_KILL_PROCESS);
    compile_text(f,
                 "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_AARCH64\","
                 "\"subArchitectures\":[\"SCMP_ARCH_ARM\"]},{\"architecture\":\"SCMP_ARCH_X86_64\","
                 "\"subArchitectures\":[\"SCMP_ARCH_X32\"]}],"
                 "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
    assert_int_equal(ask_on(f, 2, "read", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_on(f, 1, "read", 0, 0), SECCOMP_RET_KILL_PROCESS);
}

static void test_malformed(void **state)
{
#define RULE(rest) DENY_ALL "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"," rest "}]}"
    static const struct {
        const char *text, *message;
        int err;
    } cases[] = {
        {"", ":1:0: ", EINVAL},
        {"[]", "is not a JSON object", EINVAL},
        {"{\"defaultAction\":\n  nonsense}", ":2:", EINVAL},
        {"{}", "defaultAction: is missing", EINVAL},
        {"{\"defaultAction\":7}", "defaultAction: is not a string", EINVAL},
        {"{\"defaultAction\":\"SCMP_ACT_ALOW\"}", "defaultAction: unknown action \"SCMP_ACT_ALOW\"", EINVAL},
        {"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "SCMP_ACT_NOTIFY needs a supervising", EOPNOTSUPP},
        {"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":5000}",
         "defaultErrnoRet: is not an errno", EINVAL},
        {DENY_ALL "7]}", "syscalls[0]: is not an object", EINVAL},
        {DENY_ALL "{\"names\":[\"read\"]}]}", "syscalls[0].action: is missing", EINVAL},
        {DENY_ALL "{\"names\":\"read\",\"action\":\"SCMP_ACT_ALLOW\"}]}",
         "syscalls[0].names: is not an array", EINVAL},
        {DENY_ALL "{\"names\":[\"a\",7],\"action\":\"SCMP_ACT_ALLOW\"}]}",
         "syscalls[0].names[1]: is not a name", EINVAL},
        {RULE("\"name\":\"write\""), "both \"name\" and \"names\"", EINVAL},
        {RULE("\"errnoRet\":\"EPERM\""), "syscalls[0].errnoRet: is not a whole number", EINVAL},
        {RULE("\"args\":{}"), "syscalls[0].args: is not an array", EINVAL},
        {RULE("\"args\":[7]"), "syscalls[0].args[0]: is not an object", EINVAL},
        {RULE("\"args\":[{\"op\":\"SCMP_CMP_EQ\",\"index\":6}]"), "args[0].index: is not 0 to 5", EINVAL},
        {RULE("\"args\":[{\"op\":\"SCMP_CMP_EQ\",\"value\":1.5}]"), "args[0].value: is not a whole number",
         EINVAL},
        {RULE("\"args\":[{\"op\":\"SCMP_CMP_EQ\",\"value\":18446744073709551616}]"), "too big", EINVAL},
        {RULE("\"args\":[{\"op\":\"EQ\"}]"), "args[0].op: unknown operator \"EQ\"", EINVAL},
        {RULE("\"includes\":[]"), "syscalls[0].includes: is not an object", EINVAL},
        {RULE("\"includes\":{\"minKernel\":\"4\"}"), "includes.minKernel: \"4\" is not MAJOR.MINOR", EINVAL},
        {RULE("\"excludes\":{\"minKernel\":\"4.8.1\"}"), "excludes.minKernel: \"4.8.1\" is not MAJOR.MINOR",
         EINVAL},
        {RULE("\"excludes\":{\"minKernel\":\"4.-8\"}"), "is not MAJOR.MINOR", EINVAL},
        {DENY_ALL "],\"architectures\":[\"SCMP_ARCH_Z80\"]}", "architectures[0]: unknown architecture",
         EINVAL},
        {DENY_ALL "],\"architectures\":[\"SCMP_ARCH_X86\"],\"archMap\":[{}]}", "only one of them", EINVAL},
        {DENY_ALL "],\"flags\":[\"FLAG\"]}", "flags: unknown flag \"FLAG\"", EINVAL},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        write_profile(f, cases[i].text);
        if (compile(f, NULL) != -cases[i].err)
            fail_msg("case %zu was taken, or failed otherwise: %s", i, f->e.text);
        if (!strstr(f->e.text, cases[i].message) || !strstr(f->e.text, f->path))
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, f->e.text, cases[i].message);
        assert_string_equal(f->e.key, "seccomp.profile");
    }
}

static void test_unknown_names(void **state)
{
    struct fixture *f = *state;
    cleanup_strv char **unknown = NULL;

    write_profile(f,
                  DENY_ALL "{\"names\":[\"read\",\"no_such\",\"fchmodat2\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                           "{\"names\":[\"no_such\",\"nor_this\"],\"action\":\"SCMP_ACT_KILL\"}]}");
    assert_int_equal(seccomp_validate(&f->policy, &unknown, &f->e), 0);
    assert_int_equal(cl_strv_length(unknown), 2);
    assert_string_equal(unknown[0], "no_such");
    assert_string_equal(unknown[1], "nor_this");
    assert_int_equal(compile(f, NULL), 0);
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_ALLOW);
    deny(f, "no_such");
    assert_int_equal(compile(f, NULL), -EINVAL);
    assert_string_equal(f->e.key, "seccomp.deny");
}

static void test_chmod_denied(void **state)
{
    struct fixture *f = *state;

    compile_text(
        f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\","
           "\"SCMP_ARCH_X32\"],\"syscalls\":[{\"names\":[\"chmod\",\"fchmod\",\"fchmodat\",\"fchmodat2\"],"
           "\"action\":\"SCMP_ACT_ERRNO\"}]}");
    expect_everywhere(f, "chmod", ERRNO(EPERM));
    expect_everywhere(f, "fchmod", ERRNO(EPERM));
    expect_everywhere(f, "fchmodat", ERRNO(EPERM));
    expect_everywhere(f, "chown", SECCOMP_RET_ALLOW);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 452, 0, 0), ERRNO(EPERM));
    assert_int_equal(ask_number(f, AUDIT_ARCH_I386, 452, 0, 0), ERRNO(EPERM));
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, X32 | 452, 0, 0), ERRNO(EPERM));
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 9999, 0, 0), SECCOMP_RET_ALLOW);
}

/* Conditions on a call that libseccomp lacks can't be kept: a denial holds always, an allowance never. */
static void test_recent_with_conditions(void **state)
{
#define ARGS "\"args\":[{\"index\":0,\"value\":7,\"op\":\"SCMP_CMP_EQ\"}]"
    struct fixture *f = *state;

    if (seccomp_syscall_resolve_name("file_setattr") != __NR_SCMP_ERROR)
        skip(); /* this libseccomp can */
    compile_text(f, ALLOW_ALL "{\"names\":[\"file_setattr\"],\"action\":\"SCMP_ACT_ERRNO\"," ARGS "}]}");
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 469, 0, 0), ERRNO(EPERM));
    compile_text(f, DENY_ALL "{\"names\":[\"file_setattr\"],\"action\":\"SCMP_ACT_ALLOW\"," ARGS "}]}");
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 469, 7, 0), ERRNO(EPERM));
}

static void test_overlay(void **state)
{
    struct fixture *f = *state;

    allow(f, "keyctl");
    allow(f, "unshare");
    allow(f, "personality");
    allow(f, "chmod");
    allow(f, "file_getattr");
    deny(f, "chmod");
    deny(f, "unshare");
    deny(f, "read");
    deny(f, "clone3");
    compile_default(f);
    expect_everywhere(f, "keyctl", SECCOMP_RET_ALLOW);
    expect_everywhere(f, "personality", SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "personality", 0x40000, 0), SECCOMP_RET_ALLOW);
    expect_everywhere(f, "chmod", ERRNO(EPERM)); /* deny wins */
    expect_everywhere(f, "unshare", ERRNO(EPERM));
    expect_everywhere(f, "read", ERRNO(EPERM));
    expect_everywhere(f, "clone3", ERRNO(EPERM));
    expect_everywhere(f, "write", SECCOMP_RET_ALLOW);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 468, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_number(f, AUDIT_ARCH_I386, 468, 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 470, 0, 0), ERRNO(ENOSYS));
}

/* A denied call is denied through socketcall and ipc too, and a denied socketcall for all that it carries. */
static void test_overlay_multiplexed(void **state)
{
    struct fixture *f = *state;

    compile_default(f);
    assert_int_equal(ask_on(f, 1, "socketcall", 1, 0), SECCOMP_RET_ALLOW);
    deny(f, "socket");
    deny(f, "shmget");
    compile_default(f);
    expect_everywhere(f, "socket", ERRNO(EPERM));
    assert_int_equal(ask(f, "socket", 1, 0), ERRNO(EPERM));
    assert_int_equal(ask_on(f, 1, "socketcall", 1, 0), ERRNO(EPERM));
    assert_int_equal(ask_on(f, 1, "socketcall", 2, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_on(f, 1, "ipc", 23, 0), ERRNO(EPERM));
    assert_int_equal(ask_on(f, 1, "ipc", 0x10017, 0), ERRNO(EPERM));
    assert_int_equal(ask_on(f, 1, "ipc", 21, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask_on(f, 1, "read", 0, 0), SECCOMP_RET_ALLOW);
    deny(f, "socketcall");
    compile_default(f);
    for (uint64_t call = 0; call < 25; call++)
        assert_int_equal(ask_on(f, 1, "socketcall", call, 0), ERRNO(EPERM));
}

static void test_policy_action(void **state)
{
    struct fixture *f = *state;

    f->policy.seccomp.action = CL_SECCOMP_KILL;
    deny(f, "read");
    compile_default(f);
    expect_everywhere(f, "mount", SECCOMP_RET_KILL_PROCESS);
    expect_everywhere(f, "read", SECCOMP_RET_KILL_PROCESS);
    expect_everywhere(f, "clone3", ERRNO(ENOSYS)); /* the profile's own word */
    expect_everywhere(f, "write", SECCOMP_RET_ALLOW);
    f->policy.seccomp.action = CL_SECCOMP_LOG;
    compile_default(f);
    expect_everywhere(f, "mount", SECCOMP_RET_LOG);
    expect_everywhere(f, "read", SECCOMP_RET_LOG);
    expect_everywhere(f, "write", SECCOMP_RET_ALLOW);
    f->policy.seccomp.action = CL_SECCOMP_KILL; /* a profile that allows by default still does */
    compile_text(f, ALLOW_ALL "]}");
    assert_int_equal(ask(f, "write", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_KILL_PROCESS);
}

static void test_unconfined(void **state)
{
    struct fixture *f = *state;
    char unconfined[] = "unconfined";
    int fd = 7;

    f->policy.seccomp.profile = unconfined;
    assert_int_equal(seccomp_filter(&f->policy, NULL, &fd, &f->e), 0);
    assert_int_equal(fd, -1);
}

static void test_untrusted_files(void **state)
{
    struct fixture *f = *state;
    char link[96], relative[] = "profile.json";

    write_profile(f, ALLOW_ALL "]}");
    assert_int_equal(compile(f, NULL), 0);
    assert_int_equal(chmod(f->path, 0620), 0);
    assert_int_equal(compile(f, NULL), -EPERM);
    assert_int_equal(chmod(f->path, 0602), 0);
    assert_int_equal(compile(f, NULL), -EPERM);
    assert_int_equal(chmod(f->path, 0600), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(f->path, 12345, 0), 0);
        assert_int_equal(compile(f, NULL), -EPERM);
        assert_int_equal(chown(f->path, 0, 0), 0);
    }
    assert_int_equal(truncate(f->path, (1 << 20) + 1), 0);
    assert_int_equal(compile(f, NULL), -EFBIG);
    snprintf(link, sizeof(link), "%s/link", f->dir);
    assert_int_equal(symlink(f->path, link), 0);
    f->policy.seccomp.profile = link;
    assert_int_equal(compile(f, NULL), -ELOOP);
    f->policy.seccomp.profile = relative;
    assert_int_equal(compile(f, NULL), -EINVAL);
    f->policy.seccomp.profile = f->dir;
    assert_int_equal(compile(f, NULL), -EINVAL);
    f->policy.seccomp.profile = f->path;
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(compile(f, NULL), -ENOENT);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(compile(f, NULL), -EINVAL); /* and does not wait for a writer */
}

static void test_sealed(void **state)
{
    struct fixture *f = *state;
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    int fd = -1;

    write_profile(f, ALLOW_ALL "]}");
    assert_int_equal(seccomp_filter(&f->policy, NULL, &fd, &f->e), 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void test_foreign_profile(void **state)
{
    struct fixture *f = *state;
    const char *path = getenv("CLOISTER_TEST_OCI_PROFILE");

    if (!path)
        path = CONTAINERS;
    if (access(path, R_OK) < 0) {
        print_message("skipped: %s is not there (package golang-github-containers-common)\n", path);
        skip();
    }
    copy_profile(f, path);
    assert_int_equal(compile(f, NULL), 0);
    expect_everywhere(f, "read", SECCOMP_RET_ALLOW);
    expect_everywhere(f, "bpf", ERRNO(EPERM));
    expect_everywhere(f, "add_key", ERRNO(ENOSYS));
    assert_int_equal(ask(f, "personality", 0x40000, 0), ERRNO(ENOSYS));
    f->policy.capabilities.bounding = ~0ull;
    assert_int_equal(compile(f, NULL), 0);
    expect_everywhere(f, "bpf", SECCOMP_RET_ALLOW);
}

static size_t count_files(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

/* The one file in the cache. */
static void cache_file(const char *cache, char *path, size_t size)
{
    DIR *dir = opendir(cache);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            snprintf(path, size, "%s/%s", cache, entry->d_name);
    closedir(dir);
}

static void make_cache(const struct fixture *f, char *cache, size_t size)
{
    snprintf(cache, size, "%s/cache", f->dir);
    assert_int_equal(mkdir(cache, 0700), 0);
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char c;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c = (char)~c;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void test_cache(void **state)
{
    struct fixture *f = *state;
    struct sock_filter first[BPF_MAXINSNS];
    char cache[64], file[400];
    struct stat before, st;
    size_t n;

    make_cache(f, cache, sizeof(cache));
    copy_profile(f, TEST_PROFILE);
    assert_int_equal(compile(f, cache), 0);
    n = f->n;
    memcpy(first, f->insns, sizeof(first));
    cache_file(cache, file, sizeof(file));
    assert_int_equal(stat(file, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(stat(file, &st), 0);
    assert_true(st.st_ino == before.st_ino); /* a hit writes nothing */
    assert_memory_equal(first, f->insns, n * sizeof(first[0]));
    for (off_t at = 0; at < before.st_size; at += at < 32 ? 1 : 997) {
        flip(file, at);
        assert_int_equal(compile(f, cache), 0);
        assert_int_equal(f->n, n);
        assert_memory_equal(first, f->insns, n * sizeof(first[0]));
    }
    for (off_t size = 0; size < before.st_size; size += before.st_size / 7) {
        assert_int_equal(truncate(file, size), 0);
        assert_int_equal(compile(f, cache), 0);
        assert_memory_equal(first, f->insns, n * sizeof(first[0]));
    }
    assert_int_equal(count_files(cache), 1);
}

static void test_cache_inputs(void **state)
{
    struct fixture *f = *state;
    char cache[64];

    make_cache(f, cache, sizeof(cache));
    write_profile(f, ALLOW_ALL "{\"names\":[\"chroot\"],\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"caps\":"
                               "[\"CAP_SYS_CHROOT\"]}}]}");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_ALLOW);
    f->policy.capabilities.bounding = CAP(CAP_CHROOT);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_KILL_THREAD);
    deny(f, "read");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "read", 0, 0), ERRNO(EPERM));
    f->policy.seccomp.action = CL_SECCOMP_KILL;
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_KILL_PROCESS);
    allow(f, "chroot");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_ALLOW);
    write_profile(f, DENY_ALL "]}");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "write", 0, 0), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(count_files(cache), 6);
}

/* Files under one name, as after a collision of the hash, are misses for each other. */
static void test_cache_collision(void **state)
{
    struct fixture *f = *state;
    char cache[64], file[400], other[80];

    make_cache(f, cache, sizeof(cache));
    snprintf(other, sizeof(other), "%s/other", f->dir);
    write_profile(f, ALLOW_ALL "]}");
    assert_int_equal(compile(f, cache), 0);
    cache_file(cache, file, sizeof(file));
    assert_int_equal(rename(file, other), 0);
    write_profile(f, DENY_ALL "]}");
    assert_int_equal(compile(f, cache), 0);
    cache_file(cache, file, sizeof(file));
    assert_int_equal(rename(other, file), 0);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "read", 0, 0), ERRNO(EPERM));
}

static void test_cache_untrusted(void **state)
{
    struct fixture *f = *state;
    char cache[64];
    int fd;

    make_cache(f, cache, sizeof(cache));
    write_profile(f, ALLOW_ALL "]}");
    assert_int_equal(chmod(cache, 0777), 0);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(count_files(cache), 0);
    assert_int_equal(seccomp_cache_open(cache, &fd), -EPERM);
    assert_int_equal(seccomp_cache_open(f->path, &fd), -ENOTDIR);
    assert_int_equal(rmdir(cache), 0);
    assert_int_equal(symlink(f->dir, cache), 0);
    assert_int_equal(compile(f, cache), 0);
    assert_true(seccomp_cache_open(cache, &fd) < 0);
}

static void test_cache_is_bounded(void **state)
{
    struct fixture *f = *state;
    const struct seccomp_program program = {.insns = f->insns, .n = 1};
    struct seccomp_program got = {0};
    cleanup_fd int fd = -1;
    char cache[64];
    unsigned first = 0, last = SECCOMP_CACHE_MAX + 9;

    make_cache(f, cache, sizeof(cache));
    assert_int_equal(seccomp_cache_open(cache, &fd), 0);
    for (unsigned i = 0; i <= last; i++)
        assert_int_equal(seccomp_cache_put(fd, &i, sizeof(i), &program), 0);
    assert_int_equal(count_files(cache), SECCOMP_CACHE_MAX);
    assert_int_equal(seccomp_cache_get(fd, &first, sizeof(first), &got), -ENOENT);
    assert_int_equal(seccomp_cache_get(fd, &last, sizeof(last), &got), 0);
    seccomp_program_clear(&got);
}

/* The exit status of the probe, with the compiled filter or without one. */
static int run_probe(const char *filter)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null < 0 || dup2(null, 1) < 0)
            _exit(99);
        if (filter)
            execl(TEST_PROBE, TEST_PROBE, "--filter", filter, NULL);
        else
            execl(TEST_PROBE, TEST_PROBE, NULL);
        _exit(98);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_kernel_agrees(void **state)
{
    struct fixture *f = *state;
    char path[96];

    compile_default(f);
    snprintf(path, sizeof(path), "%s/filter", f->dir);
    write_file(path, (const char *)f->insns, f->n * sizeof(f->insns[0]), 0600);
    assert_int_equal(run_probe(path), 0);
    assert_int_equal(run_probe(NULL), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_default_denies),
        TEST(test_default_denies_nothing_else),
        TEST(test_default_denies_recent),
        TEST(test_default_allows),
        TEST(test_default_arguments),
        TEST(test_default_ioctl),
        TEST(test_other_architecture_is_killed),
        TEST(test_capabilities_open),
        TEST(test_includes_excludes),
        TEST(test_operators),
        TEST(test_several_conditions),
        TEST(test_actions),
        TEST(test_architectures),
        TEST(test_malformed),
        TEST(test_unknown_names),
        TEST(test_chmod_denied),
        TEST(test_recent_with_conditions),
        TEST(test_overlay),
        TEST(test_overlay_multiplexed),
        TEST(test_policy_action),
        TEST(test_unconfined),
        TEST(test_untrusted_files),
        TEST(test_sealed),
        TEST(test_foreign_profile),
        TEST(test_cache),
        TEST(test_cache_inputs),
        TEST(test_cache_collision),
        TEST(test_cache_untrusted),
        TEST(test_cache_is_bounded),
        TEST(test_kernel_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
