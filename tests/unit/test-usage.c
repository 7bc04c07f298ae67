/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is read from a cgroup, from folders of files that look like one.
 */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "usage.h"
#include "util.h"

struct fixture {
    char path[64];
    int fd;
};

static const char *const files[] = {
    "pids.current",        "pids.max",           "pids.events",   "pids.events.local",
    "memory.current",      "memory.max",         "memory.events", "memory.events.local",
    "memory.swap.current", "memory.swap.events", "cpu.stat",      "io.stat",
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    (void)snprintf(f->path, sizeof(f->path), "/tmp/cloister-usage-XXXXXX");
    if (!mkdtemp(f->path))
        return -1;
    f->fd = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* as callers have it */
    *state = f;
    return f->fd < 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(files); i++)
        (void)unlinkat(f->fd, files[i], 0);
    cl_close(&f->fd);
    (void)rmdir(f->path);
    free(f);
    return 0;
}

static void put(const struct fixture *f, const char *file, const char *text)
{
    cleanup_fd int fd = openat(f->fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(cl_write_all(fd, text, strlen(text)), 0);
}

static struct cl_usage usage_of(const struct fixture *f)
{
    struct cl_usage usage;

    cl_usage_read(f->fd, &usage);
    return usage;
}

static void assert_use(const struct cl_usage *usage, enum cl_use use, uint64_t n)
{
    if (!usage->known[use])
        print_message("%s is unknown\n", cl_use_name(use));
    assert_true(usage->known[use]);
    assert_int_equal(usage->n[use], n);
}

static void assert_unknown(const struct cl_usage *usage, enum cl_use use)
{
    if (usage->known[use])
        print_message("%s is known\n", cl_use_name(use));
    assert_false(usage->known[use]);
    assert_int_equal(usage->n[use], 0);
}

static void test_whole(void **state)
{
    const struct fixture *f = *state;
    struct cl_usage usage;

    put(f, "pids.current", "7\n");
    put(f, "pids.max", "100\n");
    put(f, "pids.events", "max 12\n");
    put(f, "pids.events.local", "max 11\n");
    put(f, "memory.current", "1048576\n");
    put(f, "memory.max", "max\n");
    put(f, "memory.events", "low 0\nhigh 5\nmax 40\noom 2\noom_kill 3\noom_group_kill 0\n");
    put(f, "memory.events.local", "low 0\nhigh 4\nmax 30\noom 1\noom_kill 0\noom_group_kill 0\n");
    put(f, "memory.swap.current", "0\n");
    put(f, "memory.swap.events", "high 0\nmax 9\nfail 8\n");
    put(f, "cpu.stat",
        "usage_usec 500000\nuser_usec 400000\nsystem_usec 100000\nnr_periods 90\n"
        "nr_throttled 80\nthrottled_usec 700000\nnr_bursts 0\nburst_usec 0\n");
    put(f, "io.stat",
        "8:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=5 dios=6\n"
        "254:1 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:0 \n");
    usage = usage_of(f);
    assert_use(&usage, CL_USE_PIDS, 7);
    assert_use(&usage, CL_USE_PIDS_MAX, 100);
    assert_use(&usage, CL_USE_PIDS_MAX_HITS, 12);
    assert_use(&usage, CL_USE_PIDS_MAX_OWN, 11);
    assert_use(&usage, CL_USE_MEMORY, 1048576);
    assert_use(&usage, CL_USE_MEMORY_MAX, CL_USAGE_MAX);
    assert_use(&usage, CL_USE_MEMORY_HIGH_HITS, 5);
    assert_use(&usage, CL_USE_MEMORY_MAX_HITS, 40);
    assert_use(&usage, CL_USE_OOM_KILLS, 3);
    assert_use(&usage, CL_USE_MEMORY_HIGH_OWN, 4);
    assert_use(&usage, CL_USE_MEMORY_MAX_OWN, 30);
    assert_use(&usage, CL_USE_OOM_OWN, 1);
    assert_use(&usage, CL_USE_SWAP, 0);
    assert_use(&usage, CL_USE_SWAP_MAX_HITS, 9);
    assert_use(&usage, CL_USE_CPU_USEC, 500000);
    assert_use(&usage, CL_USE_CPU_THROTTLED, 80);
    assert_use(&usage, CL_USE_CPU_THROTTLED_USEC, 700000);
    assert_use(&usage, CL_USE_IO_RBYTES, 101);
    assert_use(&usage, CL_USE_IO_WBYTES, 202);
    assert_use(&usage, CL_USE_IO_RIOS, 6);
    assert_use(&usage, CL_USE_IO_WIOS, 8);
}

/* Each file is a controller's, and may be missing by itself. */
static void test_missing(void **state)
{
    const struct fixture *f = *state;
    struct cl_usage usage = usage_of(f);

    for (enum cl_use use = 0; use < CL_USE_COUNT; use++)
        assert_unknown(&usage, use);
    put(f, "pids.current", "1\n");
    put(f, "cpu.stat", "usage_usec 5\nuser_usec 4\nsystem_usec 1\n"); /* the cpu controller is off */
    put(f, "io.stat", "");
    usage = usage_of(f);
    for (enum cl_use use = 0; use < CL_USE_COUNT; use++)
        if (use == CL_USE_PIDS)
            assert_use(&usage, use, 1);
        else if (use == CL_USE_CPU_USEC)
            assert_use(&usage, use, 5);
        else if (use >= CL_USE_IO_RBYTES)
            assert_use(&usage, use, 0);
        else
            assert_unknown(&usage, use);
}

static void test_no_folder(void **state)
{
    struct cl_usage usage;

    memset(&usage, 1, sizeof(usage));
    cl_usage_read(-1, &usage);
    for (enum cl_use use = 0; use < CL_USE_COUNT; use++)
        assert_unknown(&usage, use);
}

/* What no kernel writes is unknown, and never a crash or half a number. */
static void test_nonsense(void **state)
{
    static const char *const values[] = {"",
                                         "\n",
                                         "-1\n",
                                         " 1\n",
                                         "1 2\n",
                                         "1\n2\n",
                                         "0x10\n",
                                         "18446744073709551616\n",
                                         "999999999999999999999999999999\n",
                                         "maximum\n"};
    static const char *const keyed[] = {"",         "max\n",
                                        "max \n",   "max -1\n",
                                        "max 1x\n", "maximum 1\n",
                                        "xmax 1\n", " max 1\n",
                                        "max\t1\n", "max 18446744073709551616\n"};
    static const char *const nested[] = {"8:0 rbytes=\n", "8:0 rbytes=x\n", "8:0 rbytes=-1\n",
                                         "8:0 rbytes=1x wbytes=1\n"};
    const struct fixture *f = *state;
    struct cl_usage usage;

    for (size_t i = 0; i < CL_ARRAY_SIZE(values); i++) {
        put(f, "pids.current", values[i]);
        usage = usage_of(f);
        assert_unknown(&usage, CL_USE_PIDS);
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(keyed); i++) {
        put(f, "pids.events", keyed[i]);
        usage = usage_of(f);
        assert_unknown(&usage, CL_USE_PIDS_MAX_HITS);
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(nested); i++) {
        put(f, "io.stat", nested[i]);
        usage = usage_of(f);
        assert_unknown(&usage, CL_USE_IO_RBYTES);
    }
    put(f, "io.stat", "8:0 rbytes=18446744073709551615\n8:1 rbytes=1\n");
    usage = usage_of(f);
    assert_use(&usage, CL_USE_IO_RBYTES, UINT64_MAX);
}

/* A file larger than any of the kernel's is not read to its end, and a link is not followed. */
static void test_bounds(void **state)
{
    const struct fixture *f = *state;
    cleanup_free char *large = malloc(100001);
    struct cl_usage usage;

    assert_non_null(large);
    memset(large, '\n', 100000);
    large[100000] = '\0';
    put(f, "memory.events", large);
    put(f, "pids.max", "1\n");
    assert_int_equal(symlinkat("pids.max", f->fd, "pids.current"), 0);
    usage = usage_of(f);
    assert_unknown(&usage, CL_USE_OOM_KILLS);
    assert_unknown(&usage, CL_USE_PIDS);
    assert_use(&usage, CL_USE_PIDS_MAX, 1);
}

static void test_names(void **state)
{
    for (enum cl_use use = 0; use < CL_USE_COUNT; use++) {
        assert_int_equal(strspn(cl_use_name(use), "abcdefghijklmnopqrstuvwxyz_"), strlen(cl_use_name(use)));
        for (enum cl_use other = 0; other < use; other++)
            assert_string_not_equal(cl_use_name(use), cl_use_name(other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
        cmocka_unit_test(test_no_folder),
        cmocka_unit_test_setup_teardown(test_nonsense, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
