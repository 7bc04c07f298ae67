/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Questions to a filter. Arguments that make a difference are those that a rule compares with, and their
 * neighbours: the filter is asked with each of them.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "seccomp_ask.h"
#include "seccomp_names.h"
#include "seccomp_preamble.h"
#include "seccomp_run.h"
#include "seccomp_source.h"
#include "util.h"

void seccomp_answer_clear(struct seccomp_answer *answer)
{
    free(answer->profile);
    free(answer->otherwise);
    cl_strv_free(answer->rules);
    *answer = (struct seccomp_answer){0};
}

bool seccomp_answer_allows(const struct seccomp_answer *answer)
{
    for (size_t i = 0; i < answer->n_samples; i++)
        if (!seccomp_action_denies(answer->samples[i].action))
            return true;
    return false;
}

bool seccomp_answer_denies(const struct seccomp_answer *answer)
{
    for (size_t i = 0; i < answer->n_samples; i++)
        if (seccomp_action_denies(answer->samples[i].action))
            return true;
    return false;
}

bool seccomp_is_syscall(const char *name)
{
    return seccomp_name_known(name);
}

const char *seccomp_action_text(uint32_t action, char *buf, size_t size)
{
    const char *name = strerrorname_np((int)(action & 0xffff));

    if (action == SCMP_ACT_ALLOW)
        snprintf(buf, size, "goes through");
    else if (action == SCMP_ACT_LOG)
        snprintf(buf, size, "is logged and goes through");
    else if (action == SCMP_ACT_KILL_PROCESS)
        snprintf(buf, size, "kills the process");
    else if (action == SCMP_ACT_KILL_THREAD)
        snprintf(buf, size, "kills the thread");
    else if (action == SCMP_ACT_TRAP)
        snprintf(buf, size, "is answered with SIGSYS");
    else if (name)
        snprintf(buf, size, "fails with %s", name);
    else
        snprintf(buf, size, "fails with errno %u", action & 0xffff);
    return buf;
}

const char *seccomp_value_name(const char *call, unsigned arg, uint64_t value)
{
    if (strcmp(call, "ioctl") == 0 && arg == 1)
        return value == TIOCSTI ? " (TIOCSTI)" : value == TIOCLINUX ? " (TIOCLINUX)" : "";
    if ((strcmp(call, "clone") == 0 || strcmp(call, "unshare") == 0) && value == 0x7e020000)
        return " (the CLONE_NEW* flags)";
    if (strcmp(call, "socket") == 0 && arg == 0)
        return value == 40 ? " (AF_VSOCK)" : value == 38 ? " (AF_ALG)" : value == 16 ? " (AF_NETLINK)" : "";
    return "";
}

static void write_condition(FILE *f, const char *call, const struct scmp_arg_cmp *c)
{
    static const char *const words[] = {
        [SCMP_CMP_NE] = "is not", [SCMP_CMP_LT] = "is less than", [SCMP_CMP_LE] = "is at most",
        [SCMP_CMP_EQ] = "is",     [SCMP_CMP_GE] = "is at least",  [SCMP_CMP_GT] = "is more than"};

    if (c->op == SCMP_CMP_MASKED_EQ)
        fprintf(f, "argument %u & %#" PRIx64 "%s is %#" PRIx64 "%s", c->arg, (uint64_t)c->datum_a,
                seccomp_value_name(call, c->arg, c->datum_a), (uint64_t)c->datum_b,
                seccomp_value_name(call, c->arg, c->datum_b));
    else
        fprintf(f, "argument %u %s %#" PRIx64 "%s", c->arg,
                c->op < CL_ARRAY_SIZE(words) && words[c->op] ? words[c->op] : "compares with",
                (uint64_t)c->datum_a, seccomp_value_name(call, c->arg, c->datum_a));
}

static int describe_rule(const struct seccomp_rule *rule, const char *call, char ***ret)
{
    cleanup_free char *text = NULL;
    char action[64];
    size_t size;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -ENOMEM;
    fprintf(f, "syscalls[%zu]: %s", rule->index, seccomp_action_text(rule->action, action, sizeof(action)));
    for (size_t i = 0; i < rule->n_args; i++) {
        fputs(i == 0 ? " where " : " and ", f);
        write_condition(f, call, &rule->args[i]);
    }
    return fclose(f) != 0 ? -ENOMEM : cl_strv_add(ret, text);
}

/* One more question; what was answered before is not noted again. */
static void sample(const struct seccomp_program *program, uint32_t arch, int number, const uint64_t args[6],
                   struct seccomp_answer *a)
{
    struct seccomp_data call = {.nr = number, .arch = seccomp_audit_arch(arch)};
    uint32_t action;

    for (size_t i = 0; i < 6; i++)
        call.args[i] = args[i];
    action = seccomp_run(program, &call);
    for (size_t i = 0; i < a->n_samples; i++)
        if (a->samples[i].action == action)
            return;
    if (a->n_samples == SECCOMP_SAMPLES_MAX)
        return;
    memcpy(a->samples[a->n_samples].args, args, sizeof(a->samples[0].args));
    a->samples[a->n_samples++].action = action;
}

/* Arguments that hold for a rule, all of them, and then each of its values alone, and the values beside it.
 */
static void sample_rule(const struct seccomp_program *program, uint32_t arch, int number,
                        const struct seccomp_rule *rule, struct seccomp_answer *a)
{
    uint64_t all[6] = {0};

    for (size_t i = 0; i < rule->n_args; i++) {
        const struct scmp_arg_cmp *c = &rule->args[i];
        uint64_t value = c->op == SCMP_CMP_MASKED_EQ ? c->datum_b : c->datum_a;
        const uint64_t near[] = {value, value + 1, value - 1, c->datum_a, UINT64_MAX, 0};

        for (size_t k = 0; k < CL_ARRAY_SIZE(near); k++) {
            uint64_t one[6] = {0};

            one[c->arg] = near[k];
            sample(program, arch, number, one, a);
        }
        all[c->arg] = c->op == SCMP_CMP_NE || c->op == SCMP_CMP_GT ? value + 1
                      : c->op == SCMP_CMP_LT                       ? value - 1
                                                                   : value;
        sample(program, arch, number, all, a);
    }
}

static bool names(const struct seccomp_rule *rule, const char *name)
{
    return cl_strv_contains(rule->names, name);
}

/* Whoever comes first in the filter. */
static enum seccomp_by find_by(const struct cl_policy *policy, const char *name,
                               const struct seccomp_answer *a)
{
    if (cl_strv_contains(policy->seccomp.deny, name))
        return SECCOMP_BY_DENY;
    if (cl_strv_contains(policy->seccomp.allow, name))
        return SECCOMP_BY_ALLOW;
    if (cl_strv_contains(seccomp_nested_calls(policy), name))
        return SECCOMP_BY_NESTED;
    if (a->rules)
        return SECCOMP_BY_RULES;
    return SECCOMP_BY_DEFAULT;
}

static int compile(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch,
                   struct seccomp_program *ret, struct cl_error *e)
{
    cleanup_strv char **unknown = NULL;

    return seccomp_compile(profile, overlay, arch, ret, &unknown, e);
}

/* The rules are noted before the profile is compiled: that takes names out of them. */
static int describe(const struct seccomp_profile *profile, const char *name, struct seccomp_answer *a,
                    bool *concerned)
{
    char action[64];
    int r = 0;

    for (size_t i = 0; r == 0 && i < profile->n_rules; i++) {
        concerned[i] = names(&profile->rules[i], name);
        if (concerned[i])
            r = describe_rule(&profile->rules[i], name, &a->rules);
    }
    a->otherwise = strdup(seccomp_action_text(profile->default_action, action, sizeof(action)));
    return a->otherwise ? r : -ENOMEM;
}

static int ask_programs(const struct cl_policy *policy, const struct seccomp_source *source, const char *name,
                        struct seccomp_profile *profile, const bool *concerned, struct seccomp_answer *a,
                        struct cl_error *e)
{
    static const uint64_t zeros[6] = {0};
    cleanup_program struct seccomp_program program = {0}, enforcing = {0};
    struct seccomp_overlay overlay = seccomp_overlay_of(policy);
    bool audit = overlay.audit;
    uint32_t arch = source->host.arch;
    int number = seccomp_number(arch, name), r = compile(profile, &overlay, arch, &program, e);
    struct seccomp_data call = {.nr = number, .arch = seccomp_audit_arch(arch)};

    overlay.audit = false;
    if (r == 0 && audit)
        r = compile(profile, &overlay, arch, &enforcing, e);
    if (r < 0)
        return r;
    a->by = number < 0 ? SECCOMP_BY_ABSENCE : find_by(policy, name, a);
    if (number < 0)
        return 0;
    sample(&program, arch, number, zeros, a);
    if (a->by == SECCOMP_BY_RULES)
        for (size_t i = 0; i < profile->n_rules; i++)
            if (concerned[i])
                sample_rule(&program, arch, number, &profile->rules[i], a);
    a->enforced = seccomp_run(audit ? &enforcing : &program, &call);
    if (a->by == SECCOMP_BY_DEFAULT && a->enforced == SCMP_ACT_ERRNO(ENOSYS) &&
        seccomp_default_action(profile, &overlay) != a->enforced)
        a->by = SECCOMP_BY_AGE;
    return 0;
}

int seccomp_ask(const struct cl_policy *policy, const char *name, struct seccomp_answer *ret,
                struct cl_error *e)
{
    cleanup_answer_seccomp struct seccomp_answer a = {.by = SECCOMP_BY_NOTHING};
    cleanup_source struct seccomp_source source = {0};
    cleanup_profile struct seccomp_profile *profile = NULL;
    cleanup_free bool *concerned = NULL;
    struct cl_error cause = {0};
    int r = 0;

    if (!seccomp_is_unconfined(policy)) {
        r = seccomp_check_deny(policy, e);
        if (r == 0)
            r = seccomp_source_read(policy, &source, &cause);
        if (r == 0)
            r = seccomp_source_parse(&source, &profile, &cause);
        if (r == 0)
            concerned = calloc(profile->n_rules + 1, sizeof(*concerned));
        if (r == 0 && (!concerned || describe(profile, name, &a, concerned) < 0))
            r = cl_fail(&cause, ENOMEM, "ask the filter");
        if (r == 0)
            r = ask_programs(policy, &source, name, profile, concerned, &a, &cause);
        if (r < 0)
            return cl_policy_fail(policy, CL_KEY_SECCOMP_PROFILE, e, -r, "%s", cause.text);
        a.profile = source.path;
        source.path = NULL;
    } else {
        a.samples[0].action = a.enforced = SCMP_ACT_ALLOW;
        a.n_samples = 1;
    }
    *ret = a;
    a = (struct seccomp_answer){0};
    return 0;
}
