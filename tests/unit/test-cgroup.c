/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cgroups without a systemd: the table of limits, what is written and read back, names and paths, disks, and
 * the cgroupfs manager on the real cgroup2 mount (root only; which controllers that has doesn't matter).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup_internal.h"
#include "util.h"

#define TEST_UID 4009600001U

static void clear_limits(struct cl_limits *limits)
{
    memset(limits, 0, sizeof(*limits));
    limits->pids_max = limits->memory_max = limits->memory_high = limits->swap_max = CL_UNLIMITED;
    limits->cpu_max = limits->cpu_weight = CL_UNLIMITED;
}

static struct cl_policy make_policy(enum cl_unavailable when_unavailable)
{
    struct cl_policy policy = {0};

    clear_limits(&policy.cgroup.user);
    clear_limits(&policy.cgroup.session);
    policy.cgroup.when_unavailable = when_unavailable;
    return policy;
}

static void test_table(void **state)
{
    for (unsigned l = 0; l < CGROUP_LIMIT_COUNT; l++) {
        const struct cgroup_limit_info *info = &cgroup_limit_table[l];
        const char *controller = cgroup_controller_name(info->controller);
        const char *user = cl_key_name(info->key[CGROUP_USER]);
        const char *session = cl_key_name(info->key[CGROUP_SESSION]);

        assert_int_equal(strncmp(info->file, controller, strlen(controller)), 0);
        assert_int_equal(strncmp(user, "cgroup.", 7), 0);
        assert_int_equal(strncmp(session, "cgroup.session.", 15), 0);
        assert_string_equal(user + 7, session + 15);
        for (unsigned other = 0; other < l; other++) {
            assert_int_not_equal(cgroup_limit_table[other].offset, info->offset);
            assert_string_not_equal(cgroup_limit_table[other].file, info->file);
        }
    }
}

static void test_controllers(void **state)
{
    assert_int_equal(cgroup_controllers_parse(""), 0);
    assert_int_equal(cgroup_controllers_parse("cpuset hugetlb rdma misc"), 0);
    assert_int_equal(cgroup_controllers_parse("cpuset cpu pids"),
                     1U << CGROUP_CONTROLLER_CPU | 1U << CGROUP_CONTROLLER_PIDS);
    assert_int_equal(cgroup_controllers_parse("memory\nio\n"),
                     1U << CGROUP_CONTROLLER_MEMORY | 1U << CGROUP_CONTROLLER_IO);
}

static void check_format(enum cgroup_limit limit, uint64_t value, const char *want)
{
    char buf[64];

    cgroup_limit_format(limit, value, buf, sizeof(buf));
    assert_string_equal(buf, want);
    assert_true(cgroup_limit_in_force(limit, value, want));
}

static void test_format(void **state)
{
    check_format(CGROUP_PIDS_MAX, 200, "200");
    check_format(CGROUP_PIDS_MAX, CL_UNLIMITED, "max");
    check_format(CGROUP_SWAP_MAX, 0, "0");
    check_format(CGROUP_MEMORY_MAX, 1ULL << 30, "1073741824");
    check_format(CGROUP_CPU_MAX, 150, "150000 100000");
    check_format(CGROUP_CPU_MAX, 1, "1000 100000");
    check_format(CGROUP_CPU_WEIGHT, 10000, "10000");
    check_format(CGROUP_CPU_WEIGHT, CL_UNLIMITED, "100");
}

static void test_in_force(void **state)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    char text[64];

    assert_false(cgroup_limit_in_force(CGROUP_PIDS_MAX, 200, "max"));
    assert_false(cgroup_limit_in_force(CGROUP_PIDS_MAX, 200, "2000"));
    assert_false(cgroup_limit_in_force(CGROUP_PIDS_MAX, 200, ""));
    /* the kernel rounds down to pages, and has no number for more than it can count */
    snprintf(text, sizeof(text), "%llu", (unsigned long long)(100 * page));
    assert_true(cgroup_limit_in_force(CGROUP_MEMORY_HIGH, 100 * page + 1, text));
    assert_false(cgroup_limit_in_force(CGROUP_MEMORY_HIGH, 101 * page, text));
    assert_false(cgroup_limit_in_force(CGROUP_MEMORY_HIGH, 101 * page, "max"));
    assert_true(cgroup_limit_in_force(CGROUP_MEMORY_MAX, CL_UNLIMITED - 1, "max"));
    /* another period is the same share */
    assert_true(cgroup_limit_in_force(CGROUP_CPU_MAX, 50, "5000 10000"));
    assert_false(cgroup_limit_in_force(CGROUP_CPU_MAX, 50, "50001 100000"));
    assert_false(cgroup_limit_in_force(CGROUP_CPU_MAX, 50, "max 100000"));
    assert_true(cgroup_limit_in_force(CGROUP_CPU_MAX, CL_UNLIMITED, "max 100000"));
}

static void test_devices(void **state)
{
    struct cgroup_device device = {.major = 8, .minor = 16, .rate = {50, CL_UNLIMITED, CL_UNLIMITED, 7}};
    char buf[160];

    cgroup_device_format(&device, buf, sizeof(buf));
    assert_string_equal(buf, "8:16 rbps=50 wbps=max riops=max wiops=7");
    assert_true(cgroup_device_in_force(&device, buf));
    assert_true(cgroup_device_in_force(&device, "8:0 rbps=1 wbps=max riops=max wiops=max\n"
                                                "8:16 rbps=50 wbps=max riops=max wiops=7\n"));
    assert_false(cgroup_device_in_force(&device, "8:16 rbps=50 wbps=max riops=max wiops=70"));
    assert_false(cgroup_device_in_force(&device, "8:16 rbps=max wbps=max riops=max wiops=7"));
    assert_false(cgroup_device_in_force(&device, "8:1 rbps=50 wbps=max riops=max wiops=7"));
    assert_false(cgroup_device_in_force(&device, ""));
}

/* The disk of a path, asked of sysfs in another way: the last part but one of a partition's directory. */
static void test_disk(void **state)
{
    unsigned major, minor, want_major, want_minor;
    char link[64], target[4096], *name, file[4200], *text = NULL;
    struct stat st;
    ssize_t n;

    assert_int_equal(cgroup_device_resolve("/proc", &major, &minor), -ENODEV);
    assert_int_equal(cgroup_device_resolve("/dev/null", &major, &minor), -ENOTBLK);
    assert_int_equal(cgroup_device_resolve("/no/such/path", &major, &minor), -ENOENT);

    assert_int_equal(stat("/", &st), 0);
    if (major(st.st_dev) == 0)
        skip(); /* / has no block device */
    snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
    n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        skip(); /* no sysfs */
    target[n] = '\0';
    snprintf(file, sizeof(file), "%s/dm", link);
    if (access(file, F_OK) == 0)
        skip(); /* stacked */
    name = strrchr(target, '/');
    snprintf(file, sizeof(file), "%s/partition", link);
    if (access(file, F_OK) == 0) {
        *name = '\0';
        name = strrchr(target, '/');
    }
    snprintf(file, sizeof(file), "/sys/block/%s/dev", name + 1);
    assert_int_equal(cl_read_file_at(AT_FDCWD, file, &text), 0);
    assert_int_equal(sscanf(text, "%u:%u", &want_major, &want_minor), 2);
    free(text);
    assert_int_equal(cgroup_device_resolve("/", &major, &minor), 0);
    assert_int_equal(major, want_major);
    assert_int_equal(minor, want_minor);
}

static void check_path(enum cl_cgroup_manager manager, const char *id, const char *want)
{
    char *path = NULL;

    assert_int_equal(cgroup_path_make(manager, 1000, id, &path), 0);
    assert_string_equal(path, want);
    assert_true(cgroup_path_is_valid(manager, path, 1000));
    assert_false(cgroup_path_is_valid(manager, path, 100));
    assert_false(cgroup_path_is_valid(manager, path, 10000));
    assert_false(cgroup_path_is_valid(
        manager == CL_MANAGER_SYSTEMD ? CL_MANAGER_CGROUPFS : CL_MANAGER_SYSTEMD, path, 1000));
    free(path);
}

static void test_paths(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        "/cloister",
        "/cloister/user-1000",
        "/cloister/user-1000/",
        "/cloister/user-1000/..",
        "/cloister/user-1000/A",
        "/cloister/user-1000/a/b",
        "/cloister/user-1000//a",
        "/cloister/user-1000/../user-1000/a",
        "/cloister/user-01000/a",
        "/cloister/user-1000/0123456789abcdef0123456789abcdefg",
        "cloister/user-1000/a",
        "/system.slice/ssh.service",
    };
    static const char *const bad_systemd[] = {
        "/user.slice/user-1000.slice/user-1000-cloister.slice",
        "/user.slice/user-1000.slice/user-1000-cloister.slice/cloister-.scope",
        "/user.slice/user-1000.slice/user-1000-cloister.slice/cloister-a",
        "/user.slice/user-1000.slice/user-1000-cloister.slice/session-1.scope",
        "/user.slice/user-1000.slice/user-1000-cloister.slice/cloister-a.scope.scope",
        "/user.slice/user-1000.slice/user-1000-cloister.slice/cloister-../a.scope",
        "/user.slice/user-1000.slice/session-1.scope",
        "/user.slice/user-1000.slice/cloister-a.scope",
        "/user.slice/user-1000.slice/user-1001-cloister.slice/cloister-a.scope",
    };

    check_path(CL_MANAGER_CGROUPFS, "0a9z", "/cloister/user-1000/0a9z");
    check_path(CL_MANAGER_SYSTEMD, "0a9z",
               "/user.slice/user-1000.slice/user-1000-cloister.slice/cloister-0a9z.scope");
    for (size_t i = 0; i < CL_ARRAY_SIZE(bad); i++) {
        assert_false(cgroup_path_is_valid(CL_MANAGER_CGROUPFS, bad[i], 1000));
        assert_false(cgroup_path_is_valid(CL_MANAGER_SYSTEMD, bad[i], 1000));
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(bad_systemd); i++)
        assert_false(cgroup_path_is_valid(CL_MANAGER_SYSTEMD, bad_systemd[i], 1000));
    assert_false(cgroup_path_is_valid(CL_MANAGER_CGROUPFS, NULL, 1000));
}

static void test_ids(void **state)
{
    char *path = NULL;

    assert_true(cgroup_id_is_valid("0"));
    assert_true(cgroup_id_is_valid("0123456789abcdef0123456789abcdef"));
    assert_false(cgroup_id_is_valid("0123456789abcdef0123456789abcdef0"));
    assert_false(cgroup_id_is_valid(""));
    assert_false(cgroup_id_is_valid(NULL));
    assert_false(cgroup_id_is_valid("a-b"));
    assert_false(cgroup_id_is_valid("a/b"));
    assert_false(cgroup_id_is_valid(".."));
    assert_int_equal(cgroup_path_make(CL_MANAGER_CGROUPFS, 0, "../x", &path), -EINVAL);
    assert_null(path);
}

static void test_name_uid(void **state)
{
    uid_t uid = 7;

    assert_int_equal(cgroup_name_uid("user-x", "user-", "", &uid), -EINVAL);
    assert_int_equal(cgroup_name_uid("user-", "user-", "", &uid), -EINVAL);
    assert_int_equal(cgroup_name_uid("user-007", "user-", "", &uid), -EINVAL);
    assert_int_equal(cgroup_name_uid("user-4294967295", "user-", "", &uid), -EINVAL);
    assert_int_equal(cgroup_name_uid("user-99999999999999999999", "user-", "", &uid), -EINVAL);
    assert_int_equal(cgroup_name_uid("user-1-cloister.slice", "user-", ".slice", &uid), -EINVAL);
    assert_int_equal(uid, 7);
    assert_int_equal(cgroup_name_uid("user-4294967294.slice", "user-", ".slice", &uid), 0);
    assert_int_equal(uid, 4294967294U);
}

static void test_collect(void **state)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    const struct cgroup_request request = {.policy = &policy};
    struct cgroup_setup setup = {.request = &request};
    unsigned all = (1U << CGROUP_CONTROLLER_COUNT) - 1;
    struct cl_error e = {0};

    assert_int_equal(cgroup_limits_collect(&setup, 0, &e), 0);
    assert_int_equal(cgroup_controllers_needed(&setup), 0);

    policy.cgroup.user.pids_max = 200;
    policy.cgroup.session.swap_max = 0;
    assert_int_equal(cgroup_limits_collect(&setup, all, &e), 0);
    assert_int_equal(setup.limits[CGROUP_USER].value[CGROUP_PIDS_MAX], 200);
    assert_true(cgroup_limit_is_set(&setup.limits[CGROUP_SESSION], CGROUP_SWAP_MAX));
    assert_false(cgroup_limit_is_set(&setup.limits[CGROUP_USER], CGROUP_SWAP_MAX));
    assert_int_equal(cgroup_controllers_needed(&setup),
                     1U << CGROUP_CONTROLLER_PIDS | 1U << CGROUP_CONTROLLER_MEMORY);

    assert_int_equal(cgroup_limits_collect(&setup, 1U << CGROUP_CONTROLLER_PIDS, &e), -EOPNOTSUPP);
    assert_string_equal(e.key, "cgroup.session.swap_max");
    policy.cgroup.when_unavailable = CL_UNAVAILABLE_CONTINUE;
    assert_int_equal(cgroup_limits_collect(&setup, 1U << CGROUP_CONTROLLER_PIDS, NULL), 0);
    assert_int_equal(cgroup_controllers_needed(&setup), 1U << CGROUP_CONTROLLER_PIDS);
}

static void test_collect_io(void **state)
{
    struct cl_io_limit io[] = {
        {(char *)(uintptr_t) "/", 100, CL_UNLIMITED, CL_UNLIMITED, 9},
        {(char *)(uintptr_t) "/.", 200, 50, CL_UNLIMITED, 8},
        {(char *)(uintptr_t) "/proc", CL_UNLIMITED, CL_UNLIMITED, CL_UNLIMITED, CL_UNLIMITED},
    };
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    const struct cgroup_request request = {.policy = &policy};
    struct cgroup_setup setup = {.request = &request};
    const struct cgroup_device *device = setup.limits[CGROUP_USER].device;
    unsigned available = 1U << CGROUP_CONTROLLER_IO, major, minor;
    struct cl_error e = {0};

    io[2].rbps = 1;
    policy.cgroup.session.io = &io[2];
    policy.cgroup.session.n_io = 1;
    assert_int_equal(cgroup_limits_collect(&setup, available, &e), -ENODEV);
    assert_string_equal(e.key, "cgroup.session.io");

    io[2].rbps = CL_UNLIMITED;
    policy.cgroup.user.io = io;
    policy.cgroup.user.n_io = 2;
    if (cgroup_device_resolve("/", &major, &minor) < 0)
        skip(); /* / has no block device */
    assert_int_equal(cgroup_limits_collect(&setup, available, NULL), 0);
    assert_int_equal(setup.limits[CGROUP_SESSION].n_devices, 0); /* it limits nothing */
    assert_int_equal(setup.limits[CGROUP_USER].n_devices, 1);    /* one disk: the stricter of each */
    assert_int_equal(device->major, major);
    assert_int_equal(device->minor, minor);
    assert_int_equal(device->rate[CGROUP_READ_BYTES], 100);
    assert_int_equal(device->rate[CGROUP_WRITE_BYTES], 50);
    assert_true(device->rate[CGROUP_READ_OPS] == CL_UNLIMITED);
    assert_int_equal(device->rate[CGROUP_WRITE_OPS], 8);
}

/* On the real hierarchy. */

static int skip_reason(void)
{
    if (geteuid() != 0) {
        print_message("not root: the cgroup2 mount is left alone\n");
        return 1;
    }
    if (!cgroup_mount_point()) {
        print_message("no cgroup2 mount\n");
        return 1;
    }
    return 0;
}

static pid_t sleeper(void)
{
    pid_t pid = fork();

    assert_int_not_equal(pid, -1);
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static bool exists(const char *path)
{
    char full[256];

    snprintf(full, sizeof(full), "%s%s", cgroup_mount_point(), path);
    return access(full, F_OK) == 0;
}

static struct cgroup_request make_request(const struct cl_policy *policy, const char *id, pid_t init)
{
    return (struct cgroup_request){.manager = CL_MANAGER_CGROUPFS,
                                   .id = id,
                                   .uid = TEST_UID,
                                   .policy = policy,
                                   .init = init,
                                   .deadline_ms = cl_now_ms() + 5000};
}

static void test_create_remove(void **state)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    struct cgroup_place first = {.dir_fd = -1}, second = {.dir_fd = -1};
    pid_t a, b, c;
    struct cgroup_request request;
    struct cl_usage usage;

    if (skip_reason())
        skip();
    a = sleeper();
    b = sleeper();
    c = sleeper();
    request = make_request(&policy, "one", a);
    assert_int_equal(cgroup_create(&request, &first, NULL), 0);
    assert_string_equal(first.path, "/cloister/user-4009600001/one");
    assert_int_equal(cgroup_dir_has(first.path, a), 0);
    assert_int_equal(cgroup_create(&request, &second, NULL), -EEXIST);
    assert_int_equal(cgroup_dir_has(first.path, a), 0); /* a refused open leaves the first alone */
    request = make_request(&policy, "two", b);
    assert_int_equal(cgroup_create(&request, &second, NULL), 0);
    assert_true(dprintf(first.procs_fd, "%d", (int)c) > 0);
    assert_int_equal(cgroup_dir_has(first.path, c), 0);
    assert_int_equal(cgroup_usage(first.path, &usage), 0);

    assert_int_equal(cgroup_remove(CL_MANAGER_CGROUPFS, first.path, TEST_UID, 2000, NULL), 0);
    assert_int_equal(waitpid(a, NULL, WNOHANG), a);
    assert_int_equal(waitpid(c, NULL, WNOHANG), c);
    assert_false(exists(first.path));
    assert_true(exists("/cloister/user-4009600001")); /* the second is in it */
    assert_int_equal(kill(b, 0), 0);
    assert_int_equal(cgroup_remove(CL_MANAGER_CGROUPFS, first.path, TEST_UID, 2000, NULL),
                     0); /* gone: fine */
    assert_int_equal(cgroup_remove(CL_MANAGER_CGROUPFS, second.path, TEST_UID, 2000, NULL), 0);
    assert_false(exists("/cloister/user-4009600001"));
    assert_int_equal(waitpid(b, NULL, WNOHANG), b);
    cgroup_place_clear(&first);
    cgroup_place_clear(&second);
}

static void test_refused(void **state)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    struct cgroup_place place = {.dir_fd = -1};
    struct cgroup_request request;
    pid_t a, dead;
    struct cl_error e = {0};

    if (skip_reason())
        skip();
    a = sleeper();
    dead = sleeper();
    end(dead);
    request = make_request(&policy, "dead", dead);
    assert_int_equal(cgroup_create(&request, &place, &e), -ESRCH);
    request = make_request(&policy, "../x", a);
    assert_int_equal(cgroup_create(&request, &place, NULL), -EINVAL);
    request = make_request(&policy, "x", 0);
    assert_int_equal(cgroup_create(&request, &place, NULL), -EINVAL);
    request = make_request(&policy, "x", a);
    request.manager = CL_MANAGER_AUTO;
    assert_int_equal(cgroup_create(&request, &place, NULL), -EINVAL);
    assert_int_equal(cgroup_remove(CL_MANAGER_CGROUPFS, "/cloister/user-0/../..", 0, 100, NULL), -EINVAL);
    assert_false(exists("/cloister/user-4009600001"));
    assert_int_equal(kill(a, 0), 0);
    end(a);
}

/* Where the kernel offers a controller the limit holds; where it doesn't, that key is to blame, or it is left
 * out. */
static void test_unavailable(void **state)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    struct cgroup_place place = {.dir_fd = -1};
    cleanup_free char *text = NULL;
    struct cl_error e = {0};
    struct cgroup_request request;
    pid_t a;
    int r;

    if (skip_reason())
        skip();
    policy.cgroup.session.pids_max = 50;
    a = sleeper();
    request = make_request(&policy, "three", a);
    r = cgroup_create(&request, &place, &e);
    if (r == 0) {
        assert_int_equal(cl_read_file_at(place.dir_fd, "pids.max", &text), 0);
        assert_string_equal(text, "50");
    } else {
        assert_int_equal(r, -EOPNOTSUPP);
        assert_string_equal(e.key, "cgroup.session.pids_max");
        assert_false(exists("/cloister/user-4009600001"));
        policy.cgroup.when_unavailable = CL_UNAVAILABLE_CONTINUE;
        assert_int_equal(cgroup_create(&request, &place, NULL), 0);
    }
    assert_int_equal(cgroup_remove(CL_MANAGER_CGROUPFS, place.path, TEST_UID, 2000, NULL), 0);
    cgroup_place_clear(&place);
    assert_int_equal(waitpid(a, NULL, WNOHANG), a);
}

/* cgroup.kill takes what keeps forking, and what is stopped. */
static void test_kill_bomb(void **state)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    struct cgroup_place place = {.dir_fd = -1};
    struct cgroup_request request;
    int go[2];
    pid_t a;
    char byte;

    if (skip_reason())
        skip();
    assert_int_equal(pipe(go), 0);
    a = fork();
    if (a == 0) {
        while (read(go[0], &byte, 1) < 0)
            ;
        signal(SIGCHLD, SIG_IGN);
        for (int i = 0; i < 30; i++)
            if (fork() == 0) {
                if (i % 3 == 0)
                    raise(SIGSTOP);
                for (;;) /* each replaces itself all the time */
                    if (fork() > 0)
                        _exit(0);
            }
        for (;;)
            pause();
    }
    request = make_request(&policy, "bomb", a);
    assert_int_equal(cgroup_create(&request, &place, NULL), 0);
    assert_int_equal(write(go[1], "x", 1), 1);
    usleep(100000);
    assert_int_equal(cgroup_remove(CL_MANAGER_CGROUPFS, place.path, TEST_UID, 5000, NULL), 0);
    assert_int_equal(waitpid(a, NULL, 0), a);
    assert_false(exists("/cloister/user-4009600001"));
    cgroup_place_clear(&place);
    close(go[0]);
    close(go[1]);
}

static bool known(const char *path, void *arg)
{
    return strcmp(path, arg) == 0;
}

static void test_sweep(void **state)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);
    struct cgroup_place busy = {.dir_fd = -1}, empty = {.dir_fd = -1}, recorded = {.dir_fd = -1};
    pid_t a, b, c;
    struct cgroup_request request;

    if (skip_reason())
        skip();
    a = sleeper();
    b = sleeper();
    c = sleeper();
    request = make_request(&policy, "busy", a);
    assert_int_equal(cgroup_create(&request, &busy, NULL), 0);
    request = make_request(&policy, "empty", b);
    assert_int_equal(cgroup_create(&request, &empty, NULL), 0);
    request = make_request(&policy, "recorded", c);
    assert_int_equal(cgroup_create(&request, &recorded, NULL), 0);
    end(b);
    end(c);
    assert_true(cgroup_sweep(CL_MANAGER_CGROUPFS, known, recorded.path, NULL) >= 1);
    assert_true(exists(busy.path));
    assert_true(exists(recorded.path));
    assert_false(exists(empty.path));
    end(a);
    (void)!cgroup_sweep(CL_MANAGER_CGROUPFS, known, (char[]){""}, NULL);
    assert_false(exists("/cloister/user-4009600001"));
    cgroup_place_clear(&busy);
    cgroup_place_clear(&empty);
    cgroup_place_clear(&recorded);
}

/* Users share cloister/ without a lock between them: each open and close of one may remove it under the
 * other. */
static int churn(unsigned n, unsigned rounds)
{
    struct cl_policy policy = make_policy(CL_UNAVAILABLE_REFUSE);

    for (unsigned i = 0; i < rounds; i++) {
        struct cgroup_place place = {.dir_fd = -1};
        pid_t a = fork();
        struct cgroup_request request = make_request(&policy, "churn", a);

        if (a == 0)
            for (;;)
                pause();
        request.uid += n;
        if (a < 0 || cgroup_create(&request, &place, NULL) < 0 ||
            cgroup_remove(CL_MANAGER_CGROUPFS, place.path, request.uid, 2000, NULL) < 0)
            return 1;
        cgroup_place_clear(&place);
        if (waitpid(a, NULL, 0) != a)
            return 1;
    }
    return 0;
}

static void test_users_in_parallel(void **state)
{
    pid_t pid[8];
    int status;

    if (skip_reason())
        skip();
    for (unsigned i = 0; i < CL_ARRAY_SIZE(pid); i++) {
        pid[i] = fork();
        assert_int_not_equal(pid[i], -1);
        if (pid[i] == 0)
            _exit(churn(i, 40));
    }
    for (unsigned i = 0; i < CL_ARRAY_SIZE(pid); i++) {
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    assert_false(exists("/cloister/user-4009600001"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_controllers),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_in_force),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_disk),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_name_uid),
        cmocka_unit_test(test_collect),
        cmocka_unit_test(test_collect_io),
        cmocka_unit_test(test_create_remove),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unavailable),
        cmocka_unit_test(test_kill_bomb),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_users_in_parallel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
