/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Shared by the tests of seccomp: a profile's file in a directory of its own, the filter compiled from it,
 * and questions to that filter. TEST_PROFILE is the shipped profile.
 */
#ifndef TEST_SECCOMP_FIXTURE_H
#define TEST_SECCOMP_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "seccomp.h"
#include "seccomp_run.h"
#include "util.h"

#define X32        0x40000000u
#define GARBAGE    0xa5a5a5a500000000u
#define ERRNO(err) (SECCOMP_RET_ERRNO | (err))
#define ALLOW_ALL  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
#define DENY_ALL   "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
#define CAP(n)     (1ull << (n))
#define CAP_CHROOT 18
#define CAP_ADMIN  21

/* A profile's file in a directory of its own, and the filter compiled from it. */
struct fixture {
    char dir[32];
    char path[64];
    struct cl_policy policy;
    struct sock_filter insns[BPF_MAXINSNS];
    size_t n;
    struct cl_error e;
};

static const struct {
    uint32_t token, audit;
} arches[] = {{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64},
              {SCMP_ARCH_X86, AUDIT_ARCH_I386},
              {SCMP_ARCH_X32, AUDIT_ARCH_X86_64}};

static inline void write_file(const char *path, const char *text, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(cl_write_all(fd, text, size), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static inline void write_profile(struct fixture *f, const char *text)
{
    write_file(f->path, text, strlen(text), 0600);
}

static inline void copy_profile(struct fixture *f, const char *from)
{
    cleanup_fd int fd = open(from, O_RDONLY | O_CLOEXEC);
    cleanup_free char *text = NULL;
    size_t size;

    assert_true(fd >= 0);
    assert_int_equal(cl_read_all(fd, 1 << 20, &text, &size), 0);
    write_file(f->path, text, size, 0600);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    strcpy(f->dir, "/tmp/test-seccomp-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/profile.json", f->dir);
    f->policy.seccomp.profile = f->path;
    f->policy.seccomp.action = CL_SECCOMP_ERRNO;
    *state = f;
    return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    cl_strv_free(f->policy.seccomp.allow);
    cl_strv_free(f->policy.seccomp.deny);
    free(f);
    return 0;
}

static inline void allow(struct fixture *f, const char *name)
{
    assert_int_equal(cl_strv_add(&f->policy.seccomp.allow, name), 0);
}

static inline void deny(struct fixture *f, const char *name)
{
    assert_int_equal(cl_strv_add(&f->policy.seccomp.deny, name), 0);
}

static inline int compile(struct fixture *f, const char *cache)
{
    cleanup_fd int fd = -1;
    ssize_t size;
    int r;

    memset(&f->e, 0, sizeof(f->e));
    r = seccomp_filter(&f->policy, cache, &fd, &f->e);
    if (r < 0)
        return r;
    size = pread(fd, f->insns, sizeof(f->insns), 0);
    assert_true(size > 0 && size % (ssize_t)sizeof(f->insns[0]) == 0);
    f->n = (size_t)size / sizeof(f->insns[0]);
    return 0;
}

static inline void compile_text(struct fixture *f, const char *text)
{
    char line[1024];

    write_profile(f, text);
    if (compile(f, NULL) < 0)
        fail_msg("%s", cl_error_format(&f->e, line, sizeof(line)));
}

static inline void compile_default(struct fixture *f)
{
    copy_profile(f, TEST_PROFILE);
    assert_int_equal(compile(f, NULL), 0);
}

static inline uint32_t ask_number(struct fixture *f, uint32_t audit, uint32_t number, uint64_t a0,
                                  uint64_t a1)
{
    const struct seccomp_data data = {.nr = (int)number, .arch = audit, .args = {a0, a1}};
    const struct seccomp_program program = {.insns = f->insns, .n = f->n};

    return seccomp_run(&program, &data);
}

/* The kernel's number on arches[i], or -1. libseccomp has numbers of its own for calls behind socketcall and
 * ipc. */
static inline int number_on(size_t i, const char *name)
{
    int number = seccomp_syscall_resolve_name_arch(arches[i].token, name);

    for (int k = 0; number < 0 && k < 512; k++) {
        char *found = seccomp_syscall_resolve_num_arch(arches[i].token, k);

        if (found && strcmp(found, name) == 0)
            number = k;
        free(found);
    }
    return number < 0 ? -1 : number;
}

/* On arches[i]; fails for a name without a number there. */
static inline uint32_t ask_on(struct fixture *f, size_t i, const char *name, uint64_t a0, uint64_t a1)
{
    int number = number_on(i, name);

    if (number < 0)
        fail_msg("%s has no number on architecture %zu", name, i);
    return ask_number(f, arches[i].audit, (uint32_t)number, a0, a1);
}

static inline uint32_t ask(struct fixture *f, const char *name, uint64_t a0, uint64_t a1)
{
    return ask_on(f, 0, name, a0, a1);
}

static inline void expect_everywhere(struct fixture *f, const char *name, uint32_t action)
{
    unsigned found = 0;

    for (size_t i = 0; i < CL_ARRAY_SIZE(arches); i++) {
        int number = number_on(i, name);
        uint32_t got;

        if (number < 0)
            continue;
        found++;
        got = ask_number(f, arches[i].audit, (uint32_t)number, 0, 0);
        if (got != action)
            fail_msg("%s on architecture %zu: %#x instead of %#x", name, i, got, action);
    }
    if (found == 0)
        fail_msg("%s has no number anywhere", name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
