/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of keys is whole, its built-in values are valid, and the manual says of each key what the table
 * says.
 */
#include "config.h"

#include "policy-fixture.h"
#include "schema.h"

static const struct {
    const struct schema_key *rows;
    size_t n;
} tables[] = {{schema_policy, SCHEMA_POLICY_COUNT}, {schema_settings, SCHEMA_SETTING_COUNT}};

static void test_every_key_has_a_row(void **state)
{
    (void)state;
    for (size_t t = 0; t < CL_ARRAY_SIZE(tables); t++)
        for (size_t i = 0; i < tables[t].n; i++) {
            const struct schema_key *row = &tables[t].rows[i];
            char allowed[512];
            bool group;

            assert_non_null(row->name);
            assert_ptr_equal(schema_find(tables[t].rows, tables[t].n, row->name, &group), row);
            assert_false(group);
            assert_true(schema_allowed(row, allowed, sizeof(allowed))[0] != '\0');
            assert_true(strstr(allowed, "(null)") == NULL);
        }
}

static void test_names_are_paths(void **state)
{
    bool group;

    (void)state;
    assert_string_equal(cl_key_name(CL_KEY_CGROUP_PIDS_MAX), "cgroup.pids_max");
    assert_string_equal(cl_key_name(CL_KEY_CGROUP_SESSION_IO), "cgroup.session.io");
    assert_string_equal(cl_key_name(CL_KEY_ENV), "env");
    assert_string_equal(cl_key_name(CL_KEY_COUNT), "");
    assert_null(schema_find(schema_policy, SCHEMA_POLICY_COUNT, "cgroup", &group));
    assert_true(group);
    assert_null(schema_find(schema_policy, SCHEMA_POLICY_COUNT, "cgrou", &group));
    assert_false(group);
}

static void test_builtin_values(void **state)
{
    struct fixture *f = *state;
    const struct cl_policy *p;

    fixture_valid(f, "policies = ( { name = \"default\"; } );");
    p = fixture_policy(f, "default");
    assert_true(p->namespaces.user && p->namespaces.pid && p->namespaces.mount && p->namespaces.ipc);
    assert_true(p->namespaces.uts && p->namespaces.net && p->namespaces.cgroup && p->no_new_privs);
    assert_int_equal(p->namespaces.nested, 0);
    assert_null(p->namespaces.hostname);
    assert_int_equal(p->cgroup.user.pids_max, 512);
    assert_true(p->cgroup.user.memory_max == CL_UNLIMITED && p->cgroup.user.cpu_weight == CL_UNLIMITED);
    assert_true(p->cgroup.session.pids_max == CL_UNLIMITED && p->cgroup.user.n_io == 0);
    assert_int_equal(p->cgroup.when_unavailable, CL_UNAVAILABLE_REFUSE);
    assert_true(p->capabilities.bounding == 0 && p->capabilities.ambient == 0);
    assert_string_equal(p->seccomp.profile, "default");
    assert_int_equal(p->seccomp.action, CL_SECCOMP_ERRNO);
    assert_string_equal(p->apparmor.profile, "cloister-default");
    assert_int_equal(p->apparmor.when_unavailable, CL_UNAVAILABLE_REFUSE);
    assert_strings(p->files.private_dirs, "/tmp /var/tmp /dev/shm /run");
    assert_strings(p->files.hide, "/root /boot /var/log /var/spool/cron /var/spool/at /var/lib/lastlog /var/lib/wtmpdb");
    assert_int_equal(p->files.tmp_size, 256 << 20);
    assert_int_equal(p->files.tmp_inodes, 100000);
    assert_int_equal(p->files.overlay, CL_OVERLAY_NONE);
    assert_int_equal(p->network.mode, CL_NETWORK_ISOLATED);
    assert_int_equal(p->session.grace, 5);
    assert_int_equal(p->session.max, 20);
    assert_null(p->origin[CL_KEY_CGROUP_PIDS_MAX].file);
}

static char *read_manual(void)
{
    const char *dir = getenv("srcdir");
    char path[512], *text;
    size_t size;
    int fd;

    snprintf(path, sizeof(path), "%s/man/cloister.conf.5", dir ? dir : ".");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("open %s", path);
    assert_int_equal(cl_read_all(fd, 1 << 20, &text, &size), 0);
    close(fd);
    return text;
}

/* roff's escapes undone: "\-" is '-', "\e" is '\', "\(dq" is '"', fonts are dropped. */
static void unroff(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++) {
        if (*p != '\\')
            *to++ = *p;
        else if (p[1] == 'f')
            p += 2;
        else if (strncmp(p, "\\(dq", 4) == 0)
            p += 3, *to++ = '"';
        else
            p++, *to++ = *p == 'e' ? '\\' : *p;
    }
    *to = '\0';
}

/* The entry of the key: from its tag to the next ".TP". */
static const char *find_entry(const char *manual, const struct schema_key *row, char *buf, size_t size)
{
    char tag[300];
    const char *start, *end;

    snprintf(tag, sizeof(tag), "\n.TP\n%s%s%s\n", row->name, row->fallback ? " = " : "",
             row->fallback ? row->fallback : "");
    start = strstr(manual, tag);
    if (!start)
        fail_msg("cloister.conf(5) lacks:%s", tag);
    start += 5;
    end = strstr(start, "\n.TP\n");
    snprintf(buf, size, "%.*s", (int)(end ? end - start : (long)strlen(start)), start);
    return buf;
}

static void check_manual(const char *manual, const struct schema_key *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char entry[4096], allowed[512], line[600];

        find_entry(manual, &rows[i], entry, sizeof(entry));
        if (rows[i].record) {
            check_manual(manual, rows[i].record->keys, rows[i].record->n_keys);
            continue;
        }
        snprintf(line, sizeof(line), "\nAllowed: %s.", schema_allowed(&rows[i], allowed, sizeof(allowed)));
        if (!strstr(entry, line))
            fail_msg("cloister.conf(5) lacks, of %s:%s", rows[i].name, line);
    }
}

static void test_manual_agrees_with_the_table(void **state)
{
    char *manual = read_manual();

    (void)state;
    unroff(manual);
    for (size_t t = 0; t < CL_ARRAY_SIZE(tables); t++)
        check_manual(manual, tables[t].rows, tables[t].n);
    free(manual);
}

static void test_shipped_configuration_is_valid(void **state)
{
    struct fixture *f = *state;
    const char *dir = getenv("srcdir");
    char path[512];

    snprintf(path, sizeof(path), "%s/dist/etc", dir ? dir : ".");
    if (cl_config_load(path, true, &f->config, &f->problems) != 0)
        fixture_print(f);
    assert_non_null(f->config);
    assert_int_equal(f->problems.n, 0);
    assert_string_equal(cl_config_policy(f->config, 0)->name, "default");
    assert_int_equal(cl_config_policy(f->config, 0)->capabilities.bounding, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_has_a_row),
        cmocka_unit_test(test_names_are_paths),
        cmocka_unit_test_setup_teardown(test_builtin_values, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_manual_agrees_with_the_table),
        cmocka_unit_test_setup_teardown(test_shipped_configuration_is_valid, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
