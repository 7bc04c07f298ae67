/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Landlock's versions and their rights, held against the kernel's own numbers; and the running kernel, if it has Landlock.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "landlock.h"
#include "util.h"

/* From include/uapi/linux/landlock.h. */
#define EXECUTE     0x1
#define WRITE_FILE  0x2
#define READ_FILE   0x4
#define READ_DIR    0x8
#define MAKE_CHAR   0x40
#define MAKE_BLOCK  0x800
#define REFER       0x2000
#define TRUNCATE    0x4000
#define IOCTL_DEV   0x8000

static void test_handled(void **state)
{
    static const uint64_t handled[] = {0, 0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff, 0xffff};

    (void)state;
    for (int abi = 0; abi < (int)CL_ARRAY_SIZE(handled); abi++)
        assert_int_equal(cl_landlock_handled(abi), handled[abi]);
    assert_int_equal(cl_landlock_handled(-EOPNOTSUPP), 0);
    assert_int_equal(cl_landlock_handled(99), 0xffff);
}

static void test_rights(void **state)
{
    (void)state;
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_READ, true), READ_FILE | READ_DIR);
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_READ, false), READ_FILE);
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_LIST, true), READ_DIR);
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_LIST, false), 0);
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_EXECUTE, false), EXECUTE);
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_WRITE, false), WRITE_FILE | TRUNCATE);
    assert_int_equal(cl_landlock_rights(2, CL_LANDLOCK_WRITE, false), WRITE_FILE);
    assert_int_equal(cl_landlock_rights(6, CL_LANDLOCK_DEVICES, true), WRITE_FILE | TRUNCATE | IOCTL_DEV);
    assert_int_equal(cl_landlock_rights(4, CL_LANDLOCK_DEVICES, true), WRITE_FILE | TRUNCATE);
    for (int abi = 1; abi <= 8; abi++) {
        uint64_t all = cl_landlock_rights(abi, 0x1f, true);

        /* All that is handled can be given, but for making devices: what no class gives, nobody has. */
        assert_int_equal(all, cl_landlock_handled(abi) & ~(uint64_t)(MAKE_CHAR | MAKE_BLOCK));
        assert_true(!(cl_landlock_rights(abi, 0x1f & ~CL_LANDLOCK_WRITE, true) & REFER));
    }
}

/* In a child that is bound: 0 for what a rule gives, or errno. */
static int bound_open(int abi, unsigned classes, const char *path, int flags)
{
    struct cl_error e = {0};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int ruleset = cl_landlock_create(abi, &e), usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (ruleset < 0 || usr < 0 || cl_landlock_allow(ruleset, usr, cl_landlock_rights(abi, classes, true)) < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || cl_landlock_restrict(ruleset) < 0)
            _exit(255);
        _exit(open(path, flags | O_CLOEXEC) < 0 ? errno : 0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_kernel(void **state)
{
    int abi = cl_landlock_abi();

    (void)state;
    if (abi < 1) {
        assert_true(abi == -ENOSYS || abi == -EOPNOTSUPP);
        skip();
    }
    assert_int_equal(bound_open(abi, CL_LANDLOCK_READ, "/usr", O_RDONLY | O_DIRECTORY), 0);
    assert_int_equal(bound_open(abi, CL_LANDLOCK_EXECUTE, "/usr", O_RDONLY | O_DIRECTORY), EACCES);
    assert_int_equal(bound_open(abi, CL_LANDLOCK_READ, "/", O_RDONLY | O_DIRECTORY), EACCES);
    assert_int_equal(bound_open(abi, 0, "/usr", O_RDONLY | O_DIRECTORY), EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handled),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
