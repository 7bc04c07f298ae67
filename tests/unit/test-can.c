/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * explain --can, as it is run: the answer, the exit status, and who is said to say so. tests/system/56-can.sh
 * holds the answers against real cells.
 */
#include "config.h"

#include "command-fixture.h"

/* One question after the other: the first word, the exit status, and where the rule was written. */
static void test_can(void **state)
{
    static const struct {
        const char *question, *said, *source;
        int status;
    } cases[] = {
        {"mount", "no          mount fails with EPERM", "seccomp.profile, /tmp/", 1},
        {"clone3", "no          clone3 fails with ENOSYS", "syscalls[", 1},
        {"chmod", "no          chmod fails with EPERM", "seccomp.deny, /tmp/", 1},
        {"fchmodat2", "no          fchmodat2 fails with EPERM", "20-b.conf:4", 1},
        {"read", "yes         read goes through", "syscalls[", 0},
        {"bpf", "yes         bpf goes through", "10-a.conf:2)", 0},
        {"keyctl", "yes         keyctl goes through", "20-b.conf:3)", 0},
        {"ioctl", "yes         ioctl goes through, but not with all", "(TIOCSTI), ioctl fails with EPERM", 0},
        {"clone", "yes         clone goes through, but not with all", "(the CLONE_NEW* flags) is 0", 0},
        {"KILL", "yes         CAP_KILL is ambient", "capabilities.ambient, /tmp/", 0},
        {"cap_kill", "yes         CAP_KILL is ambient", "10-a.conf:3)", 0},
        {"CHOWN", "no          CAP_CHOWN is in no set", "capabilities.drop, /tmp/", 1},
        {"NET_RAW", "no          CAP_NET_RAW is in the bounding set, but not ambient", "10-a.conf:3)", 1},
        {"SYS_PTRACE", "no          CAP_SYS_PTRACE is in the bounding set", "capabilities.add, /tmp/", 1},
        {"/etc/passwd", "no          /etc/passwd is hidden", "files.hide, /tmp/", 1},
        {"/root/x", "no          /root/x is hidden with the folder above", "20-b.conf:7)", 1},
        {"/etc/group", "yes         /etc/group is there as on the host\n", "built-in)", 0},
        {"/etc", "yes         /etc is there as on the host\n", "built-in)", 0},
        {"/usr/bin", "yes         /usr/bin is there as on the host; it cannot be written",
         "files.read_only, /tmp/", 0},
        {"/tmp", "yes         /tmp is the cell's own", "files.private, built-in)", 0},
        {"/tmp/x", "no          /tmp/x is not seen", "files.private, built-in)", 1},
        {"/run/docker.sock", "no          /run/docker.sock is not seen", "files.private, built-in)", 1},
        {"/proc/sys/kernel/hostname", "yes         /proc/sys/kernel/hostname is the cell's own; it cannot",
         "built-in)", 0},
        {"/dev/null", "yes         /dev/null is of the cell's own /dev", "built-in)", 0},
        {"/dev/kmsg", "no          /dev/kmsg is not in", "built-in)", 1},
        {"/home/someone/x", "no          /home/someone/x is not seen: homes of others",
         "files.home, built-in)", 1},
        {"/mnt", "yes         /mnt is there, from elsewhere on the host; it cannot", "files.mounts, /tmp/",
         0},
        {"/no-such-file", "no          /no-such-file does not exist", "built-in)", 1},
        {"/a\nb", "no          /a\\x0ab does not exist", "built-in)", 1},
        {"no_such", "\"no_such\" is no system call, capability or absolute path", "", 2},
        {"DEFAULT", "\"DEFAULT\" is no system call, capability or absolute path\n", "", 2},
        {"mout", "did you mean \"mount\"?", "", 2},
        {"/a//b", "a path is absolute", "", 2},
        {"/a/../b", "a path is absolute", "", 2},
    };
    struct fixture *f = *state;
    char text[5000], path[4096];

    assert_non_null(realpath(source_dir(), path));
    snprintf(text, sizeof(text),
             "policies = ( { name = \"default\"; apparmor = { profile = \"unconfined\"; };\n"
             "seccomp = { profile = \"%s/profiles/seccomp/default.json\"; allow = [\"bpf\"]; };\n"
             "capabilities = { bounding = [\"DEFAULT\"]; ambient = [\"KILL\"]; };\n"
             "namespaces = { identity = \"plain\"; }; } );\n",
             path);
    fixture_write(f, "policy.d/10-a.conf", text);
    fixture_write(
        f, "policy.d/20-b.conf",
        "policies = ( { name = \"b\"; inherit = \"default\"; priority = 1;\n"
        "match = { users = [\"nobody\"]; };\n"
        "seccomp = { allow = [\"keyctl\"];\n"
        "  deny = [\"chmod\", \"fchmodat2\"]; };\n"
        "capabilities = { drop = [\"CHOWN\"];\n"
        "  add = [\"SYS_PTRACE\"]; };\n"
        "files = { hide = [\"/root\", \"/etc/passwd\"]; read_only = [\"/usr\"];\n"
        "  mounts = ( { source = \"/usr/share\"; target = \"/mnt\"; options = \"ro\"; } ); }; } );");
    for (size_t i = 0; i < CL_ARRAY_SIZE(cases); i++) {
        struct run r = RUN(f, "--config", "%", "explain", some_user(), "--can", cases[i].question);

        if (r.status != cases[i].status || !strstr(r.status == 2 ? r.err : r.out, cases[i].said) ||
            !strstr(r.out, cases[i].source))
            fail_msg("%s: %d, %s%s", cases[i].question, r.status, r.out, r.err);
        run_clear(&r);
    }
}

/* The documents, and what is answered for who has no cell. */
static void test_can_json(void **state)
{
    static const char *const questions[] = {"read", "ioctl", "CHOWN", "/etc", "/tmp/x", "/root"};
    struct fixture *f = *state;
    json_t *schema = load_schema_of("can"), *document;
    struct run r;

    write_valid(f);
    for (size_t i = 0; i < CL_ARRAY_SIZE(questions); i++) {
        r = RUN(f, "--config", "%", "explain", some_user(), "--can", questions[i], "--json");
        document = json_loads(r.out, 0, NULL);
        assert_non_null(document);
        check_schema(schema, document, questions[i]);
        assert_int_equal(r.status,
                         strcmp(json_string_value(json_object_get(document, "answer")), "yes") != 0);
        json_decref(document);
        run_clear(&r);
    }
    r = RUN(f, "--config", "%", "explain", "root", "--can", "mount");
    assert_int_equal(r.status, 0);
    assert_non_null(strstr(r.out, "exempt (uid 0)"));
    run_clear(&r);
    r = RUN(f, "--config", "%", "explain", some_user(), "--can", "read", "--service", "nothing");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.out, "the login is refused"));
    run_clear(&r);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_can, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_can_json, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
