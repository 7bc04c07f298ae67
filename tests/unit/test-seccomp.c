/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a policy lays on top of a profile (allow, deny, action), which files it trusts, and what it hands out.
 */
#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp-fixture.h"

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

/* Audit mode lets through and logs what the policy denies, all but a terminal's input and what is no denial. */
static void test_audit_mode(void **state)
{
    struct fixture *f = *state;

    deny(f, "read");
    allow(f, "keyctl");
    compile_default(f);
    assert_int_equal(ask(f, "ioctl", 0, 0x5412), ERRNO(EPERM));
    f->policy.mode = CL_MODE_AUDIT;
    compile_default(f);
    expect_everywhere(f, "mount", SECCOMP_RET_LOG);
    expect_everywhere(f, "read", SECCOMP_RET_LOG);
    expect_everywhere(f, "unshare", SECCOMP_RET_LOG);
    expect_everywhere(f, "keyctl", SECCOMP_RET_ALLOW);
    expect_everywhere(f, "write", SECCOMP_RET_ALLOW);
    expect_everywhere(f, "clone3", ERRNO(ENOSYS)); /* the C library falls back on clone */
    assert_int_equal(ask(f, "clone", CLONE_NEWUSER, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "clone", 0x3d0f00, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "personality", 0x40000, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "socket", 40, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 461, 0, 0), SECCOMP_RET_LOG); /* lsm_list_modules */
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 1000, 0, 0), ERRNO(ENOSYS));  /* too young */
    assert_int_equal(ask_number(f, AUDIT_ARCH_ARM, 1, 0, 0), SECCOMP_RET_LOG);
    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++) {
        assert_int_equal(ask_on(f, i, "ioctl", 0, 0x5412), ERRNO(EPERM)); /* TIOCSTI */
        assert_int_equal(ask_on(f, i, "ioctl", 0, GARBAGE | 0x5412), ERRNO(EPERM));
        assert_int_equal(ask_on(f, i, "ioctl", 0, GARBAGE | 0x541c), ERRNO(EPERM)); /* TIOCLINUX */
        assert_int_equal(ask_on(f, i, "ioctl", 0, 0x5401), SECCOMP_RET_ALLOW);
    }
    f->policy.seccomp.action = CL_SECCOMP_KILL;
    compile_default(f);
    expect_everywhere(f, "mount", SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "ioctl", 0, 0x5412), SECCOMP_RET_KILL_PROCESS);
    f->policy.seccomp.action = CL_SECCOMP_ERRNO;
    allow(f, "ioctl"); /* who allows it has allowed it */
    compile_default(f);
    assert_int_equal(ask(f, "ioctl", 0, 0x5412), SECCOMP_RET_ALLOW);
}

/* A profile whose denial is ENOSYS, and one that allows what it does not name. */
static void test_audit_defaults(void **state)
{
    struct fixture *f = *state;

    f->policy.mode = CL_MODE_AUDIT;
    compile_text(f, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
                    "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                    "{\"names\":[\"chmod\",\"fchmodat2\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13},"
                    "{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_LOG\"}]}");
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "write", 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "chmod", 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "clone3", 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask_number(f, AUDIT_ARCH_X86_64, 452, 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "ioctl", 0, 0x5412), ERRNO(ENOSYS));
    compile_text(f, ALLOW_ALL "{\"names\":[\"chmod\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}]}");
    assert_int_equal(ask(f, "chmod", 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(ask(f, "ioctl", 0, 0x5412), SECCOMP_RET_ALLOW);
    assert_int_equal(ask(f, "mount", 0, 0), SECCOMP_RET_ALLOW);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_overlay),    TEST(test_overlay_multiplexed), TEST(test_policy_action),
        TEST(test_audit_mode), TEST(test_audit_defaults),      TEST(test_unconfined),
        TEST(test_untrusted_files), TEST(test_sealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
