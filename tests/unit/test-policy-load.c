/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Loading files: values and their units, every kind of error with its line and suggestion, and files that
 * must not be trusted.
 */
#include "config.h"

#include <time.h>

#include "policy-fixture.h"

/* The example of a policy with every group in it. */
static const char everything[] =
    "policies = ( {\n"
    "  name = \"students\"; inherit = \"default\"; priority = 10;\n"
    "  match = { groups = [\"students\"]; users = []; services = [\"sshd\", \"login\", \"cron\"]; };\n"
    "  namespaces = { user = true; pid = true; mount = true; ipc = true; uts = true; net = true; cgroup = "
    "true;\n"
    "                 time = false; nested = 0; hostname = \"%u\"; share = \"login\"; # login | user\n"
    "                 identity = \"natural\"; };\n"
    "  cgroup  = { pids_max = 200; memory_max = \"1G\"; memory_high = \"900M\"; swap_max = \"0\"; cpu_max = "
    "\"150%\";\n"
    "              cpu_weight = 100; io = ( { path = \"/\"; rbps = \"50M\"; wbps = \"50M\"; riops = 1000; "
    "wiops = 1000; } );\n"
    "              when_unavailable = \"refuse\"; session = { pids_max = 100; }; };\n"
    "  capabilities = { bounding = [\"NONE\"]; add = []; drop = []; ambient = []; };\n"
    "  seccomp = { profile = \"default\"; allow = []; deny = []; action = \"errno\"; log = true; };\n"
    "  apparmor = { profile = \"cloister-default\"; when_unavailable = \"refuse\"; };\n"
    "  no_new_privs = true;\n"
    "  files   = { root = \"/\"; home = \"bind\"; private = [\"/tmp\", \"/var/tmp\", \"/dev/shm\", "
    "\"/run\"]; tmp_size = \"256M\";\n"
    "              hide = [\"/root\", \"/boot\"]; read_only = []; mounts = ( { source = \"/srv/course\"; "
    "target = \"/srv/course\";\n"
    "              options = \"ro,nosuid,nodev\"; } ); dev = \"minimal\"; pts = \"host\"; };\n"
    "  network = { mode = \"isolated\"; };\n"
    "  session = { on_logout = \"kill\"; grace = 5; max = 20; };\n"
    "  env     = { SCREENDIR = \"/tmp/screen-%u\"; };\n"
    "}, { name = \"default\"; } );\n";

static void test_every_value_is_read(void **state)
{
    struct fixture *f = *state;
    const struct cl_policy *p;
    char origin[300];

    fixture_valid(f, everything);
    p = fixture_policy(f, "students");
    assert_string_equal(p->inherit, "default");
    assert_int_equal(p->priority, 10);
    assert_strings(p->match.groups, "students");
    assert_null(p->match.users);
    assert_strings(p->match.services, "sshd login cron");
    assert_string_equal(p->namespaces.hostname, "%u");
    assert_int_equal(p->cgroup.user.pids_max, 200);
    assert_int_equal(p->cgroup.user.memory_max, 1 << 30);
    assert_int_equal(p->cgroup.user.memory_high, 900 << 20);
    assert_int_equal(p->cgroup.user.swap_max, 0);
    assert_int_equal(p->cgroup.user.cpu_max, 150);
    assert_int_equal(p->cgroup.user.cpu_weight, 100);
    assert_int_equal(p->cgroup.user.n_io, 1);
    assert_string_equal(p->cgroup.user.io[0].path, "/");
    assert_int_equal(p->cgroup.user.io[0].rbps, 50 << 20);
    assert_int_equal(p->cgroup.user.io[0].wiops, 1000);
    assert_int_equal(p->cgroup.session.pids_max, 100);
    assert_int_equal(p->files.n_mounts, 1);
    assert_string_equal(p->files.mounts[0].target, "/srv/course");
    assert_true(p->files.mounts[0].read_only && !p->files.mounts[0].noexec && !p->files.mounts[0].recursive);
    assert_int_equal(p->n_env, 1);
    assert_string_equal(p->env[0].name, "SCREENDIR");
    assert_int_equal(fixture_line(f, "students", CL_KEY_CGROUP_PIDS_MAX), 7);
    assert_int_equal(fixture_line(f, "students", CL_KEY_CGROUP_SESSION_PIDS_MAX), 9);
    cl_policy_origin(p, CL_KEY_CGROUP_IO, origin, sizeof(origin));
    assert_non_null(strstr(origin, "/policy.d/50-test.conf:8"));
    assert_string_equal(cl_policy_origin(p, CL_KEY_CGROUP_SESSION_IO, origin, sizeof(origin)), "built-in");
}

/* A policy with one line of its own, at line 2. */
static void one(struct fixture *f, const char *line, bool valid, const char *text)
{
    char policies[4096];

    snprintf(policies, sizeof(policies), "policies = ( { name = \"default\";\n%s\n} );\n", line);
    if (valid)
        fixture_valid(f, policies);
    else
        fixture_invalid(f, policies, 2, text, 1);
}

static void test_units(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {{"4194304", 4194304},           {"\"4194304\"", 4194304},
                 {"\"4096K\"", 4194304},         {"\"8m\"", 8 << 20},
                 {"\"2T\"", UINT64_C(2) << 40},  {"\"max\"", CL_UNLIMITED},
                 {"\"5000000000\"", 5000000000}, {"5000000000L", 5000000000}};
    struct fixture *f = *state;
    char line[128];

    for (size_t i = 0; i < CL_ARRAY_SIZE(sizes); i++) {
        snprintf(line, sizeof(line), "cgroup = { memory_max = %s; };", sizes[i].text);
        one(f, line, true, NULL);
        assert_true(fixture_policy(f, "default")->cgroup.user.memory_max == sizes[i].bytes);
    }
    one(f, "cgroup = { cpu_max = 75; }; session = { grace = \"2m\"; idle = \"30m\"; };", true, NULL);
    assert_int_equal(fixture_policy(f, "default")->cgroup.user.cpu_max, 75);
    assert_int_equal(fixture_policy(f, "default")->session.grace, 120);
    assert_int_equal(fixture_policy(f, "default")->session.idle, 1800);
    one(f, "session = { idle = 15; };", true, NULL);
    one(f, "session = { idle = 0; };", true, NULL);
    assert_int_equal(fixture_policy(f, "default")->session.idle, 0);
}

struct wrong {
    const char *line, *text;
};

/* Errors name the line, what was found and what is allowed. */
static void check_wrong(struct fixture *f, const struct wrong *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        one(f, cases[i].line, false, cases[i].text);
}

static void test_errors_of_values(void **state)
{
    static const struct wrong cases[] = {
        {"cgroup = { pids_mx = 3; };", "cgroup.pids_mx: unknown key; did you mean \"cgroup.pids_max\"?"},
        {"seesion = { grace = 1; };", "seesion: unknown key; did you mean \"session\"?"},
        {"prio = 1;", "did you mean \"priority\"?"},
        {"hide = [];", "did you mean \"files.hide\"?"},
        {"zzzzzzzzzzz = 1;", "zzzzzzzzzzz: unknown key, see cloister.conf(5)"},
        {"cgroup = 1;", "cgroup: found a value; allowed: a group"},
        {"name = { x = 1; };", "duplicate setting name"},
        {"priority = \"1\";", "priority: found \"1\"; allowed: a number"},
        {"priority = 1.5;", "priority: found 1.5; allowed: a number"},
        {"priority = 0x10;", "write it in decimal"},
        {"priority = 1000001;", "out of range"},
        {"no_new_privs = \"true\";", "write it without quotes"},
        {"no_new_privs = 1;", "no_new_privs: found 1; allowed: true or false"},
        {"cgroup = { pids_max = 3; };",
         "found 3 (out of range); allowed: a number from 4 to 4194304, or \"max\""},
        {"cgroup = { pids_max = -1; };", "found -1 (out of range)"},
        {"cgroup = { pids_max = 99999999999999999999999; };", "a number of more than 32 bits"},
        {"cgroup = { pids_max = 4294967496; };", "a number of more than 32 bits"},
        {"cgroup = { pids_max = 99999999999999999999999L; };", "(out of range)"},
        {"priority = -4294967286;", "a number of more than 32 bits"},
        {"cgroup = { pids_max = \"200K\"; };", "found \"200K\""},
        {"cgroup = { memory_max = \"1Q\"; };", "found \"1Q\"; allowed: bytes from 4M"},
        {"cgroup = { memory_max = \"1GB\"; };", "found \"1GB\""},
        {"cgroup = { memory_max = \"\"; };", "found \"\""},
        {"cgroup = { memory_max = \"M\"; };", "found \"M\""},
        {"cgroup = { memory_max = \"-1M\"; };", "found \"-1M\""},
        {"cgroup = { memory_max = \"99999999999999999999T\"; };", "out of range"},
        {"cgroup = { memory_max = \"18014398509481984K\"; };", "out of range"},
        {"cgroup = { cpu_max = \"0%\"; };", "out of range"},
        {"cgroup = { cpu_max = \"150 %\"; };", "found \"150 %\""},
        {"cgroup = { cpu_weight = \"max\"; };",
         "found \"max\"; allowed: a number from 1 to 10000, or \"default\""},
        {"cgroup = { when_unavailable = \"refus\"; };",
         "allowed: \"refuse\" or \"continue\"; did you mean \"refuse\"?"},
        {"cgroup = { io = { path = \"/\"; }; };", "cgroup.io: found a group"},
        {"cgroup = { io = ( { rbps = \"1M\"; } ); };", "cgroup.io[0].path is missing"},
        {"cgroup = { io = ( { path = \"/\"; } ); };", "cgroup.io[0]: limits nothing"},
        {"cgroup = { io = ( { path = \"/\"; rbps = 5000; bps = 1; } ); };", "cgroup.io[0].bps: unknown key"},
        {"cgroup = { io = ( { path = \"/\"; rbps = 5000; }, { path = \"/\"; wbps = 5000; } ); };",
         "cgroup.io[1]: the same as an earlier one"},
        {"cgroup = { session = { io = ( 5 ); }; };", "cgroup.session.io: found 5"},
    };

    check_wrong(*state, cases, CL_ARRAY_SIZE(cases));
}

static void test_errors_of_layers(void **state)
{
    static const struct wrong cases[] = {
        {"capabilities = { bounding = [\"CHWON\"]; };", "did you mean \"CHOWN\"?"},
        {"capabilities = { bounding = [\"NONE\", \"CHOWN\"]; };", "\"NONE\" stands alone"},
        {"capabilities = { bounding = \"ALL\"; };", "write it in [ ]"},
        {"capabilities = { add = [\"cap_CHOWN\"]; drop = [\"CHOWN\"]; };", "is in capabilities.add and in"},
        {"capabilities = { ambient = [\"CHOWN\"]; }; namespaces = { identity = \"plain\"; };",
         "CHOWN is not in the bounding set"},
        {"capabilities = { bounding = [\"CHOWN\"]; ambient = [\"CHOWN\"]; };",
         "allowed: with namespaces.identity = \"plain\""},
        {"seccomp = { allow = [\"opne\"]; };", "did you mean \"open\"?"},
        {"seccomp = { deny = [\"fchmodatt2\"]; };", "did you mean \"fchmodat2\"?"},
        {"mode = \"complain\";", "allowed: \"enforce\" or \"audit\""},
        {"seccomp = { deny = [\"open\"]; allow = [\"open\"]; };", "is in seccomp.allow and in seccomp.deny"},
        {"seccomp = { profile = \"defualt\"; };", "did you mean \"default\"?"},
        {"seccomp = { profile = \"profile.json\"; };", "not an absolute path"},
        {"seccomp = { profile = \"/a/../b.json\"; };", "write it without . and .."},
        {"seccomp = { profile = \"unconfined\"; deny = [\"open\"]; };", "has no filter"},
        {"seccomp = { action = \"trap\"; };", "allowed: \"errno\", \"kill\" or \"log\""},
        {"apparmor = { profile = \":ns:x\"; };", "letters, digits and"},
        {"apparmor = { profile = \"\"; };", "found \"\" (empty)"},
        {"namespaces = { user = false; };", "allowed: true (the cell is made of these)"},
        {"namespaces = { pid = false; };", "the cell is made of these"},
        {"namespaces = { mount = false; };", "the cell is made of these"},
        {"namespaces = { time = true; };", "not in this release"},
        {"namespaces = { share = \"users\"; };", "found \"users\"; allowed: \"login\" or \"user\"; did you mean \"user\"?"},
        {"namespaces = { hostname = \"%h\"; };", "unknown %h; allowed: %u %U %g and %%"},
        {"namespaces = { hostname = \"a b\"; };", "found \"a b\""},
        {"namespaces = { hostname = \"-x\"; };", "starts with '-'"},
        {"namespaces = { hostname = \"x\"; uts = false; };", "would change the host's name"},
        {"network = { mode = \"bridge\"; };",
         "found \"bridge\"; allowed: \"isolated\", \"nat\" or \"host\""},
        {"network = { mode = \"host\"; }; namespaces = { net = true; };",
         "contradicts namespaces.net = true"},
        {"network = { mode = \"isolated\"; }; namespaces = { net = false; };",
         "contradicts namespaces.net = false"},
    };

    check_wrong(*state, cases, CL_ARRAY_SIZE(cases));
}

static void test_errors_of_sessions_and_files(void **state)
{
    static const struct wrong cases[] = {
        {"session = { on_logout = \"stay\"; };", "allowed: \"kill\", \"linger\" or \"keep\""},
        {"session = { linger = 0; };", "out of range"},
        {"session = { linger = \"31d\"; };", "out of range"},
        {"session = { grace = \"1d\"; };", "out of range"},
        {"session = { idle = 14; };", "session.idle: found 14 seconds; allowed: 0, which is never, or from 15 on"},
        {"session = { idle = -1; };", "out of range"},
        {"session = { idle = \"31d\"; };", "out of range"},
        {"session = { idle = \"never\"; };", "session.idle: found \"never\""},
        {"files = { root = \"/proc/1/root\"; };", "/proc, /sys and /dev are the kernel's"},
        {"files = { overlay = \"home\"; };", "not in this release"},
        {"files = { tmp_inodes = 63; };", "from 64"},
        {"files = { mounts = ( { target = \"/x\"; options = \"inodes=5\"; } ); };", "inodes=5"},
        {"files = { mounts = ( { source = \"/y\"; target = \"/x\"; options = \"inodes=500\"; } ); };", "are for a tmpfs"},
        {"files = { root = \"srv\"; };", "not an absolute path"},
        {"files = { dev = \"full\"; };", "not in this release"},
        {"files = { pts = \"mine\"; };", "\"host\" or \"private\""},
        {"files = { pts_max = 0; };", "1"},
        {"files = { home = \"bnd\"; };", "did you mean \"bind\"?"},
        {"files = { private = [\"/\"]; };", "the root can't be covered"},
        {"files = { private = [\"/proc\"]; };", "nothing may cover /proc"},
        {"files = { private = [\"/dev\"]; };", "nothing below /dev but /dev/shm"},
        {"files = { private = [\"tmp\"]; };", "not an absolute path"},
        {"files = { private = [\"/tmp/\"]; };", "without a / at its end"},
        {"files = { private = [\"/a//b\"]; };", "write it without //"},
        {"files = { private = [\"/a/./b\"]; };", "write it without . and .."},
        {"files = { private = [\"%%h/x\"]; };", "not an absolute path"},
        {"files = { private = [\"%hx\"]; };", "not an absolute path"},
        {"files = { private = [\"%h/../x\"]; };", "write it without . and .."},
        {"files = { private = [\"/x/%x\"]; };", "unknown %x; allowed: %u %U %g %h and %%"},
        {"files = { private = [\"/x/%\"]; };", "unknown %"},
        {"files = { hide = [\"/\"]; };", "the root can't be covered"},
        {"files = { private = \"/tmp\"; };", "write it in [ ]"},
        {"files = { mounts = ( { source = \"/x\"; } ); };", "files.mounts[0].target is missing"},
        {"files = { mounts = ( { target = \"/proc/self\"; source = \"/x\"; } ); };",
         "nothing may cover /proc"},
        {"files = { mounts = ( { target = \"/x\"; options = \"suid\"; } ); };",
         "nosuid and nodev always hold"},
        {"files = { mounts = ( { target = \"/x\"; options = \"foo\"; } ); };", "not \"foo\""},
        {"files = { mounts = ( { target = \"/x\"; source = \"/y\"; options = \"size=1M\"; } ); };",
         "for a tmpfs"},
    };

    check_wrong(*state, cases, CL_ARRAY_SIZE(cases));
}

static void test_errors_of_env_and_inherit(void **state)
{
    static const struct wrong cases[] = {
        {"env = { LD_PRELOAD = \"/x\"; };", "env.LD_PRELOAD: variables of the dynamic loader"},
        {"env = { A-B = \"x\"; };", "env.A-B: allowed names"},
        {"env = { A = 1; };", "env.A: found 1; allowed: a string"},
        {"env = { A = \"%z\"; };", "unknown %z"},
        {"env = [];", "env: found a list; allowed: a group"},
        {"inherit = \"students\";", "found \"students\", which is no policy"},
        {"inherit = \"defaul\";", "did you mean \"default\"?"},
        {"inherit = \"default\";", "a circle: default, default"},
    };

    check_wrong(*state, cases, CL_ARRAY_SIZE(cases));
}

static void test_errors_of_files_as_a_whole(void **state)
{
    struct fixture *f = *state;

    fixture_invalid(f, "policies = ( { name = \"a\" x } );", 1, "syntax error at or before: policies", 1);
    fixture_invalid(f, "policies = 1;", 1, "policies: allowed: a list of groups", 1);
    fixture_invalid(f, "policies = ( 1 );", 1, "allowed: a list of groups", 1);
    fixture_invalid(f, "policies = ( { name = \"a\"; match = { users = [\"x\"]; }; } );\nother = 1;", 2,
                    "other: unknown key; allowed: policies", 1);
    fixture_invalid(f, "policies = (\n{ match = { users = [\"x\"]; }; } );", 2, "a policy without a name", 1);
    fixture_invalid(f, "policies = ( { name = \"\"; } );", 1, "name: found \"\"", 1);
    fixture_invalid(f, "policies = ( { name = \"a b\"; } );", 1, "name: found \"a b\"", 1);
    fixture_invalid(f, "policies = ( { name = \"a\"; },\n{ name = \"a\"; } );", 2,
                    "a policy of this name is at", 1);
    fixture_invalid(f, "policies = ( { name = \"default\";\nmatch = { users = [\"x\"]; }; } );", 1,
                    "allowed: no match", 1);
    for (size_t i = 0; i < 2; i++) {
        fixture_write(f, "policy.d/50-test.conf", i ? "" : "policies = ();");
        assert_int_equal(fixture_load(f), -EINVAL);
        assert_non_null(fixture_find(f, 0, "no policy in any of its files"));
    }
}

static void test_all_errors_at_once(void **state)
{
    struct fixture *f = *state;
    unsigned last = 0;

    fixture_write(f, "cloister.conf", "deadlin = 3;\ndeadline = 0;\n");
    fixture_write(f, "policy.d/10-a.conf", "policies = (\n{ name = \"a\"; cgroup = { pids_max = 1; }; }\n");
    fixture_write(f, "policy.d/20-b.conf", "policies = (\n{ name = \"b\"; x = 1;\ny = 1; } );\n");
    fixture_write(f, "policy.d/30-c.conf", "policies = (\n{ name = \"b\"; inherit = \"zzz\"; } );\n");
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 1, "did you mean \"deadline\"?"));
    assert_non_null(fixture_find(f, 2, "deadline: found 0 (out of range)"));
    assert_non_null(fixture_find(f, 2, "x: unknown key"));
    assert_non_null(fixture_find(f, 3, "y: unknown key"));
    assert_non_null(fixture_find(f, 2, "a policy of this name is at"));
    for (size_t i = 0; i < f->problems.n; i++) { /* by file, then by line */
        if (i > 0 && strcmp(f->problems.items[i - 1].file, f->problems.items[i].file) != 0)
            last = 0;
        assert_true(f->problems.items[i].line >= last);
        last = f->problems.items[i].line;
    }
}

static void test_error_list_is_bounded(void **state)
{
    struct fixture *f = *state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fprintf(out, "policies = (");
    for (int i = 0; i < 2000; i++)
        fprintf(out, "%s{ name = \"p%d\"; inherit = \"nothing\"; }", i ? ",\n" : "", i);
    fprintf(out, ");");
    fclose(out);
    fixture_write(f, "policy.d/50-test.conf", text);
    free(text);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_int_equal(f->problems.n, 200);
    assert_non_null(fixture_find(f, 0, "more problems follow"));
}

static void test_include_is_refused(void **state)
{
    static const char *const spellings[] = {
        "@include \"/etc/hostname\"\n",
        "  \t@include \"x\"\n",
        "@include\t\"x\"\n",
        "@INCLUDE \"x\"\n",
        "/* */ @include \"x\"\n",
        "a = \"\\\"\"; @include \"x\"\n",
        "a = 1;@include \"x\"\n",
        "# comment\n@include \"x\"\n",
        "/* a\n@include \"x\"\n*/\n",
        "@include",
        "@includ \"x\"\n",
        "a = \"\\\\\";\n@include \"x\"\n",
        "a = \"x\n@include \"; b = \"\";\n",
        "\f@include \"x\"\n",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < CL_ARRAY_SIZE(spellings); i++) {
        bool found = false;

        fixture_write(f, "policy.d/50-test.conf", spellings[i]);
        assert_int_equal(fixture_load(f), -EINVAL);
        for (size_t k = 0; k < f->problems.n; k++)
            found = found || strstr(f->problems.items[k].text, "@include is refused");
        if (!found)
            fail_msg("not refused: %s", spellings[i]);
    }
    fixture_valid(
        f,
        "# see @include\n// @include\n/* x @include */\n"
        "policies = ( { name = \"a\"; match = { users = [\"a@b\"]; }; env = { M = \"x @include\"; }; } );");
}

static void test_files_that_are_not_trusted(void **state)
{
    struct fixture *f = *state;
    char path[128], target[160], *big = calloc(1, (1 << 20) + 2);

    fixture_write(f, "policy.d/10-good.conf", "policies = ( { name = \"default\"; } );");
    assert_int_equal(fixture_load(f), 0);

    snprintf(path, sizeof(path), "%s/policy.d/20-x.conf", f->path);
    snprintf(target, sizeof(target), "%s/policy.d/10-good.conf", f->path);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 0, "a symbolic link"));
    unlink(path);

    assert_int_equal(mkfifo(path, 0644), 0);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 0, "not a regular file"));
    unlink(path);

    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 0, "not a regular file"));
    rmdir(path);

    memset(big, '\n', (1 << 20) + 1);
    fixture_write(f, "policy.d/20-x.conf", big);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 0, "larger than 1048576 bytes"));
    big[1 << 20] = '\0';
    fixture_write(f, "policy.d/20-x.conf", big);
    assert_int_equal(fixture_load(f), 0);
    free(big);

    fixture_write(f, "policy.d/20-x.conf", "");
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 0, "holds a NUL byte"));
}

/* Whoever runs the test: root's files must not be writable by others, and others' files are no good. */
static void test_owner_and_mode(void **state)
{
    struct fixture *f = *state;
    char path[128];
    int r;

    fixture_write(f, "policy.d/10-a.conf", "policies = ( { name = \"default\"; } );");
    chmod(f->path, 0755);
    r = cl_config_load(f->path, false, &f->config, &f->problems);
    if (geteuid() != 0) {
        assert_int_equal(r, -EINVAL);
        assert_non_null(fixture_find(f, 0, "allowed: root's only"));
        return;
    }
    assert_int_equal(r, 0);
    snprintf(path, sizeof(path), "%s/policy.d/10-a.conf", f->path);
    for (size_t i = 0; i < 3; i++) {
        fixture_forget(f);
        if (i == 0)
            assert_int_equal(chmod(path, 0664), 0);
        if (i == 1)
            assert_int_equal(chmod(path, 0644) || chown(path, 1, 0), 0);
        if (i == 2)
            assert_int_equal(chown(path, 0, 0) || chmod(f->path, 0777), 0);
        assert_int_equal(cl_config_load(f->path, false, &f->config, &f->problems), -EINVAL);
        assert_non_null(fixture_find(f, 0, i == 1 ? "owned by uid 1" : "writable by others"));
    }
}

static void test_missing_parts(void **state)
{
    struct fixture *f = *state;
    char path[128];

    assert_int_equal(fixture_load(f), -EINVAL);
    assert_non_null(fixture_find(f, 0, "no policy: the folder holds no file"));
    fixture_write(f, "policy.d/.hidden.conf", "x");
    fixture_write(f, "policy.d/readme.txt", "x");
    assert_int_equal(fixture_load(f), -EINVAL);
    snprintf(path, sizeof(path), "%s/policy.d/.hidden.conf", f->path);
    unlink(path);
    snprintf(path, sizeof(path), "%s/policy.d/readme.txt", f->path);
    unlink(path);
    snprintf(path, sizeof(path), "%s/policy.d", f->path);
    rmdir(path);
    assert_int_equal(fixture_load(f), -ENOENT);
    assert_int_equal(f->problems.n, 1);
    fixture_forget(f);
    assert_int_equal(cl_config_load("/nonexistent", true, &f->config, &f->problems), -ENOENT);
    assert_int_equal(f->problems.n, 1);
}

static void test_file_order(void **state)
{
    struct fixture *f = *state;

    fixture_write(f, "policy.d/a.conf",
                  "policies = ( { name = \"third\"; match = { users = [\"x\"]; }; } );");
    fixture_write(f, "policy.d/50-x.conf",
                  "policies = ( { name = \"first\"; match = { users = [\"x\"]; }; } );");
    fixture_write(f, "policy.d/Z.conf",
                  "policies = ( { name = \"second\"; match = { users = [\"x\"]; }; } );");
    assert_int_equal(fixture_load(f), 0);
    assert_string_equal(cl_config_policy(f->config, 0)->name, "first");
    assert_string_equal(cl_config_policy(f->config, 1)->name, "second");
    assert_string_equal(cl_config_policy(f->config, 2)->name, "third");
    assert_null(cl_config_policy(f->config, 3));
}

static void test_ten_thousand_policies(void **state)
{
    struct fixture *f = *state;
    int64_t start;

    for (int file = 0; file < 10; file++) {
        char *text = NULL, name[64];
        size_t size;
        FILE *out = open_memstream(&text, &size);

        fprintf(out, "policies = (");
        for (int i = 0; i < 1000; i++)
            fprintf(out, "%s{ name = \"p%d\"; inherit = \"p%d\"; match = { users = [\"u%d\"]; }; }",
                    i ? "," : "", file * 1000 + i,
                    (file * 1000 + i) % 100 == 0 ? 0 : (file * 1000 + i) / 100 * 100, file * 1000 + i);
        if (file == 0)
            fprintf(out, ", { name = \"default\"; }");
        fprintf(out, ");");
        fclose(out);
        if (file == 0)
            memcpy(strstr(text, "inherit = \"p0\";"), "                ", 15);
        snprintf(name, sizeof(name), "policy.d/%d.conf", file);
        fixture_write(f, name, text);
        free(text);
    }
    start = cl_now_ms();
    if (fixture_load(f) != 0)
        fixture_print(f);
    assert_non_null(f->config);
    assert_int_equal(cl_config_count(f->config), 10001);
    assert_true(cl_now_ms() - start < 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_value_is_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_units, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors_of_values, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors_of_layers, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors_of_sessions_and_files, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors_of_env_and_inherit, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_errors_of_files_as_a_whole, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_all_errors_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_error_list_is_bounded, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_include_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_files_that_are_not_trusted, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_owner_and_mode, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_missing_parts, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_file_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_ten_thousand_policies, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
