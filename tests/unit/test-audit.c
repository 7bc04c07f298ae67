/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text of an audit record: nothing that a user chooses may end a field, or the record.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audit.h"

static const struct cl_log_about usual = {.id = "k3v0q8d1m2pa",
                                          .user = "eva",
                                          .policy = "students",
                                          .service = "sshd",
                                          .rhost = "192.0.2.7",
                                          .tty = "ssh"};

static void test_usual(void **state)
{
    char buf[AUDIT_TEXT_MAX];

    assert_string_equal(
        audit_text("cloister-open", &usual, true, buf, sizeof(buf)),
        "op=cloister-open cell=k3v0q8d1m2pa acct=\"eva\" policy=\"students\" service=\"sshd\" "
        "addr=192.0.2.7 terminal=ssh res=success");
}

static void test_refused(void **state)
{
    const struct cl_error e = {.err = 1, .stage = "policy"};
    struct cl_log_about about = usual;
    char buf[AUDIT_TEXT_MAX];

    about.error = &e;
    about.policy = NULL;
    about.tty = "/dev/tty1";
    about.rhost = "";
    assert_string_equal(
        audit_text("cloister-open", &about, false, buf, sizeof(buf)),
        "op=cloister-open cell=k3v0q8d1m2pa acct=\"eva\" service=\"sshd\" stage=\"policy\" addr=? "
        "terminal=/dev/tty1 res=failed");
}

static void test_forged(void **state)
{
    static const char *const names[] = {"e\" res=success", "e'", "e f", "e\nf", "\303\244", "e\177"};
    static const char *const coded[] = {"65222072", "6527", "652066", "650A66", "C3A4", "657F"};
    char buf[AUDIT_TEXT_MAX];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct cl_log_about about = usual;
        char expected[64] = " acct=";

        about.user = names[i];
        about.rhost = "192.0.2.7 res=success";
        about.tty = "ssh' x";
        (void)audit_text("cloister-open", &about, false, buf, sizeof(buf));
        (void)strcat(expected, coded[i]);
        assert_non_null(strstr(buf, expected));
        assert_non_null(strstr(buf, " addr=? terminal=? res=failed"));
        assert_null(strstr(buf, "success"));
        assert_null(strpbrk(buf, "'\n\177"));
    }
}

static void test_long(void **state)
{
    struct cl_log_about about = usual;
    char name[4000], buf[AUDIT_TEXT_MAX];

    memset(name, '\n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    about.user = about.policy = about.service = name;
    (void)audit_text("cloister-close", &about, true, buf, sizeof(buf));
    assert_non_null(strstr(buf, " res=success"));
    memset(name, 'a', sizeof(name) - 1);
    (void)audit_text("cloister-close", &about, true, buf, sizeof(buf));
    assert_non_null(strstr(buf, "aa\" addr=192.0.2.7 terminal=ssh res=success"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
