/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last valid configuration is kept whole, replaced in one step, and only by a valid one.
 */
#include "config.h"

#include <sys/file.h>

#include "policy-fixture.h"

struct kept {
    char path[96], new_path[100]; /* of the copy, and of the folder that it is made in */
};

static struct kept kept_paths(const struct fixture *f)
{
    struct kept k;
    char parent[80];

    snprintf(parent, sizeof(parent), "%s/state", f->path);
    (void)mkdir(parent, 0700);
    snprintf(k.path, sizeof(k.path), "%s/kept", parent);
    snprintf(k.new_path, sizeof(k.new_path), "%s.new", k.path);
    return k;
}

static char *read_kept(const struct kept *k, const char *name)
{
    char path[256], *text = NULL;
    size_t size;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", k->path, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    assert_int_equal(cl_read_all(fd, 1 << 20, &text, &size), 0);
    close(fd);
    return text;
}

static void assert_kept(const struct kept *k, const char *name, const char *expected)
{
    char *text = read_kept(k, name);

    if (expected) {
        assert_non_null(text);
        assert_string_equal(text, expected);
    } else {
        assert_null(text);
    }
    free(text);
    assert_int_equal(access(k->new_path, F_OK), -1);
}

static const char first[] = "policies = ( { name = \"default\"; } );\n";
static const char second[] = "policies = ( { name = \"default\"; priority = 2; } );\n";

static void test_keeps_and_replaces(void **state)
{
    struct fixture *f = *state;
    struct kept k = kept_paths(f);
    struct stat before, after;
    struct cl_error e = {0};

    fixture_write(f, "policy.d/10-a.conf", first);
    fixture_write(f, "policy.d/notes.txt", "not a policy");
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    assert_kept(&k, "policy.d/10-a.conf", first);
    assert_kept(&k, "policy.d/notes.txt", NULL);
    assert_kept(&k, "cloister.conf", NULL);
    assert_int_equal(stat(k.path, &before), 0);
    assert_int_equal(before.st_mode & 07777, 0700);

    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    assert_int_equal(stat(k.path, &after), 0);
    assert_true(before.st_ino == after.st_ino); /* the same contents: nothing is written */

    fixture_write(f, "cloister.conf", "deadline = 9;\n");
    fixture_write(f, "policy.d/10-a.conf", second);
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    assert_kept(&k, "policy.d/10-a.conf", second);
    assert_kept(&k, "cloister.conf", "deadline = 9;\n");
    assert_int_equal(cl_config_load(k.path, true, &f->config, &f->problems), 0);
    assert_int_equal(cl_config_policy(f->config, 0)->priority, 2);
}

static void test_a_removed_file_goes_away(void **state)
{
    struct fixture *f = *state;
    struct kept k = kept_paths(f);
    struct cl_error e = {0};
    char path[128];

    fixture_write(f, "policy.d/10-a.conf", first);
    fixture_write(f, "policy.d/20-b.conf", "policies = ( { name = \"b\"; match = { users = [\"x\"]; }; } );");
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    snprintf(path, sizeof(path), "%s/policy.d/20-b.conf", f->path);
    unlink(path);
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    assert_kept(&k, "policy.d/20-b.conf", NULL);
    assert_kept(&k, "policy.d/10-a.conf", first);
}

static void test_an_invalid_configuration_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct kept k = kept_paths(f);
    struct cl_error e = {0};

    fixture_write(f, "policy.d/10-a.conf", first);
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    fixture_write(f, "policy.d/10-a.conf", "policies = ( { nam = 1; } );");
    assert_true(cl_config_keep(f->path, k.path, &e) < 0);
    assert_kept(&k, "policy.d/10-a.conf", first);
}

/* A crash left a half-written folder behind, with whatever in it. */
static void test_leftovers_do_not_matter(void **state)
{
    struct fixture *f = *state;
    struct kept k = kept_paths(f);
    struct cl_error e = {0};
    char path[160];

    assert_int_equal(mkdir(k.new_path, 0700), 0);
    snprintf(path, sizeof(path), "%s/policy.d", k.new_path);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/policy.d/99-old.conf", k.new_path);
    fclose(fopen(path, "w"));
    fixture_write(f, "policy.d/10-a.conf", first);
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    assert_kept(&k, "policy.d/10-a.conf", first);
    assert_kept(&k, "policy.d/99-old.conf", NULL);
}

static void test_links_are_not_followed(void **state)
{
    struct fixture *f = *state;
    struct kept k = kept_paths(f);
    struct cl_error e = {0};
    char path[128];

    fixture_write(f, "policy.d/10-a.conf", first);
    snprintf(path, sizeof(path), "%s/policy.d/20-b.conf", f->path);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_true(cl_config_keep(f->path, k.path, &e) < 0);
    assert_int_equal(access(k.path, F_OK), -1);
}

static void test_two_at_once(void **state)
{
    struct fixture *f = *state;
    struct kept k = kept_paths(f);
    struct cl_error e = {0};
    char parent[80];
    int fd;

    snprintf(parent, sizeof(parent), "%s/state", f->path);
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    fixture_write(f, "policy.d/10-a.conf", first);
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0); /* left to the other */
    assert_int_equal(access(k.path, F_OK), -1);
    close(fd);
    assert_int_equal(cl_config_keep(f->path, k.path, &e), 0);
    assert_kept(&k, "policy.d/10-a.conf", first);
}

static void test_bad_destination(void **state)
{
    struct fixture *f = *state;
    struct cl_error e = {0};

    fixture_write(f, "policy.d/10-a.conf", first);
    assert_int_equal(cl_config_keep(f->path, "/nonexistent-folder/kept", &e), -ENOENT);
    assert_int_equal(cl_config_keep(f->path, "kept", &e), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps_and_replaces, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_removed_file_goes_away, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_invalid_configuration_is_not_kept, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_leftovers_do_not_matter, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_two_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bad_destination, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
