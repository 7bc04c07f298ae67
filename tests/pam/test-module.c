/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pam_cloister.so alone: what it exports and needs, and what it does in a real PAM stack when the helper
 * answers rightly, wrongly, late or not at all. Needs no root: the helper is a fake one, and nothing is
 * placed.
 */
#include "config.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "children.h"
#include "service.h"

/* Without the C library's connection to the log, which comes and goes with who listens there. */
static unsigned open_descriptors(void)
{
    DIR *dir;
    unsigned n = 0;

    closelog();
    dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    assert_int_equal(closedir(dir), 0);
    return n;
}

static void assert_no_child(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* What a command prints, one word after another. */
static void read_command(const char *command, char *to, size_t size)
{
    FILE *f = popen(command, "re");
    size_t n;

    assert_non_null(f);
    n = fread(to, 1, size - 1, f);
    to[n] = '\0';
    assert_int_equal(pclose(f), 0);
}

static void test_exports(void **state)
{
    char names[4096];

    read_command("nm -D --defined-only " TEST_MODULE " | awk '{ print $NF }' | sort | xargs", names,
                 sizeof(names));
    assert_string_equal(names,
                        "pam_sm_authenticate pam_sm_close_session pam_sm_open_session pam_sm_setcred\n");
}

static void test_needs(void **state)
{
    static const char *const unwanted[] = {"libconfig", "libseccomp", "libjansson", "libsystemd"};
    char needed[4096];

    read_command("readelf -d " TEST_MODULE " | grep NEEDED", needed, sizeof(needed));
    assert_non_null(strstr(needed, "libpam.so"));
    for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
        assert_null(strstr(needed, unwanted[i]));
}

/* It must load on its own, with every symbol resolved, and stay loaded: fork handlers point into it. */
static void test_loads(void **state)
{
    void *handle = dlopen(TEST_MODULE, RTLD_NOW | RTLD_LOCAL), *symbol;

    assert_non_null(handle);
    symbol = dlsym(handle, "pam_sm_open_session");
    assert_non_null(symbol);
    assert_int_equal(dlclose(handle), 0);
    assert_non_null(dlopen(TEST_MODULE, RTLD_NOW | RTLD_NOLOAD));
}

static void test_request(void **state)
{
    struct fake_record record;

    assert_int_equal(open_once(USER, FAKE_EXEMPT), PAM_SUCCESS);
    record = get_record();
    assert_int_equal(record.calls, 1);
    assert_int_equal(record.request.version, CL_HANDOFF_VERSION);
    assert_int_equal(record.request.verb, CL_VERB_OPEN);
    assert_int_equal(record.request.setcred_calls, 1);
    assert_string_equal(record.request.user, USER);
    assert_string_equal(record.request.service, SERVICE);
    assert_string_equal(record.request.tty, "ssh");
    assert_string_equal(record.request.rhost, "client.example");
}

static void test_setcred_is_counted(void **state)
{
    pam_handle_t *pamh;

    set_answer(FAKE_EXEMPT);
    pamh = start(USER);
    assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
    assert_int_equal(get_record().request.setcred_calls, 0);
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_helper_starts_clean(void **state)
{
    sigset_t all, old;
    struct fake_record record;

    assert_int_equal(setenv("LD_PRELOAD_NOT", "inherited", 1), 0);
    (void)sigfillset(&all);
    assert_int_equal(sigprocmask(SIG_BLOCK, &all, &old), 0);
    assert_ptr_not_equal(signal(SIGPIPE, SIG_IGN), SIG_ERR);
    assert_int_equal(open_once(USER, FAKE_EXEMPT), PAM_SUCCESS);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
    record = get_record();
    assert_int_equal(record.environment, 0);
    assert_int_equal(record.descriptors, 0xf);
    assert_int_equal(record.blocked, 0);
    assert_int_equal(record.ignored, 0);
}

static void test_refused(void **state)
{
    assert_int_equal(open_once(USER, FAKE_REFUSE), PAM_PERM_DENIED);
    assert_string_equal(told, "the text of the answer");
    assert_int_equal(open_once("root", FAKE_REFUSE), PAM_SUCCESS); /* the helper could not even find out that it is root */
}

static void test_unexpected_answer(void **state)
{
    assert_int_equal(open_once(USER, FAKE_DONE), PAM_PERM_DENIED);
}

static void test_missing_helper(void **state)
{
    assert_int_equal(unlink(FAKE_HELPER), 0);
    assert_int_equal(open_once(USER, FAKE_PLAN), PAM_PERM_DENIED);
    assert_non_null(strstr(told, "refused"));
    assert_int_equal(open_once("root", FAKE_PLAN), PAM_SUCCESS);
    assert_int_equal(get_record().calls, 0);
}

static void test_helper_not_executable(void **state)
{
    assert_int_equal(unlink(FAKE_HELPER), 0);
    assert_int_equal(symlink("/dev/null", FAKE_HELPER), 0);
    assert_int_equal(open_once(USER, FAKE_PLAN), PAM_PERM_DENIED);
    assert_int_equal(open_once("root", FAKE_PLAN), PAM_SUCCESS);
}

/* A helper that gives no valid answer: everyone is refused but root, and nothing of it is left. */
static void assert_useless(enum fake_answer how)
{
    unsigned before = open_descriptors();
    struct fake_record record;

    assert_int_equal(open_once(USER, how), PAM_PERM_DENIED);
    record = get_record();
    assert_int_equal(record.calls, 1);
    assert_int_equal(open_descriptors(), before);
    assert_no_child();
    assert_int_equal(kill(record.pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(open_once("root", how), PAM_SUCCESS);
    assert_int_equal(open_descriptors(), before);
    assert_no_child();
}

#define USELESS(name, how)                                                                                   \
    static void test_helper_##name(void **state)                                                             \
    {                                                                                                        \
        assert_useless(how);                                                                                 \
    }
USELESS(dies, FAKE_DIE)
USELESS(dies_after_hello, FAKE_DIE_HELLO)
USELESS(hangs, FAKE_HANG)
USELESS(hangs_after_hello, FAKE_HANG_HELLO)
USELESS(sends_too_little, FAKE_SHORT)
USELESS(sends_too_much, FAKE_LONG)
USELESS(sends_noise, FAKE_NOISE)
USELESS(is_of_another_build, FAKE_VERSION)
USELESS(sends_descriptor_with_hello, FAKE_HELLO_FD)
USELESS(sends_too_few_descriptors, FAKE_FEW_FDS)
USELESS(sends_too_many_descriptors, FAKE_MANY_FDS)
USELESS(floods_descriptors, FAKE_FLOOD_FDS)
USELESS(plans_for_uid_0, FAKE_ROOT_PLAN)
USELESS(sends_endless_string, FAKE_UNTERMINATED)
USELESS(sends_control_character, FAKE_BAD_NOTICE)

static void test_answer_then_linger(void **state)
{
    unsigned before = open_descriptors();

    assert_int_equal(open_once(USER, FAKE_LINGER), PAM_SUCCESS);
    assert_int_equal(kill(get_record().pid, 0), -1);
    assert_int_equal(open_descriptors(), before);
    assert_no_child();
}

static void assert_opens(enum fake_answer how, unsigned n_fds)
{
    unsigned before = open_descriptors();
    pam_handle_t *pamh;

    set_answer(how);
    pamh = start(USER);
    assert_int_equal(open_as(pamh), PAM_SUCCESS);
    assert_int_equal(open_descriptors(), before + n_fds + 1); /* and the own pid namespace */
    assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
    assert_string_equal(get_record().verbs, "oc");
    assert_string_equal(get_record().request.id, "abcdefghij01");
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
    assert_int_equal(get_record().calls, 2);
    assert_no_child();
}

static void test_open_and_close(void **state)
{
    assert_opens(FAKE_PLAN, 3);
}

static void test_open_without_cgroup_and_filter(void **state)
{
    assert_opens(FAKE_PLAN_BARE, 1);
}

static void test_open_without_cgroup(void **state)
{
    assert_opens(FAKE_SECCOMP_ONLY, 2);
}

static void test_notice(void **state)
{
    pam_handle_t *pamh;

    set_answer(FAKE_NOTICE);
    told[0] = '\0';
    pamh = start(USER);
    assert_int_equal(open_as(pamh), PAM_SUCCESS);
    assert_string_equal(told, "one 100%s\ntwo\n");
    assert_int_equal(get_record().request.terminal, 0); /* standard input is none in a test */
    assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
    assert_int_equal(get_record().request.shown, 0); /* sshd has not started a shell */
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
    assert_no_child();
}

static void test_open_again(void **state)
{
    pam_handle_t *pamh;

    set_answer(FAKE_PLAN);
    pamh = start(USER);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_as(pamh), PAM_SUCCESS);
        assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
    }
    assert_string_equal(get_record().verbs, "ococ");
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_environment(void **state)
{
    pam_handle_t *pamh;

    set_answer(FAKE_PLAN);
    pamh = start(USER);
    assert_int_equal(pam_putenv(pamh, "GONE=once"), PAM_SUCCESS);
    assert_int_equal(pam_putenv(pamh, "KEPT=still"), PAM_SUCCESS);
    assert_int_equal(open_as(pamh), PAM_SUCCESS);
    assert_string_equal(pam_getenv(pamh, "GREETING"), "hello");
    assert_string_equal(pam_getenv(pamh, "EMPTY"), "");
    assert_string_equal(pam_getenv(pamh, "KEPT"), "still");
    assert_null(pam_getenv(pamh, "GONE"));
    assert_null(pam_getenv(pamh, "NEVER_THERE"));
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_long_item(void **state)
{
    char rhost[600];
    pam_handle_t *pamh;

    memset(rhost, 'x', sizeof(rhost) - 1);
    rhost[sizeof(rhost) - 1] = '\0';
    set_answer(FAKE_EXEMPT);
    pamh = start(USER);
    assert_int_equal(pam_set_item(pamh, PAM_RHOST, rhost), PAM_SUCCESS);
    assert_int_equal(open_as(pamh), PAM_PERM_DENIED);
    assert_int_equal(get_record().calls, 0);
    assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void test_twice_in_stack(void **state)
{
    write_stack("session required " MODULE "\nsession required " MODULE "\n");
    assert_int_equal(open_once(USER, FAKE_PLAN), PAM_PERM_DENIED);
    assert_string_equal(get_record().verbs, "oc");
    assert_int_equal(open_once(USER, FAKE_EXEMPT), PAM_SUCCESS);
}

static void test_sigchld_ignored(void **state)
{
    struct sigaction after;

    assert_ptr_not_equal(signal(SIGCHLD, SIG_IGN), SIG_ERR);
    assert_opens(FAKE_PLAN, 3);
    assert_int_equal(sigaction(SIGCHLD, NULL, &after), 0);
    assert_ptr_equal(after.sa_handler, SIG_IGN);
    assert_ptr_not_equal(signal(SIGCHLD, SIG_DFL), SIG_ERR);
}

static void test_sigchld_blocked(void **state)
{
    sigset_t set, old, after;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
    assert_opens(FAKE_PLAN, 3);
    assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
    assert_int_equal(sigismember(&after, SIGCHLD), 1);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void reap_all(int sig)
{
    int saved = errno;

    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

static void test_sigchld_reaped_by_service(void **state)
{
    struct sigaction reap = {.sa_handler = reap_all}, after;

    assert_int_equal(sigaction(SIGCHLD, &reap, NULL), 0);
    assert_opens(FAKE_PLAN, 3);
    assert_int_equal(sigaction(SIGCHLD, NULL, &after), 0);
    assert_ptr_equal(after.sa_handler, reap_all);
    assert_ptr_not_equal(signal(SIGCHLD, SIG_DFL), SIG_ERR);
}

/* A service without standard descriptors: the first pipe or socket lands on 0 to 2. */
static void test_no_standard_descriptors(void **state)
{
    int status = -1;
    pid_t pid;

    set_answer(FAKE_EXEMPT);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        pam_handle_t *pamh = start(USER);

        (void)close_range(0, 63, 0);
        _exit(open_as(pamh) == PAM_SUCCESS ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(get_record().descriptors, 0xf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exports),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_loads),
        cmocka_unit_test_setup(test_request, setup),
        cmocka_unit_test_setup(test_setcred_is_counted, setup),
        cmocka_unit_test_setup(test_helper_starts_clean, setup),
        cmocka_unit_test_setup(test_refused, setup),
        cmocka_unit_test_setup(test_unexpected_answer, setup),
        cmocka_unit_test_setup(test_missing_helper, setup),
        cmocka_unit_test_setup(test_helper_not_executable, setup),
        cmocka_unit_test_setup(test_helper_dies, setup),
        cmocka_unit_test_setup(test_helper_dies_after_hello, setup),
        cmocka_unit_test_setup(test_helper_hangs, setup),
        cmocka_unit_test_setup(test_helper_hangs_after_hello, setup),
        cmocka_unit_test_setup(test_helper_sends_too_little, setup),
        cmocka_unit_test_setup(test_helper_sends_too_much, setup),
        cmocka_unit_test_setup(test_helper_sends_noise, setup),
        cmocka_unit_test_setup(test_helper_is_of_another_build, setup),
        cmocka_unit_test_setup(test_helper_sends_descriptor_with_hello, setup),
        cmocka_unit_test_setup(test_helper_sends_too_few_descriptors, setup),
        cmocka_unit_test_setup(test_helper_sends_too_many_descriptors, setup),
        cmocka_unit_test_setup(test_helper_floods_descriptors, setup),
        cmocka_unit_test_setup(test_helper_plans_for_uid_0, setup),
        cmocka_unit_test_setup(test_helper_sends_endless_string, setup),
        cmocka_unit_test_setup(test_helper_sends_control_character, setup),
        cmocka_unit_test_setup(test_answer_then_linger, setup),
        cmocka_unit_test_setup(test_open_and_close, setup),
        cmocka_unit_test_setup(test_open_without_cgroup_and_filter, setup),
        cmocka_unit_test_setup(test_open_without_cgroup, setup),
        cmocka_unit_test_setup(test_notice, setup),
        cmocka_unit_test_setup(test_open_again, setup),
        cmocka_unit_test_setup(test_environment, setup),
        cmocka_unit_test_setup(test_long_item, setup),
        cmocka_unit_test_setup(test_twice_in_stack, setup),
        cmocka_unit_test_setup(test_sigchld_ignored, setup),
        cmocka_unit_test_setup(test_sigchld_blocked, setup),
        cmocka_unit_test_setup(test_sigchld_reaped_by_service, setup),
        cmocka_unit_test_setup(test_child_of_refused_session_ends, setup),
        cmocka_unit_test_setup(test_child_of_exempt_session_goes_on, setup),
        cmocka_unit_test_setup(test_child_that_cannot_be_placed_ends, setup),
        cmocka_unit_test_setup(test_second_child_ends, setup),
        cmocka_unit_test_setup(test_child_without_session, setup),
        cmocka_unit_test_setup(test_close_in_child, setup),
        cmocka_unit_test_setup(test_no_standard_descriptors, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
