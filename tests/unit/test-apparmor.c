/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AppArmor: which profiles of a kernel's list may be used. Where AppArmor is on, the virtual machine's tests
 * ask the real one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apparmor_internal.h"
#include "util.h"

static const char list[] = "nvidia_modprobe (enforce)\n"
                           "nvidia_modprobe//kmod (enforce)\n"
                           "cloister-default-not (complain)\n"
                           "cloister-default (enforce)\n"
                           "my profile (with) blanks (enforce)\n"
                           "complaining (complain)\n"
                           "twin (enforce)\n"
                           "twin-audit (complain)\n"
                           "stern-audit (enforce)\n"
                           "stern (enforce)\n"
                           "killing (kill)\n"
                           "free (unconfined)\n"
                           "odd\n"
                           "tail (enforce) x\n"
                           "(enforce)\n"
                           "/usr/sbin/ntpd (enforce)\n"
                           "last (enforce)";

static char untouched[] = "untouched";

struct fixture {
    char path[32];
    struct cl_policy policy;
    char *profile;
    struct cl_error e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int fd;

    assert_non_null(f);
    strcpy(f->path, "/tmp/test-apparmor-XXXXXX");
    fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(cl_write_all(fd, list, sizeof(list) - 1), 0);
    close(fd);
    f->policy.apparmor.when_unavailable = CL_UNAVAILABLE_REFUSE;
    f->policy.name = strdup("test");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unlink(f->path);
    free(f->policy.name);
    free(f->policy.apparmor.profile);
    if (f->profile != untouched)
        free(f->profile);
    free(f);
    return 0;
}

static int look_for(struct fixture *f, const char *profile, const char *path)
{
    free(f->policy.apparmor.profile);
    if (f->profile != untouched)
        free(f->profile);
    f->policy.apparmor.profile = strdup(profile);
    f->profile = untouched;
    memset(&f->e, 0, sizeof(f->e));
    return apparmor_profile_in(&f->policy, path, &f->profile, &f->e);
}

static void test_enforced(void **state)
{
    static const char *const names[] = {"cloister-default", "nvidia_modprobe//kmod",
                                        "my profile (with) blanks", "/usr/sbin/ntpd", "last"};
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(names); i++) {
        assert_int_equal(look_for(f, names[i], f->path), 0);
        assert_string_equal(f->profile, names[i]);
    }
}

static void test_not_enforced(void **state)
{
    static const char *const names[] = {"complaining", "killing", "free", "cloister-default-not"};
    struct fixture *f = *state;

    f->policy.apparmor.when_unavailable = CL_UNAVAILABLE_CONTINUE; /* it is there, so this says nothing */
    for (size_t i = 0; i < CL_ARRAY_SIZE(names); i++) {
        assert_int_equal(look_for(f, names[i], f->path), -EINVAL);
        assert_string_equal(f->profile, "untouched");
        assert_non_null(strstr(f->e.text, "aa-enforce"));
        assert_string_equal(f->e.key, "apparmor.profile");
    }
}

static void test_not_loaded(void **state)
{
    static const char *const names[] = {
        "cloister",   "cloister-default (enforce)", "cloister-defaul",  "odd", "tail", "",
        "my profile", "cloister-restricted",        "nvidia_modprobe//"};
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(names); i++) {
        assert_int_equal(look_for(f, names[i], f->path), -ENOENT);
        assert_string_equal(f->profile, "untouched");
        assert_non_null(strstr(f->e.text, "apparmor_parser -r"));
        assert_string_equal(f->e.key, "apparmor.profile");
    }
    f->policy.apparmor.when_unavailable = CL_UNAVAILABLE_CONTINUE;
    assert_int_equal(look_for(f, "cloister-restricted", f->path), 0);
    assert_null(f->profile);
}

static void test_no_apparmor(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(look_for(f, "cloister-default", NULL), -EOPNOTSUPP);
    assert_string_equal(f->e.key, "apparmor.profile");
    f->policy.apparmor.when_unavailable = CL_UNAVAILABLE_CONTINUE;
    assert_int_equal(look_for(f, "cloister-default", NULL), 0);
    assert_null(f->profile);
}

/* In audit mode, who complains is taken, the twin first, and who enforces is not. */
static void test_audit_mode(void **state)
{
    struct fixture *f = *state;

    f->policy.mode = CL_MODE_AUDIT;
    assert_int_equal(look_for(f, "twin", f->path), 0);
    assert_string_equal(f->profile, "twin-audit");
    assert_int_equal(look_for(f, "complaining", f->path), 0);
    assert_string_equal(f->profile, "complaining");
    assert_int_equal(look_for(f, "stern", f->path), -ENOENT); /* its twin enforces */
    assert_non_null(strstr(f->e.text, "stern-audit"));
    assert_int_equal(look_for(f, "cloister-default", f->path), -ENOENT);
    assert_string_equal(f->profile, "untouched");
    assert_string_equal(f->e.key, "apparmor.profile");
    assert_int_equal(look_for(f, "unconfined", f->path), 0);
    assert_null(f->profile);
    f->policy.apparmor.when_unavailable = CL_UNAVAILABLE_CONTINUE;
    assert_int_equal(look_for(f, "cloister-default", f->path), 0);
    assert_null(f->profile);
    f->policy.mode = CL_MODE_ENFORCE;
    assert_int_equal(look_for(f, "twin-audit", f->path), -EINVAL);
}

static void test_unreadable(void **state)
{
    struct fixture *f = *state;

    f->policy.apparmor.when_unavailable = CL_UNAVAILABLE_CONTINUE;
    assert_int_equal(look_for(f, "cloister-default", "/nonexistent/profiles"), -ENOENT);
    assert_string_equal(f->profile, "untouched");
}

static void test_unconfined(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(look_for(f, "unconfined", NULL), 0);
    assert_null(f->profile);
    assert_int_equal(look_for(f, "unconfined", "/nonexistent/profiles"), 0);
    assert_null(f->profile);
}

/* Whatever this kernel has, a profile of this name is not in it. */
static void test_running_kernel(void **state)
{
    struct fixture *f = *state;
    char *profile = NULL;
    int r;

    f->policy.apparmor.profile = strdup("cloister-test-no-such-profile");
    r = apparmor_profile(&f->policy, &profile, &f->e);
    if (r == -EACCES)
        skip(); /* root alone may read the list */
    assert_true(r == -EOPNOTSUPP || r == -ENOENT);
    assert_null(profile);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_enforced),   TEST(test_not_enforced), TEST(test_not_loaded),     TEST(test_no_apparmor),
        TEST(test_unreadable), TEST(test_unconfined),   TEST(test_running_kernel),
        TEST(test_audit_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
