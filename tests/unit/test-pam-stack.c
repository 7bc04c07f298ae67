/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stacks of pam.d, as doctor reads them: what libpam's documentation says of lines, includes, substacks and
 * controls.
 */
#include "config.h"

#include "policy-fixture.h"

#include "ctl/pam_stack.h"

/* The modules of a stack, "a b c". */
static void assert_stack(const struct fixture *f, const char *service, enum pam_type type, const char *expected)
{
    cleanup_pam_stack struct pam_stack stack = {0};
    struct cl_error e = {0};
    char text[512] = "";
    int r = pam_stack_read((const char *const[]){f->path, NULL}, service, type, &stack, &e);

    if (r < 0)
        fail_msg("%s: %s", service, e.text);
    for (size_t i = 0; i < stack.n; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, stack.rules[i].module);
    }
    assert_string_equal(text, expected);
}

static void test_lines(void **state)
{
    const struct fixture *f = *state;

    fixture_write(f, "a",
                  "#%PAM-1.0\n\n  # a comment\n"
                  "auth required pam_a.so nullok # arguments\n"
                  "AUTH\tsufficient\tpam_b.so\n"
                  "auth [success=1 \\]default=ignore] pam_no.so\n"
                  "auth [success=ok default=bad] pam_c.so\n"
                  "-session optional pam_s.so\n"
                  "session required \\\n   pam_t.so \\  \n  an argument\n"
                  "session required pam_u.so # no continuation \\\n"
                  "session required pam_v.so\n"
                  "session required\n"
                  "nonsense\n"
                  "account required pam_w.so");
    assert_stack(f, "a", PAM_TYPE_AUTH, "pam_a.so pam_b.so pam_no.so pam_c.so");
    assert_stack(f, "a", PAM_TYPE_SESSION, "pam_s.so pam_t.so pam_u.so pam_v.so");
    assert_stack(f, "a", PAM_TYPE_ACCOUNT, "pam_w.so");
    assert_stack(f, "a", PAM_TYPE_PASSWORD, "");
}

static void test_rule(void **state)
{
    const struct fixture *f = *state;
    cleanup_pam_stack struct pam_stack stack = {0};
    char path[128];

    fixture_write(f, "common", "# first\n-session [default=1 success=ok] /lib/pam_a.so x\n");
    fixture_write(f, "a", "session required pam_b.so\n@include common\n");
    assert_int_equal(
        pam_stack_read((const char *const[]){"/nonexistent", f->path, NULL}, "a", PAM_TYPE_SESSION, &stack, NULL), 0);
    assert_int_equal(stack.n, 2);
    assert_string_equal(stack.rules[1].control, "[default=1 success=ok]");
    assert_string_equal(stack.rules[1].module, "/lib/pam_a.so");
    assert_int_equal(stack.rules[1].line, 2);
    assert_true(stack.rules[1].may_lack);
    assert_false(stack.rules[0].may_lack);
    snprintf(path, sizeof(path), "%s/common", f->path);
    assert_string_equal(stack.rules[1].file, path);
}

static void test_includes(void **state)
{
    const struct fixture *f = *state;
    char text[256];

    fixture_write(f, "one", "auth required pam_1.so\nsession required pam_s1.so\n");
    fixture_write(f, "two", "auth required pam_2.so\n@include one\n");
    snprintf(
        text, sizeof(text),
        "auth include two\nauth required pam_3.so\nsession substack one\n@include %s/one\npassword include one\n",
        f->path);
    fixture_write(f, "a", text);
    assert_stack(f, "a", PAM_TYPE_AUTH, "pam_2.so pam_1.so pam_3.so pam_1.so");
    assert_stack(f, "a", PAM_TYPE_SESSION, "pam_s1.so pam_s1.so");
    assert_stack(f, "a", PAM_TYPE_PASSWORD, "");
}

static int fails(const struct fixture *f, const char *service)
{
    struct pam_stack stack = {0};
    struct cl_error e = {0};
    int r = pam_stack_read((const char *const[]){f->path, NULL}, service, PAM_TYPE_AUTH, &stack, &e);

    assert_true(r < 0);
    assert_int_equal(stack.n, 0);
    assert_true(e.text[0]);
    return r;
}

static void test_errors(void **state)
{
    const struct fixture *f = *state;
    char path[128];

    assert_int_equal(fails(f, "missing"), -ENOENT);
    assert_int_equal(fails(f, "../etc/passwd"), -ENOENT);
    fixture_write(f, "a", "auth required pam_a.so\n@include missing\n");
    assert_int_equal(fails(f, "a"), -ENOENT);
    fixture_write(f, "b", "auth required pam_a.so\n@include c\n");
    fixture_write(f, "c", "auth substack b\n");
    assert_int_equal(fails(f, "b"), -ELOOP);
    snprintf(path, sizeof(path), "%s/pipe", f->path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(fails(f, "pipe"), -EINVAL); /* and does not wait for a writer */
}

static struct pam_position position_in(const struct fixture *f, const char *text, struct pam_stack *stack)
{
    struct pam_position at;

    pam_stack_clear(stack);
    fixture_write(f, "p", text);
    assert_int_equal(pam_stack_read((const char *const[]){f->path, NULL}, "p", PAM_TYPE_SESSION, stack, NULL), 0);
    pam_stack_find(stack, "pam_x.so", &at);
    return at;
}

static void test_position(void **state)
{
    const struct fixture *f = *state;
    cleanup_pam_stack struct pam_stack stack = {0};
    struct pam_position at = position_in(f, "session required pam_a.so\n", &stack);

    assert_int_equal(at.count, 0);
    assert_null(at.rule);
    at = position_in(f, "session required pam_a.so\nsession required pam_x.so\n", &stack);
    assert_int_equal(at.count, 1);
    assert_ptr_equal(at.rule, &stack.rules[1]);
    assert_null(at.next);
    assert_null(at.skips);
    at =
        position_in(f, "session required /opt/pam_x.so\nsession optional pam_b.so\nauth required pam_x.so\n", &stack);
    assert_int_equal(at.count, 1);
    assert_ptr_equal(at.next, &stack.rules[1]);
    assert_ptr_equal(pam_stack_has(&stack, "pam_b.so"), &stack.rules[1]);
    assert_null(pam_stack_has(&stack, "pam_c.so"));
    at = position_in(f, "session required pam_x.so\nsession optional pam_b.so\nsession required pam_x.so\n", &stack);
    assert_int_equal(at.count, 2);
    assert_ptr_equal(at.rule, &stack.rules[0]);
    assert_ptr_equal(at.last, &stack.rules[2]);
    assert_null(at.next);
}

static void test_control(void **state)
{
    static const struct {
        const char *control;
        bool binding;
    } cases[] = {
        {"required", true},
        {"Requisite", true},
        {"optional", false},
        {"sufficient", false},
        {"[success=ok new_authtok_reqd=ok ignore=ignore default=bad]", true},
        {"[default=die success=done]", true},
        {"[success=ok default=ignore]", false},
        {"[success=ok session_err=ignore default=bad]", false},
        {"[success=ok]", false},
        {"[]", false},
    };
    const struct fixture *f = *state;
    cleanup_pam_stack struct pam_stack stack = {0};

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        char text[256];

        snprintf(text, sizeof(text), "session %s pam_x.so\n", cases[i].control);
        if (position_in(f, text, &stack).binding != cases[i].binding)
            fail_msg("%s", cases[i].control);
    }
}

/* What may end the stack before the module, or jump over it; NULL: nothing. */
static void assert_skips(const struct fixture *f, const char *text, const char *expected)
{
    cleanup_pam_stack struct pam_stack stack = {0};
    struct pam_position at = position_in(f, text, &stack);

    assert_int_equal(at.count, 1);
    if (at.skips && expected)
        assert_string_equal(at.skips->module, expected);
    else if (at.skips || expected)
        fail_msg("%s: %s", text, at.skips ? at.skips->module : "nothing");
}

#define X "session required pam_x.so\n"

static void test_skips(void **state)
{
    const struct fixture *f = *state;

    assert_skips(f, "session requisite pam_a.so\nsession optional pam_b.so\n" X, NULL);
    assert_skips(f, "session sufficient pam_a.so\n" X, "pam_a.so");
    assert_skips(f, X "session sufficient pam_a.so\n", NULL);
    assert_skips(f, "session [success=done default=ignore] pam_a.so\n" X, "pam_a.so");
    assert_skips(f, "session [default=die] pam_a.so\n" X, NULL);
    /* Debian's: over one that denies, to one that permits. */
    assert_skips(
        f, "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n" X,
        NULL);
    assert_skips(f, "session [default=1] pam_a.so\n" X, "pam_a.so");
    assert_skips(f, "session [success=2 default=ignore] pam_a.so\nsession required pam_b.so\n" X, "pam_a.so");
    assert_skips(f, "session [success=99] pam_a.so\nsession required pam_b.so\n" X, "pam_a.so");

    fixture_write(f, "sub", "session sufficient pam_s.so\nsession [success=9] pam_t.so\nsession required pam_u.so\n");
    assert_skips(f, "session substack sub\n" X, NULL);
    assert_skips(f, "session include sub\n" X, "pam_s.so");
    assert_skips(f, "@include sub\n" X, "pam_s.so");
    assert_skips(f, "session [success=1] pam_a.so\nsession substack sub\n" X, NULL); /* a substack is one module */
    assert_skips(f, "session [success=2] pam_a.so\nsession substack sub\n" X, "pam_a.so");
    fixture_write(f, "own", "session sufficient pam_s.so\n" X);
    assert_skips(f, "session required pam_a.so\nsession substack own\n", "pam_s.so");
    assert_skips(f, "session [default=1] pam_a.so\nsession substack own\n", "pam_a.so");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_rule, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_includes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_position, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_control, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_skips, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
