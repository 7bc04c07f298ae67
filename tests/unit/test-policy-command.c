/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The command, as it is run: exit statuses, what goes to which stream, and documents that hold to their
 * schema. The program is taken from the environment's `cloister`, else from the build folder.
 */
#include "config.h"

#include <jansson.h>
#include <pwd.h>

#include "command-fixture.h"

static void test_check(void **state)
{
    struct fixture *f = *state;
    struct run r;
    json_t *document, *schema;

    write_valid(f);
    r = RUN(f, "check", "%");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "valid, 2 policies\n"));
    assert_string_equal(r.err, "");
    run_clear(&r);

    fixture_write(f, "policy.d/20-b.conf", "policies = ( { name = \"b\";\nx = 1; y = \"\x1b[31m\"; } );");
    r = RUN(f, "--config", "%", "check");
    assert_int_equal(r.status, 1);
    assert_string_equal(r.out, "");
    assert_non_null(strstr(r.err, "/policy.d/20-b.conf:2: b: x: unknown key"));
    assert_int_equal(strncmp(r.err, "cloister: /", 11), 0);
    assert_non_null(strstr(r.err, "not valid, 2 errors"));
    assert_null(strchr(r.err, '\x1b'));
    run_clear(&r);

    r = RUN(f, "check", "--json", "%");
    assert_int_equal(r.status, 1);
    document = json_loads(r.out, 0, NULL);
    schema = load_schema_of("check");
    check_schema(schema, document, "check");
    json_decref(schema);
    assert_true(json_is_false(json_object_get(document, "valid")));
    assert_int_equal(json_array_size(json_object_get(document, "problems")), 2);
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(json_object_get(document, "problems"), 0), "line")),
        2);
    json_decref(document);
    run_clear(&r);
}

static void test_check_compiles_profiles(void **state)
{
    struct fixture *f = *state;
    char policies[1024], *source;
    struct run r;

    fixture_write(f, "policy.d/10-a.conf",
                  "policies = ( { name = \"default\";\n"
                  "seccomp = { profile = \"/nonexistent.json\"; }; } );");
    r = RUN(f, "check", "%");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, "10-a.conf:2: default: seccomp.profile"));
    run_clear(&r);

    source = realpath(source_dir(), NULL); /* profiles are absolute paths */
    assert_non_null(source);
    snprintf(
        policies, sizeof(policies),
        "policies = ( { name = \"default\"; seccomp = { profile = \"%s/profiles/seccomp/default.json\";\n"
        "deny = [\"chmod\"]; }; } );",
        source);
    free(source);
    fixture_write(f, "policy.d/10-a.conf", policies);
    r = RUN(f, "check", "%");
    if (r.status != 0)
        fail_msg("%s", r.err);
    run_clear(&r);
}

static json_t *explain(const struct fixture *f, const char *user, const char *service)
{
    json_t *document, *schema = load_schema();
    struct run r = RUN(f, "explain", user, "--service", service, "--config", "%", "--json");

    assert_string_equal(r.err, "");
    assert_int_equal(r.status, 0);
    document = json_loads(r.out, 0, NULL);
    assert_non_null(document);
    check_schema(schema, document, "explain");
    json_decref(schema);
    run_clear(&r);
    return document;
}

static void assert_field(json_t *document, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(document, name));

    if (expected)
        assert_string_equal(text, expected);
    else
        assert_true(json_is_null(json_object_get(document, name)));
}

static json_t *setting(json_t *document, const char *key)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(document, "settings"), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "key")), key) == 0)
            return item;
    }
    fail_msg("no setting %s", key);
    return NULL;
}

static void test_explain_a_cell(void **state)
{
    struct fixture *f = *state;
    json_t *document, *value;

    write_valid(f);
    document = explain(f, some_user(), "su");
    assert_field(document, "decision", "cell");
    assert_field(document, "policy", "some");
    assert_field(document, "matched_by", "user nobody");
    assert_field(document, "service", "su");
    assert_field(document, "reason", NULL);
    assert_int_equal(json_integer_value(json_object_get(document, "uid")), getpwnam("nobody")->pw_uid);
    assert_int_equal(json_integer_value(json_object_get(setting(document, "cgroup.pids_max"), "value")), 77);
    assert_non_null(strstr(json_string_value(json_object_get(setting(document, "cgroup.pids_max"), "source")),
                           "/policy.d/10-a.conf:4"));
    assert_string_equal(json_string_value(json_object_get(setting(document, "session.max"), "source")),
                        "built-in");
    assert_string_equal(json_string_value(json_object_get(setting(document, "namespaces.hostname"), "value")),
                        "nobody");
    value = json_array_get(json_object_get(setting(document, "cgroup.io"), "value"), 0);
    assert_int_equal(json_integer_value(json_object_get(value, "rbps")), 1 << 20);
    assert_string_equal(json_string_value(json_object_get(value, "wbps")), "max");
    value = json_array_get(json_object_get(setting(document, "files.mounts"), "value"), 0);
    assert_string_equal(json_string_value(json_object_get(value, "source")), "tmpfs");
    assert_string_equal(json_string_value(json_object_get(value, "options")),
                        "rw,nosuid,nodev,noexec,size=1M");
    assert_true(json_is_string(json_object_get(json_object_get(setting(document, "env"), "value"), "A")));
    assert_int_equal(json_array_size(json_object_get(document, "considered")), 1);
    json_decref(document);
}

static void test_explain_no_cell(void **state)
{
    struct fixture *f = *state;
    json_t *document;
    struct run r;

    write_valid(f);
    document = explain(f, "root", "sshd");
    assert_field(document, "decision", "exempt");
    assert_field(document, "matched_by", "uid 0");
    assert_field(document, "policy", NULL);
    assert_int_equal(json_array_size(json_object_get(document, "settings")), 0);
    json_decref(document);

    document = explain(f, some_user(), "mydm");
    assert_field(document, "decision", "refuse");
    assert_non_null(
        strstr(json_string_value(json_object_get(document, "reason")), "\"mydm\" has no placement"));
    json_decref(document);

    fixture_write(f, "policy.d/10-a.conf",
                  "policies = ( { name = \"a\"; match = { users = [\"no-one\"]; }; } );");
    document = explain(f, some_user(), "sshd");
    assert_field(document, "decision", "refuse");
    assert_field(document, "policy", NULL);
    json_decref(document);

    /* who is exempt is so with broken policies, too */
    fixture_write(f, "policy.d/10-a.conf", "policies = (");
    document = explain(f, "root", "sshd");
    assert_field(document, "decision", "exempt");
    json_decref(document);
    r = RUN(f, "explain", some_user(), "--config", "%");
    assert_int_equal(r.status, 1);
    assert_string_equal(r.out, "");
    assert_non_null(strstr(r.err, "syntax error"));
    run_clear(&r);
}

static void test_explain_for_people(void **state)
{
    struct fixture *f = *state;
    struct run r;

    write_valid(f);
    r = RUN(f, "explain", some_user(), "--config", "%");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "policy      some ("));
    assert_non_null(strstr(r.out, "cgroup.pids_max"));
    assert_non_null(strstr(r.out, "path=/ rbps=1M wbps=max"));
    run_clear(&r);
}

static void test_usage(void **state)
{
    static const struct {
        const char *arguments[4];
        int status;
        const char *out, *err;
    } cases[] = {
        {{NULL}, 2, NULL, "Usage: cloister"},
        {{"--help"}, 0, "Usage: cloister", NULL},
        {{"check", "--help"}, 0, "Usage: cloister check [PATH]", NULL},
        {{"--version"}, 0, "cloister " PACKAGE_VERSION, NULL},
        {{"explode"}, 2, NULL, "cloister: unknown command \"explode\""},
        {{"--foo"}, 2, NULL, "cloister: unknown option --foo"},
        {{"check", "--foo"}, 2, NULL, "cloister: unknown option --foo"},
        {{"check", "-x"}, 2, NULL, "cloister: unknown option -x"},
        {{"check", "a", "b"}, 2, NULL, "cloister: check takes one folder"},
        {{"check", "--user", "x"}, 2, NULL, "cloister: unknown option --user"},
        {{"check", "--service", "x"}, 2, NULL, "cloister: --service goes with --against"},
        {{"--config"}, 2, NULL, "cloister: --config needs a value"},
        {{"--config", "", "check"}, 2, NULL, "cloister: --config needs a folder"},
        {{"explain"}, 2, NULL, "cloister: explain needs one user"},
        {{"explain", "--service"}, 2, NULL, "cloister: --service needs a value"},
        {{"explain", "no-such-user-here"}, 1, NULL, "cloister: there is no user \"no-such-user-here\""},
        {{"explain", "a\x1b:/"}, 1, NULL, "cloister: look up user \"a\\x1b:/\""},
        {{"list", "x"}, 2, NULL, "cloister: list takes no argument"},
        {{"top", "x"}, 2, NULL, "cloister: top takes no argument"},
        {{"top", "--interval", "0.05"}, 2, NULL, "cloister: --interval is a number of seconds from 0.1 to 3600"},
        {{"top", "--count", "-1"}, 2, NULL, "cloister: --count is a number from 1 to"},
        {{"status", "x"}, 2, NULL, "cloister: status takes no argument"},
        {{"status", "--user", ""}, 2, NULL, "cloister: status takes no argument"},
        {{"check", "/nonexistent"}, 1, NULL, "cloister: /nonexistent: open folder: No such file"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        struct run r = run(f, cases[i].arguments);

        if (r.status != cases[i].status || (cases[i].out ? !strstr(r.out, cases[i].out) : *r.out) ||
            (cases[i].err ? !strstr(r.err, cases[i].err) : *r.err))
            fail_msg("case %zu: status %d\nout: %s\nerr: %s", i, r.status, r.out, r.err);
        run_clear(&r);
    }
}

static void assert_file_holds(const char *name, const char *text)
{
    char path[512], *content;
    size_t size;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", source_dir(), name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(cl_read_all(fd, 1 << 20, &content, &size), 0);
    close(fd);
    if (!strstr(content, text))
        fail_msg("%s lacks \"%s\"", name, text);
    free(content);
}

/* Every command of the help is in the manual, and offered by the completion. */
static void test_every_command_is_documented(void **state)
{
    struct fixture *f = *state;
    struct run r = RUN(f, "--help");
    char *line = strstr(r.out, "Commands:\n"), *end = strstr(r.out, "\nOptions:");
    size_t n = 0;

    assert_true(line && end);
    *end = '\0';
    for (line = strchr(line, '\n') + 1; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char verb[32], text[64];

        if (sscanf(line, " %31s", verb) != 1 || strncmp(line, "  ", 2) != 0)
            continue;
        assert_file_holds("man/cloister.8", verb);
        snprintf(text, sizeof(text), "%s ", verb);
        assert_file_holds("dist/completion/cloister", text);
        n++;
    }
    assert_true(n >= 2);
    run_clear(&r);
}

/* Each document that the manual describes names its schema, which can be read and is of that title. */
static void test_every_document_has_a_schema(void **state)
{
    char path[512], *manual, *part, *end;
    size_t size, n = 0;
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "%s/man/cloister.8", source_dir());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(cl_read_all(fd, 1 << 20, &manual, &size), 0);
    close(fd);
    part = strstr(manual, "\n.SH JSON\n");
    end = part ? strstr(part + 1, "\n.SH ") : NULL;
    assert_non_null(end);
    *end = '\0';
    while ((part = strstr(part, "\n.SS "))) {
        char verb[32], name[32];
        const char *names;
        json_t *schema;

        assert_int_equal(sscanf(part, "\n.SS %31s", verb), 1);
        names = strstr(part, "\n.IR ");
        if (!names || sscanf(names, "\n.IR %31[a-z].json", name) != 1)
            fail_msg("%s: the manual names no schema", verb);
        schema = load_schema_of(name);
        assert_non_null(strstr(json_string_value(json_object_get(schema, "title")), verb));
        json_decref(schema);
        part++;
        n++;
    }
    assert_true(n >= 3);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_check, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_check_compiles_profiles, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_explain_a_cell, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_explain_no_cell, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_explain_for_people, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_usage, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_every_command_is_documented, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_every_document_has_a_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
