/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the limits that a cell has to those that it is to have, and what is told of it.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "limits_change.h"
#include "policy.h"

static struct limits make(const char *text)
{
    struct limits limits = {0};
    char key[48], value[96];
    int used;

    for (; sscanf(text, " %47[^= ]=%95[^ ]%n", key, value, &used) == 2; text += used) {
        struct record_limit *limit = &limits.items[limits.n++];

        (void)snprintf(limit->key, sizeof(limit->key), "%s", key);
        (void)snprintf(limit->value, sizeof(limit->value), "%s", value);
        (void)snprintf(limit->source, sizeof(limit->source), "file:%zu", limits.n);
    }
    return limits;
}

static void assert_limits(const struct limits *limits, const char *expected)
{
    char text[1024] = "";
    size_t used = 0;

    for (size_t i = 0; i < limits->n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s", i > 0 ? " " : "", limits->items[i].key,
                                 limits->items[i].value);
    assert_string_equal(text, expected);
}

static void test_target(void **state)
{
    const struct limits now = make("cgroup.pids_max=10 cgroup.session.pids_max=5 session.max=20"),
                        user = make("cgroup.pids_max=11 cgroup.memory_max=1G cgroup.session.pids_max=6 session.max=21"),
                        own = make("cgroup.pids_max=12 cgroup.session.cpu_max=50% session.max=22");
    struct limits target;

    (void)state;
    limits_target(&now, &user, &own, &target);
    assert_limits(&target, "cgroup.pids_max=11 cgroup.memory_max=1G cgroup.session.cpu_max=50% session.max=22");
    limits_target(&now, NULL, &own, &target);
    assert_limits(&target, "cgroup.pids_max=10 cgroup.session.cpu_max=50% session.max=22");
    limits_target(&now, &user, NULL, &target);
    assert_limits(&target, "cgroup.pids_max=11 cgroup.memory_max=1G cgroup.session.pids_max=5 session.max=20");
    limits_target(&now, NULL, NULL, &target);
    assert_limits(&target, "cgroup.pids_max=10 cgroup.session.pids_max=5 session.max=20");
}

static unsigned bit(enum cl_key key, enum cl_key first)
{
    return 1U << (key - first);
}

static void test_held(void **state)
{
    const struct limits before = make("cgroup.pids_max=10 cgroup.io=path=/ cgroup.session.pids_max=5 session.max=20"),
                        target = make("cgroup.pids_max=11 cgroup.memory_max=1G cgroup.session.cpu_max=50% session.max=21");
    struct limits held;

    (void)state;
    limits_held(&before, &target, 0, 0, &held);
    assert_limits(&held, "cgroup.pids_max=11 cgroup.memory_max=1G cgroup.session.cpu_max=50% session.max=21");
    limits_held(&before, &target, ~0U, ~0U, &held);
    assert_limits(&held, "cgroup.pids_max=10 cgroup.io=path=/ cgroup.session.pids_max=5 session.max=21");
    /* A limit that could not be lifted stays, one that could not be set is not there. */
    limits_held(&before, &target, bit(CL_KEY_CGROUP_MEMORY_MAX, CL_KEY_CGROUP_PIDS_MAX) | bit(CL_KEY_CGROUP_IO, CL_KEY_CGROUP_PIDS_MAX),
                bit(CL_KEY_CGROUP_SESSION_PIDS_MAX, CL_KEY_CGROUP_SESSION_PIDS_MAX), &held);
    assert_limits(&held, "cgroup.pids_max=11 cgroup.io=path=/ cgroup.session.pids_max=5 cgroup.session.cpu_max=50% session.max=21");
}

static void test_compare(void **state)
{
    const struct limits before = make("cgroup.pids_max=10 cgroup.memory_max=1G cgroup.swap_max=0"),
                        after = make("cgroup.memory_max=1G cgroup.swap_max=1M cgroup.cpu_max=50%");
    struct limit_change changes[LIMIT_CHANGES_MAX];

    (void)state;
    assert_int_equal(limits_compare(&before, &before, changes), 0);
    assert_int_equal(limits_compare(&before, &after, changes), 3);
    assert_string_equal(changes[0].before->key, "cgroup.pids_max");
    assert_null(changes[0].after);
    assert_string_equal(changes[1].before->value, "0");
    assert_string_equal(changes[1].after->value, "1M");
    assert_string_equal(changes[1].after->source, "file:2");
    assert_null(changes[2].before);
    assert_string_equal(changes[2].after->key, "cgroup.cpu_max");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
