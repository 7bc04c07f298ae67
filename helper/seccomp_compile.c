/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Compiling a filter. libseccomp writes the program for the profile; a short preamble of ours, which
 * seccomp_preamble.c writes, runs before it. Rules are handed to libseccomp as runc does it, because that is
 * what profiles are written for: a rule with the default's action is left out, and conditions that name one
 * argument twice are alternatives, a rule for each.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seccomp_audit.h"
#include "seccomp_compile.h"
#include "seccomp_names.h"
#include "seccomp_preamble.h"
#include "util.h"

/* libseccomp up to 2.5.4 writes a wrong binary tree for very few rules. */
#define OPTIMIZE_FROM 32

static void release_context(scmp_filter_ctx *ctx)
{
    if (*ctx)
        seccomp_release(*ctx);
}
#define cleanup_context __attribute__((cleanup(release_context)))

uint32_t seccomp_denial(enum cl_seccomp_action action)
{
    switch (action) {
    case CL_SECCOMP_KILL:
        return SCMP_ACT_KILL_PROCESS;
    case CL_SECCOMP_LOG:
        return SCMP_ACT_LOG;
    case CL_SECCOMP_ERRNO:
    default:
        return SCMP_ACT_ERRNO(EPERM);
    }
}

/* The policy's action stands in for what the profile's default denial does; a profile that allows by default
 * keeps doing so. */
uint32_t seccomp_default_action(const struct seccomp_profile *profile, const struct seccomp_overlay *overlay)
{
    if (overlay->action == CL_SECCOMP_ERRNO || !seccomp_action_denies(profile->default_action))
        return profile->default_action;
    return seccomp_denial(overlay->action);
}

static void remove_name(char **names, const char *name)
{
    char **to = names;

    for (; names && *names; names++) {
        if (strcmp(*names, name) == 0)
            free(*names);
        else
            *to++ = *names;
    }
    if (to)
        *to = NULL;
}

static void take_out(struct seccomp_profile *profile, char *const *overlay)
{
    for (; overlay && *overlay; overlay++)
        for (size_t i = 0; i < profile->n_rules; i++)
            remove_name(profile->rules[i].names, *overlay);
}

static bool names_an_argument_twice(const struct seccomp_rule *rule)
{
    unsigned seen = 0;

    for (size_t i = 0; i < rule->n_args; i++) {
        if (seen & (1u << rule->args[i].arg))
            return true;
        seen |= 1u << rule->args[i].arg;
    }
    return false;
}

/* With the action that audit mode makes of the rule's. */
static int add_one(scmp_filter_ctx ctx, const struct seccomp_rule *rule, uint32_t action, const char *name,
                   struct cl_error *e)
{
    int number = seccomp_syscall_resolve_name(name), r = 0;

    if (names_an_argument_twice(rule)) {
        for (size_t i = 0; r == 0 && i < rule->n_args; i++)
            r = seccomp_rule_add_array(ctx, action, number, 1, &rule->args[i]);
    } else {
        r = seccomp_rule_add_array(ctx, action, number, (unsigned)rule->n_args, rule->args);
    }
    return r < 0 ? cl_fail(e, -r, "add a rule for %s", name) : 0;
}

static int add_allowed(scmp_filter_ctx ctx, char *const *names, char *const *deny, struct cl_error *e)
{
    static const struct seccomp_rule allow = {.action = SCMP_ACT_ALLOW};
    int r = 0;

    for (; r == 0 && names && *names; names++)
        if (seccomp_name_in_library(*names) && !cl_strv_contains(deny, *names))
            r = add_one(ctx, &allow, SCMP_ACT_ALLOW, *names, e);
    return r;
}

static int add_rules(scmp_filter_ctx ctx, uint32_t default_act, const struct seccomp_profile *profile,
                     const struct seccomp_overlay *overlay, struct cl_error *e)
{
    uint32_t filter_default = seccomp_audited_default(default_act, overlay->audit);
    int r = filter_default != SCMP_ACT_ALLOW ? add_allowed(ctx, overlay->allow, overlay->deny, e) : 0;

    if (r == 0 && filter_default != SCMP_ACT_ALLOW)
        r = add_allowed(ctx, overlay->nested, overlay->deny, e);
    for (size_t i = 0; r == 0 && i < profile->n_rules; i++) {
        const struct seccomp_rule *rule = &profile->rules[i];
        uint32_t action = seccomp_audited(rule->action, overlay->audit);

        if (rule->action == default_act || action == filter_default)
            continue;
        for (char **name = rule->names; r == 0 && name && *name; name++)
            r = seccomp_name_in_library(*name) ? add_one(ctx, rule, action, *name, e) : 0;
    }
    return r;
}

static int add_arches(scmp_filter_ctx ctx, const struct seccomp_profile *profile, struct cl_error *e)
{
    for (size_t i = 0; i < profile->n_arches; i++) {
        int r = seccomp_arch_add(ctx, profile->arches[i]);

        /* EDOM: another byte order, which no process of this machine has. */
        if (r < 0 && r != -EEXIST && r != -EDOM)
            return cl_fail(e, -r, "add an architecture to the filter");
    }
    return 0;
}

/* Read back what libseccomp exports. */
static int export_program(scmp_filter_ctx ctx, struct seccomp_program *ret, struct cl_error *e)
{
    cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
    cleanup_free char *bytes = NULL;
    size_t size;
    int r;

    if (fd < 0)
        return cl_fail(e, errno, "memfd_create");
    r = seccomp_export_bpf(ctx, fd);
    if (r < 0)
        return cl_fail(e, -r, "compile the filter");
    if (lseek(fd, 0, SEEK_SET) < 0)
        return cl_fail(e, errno, "seek in the compiled filter");
    r = cl_read_all(fd, 64 * BPF_MAXINSNS * sizeof(struct sock_filter), &bytes, &size);
    if (r < 0)
        return cl_fail(e, -r, "read the compiled filter");
    if (size == 0 || size % sizeof(struct sock_filter) != 0)
        return cl_fail(e, EINVAL, "the compiled filter has %zu bytes", size);
    ret->n = size / sizeof(struct sock_filter);
    ret->insns = calloc(ret->n, sizeof(struct sock_filter));
    if (!ret->insns)
        return cl_fail(e, ENOMEM, "read the compiled filter");
    memcpy(ret->insns, bytes, size);
    return 0;
}

static int compile_profile(const struct seccomp_profile *profile, const struct seccomp_overlay *overlay,
                           uint32_t default_act, struct seccomp_program *ret, struct cl_error *e)
{
    cleanup_context scmp_filter_ctx ctx = seccomp_init(seccomp_audited_default(default_act, overlay->audit));
    int r;

    if (!ctx)
        return cl_fail(e, EINVAL, "libseccomp refuses the default action");
    r = add_arches(ctx, profile, e);
    if (r < 0)
        return r;
    r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
                         seccomp_audited(SCMP_ACT_KILL_PROCESS, overlay->audit));
    if (r < 0)
        return cl_fail(e, -r, "set the action for other architectures");
    if (profile->n_rules > OPTIMIZE_FROM)
        (void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* only speed */
    r = add_rules(ctx, default_act, profile, overlay, e);
    return r < 0 ? r : export_program(ctx, ret, e);
}

static int find_unknown(const struct seccomp_profile *profile, char ***ret, struct cl_error *e)
{
    cleanup_strv char **unknown = NULL;

    for (size_t i = 0; i < profile->n_rules; i++)
        for (char **name = profile->rules[i].names; name && *name; name++)
            if (!seccomp_name_known(*name) && !cl_strv_contains(unknown, *name) &&
                cl_strv_add(&unknown, *name) < 0)
                return cl_fail(e, ENOMEM, "compile the filter");
    *ret = unknown;
    unknown = NULL;
    return 0;
}

int seccomp_concatenate(const struct seccomp_program *a, const struct seccomp_program *b,
                        struct seccomp_program *ret, struct cl_error *e)
{
    size_t n = a->n + b->n;
    cleanup_free struct sock_filter *insns = NULL;

    if (n > BPF_MAXINSNS)
        return cl_fail(e, E2BIG, "the filter has %zu instructions, the kernel takes %d", n, BPF_MAXINSNS);
    insns = calloc(n, sizeof(insns[0]));
    if (!insns || !a->insns || !b->insns)
        return cl_fail(e, ENOMEM, "compile the filter");
    memcpy(insns, a->insns, a->n * sizeof(insns[0]));
    memcpy(insns + a->n, b->insns, b->n * sizeof(insns[0]));
    *ret = (struct seccomp_program){.insns = insns, .n = n};
    insns = NULL;
    return 0;
}

static int compile_once(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch,
                        struct seccomp_program *ret, struct cl_error *e)
{
    cleanup_program struct seccomp_program preamble = {0}, body = {0};
    uint32_t default_act = seccomp_default_action(profile, overlay);
    int r = seccomp_preamble(profile, overlay, arch, default_act, seccomp_denial(overlay->action), &preamble, e);

    if (r < 0)
        return r;
    take_out(profile, overlay->deny); /* the preamble denies these */
    take_out(profile, overlay->allow);
    take_out(profile, overlay->nested);
    r = compile_profile(profile, overlay, default_act, &body, e);
    return r < 0 ? r : seccomp_concatenate(&preamble, &body, ret, e);
}

/* What stays refused in audit mode is what the same policy would refuse without it. */
static int compile_audit(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch,
                         struct seccomp_program *ret, struct cl_error *e)
{
    cleanup_program struct seccomp_program enforcing = {0}, guard = {0}, auditing = {0};
    struct seccomp_overlay enforce = *overlay;
    int r;

    enforce.audit = false;
    r = compile_once(profile, &enforce, arch, &enforcing, e);
    if (r == 0)
        r = seccomp_audit_guard(&enforcing, profile, arch, &guard, e);
    if (r == 0)
        r = compile_once(profile, overlay, arch, &auditing, e);
    return r < 0 ? r : seccomp_concatenate(&guard, &auditing, ret, e);
}

int seccomp_compile(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch,
                    struct seccomp_program *ret, char ***ret_unknown, struct cl_error *e)
{
    cleanup_strv char **unknown = NULL;
    int r = find_unknown(profile, &unknown, e);

    if (r == 0)
        r = overlay->audit ? compile_audit(profile, overlay, arch, ret, e)
                           : compile_once(profile, overlay, arch, ret, e);
    if (r < 0)
        return r;
    *ret_unknown = unknown;
    unknown = NULL;
    return 0;
}

void seccomp_program_clear(struct seccomp_program *program)
{
    free(program->insns);
    *program = (struct seccomp_program){0};
}
