/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister check --against: what an edit would change for users. The fixture's folder is what logins use,
 * `new` in it the edit.
 */
#include "config.h"

#include <jansson.h>

#include "command-fixture.h"

#define UNCONFINED "seccomp = { profile = \"unconfined\"; }; apparmor = { profile = \"unconfined\"; };"

static int setup(void **state)
{
    struct fixture *f;
    char path[128];

    fixture_setup(state);
    f = *state;
    snprintf(path, sizeof(path), "%s/new", f->path);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/new/policy.d", f->path);
    assert_int_equal(mkdir(path, 0755), 0);
    write_valid(f);
    return 0;
}

/* Runs the comparison for a user; *ret is the document's only user. */
static json_t *compare(const struct fixture *f, const char *user, json_t **ret)
{
    json_t *document, *schema = load_schema_of("check"), *users;
    char edit[128];
    struct run r;

    snprintf(edit, sizeof(edit), "%s/new", f->path);
    r = RUN(f, "check", edit, "--config", "%", "--against", user, "--json");
    if (r.status != 0)
        fail_msg("status %d: %s", r.status, r.err);
    document = json_loads(r.out, 0, NULL);
    assert_non_null(document);
    check_schema(schema, document, "check");
    json_decref(schema);
    users = json_object_get(json_object_get(document, "against"), "users");
    assert_int_equal(json_array_size(users), 1);
    *ret = json_array_get(users, 0);
    run_clear(&r);
    return document;
}

static const char *side(json_t *user, const char *field, const char *which)
{
    const char *text = json_string_value(json_object_get(json_object_get(user, field), which));

    return text ? text : "";
}

static void test_nothing_changes(void **state)
{
    struct fixture *f = *state;
    json_t *document, *user;

    /* the same on other lines */
    fixture_write(
        f, "new/policy.d/20-b.conf",
        "policies = ( { name = \"default\"; " UNCONFINED " },\n\n\n"
        "{ name = \"some\"; inherit = \"default\"; priority = 3; match = { users = [\"nobody\"]; };\n"
        "cgroup = { pids_max = 77; io = ( { path = \"/\"; rbps = 1048576; } ); };\n"
        "namespaces = { hostname = \"nobody\"; }; env = { A = \"%U\"; };\n"
        "files = { mounts = ( { target = \"/x\"; options = \"size=1024K,noexec\"; } ); }; } );");
    document = compare(f, some_user(), &user);
    assert_true(json_is_false(json_object_get(user, "changed")));
    assert_string_equal(side(user, "decision", "before"), "cell");
    assert_string_equal(side(user, "policy", "after"), "some");
    assert_int_equal(json_array_size(json_object_get(user, "settings")), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(document, "against"), "config")),
                        f->path);
    assert_true(json_is_false(json_object_get(json_object_get(document, "against"), "last_valid")));
    json_decref(document);
}

static void test_values_change(void **state)
{
    struct fixture *f = *state;
    json_t *document, *user, *settings, *item;

    fixture_write(f, "new/policy.d/20-b.conf",
                  "policies = ( { name = \"default\"; " UNCONFINED "\n"
                  "cgroup = { pids_max = 99; }; session = { max = 3; }; } );");
    document = compare(f, some_user(), &user);
    assert_true(json_is_true(json_object_get(user, "changed")));
    assert_string_equal(side(user, "policy", "before"), "some");
    assert_string_equal(side(user, "policy", "after"), "default");
    assert_string_equal(side(user, "matched_by", "before"), "user nobody");
    settings = json_object_get(user, "settings");
    assert_int_equal(json_array_size(settings),
                     7); /* priority, hostname, pids_max, io, mounts, session.max, env */
    item = json_array_get(settings, 2);
    assert_string_equal(json_string_value(json_object_get(item, "key")), "cgroup.pids_max");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(item, "before"), "value")), 77);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(item, "after"), "value")), 99);
    assert_non_null(strstr(side(item, "before", "source"), "/policy.d/10-a.conf:4"));
    assert_non_null(strstr(side(item, "after", "source"), "/new/policy.d/20-b.conf:2"));
    item = json_array_get(settings, 5);
    assert_string_equal(json_string_value(json_object_get(item, "key")), "session.max");
    assert_string_equal(side(item, "before", "source"), "built-in");
    json_decref(document);
}

static void test_decision_changes(void **state)
{
    struct fixture *f = *state;
    json_t *document, *user;

    fixture_write(f, "new/policy.d/20-b.conf",
                  "policies = ( { name = \"x\"; match = { users = [\"no-one\"]; }; " UNCONFINED " } );");
    document = compare(f, some_user(), &user);
    assert_string_equal(side(user, "decision", "after"), "refuse");
    assert_string_equal(side(user, "reason", "before"), "");
    assert_non_null(strstr(side(user, "reason", "after"), "no policy matches"));
    assert_string_equal(side(user, "policy", "after"), "");
    assert_int_equal(json_array_size(json_object_get(user, "settings")), 0);
    json_decref(document);

    fixture_write(f, "new/cloister.conf", "exempt = { users = [\"nobody\"]; };");
    document = compare(f, some_user(), &user);
    assert_string_equal(side(user, "decision", "after"), "exempt");
    assert_string_equal(side(user, "matched_by", "after"), "user nobody");
    json_decref(document);

    document = compare(f, "root", &user);
    assert_true(json_is_false(json_object_get(user, "changed")));
    json_decref(document);
}

static void test_for_people(void **state)
{
    struct fixture *f = *state;
    char edit[128];
    struct run r;

    fixture_write(f, "new/policy.d/20-b.conf", "policies = ( { name = \"default\"; " UNCONFINED " } );");
    snprintf(edit, sizeof(edit), "%s/new", f->path);
    r = RUN(f, "--config", "%", "check", edit, "--against=root", "--against", "nobody");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    assert_non_null(strstr(r.out, "/new: valid, 1 policy\n"));
    assert_non_null(strstr(r.out, ", for logins through sshd\n"));
    assert_non_null(strstr(r.out, "\nroot (uid 0): no change\n\nnobody (uid "));
    assert_non_null(strstr(r.out, "\n  - policy                      some "));
    assert_non_null(strstr(r.out, "\n  + policy                      default "));
    assert_non_null(strstr(r.out, "\n  - cgroup.pids_max             77 "));
    assert_non_null(strstr(r.out, "\n  + cgroup.pids_max             512                       built-in\n"));
    assert_null(strstr(r.out, "memory_max"));
    run_clear(&r);

    r = RUN(f, "check", edit, "--config", "%", "--against", "nobody", "--service=mydm");
    assert_non_null(strstr(r.out, "for logins through mydm\n\nnobody"));
    assert_non_null(strstr(r.out, ": no change\n"));
    run_clear(&r);
}

static void test_problems(void **state)
{
    struct fixture *f = *state;
    char edit[128];
    struct run r;

    fixture_write(f, "new/policy.d/20-b.conf", "policies = ( { name = \"default\"; " UNCONFINED " } );");
    snprintf(edit, sizeof(edit), "%s/new", f->path);
    r = RUN(f, "check", edit, "--config", "%", "--against=no\x1bone", "--against=nobody");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, "user \"no\\x1bone\""));
    assert_non_null(strstr(r.out, "nobody (uid "));
    run_clear(&r);

    r = RUN(f, "check", edit, "--config", "/nonexistent", "--against=nobody");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, "so there is nothing to compare with"));
    assert_string_equal(r.out, "");
    run_clear(&r);

    r = RUN(f, "check", edit, "%", "--against=nobody");
    assert_int_equal(r.status, 2);
    assert_non_null(strstr(r.err, "check takes one folder; --against is repeated for each user"));
    run_clear(&r);
    r = RUN(f, "check", edit, "--service=su");
    assert_int_equal(r.status, 2);
    run_clear(&r);

    fixture_write(f, "new/policy.d/20-b.conf", "policies = ( { name = 7; } );");
    r = RUN(f, "check", edit, "--config", "%", "--against=nobody");
    assert_int_equal(r.status, 1);
    assert_null(strstr(r.out, "nobody"));
    run_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_changes, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_values_change, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_decision_changes, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_for_people, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_problems, setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
