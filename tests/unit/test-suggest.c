/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Audit records, as kernels write them and as nobody should; what they add up to; and the command.
 */
#include "config.h"

#include <linux/audit.h>
#include <sys/utsname.h>

#include "audit_line.h"
#include "command-fixture.h"
#include "ctl/suggest.h"

#define SECCOMP                                                                                              \
    "auid=1000 uid=1000 gid=1000 ses=3 subj=cloister-default-audit (complain) pid=123 comm=\"python3\" "     \
    "exe=\"/usr/bin/python3.11\" sig=0 arch=c000003e syscall=298 compat=0 ip=0x7f12 code=0x7ffc0000"
#define APPARMOR                                                                                             \
    "apparmor=\"ALLOWED\" operation=\"open\" profile=\"cloister-default-audit\" name=\"/etc/shadow\" "       \
    "pid=12 comm=\"cat\" requested_mask=\"wrc\" denied_mask=\"r\" fsuid=1000 ouid=0"

static void test_sources(void **state)
{
    static const char *const texts[] = {
        "SECCOMP " SECCOMP,
        "type=SECCOMP msg=audit(1700000000.123:45): " SECCOMP "\x1d"
        "ARCH=x86_64 uid=0 AUID=\"eva\"\n",
        "audit: type=1326 audit(1700000000.123:45): " SECCOMP,
    };
    struct audit_line line;

    for (size_t i = 0; i < CL_ARRAY_SIZE(texts); i++) {
        assert_int_equal(audit_line_parse(texts[i], &line), 0);
        assert_int_equal(line.kind, AUDIT_LINE_SECCOMP);
        assert_int_equal(line.seconds, i == 0 ? 0 : 1700000000);
        assert_int_equal(line.uid, 1000);
        assert_int_equal(line.session, 3);
        assert_int_equal(line.arch, AUDIT_ARCH_X86_64);
        assert_int_equal(line.syscall, 298);
        assert_int_equal(line.code, 0x7ffc0000);
        assert_string_equal(line.comm, "python3");
    }
    assert_int_equal(audit_line_parse("AVC " APPARMOR, &line), 0);
    assert_int_equal(line.kind, AUDIT_LINE_APPARMOR);
    assert_string_equal(line.verdict, "ALLOWED");
    assert_string_equal(line.profile, "cloister-default-audit");
    assert_string_equal(line.name, "/etc/shadow");
    assert_string_equal(line.mask, "r");
    assert_int_equal(line.fsuid, 1000);
    assert_int_equal(line.ouid, 0);
    assert_int_equal(audit_line_parse("audit: type=1400 audit(1.2:3): " APPARMOR, &line), 0);
    assert_int_equal(audit_line_parse("type=AVC msg=audit(1.2:3): " APPARMOR, &line), 0);
}

/* What a tenant chose is one value, whatever it holds. */
static void test_decoded(void **state)
{
    struct audit_line line;

    assert_int_equal(audit_line_parse("AVC apparmor=\"ALLOWED\" operation=\"open\" profile=\"p\" "
                                      "name=2F61222062 comm=0A1B20 requested_mask=\"r\"",
                                      &line),
                     0);
    assert_string_equal(line.name, "/a\" b");
    assert_string_equal(line.comm, "\n\033 ");
    assert_string_equal(line.mask, "r");
    assert_int_equal(line.fsuid, AUDIT_NO_SESSION);
    /* A path in the name of a learning profile. */
    assert_int_equal(audit_line_parse("SECCOMP uid=1 ses=3 subj=/tmp/x arch=1 syscall=165 code=0 comm=\"sshd\" uid=0 "
                                      "pid=1 comm=\"sh\" arch=c000003e syscall=1 code=0x7ffc0000",
                                      &line),
                     0);
    assert_int_equal(line.uid, 1);
    assert_int_equal(line.arch, AUDIT_ARCH_X86_64);
    assert_int_equal(line.syscall, 1);
    assert_int_equal(line.code, 0x7ffc0000);
    assert_string_equal(line.comm, "sh");
    assert_int_equal(
        audit_line_parse("SECCOMP uid=1 uid=0 comm=\"uid=0 arch=1\" arch=c000003e syscall=1 code=0", &line),
        0);
    assert_int_equal(line.uid, 1);
    assert_string_equal(line.comm, "uid=0 arch=1");
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "SECCOMP",
        "SECCOMP ",
        "SECCOMPS " SECCOMP,
        "USER_AVC pid=1 uid=1000 msg='" SECCOMP "'",
        "type=USER_LOGIN msg=audit(1700000000.123:45): " SECCOMP,
        "audit: SECCOMP " SECCOMP,
        "audit: type=1327 audit(1.2:3): " SECCOMP,
        "type=1326 audit(1.2:3): " SECCOMP,
        "type=SECCOMP msg=audit(x): " SECCOMP,
        "type=SECCOMP msg=audit(1.2:3) " SECCOMP,
        "SECCOMP uid=-1 arch=c000003e syscall=1 code=0",
        "SECCOMP uid=+1 arch=c000003e syscall=1 code=0",
        "SECCOMP uid= arch=c000003e syscall=1 code=0",
        "SECCOMP uid=4294967296 arch=c000003e syscall=1 code=0",
        "SECCOMP uid=99999999999999999999 arch=c000003e syscall=1 code=0",
        "SECCOMP uid=1000 arch=c000003eg syscall=1 code=0",
        "SECCOMP uid=1000 arch=c000003e syscall=1",
        "SECCOMP comm=\"uid=1000 arch=c000003e syscall=1 code=0",
        "AVC avc:  denied  { read } for pid=1 comm=\"x\"",
        "AVC apparmor=\"ALLOWED\" operation=\"open\"",
        "AVC apparmor=\"0123456789abcdef\" operation=\"open\" profile=\"p\"",
    };
    char *longest = calloc(1, 2 * AUDIT_LINE_MAX);
    struct audit_line line;

    for (size_t i = 0; i < CL_ARRAY_SIZE(texts); i++)
        if (audit_line_parse(texts[i], &line) == 0)
            fail_msg("parsed: %s", texts[i]);
    assert_non_null(longest);
    (void)strcpy(longest, "SECCOMP " SECCOMP " comm=");
    memset(longest + strlen(longest), 'A', AUDIT_LINE_MAX);
    assert_int_equal(audit_line_parse(longest, &line), -EINVAL);
    (void)strcpy(longest, "AVC apparmor=\"ALLOWED\" operation=\"open\" profile=\"p\" name=\"");
    memset(longest + strlen(longest), 'A', 3000);
    (void)strcat(longest, "\"");
    assert_int_equal(audit_line_parse(longest, &line), -EINVAL);
    free(longest);
}

static void check_rule(const char *fields, const char *expected, const char *expected_letters)
{
    char text[1024], letters[8];
    char *head = NULL;
    struct audit_line line;
    int r;

    (void)snprintf(text, sizeof(text), "AVC apparmor=\"ALLOWED\" profile=\"p\" %s", fields);
    assert_int_equal(audit_line_parse(text, &line), 0);
    r = suggest_rule_of(&line, "/home/eva", &head, letters);
    if (!expected) {
        if (r == 0)
            fail_msg("%s: %s", fields, head);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(head, expected);
    assert_string_equal(letters, expected_letters);
    free(head);
}

static void test_rules(void **state)
{
    check_rule("operation=\"open\" name=\"/etc/shadow\" denied_mask=\"r\" fsuid=1000 ouid=0",
               "\"/etc/shadow\"", "r");
    check_rule("operation=\"open\" name=\"/a\" denied_mask=\"wc\" fsuid=1000 ouid=1000", "owner \"/a\"", "w");
    check_rule("operation=\"unlink\" name=\"/home/eva/a\" denied_mask=\"d\"", "\"@{HOME}/a\"", "w");
    check_rule("operation=\"open\" name=\"/home/evan/a\" denied_mask=\"ra\"", "\"/home/evan/a\"", "ra");
    check_rule("operation=\"exec\" name=\"/usr/bin/x\" denied_mask=\"x\"", "\"/usr/bin/x\"", "x");
    check_rule("operation=\"open\" name=\"/proc/12/task/34/mem\" denied_mask=\"r\"",
               "\"/proc/[0-9]*/task/[0-9]*/mem\"", "r");
    check_rule("operation=\"open\" name=2F612A5B625D7B637D3F5E225C40 denied_mask=\"r\"",
               "\"/a\\*\\[b\\]\\{c\\}\\?\\^\\\"\\\\@\"", "r");
    /* What terminals take as the start of a command. */
    check_rule("operation=\"open\" name=2F61C29B41 denied_mask=\"r\"", "\"/a\\302\\233A\"", "r");
    check_rule("operation=\"open\" name=2F610A62 denied_mask=\"r\"", NULL, NULL); /* a newline */
    check_rule("operation=\"open\" name=\"a\" denied_mask=\"r\"", NULL, NULL);
    check_rule("operation=\"open\" name=\"/a\" denied_mask=\"?\"", NULL, NULL);
    check_rule("operation=\"open\" denied_mask=\"r\"", NULL, NULL);
    check_rule("operation=\"capable\" capability=19 capname=\"sys_ptrace\"", "capability sys_ptrace", "");
    check_rule("operation=\"capable\" capname=\"a, /** rw\"", NULL, NULL);
    check_rule("operation=\"create\" family=\"inet\" sock_type=\"raw\" denied_mask=\"create\"",
               "network inet raw", "");
    check_rule("operation=\"connect\" family=\"unix\" sock_type=\"stream\"", "unix", "");
    check_rule("operation=\"ptrace\" denied_mask=\"read\" peer=\"unconfined\"",
               "ptrace (read) peer=\"unconfined\"", "");
    check_rule("operation=\"signal\" denied_mask=\"send\" peer=612A", NULL, NULL);
    check_rule("operation=\"mount\" name=\"/mnt\"", "mount", "");
}

static void collect(struct suggestion *s, const char *text)
{
    struct audit_line line;

    assert_int_equal(audit_line_parse(text, &line), 0);
    line.seconds = line.seconds ? line.seconds : 100;
    suggest_collect(s, &line);
}

static void test_collect(void **state)
{
    struct suggestion *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    s->query = (struct suggest_query){.uid = 1000, .session = 3, .since = 50, .profile = "cloister-default"};
    collect(s, "SECCOMP " SECCOMP);
    collect(s, "SECCOMP " SECCOMP);
    collect(s, "SECCOMP uid=1001 ses=3 arch=c000003e syscall=1 code=0x7ffc0000");
    collect(s, "SECCOMP uid=1000 ses=4 arch=c000003e syscall=1 code=0x7ffc0000");
    collect(s, "SECCOMP uid=1000 ses=3 arch=c000003e syscall=1 code=0x50001"); /* refused, not logged */
    collect(s, "audit: type=1326 audit(49.9:1): uid=1000 ses=3 arch=c000003e syscall=1 code=0x7ffc0000");
    assert_int_equal(s->n_seccomp, 2);
    assert_int_equal(s->n_calls, 1);
    assert_string_equal(s->calls[0].name, "perf_event_open");
    assert_int_equal(s->calls[0].count, 2);
    collect(s, "SECCOMP uid=1000 ses=3 arch=c000003e syscall=2147483647 code=0x7ffc0000");
    collect(s, "SECCOMP uid=1000 ses=3 arch=ffffffff syscall=4294967295 code=0x7ffc0000");
    assert_int_equal(s->n_calls, 3);
    assert_string_equal(s->calls[1].name, "");

    collect(s, "AVC " APPARMOR);
    collect(s,
            "AVC apparmor=\"ALLOWED\" operation=\"open\" profile=\"cloister-default-audit//null-/usr/bin/x\" "
            "name=\"/etc/shadow\" denied_mask=\"w\" fsuid=1000 ouid=0");
    collect(s, "AVC apparmor=\"AUDIT\" operation=\"open\" profile=\"cloister-default-audit\" name=\"/sys/x\" "
               "requested_mask=\"r\" fsuid=1000 ouid=0");
    collect(s, "AVC apparmor=\"AUDIT\" operation=\"open\" profile=\"cloister-default\" name=\"/sys/x\" "
               "requested_mask=\"r\" fsuid=1000 ouid=0");
    collect(s, "AVC apparmor=\"ALLOWED\" operation=\"open\" profile=\"cloister-default-auditx\" name=\"/a\" "
               "denied_mask=\"r\" fsuid=1000 ouid=0");
    collect(s, "AVC apparmor=\"ALLOWED\" operation=\"open\" profile=\"cloister-default-audit\" name=\"/a\" "
               "denied_mask=\"r\" fsuid=1001 ouid=0");
    assert_int_equal(s->n_apparmor, 3);
    assert_int_equal(s->n_rules, 2);
    assert_string_equal(s->rules[0].letters, "rw");
    assert_true(s->rules[0].of_user);
    assert_int_equal(s->rules[0].effect, SUGGEST_ALLOW);
    assert_int_equal(s->rules[1].effect, SUGGEST_DENIED);
    collect(s, "AVC apparmor=\"ALLOWED\" operation=\"capable\" profile=\"cloister-default-audit\" "
               "capname=\"chown\"");
    assert_int_equal(s->n_rules, 3);
    assert_false(s->rules[2].of_user);
    suggestion_clear(s);
    free(s);
}

/* A tenant that makes more than fits. */
static void test_bounded(void **state)
{
    struct suggestion *s = calloc(1, sizeof(*s));
    char text[256];

    assert_non_null(s);
    s->query = (struct suggest_query){.uid = 1000, .session = AUDIT_NO_SESSION, .profile = "p"};
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(text, sizeof(text), "SECCOMP uid=1000 arch=ffff syscall=%u code=0x7ffc0000",
                       i + 100000);
        collect(s, text);
        (void)snprintf(
            text, sizeof(text),
            "AVC apparmor=\"ALLOWED\" operation=\"open\" profile=\"p\" name=\"/%u\" denied_mask=\"r\"", i);
        collect(s, text);
    }
    assert_int_equal(s->n_calls, SUGGEST_CALLS_MAX);
    assert_int_equal(s->n_rules, SUGGEST_RULES_MAX);
    assert_int_equal(s->n_lost, 4000 - SUGGEST_CALLS_MAX - SUGGEST_RULES_MAX);
    suggestion_clear(s);
    free(s);
}

static const char *machine(void)
{
    static struct utsname name;

    assert_int_equal(uname(&name), 0);
    return name.machine;
}

static enum suggest_effect effect_of(const struct suggestion *s, const char *name)
{
    for (size_t i = 0; i < s->n_calls; i++)
        if (strcmp(s->calls[i].name, name) == 0)
            return s->calls[i].effect;
    fail_msg("%s is not there", name);
    return SUGGEST_OTHER;
}

/* What a tenant's own filter logs is no reason to allow it. */
static void test_judged(void **state)
{
    static const unsigned numbers[] = {298, 56, 435, 39, 83, 400}; /* of x86-64 */
    struct suggestion *s = calloc(1, sizeof(*s));
    cleanup_config struct cl_config *config = NULL;
    struct fixture *f = *state;
    struct cl_error e = {0};
    char text[4400], path[4096];

    assert_non_null(s);
    assert_non_null(realpath(source_dir(), path));
    snprintf(
        text, sizeof(text),
        "policies = ( { name = \"default\"; seccomp = { profile = \"%s/profiles/seccomp/default.json\";\n"
        "deny = [\"mkdir\"]; }; } );\n",
        path);
    fixture_write(f, "policy.d/10-a.conf", text);
    assert_int_equal(cl_config_load(f->path, true, &config, &f->problems), 0);
    s->query = (struct suggest_query){.uid = 1000, .session = AUDIT_NO_SESSION};
    for (size_t i = 0; i < CL_ARRAY_SIZE(numbers); i++) {
        snprintf(text, sizeof(text), "SECCOMP uid=1000 arch=c000003e syscall=%u code=0x7ffc0000", numbers[i]);
        collect(s, text);
    }
    assert_int_equal(suggest_judge(s, cl_config_policy(config, 0), &e), 0);
    assert_int_equal(effect_of(s, ""), SUGGEST_OTHER);
    if (strcmp(machine(), "x86_64") == 0) { /* elsewhere mkdir and its like may be no calls */
        assert_int_equal(effect_of(s, "perf_event_open"), SUGGEST_ALLOW);
        assert_int_equal(effect_of(s, "clone"), SUGGEST_PARTLY);
        assert_int_equal(effect_of(s, "clone3"), SUGGEST_OTHER);
        assert_int_equal(effect_of(s, "getpid"), SUGGEST_OTHER);
        assert_int_equal(effect_of(s, "mkdir"), SUGGEST_DENIED);
    }
    suggestion_clear(s);
    free(s);
}

static void test_command(void **state)
{
    struct fixture *f = *state;
    struct run r;

    write_valid(f);
    r = RUN(f, "--config", "%", "suggest");
    assert_int_equal(r.status, 2);
    run_clear(&r);
    r = RUN(f, "--config", "%", "suggest", "no-such-user");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, getuid() == 0 ? "no cell and no user" : "only root"));
    run_clear(&r);
    if (getuid() != 0)
        return;
    r = RUN(f, "--config", "%", "suggest", "root");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.err, "is exempt"));
    run_clear(&r);
}

static void test_json(void **state)
{
    struct fixture *f = *state;
    json_t *schema, *document;
    struct run r;

    if (getuid() != 0) {
        print_message("skipped: root alone reads what the kernel logged\n");
        skip();
    }
    schema = load_schema_of("suggest");
    write_valid(f);
    r = RUN(f, "--config", "%", "suggest", some_user(), "--json");
    document = json_loads(r.out, 0, NULL);
    assert_non_null(document);
    check_schema(schema, document, "suggest");
    json_decref(document);
    json_decref(schema);
    run_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_decoded),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_collect),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test_setup_teardown(test_judged, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_command, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_json, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
