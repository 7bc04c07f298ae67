/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Inheritance: what replaces, what comes on top, where origins point, and chains that don't end.
 */
#include "config.h"

#include <sys/capability.h>

#include "policy-fixture.h"

#define BIT(capability) (UINT64_C(1) << (capability))

static void test_values_replace_and_keep_their_origin(void **state)
{
    struct fixture *f = *state;
    const struct cl_policy *c;
    char origin[300];

    /* in the wrong order, over two files */
    fixture_write(f, "policy.d/10-c.conf",
                  "policies = ( {\n name = \"c\"; inherit = \"b\";\n files = { hide = [\"/c\"]; };\n} );");
    fixture_valid(f, "policies = ( {\n"
                     "  name = \"a\"; priority = 7; match = { users = [\"x\"]; };\n"
                     "  cgroup = { pids_max = 100; memory_max = \"1G\"; };\n"
                     "  files = { hide = [\"/a\"]; private = []; };\n"
                     "  env = { A = \"a\"; B = \"a\"; };\n"
                     "}, {\n"
                     "  name = \"b\"; inherit = \"a\";\n"
                     "  cgroup = { pids_max = 200; };\n"
                     "  env = { B = \"b\"; };\n"
                     "} );\n");
    c = fixture_policy(f, "c");
    assert_int_equal(c->cgroup.user.pids_max, 200);
    assert_int_equal(c->cgroup.user.memory_max, 1 << 30);
    assert_int_equal(c->priority, 7);
    assert_strings(c->files.hide, "/c");
    assert_null(c->files.private_dirs);
    assert_null(c->match.users);
    assert_int_equal(c->n_env, 2);
    assert_string_equal(c->env[0].value, "b");
    assert_string_equal(c->env[1].name, "A");
    assert_non_null(strstr(cl_policy_origin(c, CL_KEY_FILES_HIDE, origin, sizeof(origin)), "10-c.conf:3"));
    assert_non_null(
        strstr(cl_policy_origin(c, CL_KEY_CGROUP_PIDS_MAX, origin, sizeof(origin)), "50-test.conf:8"));
    assert_non_null(
        strstr(cl_policy_origin(c, CL_KEY_CGROUP_MEMORY_MAX, origin, sizeof(origin)), "50-test.conf:3"));
    assert_string_equal(cl_policy_origin(c, CL_KEY_SESSION_MAX, origin, sizeof(origin)), "built-in");
    assert_strings(fixture_policy(f, "a")->files.hide, "/a");
}

/* Whoever reads the limits from inside finds the user's, unless the policy, or one that it inherits from, says otherwise. */
static void test_a_session_has_the_limits_of_its_user(void **state)
{
    struct fixture *f = *state;
    const struct cl_policy *c;
    char origin[300];

    fixture_valid(f, "policies = ( {\n"
                     "  name = \"a\";\n"
                     "  cgroup = { memory_max = \"1G\"; cpu_max = 150; pids_max = 100; };\n"
                     "}, {\n"
                     "  name = \"b\"; inherit = \"a\"; cgroup = { session = { memory_max = \"max\"; }; };\n"
                     "}, {\n"
                     "  name = \"c\"; inherit = \"b\";\n"
                     "  cgroup = { memory_max = \"2G\"; cpu_max = 50; };\n"
                     "} );\n");
    c = fixture_policy(f, "a");
    assert_int_equal(c->cgroup.session.memory_max, 1 << 30);
    assert_int_equal(c->cgroup.session.cpu_max, 150);
    assert_true(c->cgroup.session.pids_max == CL_UNLIMITED);
    assert_non_null(strstr(cl_policy_origin(c, CL_KEY_CGROUP_SESSION_MEMORY_MAX, origin, sizeof(origin)), "50-test.conf:3"));
    c = fixture_policy(f, "b");
    assert_true(c->cgroup.session.memory_max == CL_UNLIMITED);
    assert_int_equal(c->cgroup.session.cpu_max, 150);
    c = fixture_policy(f, "c");
    assert_true(c->cgroup.session.memory_max == CL_UNLIMITED);
    assert_int_equal(c->cgroup.session.cpu_max, 50);
    assert_non_null(strstr(cl_policy_origin(c, CL_KEY_CGROUP_SESSION_CPU_MAX, origin, sizeof(origin)), "50-test.conf:8"));
}

static void test_capabilities_come_on_top(void **state)
{
    struct fixture *f = *state;
    const uint64_t docker = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
                            BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) |
                            BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) |
                            BIT(CAP_MKNOD) | BIT(CAP_AUDIT_WRITE) | BIT(CAP_SETFCAP);

    fixture_valid(
        f, "policies = (\n"
           "{ name = \"a\"; capabilities = { bounding = [\"default\"]; add = [\"sys_ptrace\"]; drop = "
           "[\"CAP_NET_RAW\"]; }; },\n"
           "{ name = \"more\"; inherit = \"a\"; capabilities = { add = [\"NET_RAW\", \"SYSLOG\"]; }; },\n"
           "{ name = \"less\"; inherit = \"a\"; capabilities = { drop = [\"SYS_PTRACE\", \"CHOWN\"]; }; },\n"
           "{ name = \"none\"; inherit = \"a\"; capabilities = { bounding = [\"NONE\"]; }; },\n"
           "{ name = \"all\"; inherit = \"a\"; capabilities = { bounding = [\"ALL\"]; }; },\n"
           "{ name = \"few\"; inherit = \"a\"; capabilities = { drop = [\"DEFAULT\"]; }; },\n"
           "{ name = \"back\"; inherit = \"few\"; namespaces = { identity = \"plain\"; };\n"
           "  capabilities = { add = [\"CHOWN\"]; ambient = [\"CHOWN\"]; }; },\n"
           "{ name = \"default\"; } );");
    assert_true(fixture_policy(f, "a")->capabilities.bounding ==
                ((docker | BIT(CAP_SYS_PTRACE)) & ~BIT(CAP_NET_RAW)));
    assert_true(fixture_policy(f, "more")->capabilities.bounding ==
                (docker | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYSLOG)));
    assert_strings(fixture_policy(f, "more")->capabilities.add, "sys_ptrace NET_RAW SYSLOG");
    assert_strings(fixture_policy(f, "more")->capabilities.drop, "");
    assert_true(fixture_policy(f, "less")->capabilities.bounding ==
                (docker & ~(BIT(CAP_NET_RAW) | BIT(CAP_CHOWN))));
    assert_true(fixture_policy(f, "none")->capabilities.bounding == 0);
    assert_int_equal(__builtin_popcountll(fixture_policy(f, "all")->capabilities.bounding), cap_max_bits());
    assert_true(fixture_policy(f, "few")->capabilities.bounding == BIT(CAP_SYS_PTRACE));
    assert_true(fixture_policy(f, "back")->capabilities.bounding == (BIT(CAP_SYS_PTRACE) | BIT(CAP_CHOWN)));
    assert_true(fixture_policy(f, "back")->capabilities.ambient == BIT(CAP_CHOWN));
    assert_int_equal(fixture_line(f, "less", CL_KEY_CAPABILITIES_ADD), 2);
    assert_int_equal(fixture_line(f, "less", CL_KEY_CAPABILITIES_DROP), 4);
    /* the formula of policy.h holds for the lists as they are */
    assert_strings(fixture_policy(f, "none")->capabilities.add, "");
}

static void test_seccomp_comes_on_top(void **state)
{
    struct fixture *f = *state;

    fixture_valid(f, "policies = (\n"
                     "{ name = \"a\"; seccomp = { allow = [\"mount\", \"bpf\"]; deny = [\"chmod\"]; }; },\n"
                     "{ name = \"b\"; inherit = \"a\"; seccomp = { allow = [\"chmod\"]; deny = [\"bpf\", "
                     "\"open\"]; }; },\n"
                     "{ name = \"c\"; inherit = \"a\"; seccomp = { profile = \"unconfined\"; }; },\n"
                     "{ name = \"default\"; } );");
    assert_strings(fixture_policy(f, "b")->seccomp.allow, "mount chmod");
    assert_strings(fixture_policy(f, "b")->seccomp.deny, "bpf open");
    assert_strings(fixture_policy(f, "c")->seccomp.allow, "");
    assert_strings(fixture_policy(f, "c")->seccomp.deny, "");
}

static void test_ambient_is_within_bounding(void **state)
{
    struct fixture *f = *state;

    fixture_invalid(f,
                    "policies = (\n"
                    "{ name = \"a\"; capabilities = { bounding = [\"CHOWN\"]; ambient = [\"CHOWN\"]; }; "
                    "namespaces = { identity = \"plain\"; }; },\n"
                    "{ name = \"b\"; inherit = \"a\"; capabilities = { drop = [\"CHOWN\"]; }; },\n"
                    "{ name = \"c\"; inherit = \"b\"; match = { users = [\"x\"]; }; } );",
                    3, "b: capabilities.ambient: CHOWN is not in the bounding set", 1);
}

static void test_ambient_needs_plain_identity(void **state)
{
    struct fixture *f = *state;

    fixture_invalid(f,
                    "policies = (\n"
                    "{ name = \"a\"; capabilities = { bounding = [\"CHOWN\"]; ambient = [\"CHOWN\"]; }; },\n"
                    "{ name = \"b\"; inherit = \"a\"; match = { users = [\"x\"]; }; } );",
                    2, "a: capabilities.ambient: would count for root's files", 1);
}

static void test_network_implies_its_namespace(void **state)
{
    struct fixture *f = *state;

    fixture_valid(f,
                  "policies = (\n"
                  "{ name = \"host\"; network = { mode = \"host\"; }; },\n"
                  "{ name = \"nonet\"; namespaces = { net = false; }; },\n"
                  "{ name = \"child\"; inherit = \"nonet\"; },\n"
                  "{ name = \"back\"; inherit = \"host\"; network = { mode = \"isolated\"; }; },\n"
                  "{ name = \"both\"; network = { mode = \"host\"; }; namespaces = { net = false; }; } );");
    assert_false(fixture_policy(f, "host")->namespaces.net);
    assert_int_equal(fixture_line(f, "host", CL_KEY_NAMESPACES_NET), 2);
    assert_int_equal(fixture_policy(f, "nonet")->network.mode, CL_NETWORK_HOST);
    assert_int_equal(fixture_policy(f, "child")->network.mode, CL_NETWORK_HOST);
    assert_true(fixture_policy(f, "back")->namespaces.net);
    assert_false(fixture_policy(f, "both")->namespaces.net);
    fixture_invalid(f,
                    "policies = (\n{ name = \"a\"; network = { mode = \"isolated\"; }; },\n"
                    "{ name = \"b\"; inherit = \"a\"; namespaces = { net = false; }; },\n"
                    "{ name = \"c\"; inherit = \"b\"; match = { users = [\"x\"]; }; } );",
                    3, "b: network.mode contradicts namespaces.net = false", 1);
}

static void test_circles_and_depth(void **state)
{
    struct fixture *f = *state;
    char text[4096] = "policies = ( { name = \"p0\"; }", line[64];

    fixture_invalid(f,
                    "policies = (\n{ name = \"x\"; inherit = \"a\"; match = { users = [\"x\"]; }; },\n"
                    "{ name = \"a\"; inherit = \"b\"; },\n{ name = \"b\"; inherit = \"c\"; },\n"
                    "{ name = \"c\"; inherit = \"a\"; } );",
                    5, "c: inherit: a circle: a, b, c, a", 1);
    for (int i = 1; i < 33; i++) {
        snprintf(line, sizeof(line), ",\n{ name = \"p%d\"; inherit = \"p%d\"; }", i, i - 1);
        strncat(text, line, sizeof(text) - strlen(text) - 1);
        if (i == 31) {
            char *end = text + strlen(text);

            memcpy(end, " );", 4);
            fixture_valid(f, text);
            *end = '\0';
        }
    }
    strncat(text, " );", sizeof(text) - strlen(text) - 1);
    fixture_invalid(f, text, 33, "p32: a chain of more than 32 policies", 1);
}

/* The leaf comes first, so that the whole chain is walked at once. */
static void test_depth_from_the_leaf(void **state)
{
    struct fixture *f = *state;
    char text[4096] = "policies = (", line[64];

    for (int i = 40; i > 0; i--) {
        snprintf(line, sizeof(line), "\n{ name = \"p%d\"; inherit = \"p%d\"; },", i, i - 1);
        strncat(text, line, sizeof(text) - strlen(text) - 1);
    }
    strncat(text, "\n{ name = \"p0\"; } );", sizeof(text) - strlen(text) - 1);
    fixture_invalid(f, text, 2, "p40: a chain of more than 32 policies", 1);
}

static void test_lists_do_not_grow_without_end(void **state)
{
    struct fixture *f = *state;
    char text[32768] = "", line[64];

    for (int p = 0; p < 2; p++) {
        snprintf(line, sizeof(line), "%s{ name = \"p%d\"; %s\nenv = {", p ? ",\n" : "policies = (\n", p,
                 p ? "inherit = \"p0\";" : "");
        strncat(text, line, sizeof(text) - strlen(text) - 1);
        for (int i = 0; i < 300; i++) {
            snprintf(line, sizeof(line), " V%d_%d = \"\";", p, i);
            strncat(text, line, sizeof(text) - strlen(text) - 1);
        }
        strncat(text, " }; }", sizeof(text) - strlen(text) - 1);
    }
    strncat(text, " );", sizeof(text) - strlen(text) - 1);
    fixture_invalid(f, text, 4, "p1: env: more than 512 variables", 1);
}

static void test_warnings(void **state)
{
    struct fixture *f = *state;

    fixture_valid(f, "policies = (\n{ name = \"lonely\"; },\n{ name = \"template\"; },\n"
                     "{ name = \"default\"; inherit = \"template\";\n"
                     "cgroup = { memory_max = \"1G\"; memory_high = \"2G\"; }; } );");
    assert_int_equal(f->problems.n, 2);
    assert_true(fixture_find(f, 2, "lonely: matches no one")->warning);
    assert_true(fixture_find(f, 5, "memory_high: has no effect")->warning);
    fixture_valid(f, "policies = (\n{ name = \"default\";\nnamespaces = { nested = 3; }; },\n"
                     "{ name = \"heir\"; inherit = \"default\"; match = { users = [\"u\"]; }; },\n"
                     "{ name = \"good\"; inherit = \"default\"; match = { users = [\"v\"]; };\n"
                     "apparmor = { profile = \"cloister-nested\"; }; } );");
    assert_int_equal(f->problems.n, 1);
    assert_true(fixture_find(f, 3, "namespaces.nested: apparmor.profile")->warning);
    fixture_valid(f, "policies = (\n{ name = \"default\"; apparmor = { profile = \"cloister-nested\"; };\n"
                     "namespaces = { nested = 3; };\nfiles = { landlock = true; }; } );");
    assert_int_equal(f->problems.n, 1);
    assert_true(fixture_find(f, 4, "files.landlock: refuses every mount")->warning);
}

static char *document_of(struct fixture *f, const char *name)
{
    char *document = NULL;

    assert_int_equal(cl_policy_document(fixture_policy(f, name), &document), 0);
    return document;
}

/* Two policies make the same cell when they say the same, however they are called, and wherever it is written. */
static void test_documents_are_equal_by_content(void **state)
{
    static const char *const others[] = {"b", "c", "d", "e", "f", "g", "h"};
    struct fixture *f = *state;
    char *a, *same;

    fixture_valid(f, "policies = (\n"
                     "{ name = \"a\"; match = { users = [\"x\"]; }; files = { hide = [\"/a\", \"/b\"]; }; env = { A = \"1\"; B = \"2\"; }; },\n"
                     "{ name = \"same\"; inherit = \"a\"; priority = 9; match = { groups = [\"y\"]; }; },\n"
                     "{ name = \"b\"; inherit = \"a\"; no_new_privs = false; },\n"
                     "{ name = \"c\"; inherit = \"a\"; files = { hide = [\"/a\"]; }; },\n"
                     "{ name = \"d\"; inherit = \"a\"; env = { A = \"1B\"; }; },\n"
                     "{ name = \"e\"; inherit = \"a\"; files = { mounts = ( { source = \"tmpfs\"; target = \"/m\"; options = \"noexec\"; } ); }; },\n"
                     "{ name = \"f\"; inherit = \"a\"; files = { mounts = ( { source = \"tmpfs\"; target = \"/m\"; options = \"ro\"; } ); }; },\n"
                     "{ name = \"g\"; inherit = \"a\"; cgroup = { io = ( { path = \"/\"; rbps = \"1M\"; } ); }; },\n"
                     "{ name = \"h\"; inherit = \"a\"; files = { mounts = ( { source = \"tmpfs\"; target = \"/m\"; options = \"noexec,inodes=100\"; } ); }; } );\n");
    a = document_of(f, "a");
    same = document_of(f, "same");
    assert_string_equal(a, same);
    free(same);
    for (size_t i = 0; i < CL_ARRAY_SIZE(others); i++) {
        char *other = document_of(f, others[i]);

        assert_string_not_equal(a, other);
        for (size_t k = 0; k < i; k++) {
            char *another = document_of(f, others[k]);

            assert_string_not_equal(other, another);
            free(another);
        }
        free(other);
    }
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_documents_are_equal_by_content, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_values_replace_and_keep_their_origin, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_session_has_the_limits_of_its_user, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_capabilities_come_on_top, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_seccomp_comes_on_top, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ambient_is_within_bounding, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ambient_needs_plain_identity, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_network_implies_its_namespace, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_circles_and_depth, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_depth_from_the_leaf, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_lists_do_not_grow_without_end, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_warnings, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
