/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which policy a login gets, who is exempt, where services are placed, and policies expanded for a user.
 */
#include "config.h"

#include <nss.h>

#include "policy-fixture.h"

static gid_t groups[] = {1000, 2000, 3000};
static char *group_names[] = {(char[]){"eva"}, (char[]){"students"}, (char[]){"night owls"}, NULL};

static struct cl_user eva(void)
{
    static char name[] = "eva", group[] = "eva", home[] = "/home/eva/", shell[] = "/bin/sh";

    return (struct cl_user){.name = name,
                            .uid = 1000,
                            .gid = 1000,
                            .group = group,
                            .home = home,
                            .shell = shell,
                            .groups = groups,
                            .group_names = group_names,
                            .n_groups = 3};
}

static void selects(const struct fixture *f, const char *service, const char *policy, const char *matched_by,
                    const char *considered)
{
    struct cl_selection selection;
    struct cl_user user = eva();
    char text[512] = "";

    assert_int_equal(cl_config_select(f->config, &user, service, &selection), 0);
    if (policy)
        assert_string_equal(selection.policy->name, policy);
    else
        assert_null(selection.policy);
    assert_string_equal(selection.matched_by, matched_by);
    for (size_t i = 0; i < selection.n_considered; i++) {
        strncat(text, i > 0 ? " " : "", sizeof(text) - strlen(text) - 1);
        strncat(text, selection.considered[i]->name, sizeof(text) - strlen(text) - 1);
    }
    assert_string_equal(text, considered);
    cl_selection_clear(&selection);
}

static void test_every_given_part_must_hold(void **state)
{
    struct fixture *f = *state;

    fixture_valid(
        f, "policies = (\n"
           "{ name = \"default\"; },\n"
           "{ name = \"template\"; priority = 99; },\n"
           "{ name = \"owls\"; inherit = \"template\"; priority = 1; match = { groups = [\"x\", \"night "
           "owls\"]; }; },\n"
           "{ name = \"cron\"; priority = 3; match = { services = [\"cron\"]; users = []; }; },\n"
           "{ name = \"both\"; priority = 2; match = { groups = [\"students\"]; users = [\"eva\"]; services "
           "= [\"sshd\"]; }; },\n"
           "{ name = \"other\"; priority = 50; match = { groups = [\"students\"]; users = [\"adam\"]; }; },\n"
           "{ name = \"same\"; priority = 2; match = { groups = [\"eva\"]; }; } );");
    selects(f, "sshd", "both", "group students, user eva, service sshd", "both same owls");
    selects(f, "cron", "cron", "service cron", "cron same owls");
    selects(f, "login", "same", "group eva", "same owls");
}

static void test_default_takes_the_rest(void **state)
{
    struct fixture *f = *state;

    fixture_valid(f, "policies = ( { name = \"default\"; priority = 1000; },\n"
                     "{ name = \"a\"; match = { users = [\"adam\"]; }; } );");
    selects(f, "sshd", "default", "default", "default");
    fixture_valid(f, "policies = ( { name = \"a\"; match = { users = [\"adam\"]; }; } );");
    selects(f, "sshd", NULL, "", "");
}

static const char *chosen(struct fixture *f, const char *policies)
{
    static char text[900];
    struct cl_selection selection;
    struct cl_user user = eva();
    struct cl_error e = {0};

    fixture_valid(f, policies);
    assert_int_equal(cl_config_select(f->config, &user, "sshd", &selection), 0);
    if (selection.doubtful) {
        assert_null(selection.policy);
        assert_true(cl_selection_fail(&selection, &user, &e) < 0);
        (void)cl_error_format(&e, text, sizeof(text));
    } else {
        snprintf(text, sizeof(text), "%s", selection.policy->name);
    }
    cl_selection_clear(&selection);
    return text;
}

#define NO_SUCH "match = { groups = [\"cloister-none\"]; };"

/* hesiod is a service of NSS that comes with glibc, and has no server here: a directory that is down. */
static void test_a_directory_that_is_down(void **state)
{
    static const char earlier[] = "policies = ( { name = \"a\"; " NO_SUCH " },\n"
                                  "{ name = \"b\"; match = { groups = [\"students\"]; }; } );";
    struct fixture *f = *state;
    const char *text;

    assert_int_equal(__nss_configure_lookup("group", "files hesiod"), 0);
    text = chosen(f, "policies = ( { name = \"default\"; }, { name = \"a\";\n" NO_SUCH " } );");
    assert_non_null(strstr(text, "cannot tell whether eva is in group cloister-none"));
    assert_non_null(strstr(text, "match.groups"));
    assert_non_null(strstr(text, "50-test.conf:2"));
    text = chosen(f, earlier);
    assert_non_null(strstr(text, "group cloister-none"));
    /* What decides without it goes on: a group that is known, a policy that wins anyway, another service or user. */
    text = chosen(f, "policies = ( { name = \"default\"; }, { name = \"a\"; match = { groups = [\"root\"]; }; } );");
    assert_string_equal(text, "default");
    text = chosen(f, "policies = ( { name = \"b\"; match = { groups = [\"students\"]; }; },\n"
                     "{ name = \"a\"; " NO_SUCH " },\n"
                     "{ name = \"c\"; priority = 9; match = { groups = [\"cloister-none\"]; services = [\"cron\"]; }; },\n"
                     "{ name = \"d\"; priority = 9; match = { groups = [\"cloister-none\"]; users = [\"adam\"]; }; } );");
    assert_string_equal(text, "b");
    /* Where it answers that there is none, the user is in none. */
    assert_int_equal(__nss_configure_lookup("group", "files"), 0);
    assert_string_equal(chosen(f, earlier), "b");
}

static void test_names_are_not_prefixes(void **state)
{
    struct fixture *f = *state;

    fixture_valid(f, "policies = ( { name = \"a\"; match = { users = [\"ev\", \"evaa\", \"EVA\"]; }; },\n"
                     "{ name = \"b\"; match = { services = [\"ssh\", \"sshd-x\"]; }; } );");
    selects(f, "sshd", NULL, "", "");
}

static void test_long_names_do_not_overflow_the_reason(void **state)
{
    struct fixture *f = *state;
    char name[257], policies[600];
    struct cl_selection selection;
    struct cl_user user = eva();
    char *long_groups[] = {name, NULL};

    memset(name, 'g', 256);
    name[256] = '\0';
    user.group_names = long_groups;
    user.n_groups = 1;
    snprintf(policies, sizeof(policies),
             "policies = ( { name = \"a\"; match = { groups = [\"%s\"]; users = [\"eva\"]; services = "
             "[\"sshd\"]; }; } );",
             name);
    fixture_valid(f, policies);
    assert_int_equal(cl_config_select(f->config, &user, "sshd", &selection), 0);
    assert_int_equal(strlen(selection.matched_by), sizeof(selection.matched_by) - 1);
    cl_selection_clear(&selection);
}

static void test_exempt(void **state)
{
    struct fixture *f = *state;
    struct cl_settings *settings;
    struct cl_user user = eva();
    char why[64];

    assert_int_equal(cl_settings_default(&settings), 0);
    assert_false(cl_settings_exempt(settings, &user, why, sizeof(why)));
    user.uid = 0;
    assert_true(cl_settings_exempt(settings, &user, why, sizeof(why)));
    assert_string_equal(why, "uid 0");
    assert_true(cl_settings_exempt(settings, &user, NULL, 0));
    user.uid = 1000;
    user.group_names = (char *[]){(char[]){"x"}, (char[]){"y"}, (char[]){"wheel"}, NULL};
    assert_true(cl_settings_exempt(settings, &user, why, sizeof(why)));
    assert_string_equal(why, "group wheel");
    cl_settings_free(settings);

    fixture_write(f, "cloister.conf", "exempt = { users = [\"eva\"]; groups = []; };");
    assert_int_equal(cl_settings_load(f->path, true, &settings, &f->problems), 0);
    assert_true(cl_settings_exempt(settings, &user, why, sizeof(why)));
    assert_string_equal(why, "user eva");
    user.name = (char[]){"adam"};
    assert_false(cl_settings_exempt(settings, &user, why, sizeof(why)));
    user.uid = 0;
    assert_true(cl_settings_exempt(settings, &user, why, sizeof(why)));
    cl_settings_free(settings);
}

/* The file is named by its end: it lies in a folder of the test's. */
static void assert_origin(const struct cl_settings *settings, const char *name, const char *expected)
{
    char origin[4200];
    size_t length = strlen(cl_settings_origin(settings, name, origin, sizeof(origin)));

    assert_true(length >= strlen(expected));
    assert_string_equal(origin + (*expected == '/' ? length - strlen(expected) : 0), expected);
}

/* Settings don't look at policies: exempt users get in when those are broken. */
static void test_settings(void **state)
{
    struct fixture *f = *state;
    struct cl_settings *settings = NULL;

    fixture_write(f, "policy.d/50-broken.conf", "policies = (");
    assert_int_equal(cl_settings_load(f->path, true, &settings, &f->problems), 0);
    assert_int_equal(settings->deadline, 10);
    assert_int_equal(settings->cgroup_manager, CL_MANAGER_AUTO);
    assert_int_equal(cl_settings_placement(settings, "sshd"), CL_PLACEMENT_CREDENTIALS);
    assert_int_equal(cl_settings_placement(settings, "su-l"), CL_PLACEMENT_FORK);
    assert_int_equal(cl_settings_placement(settings, "crond"), CL_PLACEMENT_FORK);
    assert_int_equal(cl_settings_placement(settings, "mydm"), CL_PLACEMENT_NONE);
    assert_int_equal(cl_settings_placement(settings, ""), CL_PLACEMENT_NONE);
    cl_settings_free(settings);

    fixture_write(
        f, "cloister.conf",
        "cgroup_manager = \"cgroupfs\"; deadline = \"1m\";\n"
        "placement = ( { service = \"mydm\"; at = \"fork\"; }, { service = \"sshd\"; at = \"fork\"; } );");
    assert_int_equal(cl_settings_load(f->path, true, &settings, &f->problems), 0);
    assert_int_equal(settings->deadline, 60);
    assert_int_equal(settings->cgroup_manager, CL_MANAGER_CGROUPFS);
    assert_int_equal(cl_settings_placement(settings, "mydm"), CL_PLACEMENT_FORK);
    assert_int_equal(cl_settings_placement(settings, "sshd"), CL_PLACEMENT_FORK);
    assert_int_equal(cl_settings_placement(settings, "atd"), CL_PLACEMENT_FORK);
    assert_origin(settings, "deadline", "/cloister.conf:1");
    assert_origin(settings, "placement", "/cloister.conf:2");
    assert_origin(settings, "network.pool", "built-in");
    assert_origin(settings, "network.none", "");
    cl_settings_free(settings);

    settings = NULL;
    fixture_write(f, "cloister.conf",
                  "placement = ( { service = \"a\"; at = \"none\"; }, { service = \"b\"; },\n"
                  "{ service = \"c/d\"; at = \"fork\"; } ); exempt = [];\ncgroup_manager = \"sytemd\";");
    assert_int_equal(cl_settings_load(f->path, true, &settings, &f->problems), -EINVAL);
    assert_null(settings);
    assert_int_equal(f->problems.n, 5);
    assert_non_null(
        fixture_find(f, 1, "placement[0].at: found \"none\"; allowed: \"credentials\" or \"fork\""));
    assert_non_null(fixture_find(f, 1, "placement[1].at is missing"));
    assert_non_null(fixture_find(f, 2, "placement[2].service: found \"c/d\""));
    assert_non_null(fixture_find(f, 2, "exempt: found a value"));
    assert_non_null(fixture_find(f, 3, "did you mean \"systemd\"?"));
}

static int expand(const struct fixture *f, const struct cl_user *user, struct cl_policy **ret,
                  struct cl_error *e)
{
    *e = (struct cl_error){0};
    *ret = NULL;
    return cl_policy_expand(fixture_policy(f, "default"), user, ret, e);
}

static void test_expansion(void **state)
{
    struct fixture *f = *state;
    struct cl_user user = eva();
    struct cl_policy *p;
    struct cl_error e;

    fixture_valid(
        f, "policies = ( { name = \"default\";\n"
           "namespaces = { hostname = \"%u-%U.lab\"; };\n"
           "files = { private = [\"/tmp\", \"%h/.cache\", \"/scratch/%g/%u\"]; hide = [\"/100%%\"];\n"
           "mounts = ( { source = \"/data/%u\"; target = \"%h/data\"; options = \"ro,rbind\"; },\n"
           "{ source = \"tmpfs\"; target = \"/s/%U\"; options = \"size=1M\"; }, { target = \"/t\"; } ); };\n"
           "env = { S = \"/tmp/screen-%u:%h:%%h\"; }; } );");
    assert_int_equal(expand(f, &user, &p, &e), 0);
    assert_string_equal(p->namespaces.hostname, "eva-1000.lab");
    assert_strings(p->files.private_dirs, "/tmp /home/eva/.cache /scratch/eva/eva");
    assert_strings(p->files.hide, "/100%");
    assert_int_equal(p->files.n_mounts, 3);
    assert_string_equal(p->files.mounts[0].source, "/data/eva");
    assert_string_equal(p->files.mounts[0].target, "/home/eva/data");
    assert_true(p->files.mounts[0].read_only && p->files.mounts[0].recursive);
    assert_null(p->files.mounts[1].source);
    assert_string_equal(p->files.mounts[1].target, "/s/1000");
    assert_int_equal(p->files.mounts[1].size, 1 << 20);
    assert_true(p->files.mounts[2].source == NULL && p->files.mounts[2].size == CL_UNLIMITED);
    assert_string_equal(p->env[0].value, "/tmp/screen-eva:/home/eva:%h");
    assert_int_equal(p->origin[CL_KEY_ENV].line, 6);
    assert_string_equal(fixture_policy(f, "default")->namespaces.hostname, "%u-%U.lab");
    cl_policy_free(p);
}

static void test_hostile_names_do_not_escape(void **state)
{
    static const char *const bad[] = {"..", ".", "a/b", "/", "../x"};
    struct fixture *f = *state;
    struct cl_user user = eva();
    struct cl_policy *p;
    struct cl_error e;
    char text[900];

    fixture_valid(f, "policies = ( { name = \"default\";\n files = { private = [\"/scratch/%g\"]; }; } );");
    for (size_t i = 0; i < CL_ARRAY_SIZE(bad); i++) {
        char group[16];

        snprintf(group, sizeof(group), "%s", bad[i]);
        user.group = group;
        assert_int_equal(expand(f, &user, &p, &e), -EINVAL);
        assert_null(p);
        assert_string_equal(e.key, "files.private");
        cl_error_format(&e, text, sizeof(text));
        assert_non_null(strstr(text, "50-test.conf:2"));
    }
    fixture_valid(f, "policies = ( { name = \"default\";\n files = { private = [\"%h/x\"]; }; } );");
    for (size_t i = 0; i < 6; i++) {
        static const char *const homes[] = {"", "home", "/home/../etc", "/proc/self", "/a\nb", "%h"};
        char home[32];

        snprintf(home, sizeof(home), "%s", homes[i]);
        user.home = home;
        if (i == 0) { /* "/x": where the home is unknown or the root, that is what the path says */
            assert_int_equal(expand(f, &user, &p, &e), 0);
            cl_policy_free(p);
        } else {
            assert_int_equal(expand(f, &user, &p, &e), -EINVAL);
        }
    }
    user = eva();
    fixture_valid(f, "policies = ( { name = \"default\"; namespaces = { hostname = \"%u\"; }; } );");
    user.name = (char[]){"DOM\\j.doe@x y"};
    assert_int_equal(expand(f, &user, &p, &e), 0);
    assert_string_equal(p->namespaces.hostname, "DOM-j.doe-x-y");
    cl_policy_free(p);
    user.name = (char[]){"\xc3\xa9va"};
    assert_int_equal(expand(f, &user, &p, &e), -EINVAL);
    user.name = (char[]){"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    assert_int_equal(expand(f, &user, &p, &e), -EINVAL);
    assert_string_equal(e.key, "namespaces.hostname");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_given_part_must_hold, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_default_takes_the_rest, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_directory_that_is_down, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_names_are_not_prefixes, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_names_do_not_overflow_the_reason, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_exempt, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_settings, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_expansion, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_hostile_names_do_not_escape, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
