/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Profiles: what the parser takes and refuses, and what rules mean. A profile that nobody here wrote is taken
 * from $CLOISTER_TEST_OCI_PROFILE or where Debian's golang-github-containers-common puts it.
 */
#include "config.h"

#include <unistd.h>

#include "seccomp-fixture.h"
#include "seccomp_profile.h"

#define CONTAINERS "/usr/share/containers/seccomp.json"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_includes_excludes), TEST(test_operators),     TEST(test_several_conditions),
        TEST(test_actions),           TEST(test_architectures), TEST(test_malformed),
        TEST(test_unknown_names),     TEST(test_chmod_denied),  TEST(test_recent_with_conditions),
        TEST(test_foreign_profile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
