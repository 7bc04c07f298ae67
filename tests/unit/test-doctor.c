/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister doctor, as it is run, wherever that is: its document holds to its schema, its exit status to its document.
 */
#include "config.h"

#include "command-fixture.h"

#include "ctl/doctor.h"

static json_t *doctor(const struct fixture *f, int *ret_status)
{
    json_t *document, *schema = load_schema_of("doctor");
    struct run r = RUN(f, "doctor", "--config", "%", "--json");

    assert_string_equal(r.err, "");
    document = json_loads(r.out, 0, NULL);
    assert_non_null(document);
    check_schema(schema, document, "doctor");
    json_decref(schema);
    *ret_status = r.status;
    run_clear(&r);
    return document;
}

static const char *text_of(json_t *finding, const char *key)
{
    return json_string_value(json_object_get(finding, key));
}

/* The first finding with that id, NULL: none. */
static json_t *find(json_t *document, const char *id)
{
    json_t *finding;
    size_t i;

    json_array_foreach(json_object_get(document, "findings"), i, finding)
    {
        if (strcmp(text_of(finding, "id"), id) == 0)
            return finding;
    }
    return NULL;
}

static size_t count(json_t *document, const char *severity)
{
    json_t *finding;
    size_t i, n = 0;

    json_array_foreach(json_object_get(document, "findings"), i, finding)
    {
        n += strcmp(text_of(finding, "severity"), severity) == 0;
    }
    return n;
}

static void test_document(void **state)
{
    struct fixture *f = *state;
    json_t *document;
    int status;

    write_valid(f);
    document = doctor(f, &status);
    assert_int_equal(json_integer_value(json_object_get(document, "serious")), count(document, "serious"));
    assert_int_equal(json_integer_value(json_object_get(document, "warnings")), count(document, "warning"));
    assert_int_equal(status, count(document, "serious") > 0 ? 1 : 0);
    assert_null(find(document, "config-invalid"));
    json_decref(document);
}

static void test_configuration(void **state)
{
    struct fixture *f = *state;
    json_t *document, *finding;
    int status;

    fixture_write(f, "policy.d/10-a.conf", "policies = ( { name = \"default\";\nx = 1; } );");
    document = doctor(f, &status);
    assert_int_equal(status, 1);
    finding = find(document, "config-invalid");
    assert_non_null(finding);
    assert_string_equal(text_of(finding, "severity"), "serious");
    assert_non_null(strstr(text_of(finding, "what"), "/policy.d/10-a.conf:2: "));
    assert_non_null(strstr(text_of(finding, "fix"), "cloister check "));
    json_decref(document);
}

static void test_text(void **state)
{
    struct fixture *f = *state;
    struct run r;

    fixture_write(f, "policy.d/10-a.conf", "policies = ( { name = \"\x1b[31m\"; } );");
    r = RUN(f, "doctor", "--config", "%");
    assert_int_equal(r.status, 1);
    assert_string_equal(r.err, "");
    assert_int_equal(strncmp(r.out, "serious  ", 9), 0); /* the gravest first */
    assert_non_null(strstr(r.out, "\n  mend   "));
    assert_null(strchr(r.out, '\x1b')); /* no terminal, no colour; nor what a file says */
    run_clear(&r);

    r = RUN(f, "doctor", "now");
    assert_int_equal(r.status, 2);
    run_clear(&r);
}

/* Every kind of finding is in the schema, once, and says why it matters. */
static void test_ids(void **state)
{
    json_t *schema = load_schema_of("doctor"), *at = schema;
    const char *const keys[] = {"properties", "findings", "items", "properties", "id", "enum"};

    for (size_t i = 0; i < CL_ARRAY_SIZE(keys); i++)
        at = json_object_get(at, keys[i]);
    assert_int_equal(json_array_size(at), FINDING_COUNT);
    for (enum finding_id id = 0; id < FINDING_COUNT; id++) {
        const struct finding_info *info = finding_info(id);

        assert_string_equal(json_string_value(json_array_get(at, id)), info->name);
        assert_true(info->why && *info->why);
        for (enum finding_id other = 0; other < id; other++)
            assert_string_not_equal(info->name, finding_info(other)->name);
    }
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_document, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_configuration, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_ids),
        cmocka_unit_test_setup_teardown(test_text, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
