/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which limit a counter means: the session's, the user's, either, or none of the policy's.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hits.h"
#include "util.h"

#define FILE_PATH "/etc/cloister/policy.d/50-students.conf"

static const struct record_limit limits[] = {
    {"cgroup.pids_max", "200", FILE_PATH ":3"},
    {"cgroup.memory_max", "512M", FILE_PATH ":12"},
    {"cgroup.cpu_max", "150%", "built-in"},
    {"cgroup.session.pids_max", "100", FILE_PATH ":14"},
    {"cgroup.session.memory_max", "256M", FILE_PATH ":15"},
};

struct fixture {
    struct cl_usage session, user;
    struct hit hits[HITS_MAX];
    size_t n;
};

static void set(struct cl_usage *usage, enum cl_use use, uint64_t n)
{
    usage->known[use] = true;
    usage->n[use] = n;
}

static void find(struct fixture *f, size_t n_limits)
{
    f->n = hits_find(&f->session, &f->user, limits, n_limits, f->hits);
}

static void assert_text(const struct fixture *f, size_t i, const char *text)
{
    char buf[1000];

    assert_true(i < f->n);
    assert_string_equal(hit_text(&f->hits[i], buf, sizeof(buf)), text);
}

static void test_nothing(void **state)
{
    struct fixture f = {0};

    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 0);
}

static void test_kills(void **state)
{
    struct fixture f = {0};

    set(&f.session, CL_USE_OOM_KILLS, 3);
    set(&f.session, CL_USE_MEMORY_MAX_OWN, 50);
    set(&f.session, CL_USE_OOM_OWN, 3);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 1); /* that the limit was reached goes without saying */
    assert_text(&f, 0, "3 processes killed at session.memory_max 256M, set in 50-students.conf:15");

    set(&f.session, CL_USE_OOM_OWN, 0);
    set(&f.session, CL_USE_MEMORY_MAX_OWN, 0);
    set(&f.session, CL_USE_OOM_KILLS, 1);
    set(&f.user, CL_USE_OOM_OWN, 1);
    set(&f.user, CL_USE_MEMORY_MAX_OWN, 9);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 1);
    assert_text(&f, 0, "1 process killed at memory_max 512M, set in 50-students.conf:12");

    set(&f.session, CL_USE_OOM_OWN, 1);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 1);
    assert_text(&f, 0,
                "1 process killed at session.memory_max 256M, set in 50-students.conf:15, or at memory_max "
                "512M, set in "
                "50-students.conf:12");

    memset(&f, 0, sizeof(f));
    set(&f.session, CL_USE_OOM_KILLS, 2);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_text(&f, 0, "2 processes killed for want of memory on the host");
}

/* What the session has only because its user has it is told as the user's. */
static void test_the_users_in_the_session(void **state)
{
    static const struct record_limit user[] = {{"cgroup.memory_max", "512M", FILE_PATH ":12"}};
    struct fixture f = {0};

    set(&f.session, CL_USE_OOM_KILLS, 3);
    set(&f.session, CL_USE_OOM_OWN, 2);
    set(&f.user, CL_USE_OOM_OWN, 1);
    f.n = hits_find(&f.session, &f.user, user, CL_ARRAY_SIZE(user), f.hits);
    assert_int_equal(f.n, 1);
    assert_text(&f, 0, "3 processes killed at memory_max 512M, set in 50-students.conf:12");
}

/* Another session's process may be the victim: the limit that was met is told all the same. */
static void test_victim_elsewhere(void **state)
{
    struct fixture f = {0};

    set(&f.user, CL_USE_OOM_OWN, 1);
    set(&f.user, CL_USE_MEMORY_MAX_OWN, 7);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 1);
    assert_true(f.hits[0].of_user);
    assert_text(&f, 0, "7 times memory reclaimed at memory_max 512M, set in 50-students.conf:12");
}

/* Before Linux 6.11 a refused fork is counted where it was tried. */
static void test_forks_old(void **state)
{
    struct fixture f = {0};

    set(&f.session, CL_USE_PIDS_MAX_HITS, 4);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 1);
    assert_text(
        &f, 0,
        "4 forks refused at session.pids_max 100, set in 50-students.conf:14, or at pids_max 200, set in "
        "50-students.conf:3");
    find(&f, 3); /* the user's alone */
    assert_text(&f, 0, "4 forks refused at pids_max 200, set in 50-students.conf:3");
    find(&f, 0);
    assert_text(&f, 0, "4 forks refused by a limit of the host");
}

static void test_forks_new(void **state)
{
    struct fixture f = {0};

    set(&f.session, CL_USE_PIDS_MAX_HITS, 4);
    set(&f.session, CL_USE_PIDS_MAX_OWN, 4);
    set(&f.user, CL_USE_PIDS_MAX_HITS, 5);
    set(&f.user, CL_USE_PIDS_MAX_OWN, 1);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 2);
    assert_text(&f, 0, "4 forks refused at session.pids_max 100, set in 50-students.conf:14");
    assert_text(&f, 1, "1 fork refused at pids_max 200, set in 50-students.conf:3");
    assert_true(f.hits[1].of_user);
}

static void test_cpu(void **state)
{
    struct fixture f = {0};

    set(&f.user, CL_USE_CPU_THROTTLED, 40);
    set(&f.user, CL_USE_CPU_THROTTLED_USEC, 12345678);
    find(&f, CL_ARRAY_SIZE(limits));
    assert_int_equal(f.n, 1);
    assert_text(&f, 0, "processors held back for 12.34 s at cpu_max 150%, built-in");
}

/* All at once fits, and a program can read it. */
static void test_all(void **state)
{
    struct fixture f = {0};
    json_t *own, *of_user;

    for (enum cl_use use = 0; use < CL_USE_COUNT; use++) {
        set(&f.session, use, UINT64_MAX);
        set(&f.user, use, 1);
    }
    find(&f, CL_ARRAY_SIZE(limits));
    assert_true(f.n <= HITS_MAX);
    own = hits_json(f.hits, f.n, false);
    of_user = hits_json(f.hits, f.n, true);
    assert_int_equal(json_array_size(own) + json_array_size(of_user), f.n);
    assert_string_equal(json_string_value(json_object_get(json_array_get(own, 0), "what")), "oom_kills");
    assert_int_equal(json_array_size(json_object_get(json_array_get(own, 0), "limits")), 2);
    json_decref(own);
    json_decref(of_user);
}

/* A file's name is root's, but a terminal is not for control characters. */
static void test_escaped(void **state)
{
    static const struct record_limit odd = {"cgroup.cpu_max", "1%", "/etc/a\n\033[31m.conf:1"};
    struct hit hit = {.kind = HIT_CPU, .count = 1, .limit = &odd};
    char buf[1000], small[10];

    assert_string_equal(hit_text(&hit, buf, sizeof(buf)),
                        "processors held back for 0.00 s at cpu_max 1%, set in a??[31m.conf:1");
    assert_string_equal(hit_text(&hit, small, sizeof(small)), "processor");
}

static void test_brief(void **state)
{
    const struct hit forks = {.kind = HIT_FORKS, .count = 12};
    const struct hit cpu = {.kind = HIT_CPU, .count = 3, .usec = 1234567, .of_user = true};
    char buf[80];

    assert_string_equal(hit_brief(&forks, buf, sizeof(buf)), "12 forks");
    assert_string_equal(hit_brief(&cpu, buf, sizeof(buf)), "user: 1.23s cpu");
}

static void test_usage_json(void **state)
{
    struct cl_usage usage = {0};
    json_t *json;

    set(&usage, CL_USE_PIDS, 7);
    set(&usage, CL_USE_PIDS_MAX, CL_USAGE_MAX);
    json = usage_json(&usage);
    assert_int_equal(json_object_size(json), CL_USE_COUNT);
    assert_int_equal(json_integer_value(json_object_get(json, "pids")), 7);
    assert_string_equal(json_string_value(json_object_get(json, "pids_max")), "max");
    assert_true(json_is_null(json_object_get(json, "memory")));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_the_users_in_the_session),
        cmocka_unit_test(test_victim_elsewhere),
        cmocka_unit_test(test_forks_old),
        cmocka_unit_test(test_forks_new),
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_escaped),
        cmocka_unit_test(test_brief),
        cmocka_unit_test(test_usage_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
