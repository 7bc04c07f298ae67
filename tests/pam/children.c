/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Children of a service whose session was opened, or was not.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "service.h"

/* Runs setcred in a forked child, as sshd does: 0 when the child comes back from it, 1 when the module ended
 * it. */
static int setcred_in_child(pam_handle_t *pamh)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)pam_setcred(pamh, PAM_ESTABLISH_CRED);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int child_after(const char *user, enum fake_answer how, int expected_open)
{
    pam_handle_t *pamh;
    int r;

    set_answer(how);
    pamh = start(user);
    assert_int_equal(open_as(pamh), expected_open);
    r = setcred_in_child(pamh);
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
    return r;
}

void test_child_of_refused_session_ends(void **state)
{
    assert_int_equal(child_after(USER, FAKE_REFUSE, PAM_PERM_DENIED), 1);
    assert_int_equal(child_after(USER, FAKE_DIE, PAM_PERM_DENIED), 1);
}

void test_child_of_exempt_session_goes_on(void **state)
{
    assert_int_equal(child_after(USER, FAKE_EXEMPT, PAM_SUCCESS), 0);
    assert_int_equal(child_after("root", FAKE_DIE, PAM_SUCCESS), 0);
}

/* The plan's descriptors are not a cell's: the child can't be placed, and must not go on. */
void test_child_that_cannot_be_placed_ends(void **state)
{
    assert_int_equal(child_after(USER, FAKE_PLAN, PAM_SUCCESS), 1);
}

void test_second_child_ends(void **state)
{
    pam_handle_t *pamh;

    set_answer(FAKE_PLAN);
    pamh = start(USER);
    assert_int_equal(open_as(pamh), PAM_SUCCESS);
    assert_int_equal(setcred_in_child(pamh), 1);
    assert_int_equal(setcred_in_child(pamh), 1);
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

/* The auth line is there and the session line is not: nothing was opened, and a child is about to be the
 * user. */
void test_child_without_session(void **state)
{
    static const struct {
        const char *user;
        enum fake_answer how;
        int expected;
    } rows[] = {
        {USER, FAKE_DONE, 1},
        {USER, FAKE_DIE, 1},
        {USER, FAKE_EXEMPT, 0},
        {"root", FAKE_DIE, 0},
    };

    write_stack("session required pam_permit.so\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(child_after(rows[i].user, rows[i].how, PAM_SUCCESS), rows[i].expected);
}

/* close_session and pam_end of a copy of the handle in another process end nothing. */
void test_close_in_child(void **state)
{
    pam_handle_t *pamh;
    pid_t pid;

    set_answer(FAKE_EXEMPT);
    pamh = start(USER);
    assert_int_equal(open_as(pamh), PAM_SUCCESS);
    set_answer(FAKE_PLAN);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)pam_close_session(pamh, 0);
        (void)pam_end(pamh, PAM_SUCCESS);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(get_record().calls, 0);
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}
