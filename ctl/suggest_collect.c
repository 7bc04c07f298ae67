/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which records count, and what they add up to. The room for it is bounded: a tenant decides how many there
 * are.
 */
#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/apparmor.h"
#include "helper/seccomp_ask.h"
#include "suggest.h"
#include "syscalls.h"
#include "util.h"

#define X32_BIT 0x40000000u

void suggestion_clear(struct suggestion *s)
{
    for (size_t i = 0; i < s->n_rules; i++)
        free(s->rules[i].head);
    s->n_rules = 0;
}

static void name_call(struct suggest_call *call)
{
    bool x32 = call->arch == AUDIT_ARCH_X86_64 && (call->number & X32_BIT);
    cleanup_free char *name =
        call->number > INT32_MAX
            ? NULL
            : seccomp_syscall_resolve_num_arch(x32 ? SCMP_ARCH_X32 : call->arch, (int)call->number);
    const char *recent = name ? NULL : cl_syscall_recent_name((int)(call->number & ~X32_BIT));

    (void)snprintf(call->name, sizeof(call->name), "%s", name ? name : recent ? recent : "");
}

/* Without a name each number is a call of its own. */
static struct suggest_call *find_call(struct suggestion *s, const struct audit_line *line)
{
    struct suggest_call call = {.arch = line->arch, .number = line->syscall};

    for (size_t i = 0; i < s->n_calls; i++)
        if (s->calls[i].arch == line->arch && s->calls[i].number == line->syscall)
            return &s->calls[i];
    name_call(&call);
    for (size_t i = 0; call.name[0] && i < s->n_calls; i++)
        if (strcmp(s->calls[i].name, call.name) == 0)
            return &s->calls[i]; /* of another architecture */
    if (s->n_calls == SUGGEST_CALLS_MAX)
        return NULL;
    s->calls[s->n_calls] = call;
    return &s->calls[s->n_calls++];
}

/* Only what a filter logs and lets through; the session is the login's, wherever its processes went. */
static void collect_seccomp(struct suggestion *s, const struct audit_line *line)
{
    struct suggest_call *call;

    if (line->uid != s->query.uid || (line->code & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_LOG ||
        (s->query.session != AUDIT_NO_SESSION && line->session != s->query.session))
        return;
    s->n_seccomp++;
    call = find_call(s, line);
    if (!call) {
        s->n_lost++;
        return;
    }
    if (call->count++ == 0)
        (void)snprintf(call->comm, sizeof(call->comm), "%s", line->comm);
}

/* Is it of this profile or of one below it ("PROFILE//null-/usr/bin/x")? */
static bool is_below(const char *profile, const char *name, const char *suffix)
{
    size_t length = strlen(name), suffix_length = strlen(suffix);

    return strncmp(profile, name, length) == 0 && strncmp(profile + length, suffix, suffix_length) == 0 &&
           (profile[length + suffix_length] == '\0' ||
            strncmp(profile + length + suffix_length, "//", 2) == 0);
}

/* What a twin lets through and logs, by an `audit` rule, the profile has a `deny` rule for. */
static bool find_effect(const struct suggestion *s, const struct audit_line *line, enum suggest_effect *ret)
{
    bool twin = is_below(line->profile, s->query.profile, APPARMOR_TWIN);

    if (!twin && !is_below(line->profile, s->query.profile, ""))
        return false;
    *ret = strcmp(line->verdict, "ALLOWED") == 0 ? SUGGEST_ALLOW : SUGGEST_DENIED;
    return *ret == SUGGEST_ALLOW || (twin && strcmp(line->verdict, "AUDIT") == 0);
}

/* Takes head. */
static struct suggest_rule *find_rule(struct suggestion *s, char *head, bool is_file,
                                      enum suggest_effect effect)
{
    for (size_t i = 0; i < s->n_rules; i++)
        if (s->rules[i].effect == effect && (s->rules[i].letters[0] != '\0') == is_file &&
            strcmp(s->rules[i].head, head) == 0) {
            free(head);
            return &s->rules[i];
        }
    if (s->n_rules == SUGGEST_RULES_MAX) {
        free(head);
        return NULL;
    }
    s->rules[s->n_rules] = (struct suggest_rule){.head = head, .effect = effect};
    return &s->rules[s->n_rules++];
}

static void collect_apparmor(struct suggestion *s, const struct audit_line *line)
{
    enum suggest_effect effect;
    struct suggest_rule *rule = NULL;
    char *head = NULL, letters[8] = "";

    if (!s->query.profile || (line->fsuid != AUDIT_NO_SESSION && line->fsuid != s->query.uid) ||
        !find_effect(s, line, &effect))
        return;
    s->n_apparmor++;
    if (suggest_rule_of(line, s->query.home, &head, letters) == 0)
        rule = find_rule(s, head, letters[0] != '\0', effect);
    if (!rule) {
        s->n_lost++;
        return;
    }
    suggest_add_letters(rule->letters, letters);
    rule->of_user = rule->of_user || line->fsuid != AUDIT_NO_SESSION;
    if (rule->count++ == 0)
        (void)snprintf(rule->comm, sizeof(rule->comm), "%s", line->comm);
}

void suggest_collect(struct suggestion *s, const struct audit_line *line)
{
    if (line->seconds < s->query.since)
        return;
    if (line->kind == AUDIT_LINE_SECCOMP)
        collect_seccomp(s, line);
    else
        collect_apparmor(s, line);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct suggest_call *)a)->name, ((const struct suggest_call *)b)->name);
}

static int by_head(const void *a, const void *b)
{
    return strcmp(((const struct suggest_rule *)a)->head, ((const struct suggest_rule *)b)->head);
}

/* A tenant can make records of any call, by a filter of their own: what the policy's does not log is not
 * suggested. That leaves out what it answers with ENOSYS on purpose, too, such as clone3(2). */
static enum suggest_effect effect_of(const struct seccomp_answer *answer)
{
    bool logs = false, allows = false;

    for (size_t i = 0; i < answer->n_samples; i++) {
        logs = logs || answer->samples[i].action == SCMP_ACT_LOG;
        allows = allows || answer->samples[i].action == SCMP_ACT_ALLOW;
    }
    return !logs                           ? SUGGEST_OTHER
           : answer->by == SECCOMP_BY_DENY ? SUGGEST_DENIED
           : allows                        ? SUGGEST_PARTLY
                                           : SUGGEST_ALLOW;
}

static int judge_call(struct suggest_call *call, const struct cl_policy *audited, struct cl_error *e)
{
    cleanup_answer_seccomp struct seccomp_answer answer = {0};
    int r;

    call->effect = SUGGEST_OTHER;
    if (!call->name[0] || !seccomp_is_syscall(call->name))
        return 0;
    r = seccomp_ask(audited, call->name, &answer, e);
    if (r == 0)
        call->effect = effect_of(&answer);
    return r;
}

int suggest_judge(struct suggestion *s, const struct cl_policy *policy, struct cl_error *e)
{
    struct cl_policy audited = *policy; /* shares what it points to */
    int r = 0;

    audited.mode = CL_MODE_AUDIT;
    qsort(s->calls, s->n_calls, sizeof(*s->calls), by_name);
    qsort(s->rules, s->n_rules, sizeof(*s->rules), by_head);
    for (size_t i = 0; r == 0 && i < s->n_calls; i++)
        r = judge_call(&s->calls[i], &audited, e);
    return r;
}
