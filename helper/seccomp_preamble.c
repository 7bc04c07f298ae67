/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The preamble of a filter says what libseccomp can't, in this order, for each architecture of the filter:
 *
 *   1. The policy's `deny`. Rules that name another call can make libseccomp allow a denied one: an allowed
 * bind also allows socketcall(SYS_BIND). Decided here, before any other rule, a denial can't be undone.
 *   2. The profile's rules about calls that are younger than this libseccomp, by number. A rule with
 * conditions is taken without them where it denies, and left out where it allows.
 *   3. ENOSYS for calls that are younger than the profile (its highest number), unless the profile allows
 * what it does not list. C libraries try new calls first and fall back on ENOSYS, but give up on EPERM. runc
 * does the same.
 *
 * Each section is entered only on its own architecture, and every one ends by jumping behind the preamble.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#include "seccomp_audit.h"
#include "seccomp_names.h"
#include "seccomp_preamble.h"
#include "util.h"

#define X32_BIT          0x40000000u
#define OFFSET_NUMBER    ((uint32_t)offsetof(struct seccomp_data, nr))
#define OFFSET_ARCH      ((uint32_t)offsetof(struct seccomp_data, arch))
#define OFFSET_FIRST_ARG ((uint32_t)offsetof(struct seccomp_data, args) + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0))

/* Everything that a section needs to know. */
struct preamble {
    const struct seccomp_profile *profile;
    const struct seccomp_overlay *overlay;
    uint32_t arch, default_action, denial;
    struct sock_filter *insns; /* BPF_MAXINSNS of them */
    size_t n;
    bool too_long;
};

bool seccomp_action_denies(uint32_t action)
{
    return action != SCMP_ACT_ALLOW && action != SCMP_ACT_LOG;
}

static void emit(struct preamble *p, struct sock_filter insn)
{
    if (p->n < BPF_MAXINSNS)
        p->insns[p->n++] = insn;
    else
        p->too_long = true;
}

static void emit_load(struct preamble *p, uint32_t offset)
{
    emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void emit_return_if(struct preamble *p, uint16_t comparison, uint32_t value, uint32_t action)
{
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | comparison, value, 0, 1));
    emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Return if the call is number with the first argument, under mask, equal to value. */
static void emit_return_if_first_arg(struct preamble *p, uint32_t number, uint32_t mask, uint32_t value,
                                     uint32_t action)
{
    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, number, 0, 5));
    emit_load(p, OFFSET_FIRST_ARG);
    emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_K | BPF_AND, mask));
    emit_return_if(p, BPF_JEQ, value, action);
    emit_load(p, OFFSET_NUMBER);
}

static void emit_denials(struct preamble *p, uint32_t arch)
{
    for (char *const *name = p->overlay->deny; name && *name; name++) {
        const struct seccomp_multiplexed *mux = seccomp_multiplexed(*name);
        int number = seccomp_number(arch, *name);

        if (number >= 0)
            emit_return_if(p, BPF_JEQ, (uint32_t)number, p->denial);
        if (mux && seccomp_number(arch, mux->multiplexer) >= 0)
            emit_return_if_first_arg(p, (uint32_t)seccomp_number(arch, mux->multiplexer), mux->mask,
                                     mux->call, p->denial);
    }
}

static void emit_recent(struct preamble *p, uint32_t arch)
{
    for (char *const *name = p->overlay->allow; name && *name; name++)
        if (seccomp_name_is_recent(*name) && seccomp_number(arch, *name) >= 0)
            emit_return_if(p, BPF_JEQ, (uint32_t)seccomp_number(arch, *name), SCMP_ACT_ALLOW);
    for (size_t i = 0; i < p->profile->n_rules; i++) {
        const struct seccomp_rule *rule = &p->profile->rules[i];

        if (rule->action == p->default_action || (rule->n_args > 0 && !seccomp_action_denies(rule->action)))
            continue;
        for (char **name = rule->names; name && *name; name++)
            if (seccomp_name_is_recent(*name) && seccomp_number(arch, *name) >= 0)
                emit_return_if(p, BPF_JEQ, (uint32_t)seccomp_number(arch, *name),
                               seccomp_audited(rule->action, p->overlay->audit));
    }
}

static uint32_t highest_of(char *const *names, uint32_t arch, uint32_t highest)
{
    for (; names && *names; names++) {
        int number = seccomp_number(arch, *names);

        if (number >= 0 && (uint32_t)number > highest)
            highest = (uint32_t)number;
    }
    return highest;
}

/* The highest number that the profile or the policy names; 0: none. */
static uint32_t highest(const struct preamble *p, uint32_t arch)
{
    uint32_t n = highest_of(p->overlay->allow, arch, highest_of(p->overlay->deny, arch, 0));

    for (size_t i = 0; i < p->profile->n_rules; i++)
        n = highest_of(p->profile->rules[i].names, arch, n);
    return n;
}

/* with_x32: on x86_64, numbers with bit 30 belong to x32, whether the filter has it or not. */
static void emit_too_young(struct preamble *p, uint32_t arch, bool with_x32)
{
    uint32_t last = highest(p, arch), last_x32 = with_x32 ? highest(p, SCMP_ARCH_X32) : 0;

    if (!seccomp_action_denies(p->default_action))
        return;
    if (last_x32 > 0)
        emit_return_if(p, BPF_JGT, last_x32, SCMP_ACT_ERRNO(ENOSYS));
    if (last == 0)
        return;
    if (arch == SCMP_ARCH_X86_64)
        emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JGE, X32_BIT, 2, 0));
    emit_return_if(p, BPF_JGT, last, SCMP_ACT_ERRNO(ENOSYS));
}

static bool has_arch(const struct preamble *p, uint32_t arch)
{
    for (size_t i = 0; i < p->profile->n_arches; i++)
        if (p->profile->arches[i] == arch)
            return true;
    return p->arch == arch;
}

/* x32 shares the kernel's architecture token with x86_64. Returns where the jump to the end is to be patched
 * in. */
static size_t emit_section(struct preamble *p, uint32_t arch)
{
    bool with_x32 = arch == SCMP_ARCH_X86_64 && has_arch(p, SCMP_ARCH_X32);
    size_t skip, end;

    emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, arch, 1, 0));
    skip = p->n;
    emit(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
    emit_load(p, OFFSET_NUMBER);
    emit_denials(p, arch);
    if (with_x32)
        emit_denials(p, SCMP_ARCH_X32);
    emit_recent(p, arch);
    if (with_x32)
        emit_recent(p, SCMP_ARCH_X32);
    emit_too_young(p, arch, with_x32);
    end = p->n;
    emit(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
    if (!p->too_long)
        p->insns[skip].k = (uint32_t)(p->n - skip - 1);
    return end;
}

static void emit_all(struct preamble *p, size_t *ends)
{
    size_t n = 0;

    emit_load(p, OFFSET_ARCH);
    ends[n++] = emit_section(p, p->arch);
    for (size_t i = 0; i < p->profile->n_arches; i++) {
        uint32_t arch = p->profile->arches[i];

        if (arch != p->arch && arch != SCMP_ARCH_X32)
            ends[n++] = emit_section(p, arch);
    }
    while (n > 0 && !p->too_long) {
        n--;
        p->insns[ends[n]].k = (uint32_t)(p->n - ends[n] - 1);
    }
}

int seccomp_preamble(const struct seccomp_profile *profile, const struct seccomp_overlay *overlay,
                     uint32_t arch, uint32_t default_action, uint32_t denial, struct seccomp_program *ret,
                     struct cl_error *e)
{
    cleanup_free struct sock_filter *insns = calloc(BPF_MAXINSNS, sizeof(insns[0]));
    cleanup_free size_t *ends = calloc(profile->n_arches + 1, sizeof(ends[0]));
    struct preamble p = {.profile = profile,
                         .overlay = overlay,
                         .arch = arch,
                         .default_action = default_action,
                         .denial = seccomp_audited(denial, overlay->audit),
                         .insns = insns};

    if (!insns || !ends)
        return cl_fail(e, ENOMEM, "compile the filter");
    emit_all(&p, ends);
    if (p.too_long)
        return cl_fail(e, E2BIG, "the filter is longer than the kernel takes, %d instructions", BPF_MAXINSNS);
    *ret = (struct seccomp_program){.insns = insns, .n = p.n};
    insns = NULL;
    return 0;
}
