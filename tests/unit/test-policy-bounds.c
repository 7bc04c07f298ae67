/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Configurations out of proportion, and files that are none: a clear error or the right result, in bounded
 * memory, and never a crash. A run that would never end is for the test runner to end.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "policy-fixture.h"

#define MANY 10000

/* A file of n policies; one(out, i, arg) writes each. */
static void write_many(const struct fixture *f, const char *name, int first, int n,
                       void (*one)(FILE *out, int i))
{
    char path[256];
    FILE *out;

    snprintf(path, sizeof(path), "%s/policy.d/%s", f->path, name);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs("policies = (\n", out);
    for (int i = first; i < first + n; i++) {
        fputs(i > first ? ",\n" : "", out);
        one(out, i);
    }
    fputs(" );\n", out);
    assert_int_equal(fclose(out), 0);
}

/* In files of 1,000, since a file is bounded, too. */
static int load_many(struct fixture *f, int n, void (*one)(FILE *out, int i))
{
    char name[32];

    for (int first = 0; first < n; first += 1000) {
        snprintf(name, sizeof(name), "%02d.conf", first / 1000);
        write_many(f, name, first, n - first < 1000 ? n - first : 1000, one);
    }
    return fixture_load(f);
}

static void in_a_circle(FILE *out, int i)
{
    fprintf(out, "{ name = \"p%d\"; inherit = \"p%d\"; match = { users = [\"u\"]; }; }", i, (i + 1) % MANY);
}

static void without_parent(FILE *out, int i)
{
    fprintf(out, "{ name = \"p%d\"; inherit = \"q%d\"; match = { users = [\"u\"]; }; }", i, i);
}

static void of_one_name(FILE *out, int i)
{
    (void)i;
    fprintf(out, "{ name = \"same\"; match = { users = [\"u\"]; }; }");
}

static void for_everyone(FILE *out, int i)
{
    fprintf(out, "{ name = \"p%d\"; priority = %d; match = { users = [\"eva\"]; }; }", i, i);
}

static void test_many_with_errors(void **state)
{
    static const struct {
        void (*one)(FILE *out, int i);
        const char *text;
    } cases[] = {
        {in_a_circle, "a chain of more than 32 policies"},
        {without_parent, "which is no policy"},
        {of_one_name, "a policy of this name is at"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        bool found = false;

        assert_int_equal(load_many(f, MANY, cases[i].one), -EINVAL);
        assert_true(f->problems.n <= 200);
        for (size_t k = 0; k < f->problems.n; k++)
            found = found || strstr(f->problems.items[k].text, cases[i].text);
        if (!found)
            fail_msg("no problem says: %s", cases[i].text);
    }
}

/* The worst order for a list that is kept sorted. */
static void test_many_that_match(void **state)
{
    struct fixture *f = *state;
    struct cl_user user = {.name = (char[]){"eva"}, .group = (char[]){"eva"}};
    struct cl_selection selection;

    assert_int_equal(load_many(f, MANY, for_everyone), 0);
    assert_int_equal(cl_config_select(f->config, &user, "sshd", &selection), 0);
    assert_string_equal(selection.policy->name, "p9999");
    assert_int_equal(selection.n_considered, MANY);
    assert_string_equal(selection.considered[MANY - 1]->name, "p0");
    cl_selection_clear(&selection);
}

/* 2,000 groups of the user, and 2,000 of the policies. */
static void of_a_course(FILE *out, int i)
{
    fprintf(out, "{ name = \"p%d\"; match = { groups = [\"a%d\", \"course-%d\"]; }; }", i, i, i);
}

static void test_many_groups(void **state)
{
    enum { GROUPS = 2000 };
    struct fixture *f = *state;
    char(*names)[16] = calloc(GROUPS, sizeof(*names));
    struct cl_user user = {.name = (char[]){"eva"}, .n_groups = GROUPS};
    struct cl_selection selection;

    user.groups = calloc(GROUPS, sizeof(*user.groups));
    user.group_names = calloc(GROUPS + 1, sizeof(*user.group_names));
    assert_true(names && user.groups && user.group_names);
    for (int i = 0; i < GROUPS; i++) { /* in no order of names */
        snprintf(names[i], sizeof(names[i]), i == 7 ? "course-%d" : "other-%d", i == 7 ? 999 : i);
        user.group_names[i] = names[i];
    }
    user.group = names[0];
    assert_int_equal(load_many(f, 1000, of_a_course), 0);
    assert_int_equal(cl_config_select(f->config, &user, "sshd", &selection), 0);
    assert_string_equal(selection.policy->name, "p999");
    assert_string_equal(selection.matched_by, "group course-999");
    assert_int_equal(selection.n_considered, 1);
    assert_string_equal(user.group_names[0], "other-0"); /* the user's own order stays */
    cl_selection_clear(&selection);
    free(user.group_names);
    free(user.groups);
    free(names);
}

static void heir(FILE *out, int i)
{
    fprintf(out, "{ name = \"p%d\"; inherit = \"rich\"; match = { users = [\"u\"]; }; }", i);
}

/* 1 MiB, inherited by 10,000, would be 10 GiB. */
static void test_inheritance_does_not_outgrow_memory(void **state)
{
    const struct rlimit limit = {.rlim_cur = 1 << 30, .rlim_max = RLIM_INFINITY};
    struct fixture *f = *state;
    struct rlimit before;
    char path[128];
    bool found = false;
    FILE *out;
    int r;

    snprintf(path, sizeof(path), "%s/policy.d/zz.conf", f->path);
    out = fopen(path, "w");
    assert_non_null(out);
    fputs("policies = ( { name = \"rich\"; env = {\n", out);
    for (int i = 0; i < 500; i++)
        fprintf(out, "V%d = \"%02000d\";\n", i, i);
    fputs("}; } );\n", out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
#ifndef __SANITIZE_ADDRESS__ /* which needs terabytes of addresses */
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
#endif
    r = load_many(f, MANY, heir);
    setrlimit(RLIMIT_AS, &before);
    (void)limit;
    assert_int_equal(r, -EINVAL);
    for (size_t k = 0; k < f->problems.n; k++)
        found = found || strstr(f->problems.items[k].text, "need more than 64 MiB");
    assert_true(found);
}

/* Brackets without end, one line of a MiB, and what no text is. */
static void test_odd_content(void **state)
{
    static const struct {
        const char *start, *repeated;
    } cases[] = {
        {"policies = ", "("},
        {"policies = ", "{ a = "},
        {"policies = ", "["},
        {"", "\""},
        {"", "/*"},
        {"", "a = 1;"},
        {"policies = \"", "x"},
        {"policies = ", "-"},
        {"", "\x7f\x45LF\x02\x01\x01"},
        {"", "\xff\xfe"},
        {"\xef\xbb\xbf", "\xc3"},
        {"", "\x1b[2J"},
        {"policies = ( { name = ", "9"},
        {"policies = ( ", "{ name = \"a\"; },"},
    };
    struct fixture *f = *state;
    char *text = malloc(1 << 20);

    assert_non_null(text);
    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        size_t length = strlen(cases[i].repeated);
        char *end = stpcpy(text, cases[i].start);

        while (end + length < text + (1 << 20))
            end = stpcpy(end, cases[i].repeated);
        fixture_write(f, "policy.d/50-test.conf", text);
        assert_int_equal(fixture_load(f), -EINVAL);
        assert_true(f->problems.n > 0 && f->problems.n <= 200);
        for (size_t k = 0; k < f->problems.n; k++)
            assert_true(strlen(f->problems.items[k].text) < 1024);
    }
    free(text);
}

static void assert_refused(struct fixture *f, const char *text)
{
    bool found = false;

    assert_true(fixture_load(f) < 0);
    for (size_t k = 0; k < f->problems.n; k++)
        found = found || strstr(f->problems.items[k].text, text);
    if (!found) {
        fixture_print(f);
        fail_msg("no problem says: %s", text);
    }
}

/* policy.d itself, and cloister.conf. */
static void test_links_and_sockets(void **state)
{
    struct fixture *f = *state;
    char path[128], other[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    fixture_write(f, "policy.d/10-a.conf", "policies = ( { name = \"default\"; } );");
    snprintf(path, sizeof(path), "%s/policy.d/20-x.conf", f->path);
    assert_int_equal(symlink("/nonexistent", path), 0);
    assert_refused(f, "a symbolic link");
    unlink(path);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/policy.d/20-x.conf", f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_refused(f, "open");
    unlink(path);
    close(fd);

    snprintf(path, sizeof(path), "%s/cloister.conf", f->path);
    assert_int_equal(symlink("policy.d/10-a.conf", path), 0);
    assert_refused(f, "a symbolic link");
    unlink(path);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_refused(f, "not a regular file");
    unlink(path);

    snprintf(path, sizeof(path), "%s/policy.d", f->path);
    snprintf(other, sizeof(other), "%s/elsewhere", f->path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_refused(f, "open folder");
    unlink(path);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(fixture_load(f), 0);
}

/* As somebody else, whom the mode keeps out. */
static void test_unreadable(void **state)
{
    struct fixture *f = *state;
    char path[128];
    uid_t uid = geteuid();

    fixture_write(f, "policy.d/10-a.conf", "policies = ( { name = \"default\"; } );");
    fixture_write(f, "policy.d/20-b.conf", "policies = ( { name = \"b\"; x = 1; } );");
    snprintf(path, sizeof(path), "%s/policy.d/10-a.conf", f->path);
    assert_int_equal(chmod(path, 0) || chmod(f->path, 0755), 0);
    if (uid == 0)
        assert_int_equal(seteuid(65534), 0);
    assert_int_equal(fixture_load(f), -EACCES);
    assert_non_null(fixture_find(f, 0, "Permission denied"));
    assert_non_null(fixture_find(f, 1, "x: unknown key")); /* the others are read all the same */
    assert_int_equal(seteuid(uid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_with_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_that_match, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_groups, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_inheritance_does_not_outgrow_memory, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_odd_content, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_links_and_sockets, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unreadable, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
