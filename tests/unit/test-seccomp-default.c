/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The shipped profile: what it compiles to, asked call by call, for x86_64, x86 and x32; and what the kernel
 * does with it. TEST_PROBE is the probe program.
 */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../probe/denied.h"
#include "seccomp-fixture.h"
#include "seccomp_source.h"

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
    static const char everyday[] =
        "read write open openat openat2 close stat fstat lstat newfstatat statx poll ppoll select "
        "pselect6 lseek mmap mmap2 mprotect munmap brk rt_sigaction rt_sigprocmask sigprocmask "
        "rt_sigreturn ioctl pread64 pwrite64 readv writev access faccessat2 pipe pipe2 "
        "sched_yield mremap msync madvise shmget shmat dup dup2 dup3 nanosleep clock_nanosleep "
        "getpid sendfile connect accept4 sendmsg recvmsg bind listen socketpair getsockopt "
        "setsockopt fork vfork clone execve execveat exit_group wait4 waitid kill tgkill uname "
        "fcntl flock fsync ftruncate getdents64 getcwd chdir rename renameat2 mkdir unlink "
        "unlinkat symlink readlink chmod fchmodat chown umask gettimeofday getrlimit prlimit64 "
        "getrusage sysinfo times ptrace process_vm_readv getuid setuid setgid setgroups setresuid "
        "setresgid setreuid capget capset setsid setpgid prctl arch_prctl gettid futex "
        "set_robust_list rseq epoll_create1 epoll_ctl epoll_pwait eventfd2 signalfd4 "
        "timerfd_create inotify_init1 getrandom memfd_create copy_file_range close_range "
        "pidfd_open seccomp landlock_restrict_self mknod utimensat membarrier sched_setaffinity "
        "setpriority mlock io_submit statfs";
    struct fixture *f = *state;
    char names[sizeof(everyday)], *rest = NULL;

    compile_default(f);
    strcpy(names, everyday);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        expect_everywhere(f, name, SECCOMP_RET_ALLOW);
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

/* What namespaces.nested opens in the shipped profile, and that it opens no more; deny still wins. */
static void test_nested_opens(void **state)
{
    static const char *const opened[] = {"unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree",
                                         "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
                                         "sethostname", "setdomainname", "clone3"};
    static const char *const shut[] = {"bpf", "perf_event_open", "io_uring_setup", "keyctl", "add_key", "quotactl",
                                       "fanotify_init", "open_by_handle_at", "swapon", "syslog", "userfaultfd",
                                       "kexec_load", "init_module", "reboot", "clock_settime", "pidfd_getfd"};
    static char unshare_name[] = "unshare", *const denied[] = {unshare_name, NULL};
    struct fixture *f = *state;
    struct cl_policy policy = {.namespaces = {.nested = 1}, .seccomp = {.profile = (char[]){"default"}}};
    cleanup_program struct seccomp_program program = {0};
    cleanup_source struct seccomp_source source = {0};
    cleanup_profile struct seccomp_profile *profile = NULL;
    cleanup_strv char **unknown = NULL;
    struct seccomp_overlay overlay = seccomp_overlay_of(&policy);

    copy_profile(f, TEST_PROFILE);
    assert_int_equal(seccomp_source_read(&f->policy, &source, &f->e), 0);
    assert_int_equal(seccomp_source_parse(&source, &profile, &f->e), 0);
    assert_int_equal(seccomp_compile(profile, &overlay, source.host.arch, &program, &unknown, &f->e), 0);
    memcpy(f->insns, program.insns, program.n * sizeof(program.insns[0]));
    f->n = program.n;
    for (size_t i = 0; i < CL_ARRAY_SIZE(opened); i++)
        expect_everywhere(f, opened[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++)
        assert_int_equal(ask_on(f, i, "clone", CLONE_NEWUSER | SIGCHLD, 0), SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < CL_ARRAY_SIZE(shut); i++)
        expect_everywhere(f, shut[i], ERRNO(EPERM));

    seccomp_program_clear(&program);
    cl_strv_free(unknown);
    unknown = NULL;
    overlay.deny = denied;
    assert_int_equal(seccomp_compile(profile, &overlay, source.host.arch, &program, &unknown, &f->e), 0);
    memcpy(f->insns, program.insns, program.n * sizeof(program.insns[0]));
    f->n = program.n;
    expect_everywhere(f, "unshare", ERRNO(EPERM));

    policy.namespaces.nested = 0;
    assert_null(seccomp_nested_calls(&policy));
    policy.namespaces.nested = 1;
    policy.seccomp.profile = f->path; /* an administrator's own says itself what it allows */
    assert_null(seccomp_nested_calls(&policy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_default_denies),
        TEST(test_default_denies_nothing_else),
        TEST(test_default_denies_recent),
        TEST(test_default_allows),
        TEST(test_default_arguments),
        TEST(test_default_ioctl),
        TEST(test_other_architecture_is_killed),
        TEST(test_capabilities_open),
        TEST(test_nested_opens),
        TEST(test_kernel_agrees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
