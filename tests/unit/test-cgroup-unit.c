/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What systemd is told, read back from the D-Bus messages; they are built on a socket pair, nothing is sent.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cgroup_unit.h"
#include "util.h"

struct fixture {
    sd_bus *bus;
    int peer;
    struct cl_policy policy;
    struct cgroup_request request;
    struct cgroup_setup setup;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int fd[2];

    if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0 || sd_bus_new(&f->bus) < 0 ||
        sd_bus_set_fd(f->bus, fd[0], fd[0]) < 0 || sd_bus_start(f->bus) < 0)
        return -1;
    f->peer = fd[1];
    f->request = (struct cgroup_request){.id = "0abc", .uid = 1000, .init = 4711, .policy = &f->policy};
    f->setup = (struct cgroup_setup){.request = &f->request, .mount_fd = -1};
    for (unsigned level = 0; level < CGROUP_LEVEL_COUNT; level++)
        for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++)
            f->setup.limits[level].value[l] = CL_UNLIMITED;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sd_bus_close(f->bus);
    sd_bus_unref(f->bus);
    cl_close(&f->peer);
    free(f);
    return 0;
}

static sd_bus_message *message(struct fixture *f)
{
    sd_bus_message *m = NULL;

    assert_true(sd_bus_message_new_method_call(f->bus, &m, "a.b", "/", "a.b", "C") >= 0);
    return m;
}

static sd_bus_message *limits_message(struct fixture *f, const struct cgroup_limits *limits, unsigned which)
{
    sd_bus_message *m = message(f);

    assert_true(sd_bus_message_open_container(m, 'a', "(sv)") >= 0);
    assert_true(cgroup_unit_append_limits(m, limits, which) >= 0);
    assert_true(sd_bus_message_close_container(m) >= 0);
    assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
    return m;
}

/* Enter the array of properties and go to the n-th one called name; leaves the cursor in its variant. */
static bool find(sd_bus_message *m, const char *name, int nth, const char *type)
{
    const char *found;

    if (sd_bus_message_enter_container(m, 'a', "(sv)") < 0)
        return false;
    while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
        assert_true(sd_bus_message_read(m, "s", &found) > 0);
        if (strcmp(found, name) == 0 && nth-- == 0)
            return sd_bus_message_enter_container(m, 'v', type) > 0;
        assert_true(sd_bus_message_skip(m, "v") >= 0);
        assert_true(sd_bus_message_exit_container(m) >= 0);
    }
    return false;
}

static void check_u64(sd_bus_message *m, const char *name, uint64_t want)
{
    uint64_t value;

    assert_true(sd_bus_message_rewind(m, true) >= 0);
    assert_true(find(m, name, 0, "t"));
    assert_true(sd_bus_message_read(m, "t", &value) > 0);
    assert_true(value == want);
}

static void check_rates(sd_bus_message *m, const char *name, int nth, const char *path, uint64_t rate)
{
    const char *found;
    uint64_t value;

    assert_true(sd_bus_message_rewind(m, true) >= 0);
    assert_true(find(m, name, nth, "a(st)"));
    assert_true(sd_bus_message_enter_container(m, 'a', "(st)") >= 0);
    if (path) {
        assert_true(sd_bus_message_read(m, "(st)", &found, &value) > 0);
        assert_string_equal(found, path);
        assert_true(value == rate);
    }
    assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_limits(void **state)
{
    struct fixture *f = *state;
    struct cgroup_limits *limits = &f->setup.limits[CGROUP_USER];
    sd_bus_message *m;

    limits->value[CGROUP_PIDS_MAX] = 200;
    limits->value[CGROUP_SWAP_MAX] = 0;
    limits->value[CGROUP_CPU_MAX] = 150;
    m = limits_message(f, limits, CGROUP_ALL_LIMITS);
    check_u64(m, "TasksMax", 200);
    check_u64(m, "MemorySwapMax", 0);
    check_u64(m, "CPUQuotaPerSecUSec", 1500000);
    /* what isn't limited is said as well: it resets an earlier policy's, and DefaultTasksMax= */
    check_u64(m, "MemoryMax", UINT64_MAX);
    check_u64(m, "MemoryHigh", UINT64_MAX);
    check_u64(m, "CPUWeight", UINT64_MAX);
    sd_bus_message_unref(m);

    m = limits_message(f, limits, 1U << CGROUP_PIDS_MAX);
    check_u64(m, "TasksMax", 200);
    assert_true(sd_bus_message_rewind(m, true) >= 0);
    assert_false(find(m, "MemoryMax", 0, "t"));
    sd_bus_message_unref(m);

    limits->value[CGROUP_CPU_MAX] = CL_UNLIMITED;
    m = limits_message(f, limits, CGROUP_ALL_LIMITS);
    check_u64(m, "CPUQuotaPerSecUSec", UINT64_MAX);
    check_rates(m, "IOReadBandwidthMax", 0, NULL, 0);
    assert_true(sd_bus_message_rewind(m, true) >= 0);
    assert_false(find(m, "IOReadBandwidthMax", 1, "a(st)"));
    sd_bus_message_unref(m);
}

static void test_io(void **state)
{
    struct fixture *f = *state;
    struct cgroup_limits *limits = &f->setup.limits[CGROUP_SESSION];
    sd_bus_message *m;

    limits->n_devices = 2;
    limits->device[0] = (struct cgroup_device){254, 16, {50, CL_UNLIMITED, CL_UNLIMITED, 7}};
    limits->device[1] = (struct cgroup_device){8, 0, {CL_UNLIMITED, 60, CL_UNLIMITED, CL_UNLIMITED}};
    m = limits_message(f, limits, CGROUP_ALL_LIMITS);
    check_rates(m, "IOReadBandwidthMax", 0, NULL, 0); /* the reset comes first */
    check_rates(m, "IOReadBandwidthMax", 1, "/dev/block/254:16", 50);
    check_rates(m, "IOWriteBandwidthMax", 1, "/dev/block/8:0", 60);
    check_rates(m, "IOReadIOPSMax", 1, NULL, 0);
    check_rates(m, "IOWriteIOPSMax", 1, "/dev/block/254:16", 7);
    sd_bus_message_unref(m);
}

static sd_bus_message *start_message(struct fixture *f, bool oom_policy, bool with_slice)
{
    struct cgroup_unit_names names = cgroup_unit_names(f->request.uid, f->request.id);
    sd_bus_message *m = message(f);
    const char *scope, *mode;

    assert_true(cgroup_unit_fill_start(m, &f->setup, &names, oom_policy, with_slice) >= 0);
    assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
    assert_string_equal(sd_bus_message_get_signature(m, true), "ssa(sv)a(sa(sv))");
    assert_true(sd_bus_message_read(m, "ss", &scope, &mode) > 0);
    assert_string_equal(scope, "cloister-0abc.scope");
    return m;
}

static void test_start(void **state)
{
    const char *text;
    uint32_t pid;
    sd_bus_message *m = start_message(*state, false, true);

    assert_false(find(m, "OOMPolicy", 0, "s")); /* a systemd without it would refuse it */
    assert_true(sd_bus_message_exit_container(m) >= 0);
    assert_true(sd_bus_message_enter_container(m, 'a', "(sa(sv))") > 0);
    assert_true(sd_bus_message_enter_container(m, 'r', "sa(sv)") > 0);
    assert_true(sd_bus_message_read(m, "s", &text) > 0);
    assert_string_equal(text, "user-1000-cloister.slice");
    sd_bus_message_unref(m);

    m = start_message(*state, true, false);
    assert_true(find(m, "OOMPolicy", 0, "s"));
    assert_true(sd_bus_message_read(m, "s", &text) > 0);
    assert_string_equal(text, "continue");
    sd_bus_message_unref(m);

    m = start_message(*state, true, false);
    assert_true(find(m, "Slice", 0, "s"));
    assert_true(sd_bus_message_read(m, "s", &text) > 0);
    assert_string_equal(text, "user-1000-cloister.slice");
    sd_bus_message_unref(m);

    m = start_message(*state, true, false);
    assert_true(find(m, "PIDs", 0, "au"));
    assert_true(sd_bus_message_read(m, "au", 1, &pid) > 0);
    assert_int_equal(pid, 4711);
    sd_bus_message_unref(m);
}

/* Of a scope that logins share, what is below is ours, with the controllers of a session's limits; the limits are not the scope's. */
static void test_shared(void **state)
{
    struct fixture *f = *state;
    const char *controller;
    uint64_t tasks;
    sd_bus_message *m;

    f->request.shared = true;
    f->setup.limits[CGROUP_SESSION].value[CGROUP_PIDS_MAX] = 30;
    m = start_message(f, true, false);
    assert_true(find(m, "DelegateControllers", 0, "as"));
    assert_true(sd_bus_message_enter_container(m, 'a', "s") > 0);
    assert_true(sd_bus_message_read(m, "s", &controller) > 0);
    assert_string_equal(controller, "pids");
    assert_int_equal(sd_bus_message_at_end(m, false), 1);
    sd_bus_message_unref(m);

    m = start_message(f, true, false);
    assert_true(find(m, "TasksMax", 0, "t"));
    assert_true(sd_bus_message_read(m, "t", &tasks) > 0);
    assert_true(tasks == UINT64_MAX);
    sd_bus_message_unref(m);

    f->setup.limits[CGROUP_SESSION].value[CGROUP_PIDS_MAX] = CL_UNLIMITED;
    m = start_message(f, true, false);
    assert_true(find(m, "DelegateControllers", 0, "as")); /* an empty list delegates as well */
    assert_true(sd_bus_message_enter_container(m, 'a', "s") >= 0);
    assert_int_equal(sd_bus_message_at_end(m, false), 1);
    sd_bus_message_unref(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_io, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shared, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
