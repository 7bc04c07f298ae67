/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cache of compiled filters.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp-fixture.h"
#include "seccomp_cache.h"

static size_t count_files(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

/* The one file in the cache. */
static void cache_file(const char *cache, char *path, size_t size)
{
    DIR *dir = opendir(cache);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            snprintf(path, size, "%s/%s", cache, entry->d_name);
    closedir(dir);
}

static void make_cache(const struct fixture *f, char *cache, size_t size)
{
    snprintf(cache, size, "%s/cache", f->dir);
    assert_int_equal(mkdir(cache, 0700), 0);
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    char c;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c = (char)~c;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void test_cache(void **state)
{
    struct fixture *f = *state;
    struct sock_filter first[BPF_MAXINSNS];
    char cache[64], file[400];
    struct stat before, st;
    size_t n;

    make_cache(f, cache, sizeof(cache));
    copy_profile(f, TEST_PROFILE);
    assert_int_equal(compile(f, cache), 0);
    n = f->n;
    memcpy(first, f->insns, sizeof(first));
    cache_file(cache, file, sizeof(file));
    assert_int_equal(stat(file, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(stat(file, &st), 0);
    assert_true(st.st_ino == before.st_ino); /* a hit writes nothing */
    assert_memory_equal(first, f->insns, n * sizeof(first[0]));
    for (off_t at = 0; at < before.st_size; at += at < 32 ? 1 : 997) {
        flip(file, at);
        assert_int_equal(compile(f, cache), 0);
        assert_int_equal(f->n, n);
        assert_memory_equal(first, f->insns, n * sizeof(first[0]));
    }
    for (off_t size = 0; size < before.st_size; size += before.st_size / 7) {
        assert_int_equal(truncate(file, size), 0);
        assert_int_equal(compile(f, cache), 0);
        assert_memory_equal(first, f->insns, n * sizeof(first[0]));
    }
    assert_int_equal(count_files(cache), 1);
}

static void test_cache_inputs(void **state)
{
    struct fixture *f = *state;
    char cache[64];

    make_cache(f, cache, sizeof(cache));
    write_profile(f, ALLOW_ALL "{\"names\":[\"chroot\"],\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"caps\":"
                               "[\"CAP_SYS_CHROOT\"]}}]}");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_ALLOW);
    f->policy.capabilities.bounding = CAP(CAP_CHROOT);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_KILL_THREAD);
    deny(f, "read");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "read", 0, 0), ERRNO(EPERM));
    f->policy.seccomp.action = CL_SECCOMP_KILL;
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "read", 0, 0), SECCOMP_RET_KILL_PROCESS);
    allow(f, "chroot");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "chroot", 0, 0), SECCOMP_RET_ALLOW);
    write_profile(f, DENY_ALL "]}");
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "write", 0, 0), SECCOMP_RET_KILL_PROCESS);
    f->policy.mode = CL_MODE_AUDIT;
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "write", 0, 0), SECCOMP_RET_LOG);
    assert_int_equal(count_files(cache), 7);
}

/* Files under one name, as after a collision of the hash, are misses for each other. */
static void test_cache_collision(void **state)
{
    struct fixture *f = *state;
    char cache[64], file[400], other[80];

    make_cache(f, cache, sizeof(cache));
    snprintf(other, sizeof(other), "%s/other", f->dir);
    write_profile(f, ALLOW_ALL "]}");
    assert_int_equal(compile(f, cache), 0);
    cache_file(cache, file, sizeof(file));
    assert_int_equal(rename(file, other), 0);
    write_profile(f, DENY_ALL "]}");
    assert_int_equal(compile(f, cache), 0);
    cache_file(cache, file, sizeof(file));
    assert_int_equal(rename(other, file), 0);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(ask(f, "read", 0, 0), ERRNO(EPERM));
}

static void test_cache_untrusted(void **state)
{
    struct fixture *f = *state;
    char cache[64];
    int fd;

    make_cache(f, cache, sizeof(cache));
    write_profile(f, ALLOW_ALL "]}");
    assert_int_equal(chmod(cache, 0777), 0);
    assert_int_equal(compile(f, cache), 0);
    assert_int_equal(count_files(cache), 0);
    assert_int_equal(seccomp_cache_open(cache, &fd), -EPERM);
    assert_int_equal(seccomp_cache_open(f->path, &fd), -ENOTDIR);
    assert_int_equal(rmdir(cache), 0);
    assert_int_equal(symlink(f->dir, cache), 0);
    assert_int_equal(compile(f, cache), 0);
    assert_true(seccomp_cache_open(cache, &fd) < 0);
}

static void test_cache_is_bounded(void **state)
{
    struct fixture *f = *state;
    const struct seccomp_program program = {.insns = f->insns, .n = 1};
    struct seccomp_program got = {0};
    cleanup_fd int fd = -1;
    char cache[64];
    unsigned first = 0, last = SECCOMP_CACHE_MAX + 9;

    make_cache(f, cache, sizeof(cache));
    assert_int_equal(seccomp_cache_open(cache, &fd), 0);
    for (unsigned i = 0; i <= last; i++)
        assert_int_equal(seccomp_cache_put(fd, &i, sizeof(i), &program), 0);
    assert_int_equal(count_files(cache), SECCOMP_CACHE_MAX);
    assert_int_equal(seccomp_cache_get(fd, &first, sizeof(first), &got), -ENOENT);
    assert_int_equal(seccomp_cache_get(fd, &last, sizeof(last), &got), 0);
    seccomp_program_clear(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cache),           TEST(test_cache_inputs),     TEST(test_cache_collision),
        TEST(test_cache_untrusted), TEST(test_cache_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
