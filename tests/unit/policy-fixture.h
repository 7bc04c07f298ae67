/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the tests of config/ share: a configuration folder of their own, users that need no NSS, and looking
 * for a problem by file, line and text.
 */
#ifndef CL_POLICY_FIXTURE_H
#define CL_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "configuration.h"
#include "util.h"

struct fixture {
    char path[64]; /* of the folder; policy.d is in it */
    struct cl_config *config;
    struct cl_problems problems;
};

static inline void fixture_write(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[128];

    assert_non_null(f);
    snprintf(f->path, sizeof(f->path), "/tmp/cloister-test-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(path, sizeof(path), "%s/policy.d", f->path);
    assert_int_equal(mkdir(path, 0755), 0);
    *state = f;
    return 0;
}

static inline int fixture_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void fixture_forget(struct fixture *f)
{
    cl_config_free(f->config);
    f->config = NULL;
    cl_problems_clear(&f->problems);
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    fixture_forget(f);
    nftw(f->path, fixture_unlink, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline int fixture_load(struct fixture *f)
{
    fixture_forget(f);
    return cl_config_load(f->path, true, &f->config, &f->problems);
}

static inline void fixture_print(const struct fixture *f)
{
    for (size_t i = 0; i < f->problems.n; i++)
        print_error("%s:%u: %s%s\n", f->problems.items[i].file, f->problems.items[i].line,
                    f->problems.items[i].warning ? "warning: " : "", f->problems.items[i].text);
}

/* Load one file of policies, which must be valid. */
static inline void fixture_valid(struct fixture *f, const char *policies)
{
    fixture_write(f, "policy.d/50-test.conf", policies);
    if (fixture_load(f) != 0) {
        fixture_print(f);
        fail_msg("not valid: %s", policies);
    }
}

static inline const struct cl_problem *fixture_find(const struct fixture *f, unsigned line, const char *text)
{
    for (size_t i = 0; i < f->problems.n; i++)
        if (f->problems.items[i].line == line && strstr(f->problems.items[i].text, text))
            return &f->problems.items[i];
    return NULL;
}

/* Load one file of policies, which must have this problem, and no more than n errors. */
static inline void fixture_invalid(struct fixture *f, const char *policies, unsigned line, const char *text,
                                   size_t n)
{
    const struct cl_problem *problem;
    size_t errors = 0;

    fixture_write(f, "policy.d/50-test.conf", policies);
    if (fixture_load(f) != -EINVAL)
        fail_msg("taken as valid: %s", policies);
    assert_null(f->config);
    for (size_t i = 0; i < f->problems.n; i++)
        errors += !f->problems.items[i].warning;
    problem = fixture_find(f, line, text);
    if (!problem || problem->warning || errors != n) {
        fixture_print(f);
        fail_msg("expected %zu errors, and line %u: %s\nof: %s", n, line, text, policies);
    }
    assert_non_null(strstr(problem->file, "/policy.d/50-test.conf"));
}

static inline const struct cl_policy *fixture_policy(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < cl_config_count(f->config); i++)
        if (strcmp(cl_config_policy(f->config, i)->name, name) == 0)
            return cl_config_policy(f->config, i);
    fail_msg("no policy %s", name);
    return NULL;
}

/* The line that the value in force was written at; 0: built in. */
static inline unsigned fixture_line(const struct fixture *f, const char *name, enum cl_key key)
{
    return fixture_policy(f, name)->origin[key].line;
}

static inline void assert_strings(char *const *list, const char *joined)
{
    char text[1024] = "";

    for (size_t i = 0; list && list[i]; i++) {
        strncat(text, i > 0 ? " " : "", sizeof(text) - strlen(text) - 1);
        strncat(text, list[i], sizeof(text) - strlen(text) - 1);
    }
    assert_string_equal(text, joined);
}

#endif
