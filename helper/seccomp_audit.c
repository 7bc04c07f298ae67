/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Audit mode of a filter, and the guard before it.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "seccomp_audit.h"
#include "seccomp_names.h"
#include "seccomp_preamble.h"
#include "seccomp_run.h"
#include "util.h"

/* The kernel takes the command as 32 bits, whatever the upper half says: ioctl(2). */
#define OFFSET_COMMAND ((uint32_t)offsetof(struct seccomp_data, args[1]) + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0))
#define GUARD_LENGTH   7 /* instructions for one command on one architecture */

static const uint32_t guarded[] = {TIOCSTI, TIOCLINUX};

uint32_t seccomp_audited(uint32_t action, bool audit)
{
    return audit && seccomp_action_denies(action) && action != SCMP_ACT_ERRNO(ENOSYS) ? SCMP_ACT_LOG : action;
}

uint32_t seccomp_audited_default(uint32_t action, bool audit)
{
    return audit && seccomp_action_denies(action) ? SCMP_ACT_LOG : action;
}

static void add_guard(struct seccomp_program *guard, const struct seccomp_data *call, uint32_t command,
                      uint32_t action)
{
    const struct sock_filter insns[GUARD_LENGTH] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, call->arch, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, (uint32_t)call->nr, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFFSET_COMMAND),
        BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, command, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
    };

    for (size_t i = 0; i < GUARD_LENGTH; i++)
        guard->insns[guard->n++] = insns[i];
}

static void guard_arch(const struct seccomp_program *enforcing, uint32_t arch, struct seccomp_program *guard)
{
    int number = seccomp_number(arch, "ioctl");

    for (size_t i = 0; number >= 0 && i < CL_ARRAY_SIZE(guarded); i++) {
        const struct seccomp_data call = {
            .nr = number, .arch = seccomp_audit_arch(arch), .args = {0, guarded[i]}};
        uint32_t action = seccomp_run(enforcing, &call);

        if (action == SECCOMP_RUN_BROKEN)
            action = SCMP_ACT_ERRNO(EPERM);
        if (seccomp_action_denies(action))
            add_guard(guard, &call, guarded[i], action);
    }
}

int seccomp_audit_guard(const struct seccomp_program *enforcing, const struct seccomp_profile *profile,
                        uint32_t arch, struct seccomp_program *ret, struct cl_error *e)
{
    size_t most = (profile->n_arches + 1) * CL_ARRAY_SIZE(guarded) * GUARD_LENGTH;
    struct seccomp_program guard = {.insns = calloc(most + 1, sizeof(struct sock_filter))};

    if (!guard.insns)
        return cl_fail(e, ENOMEM, "compile the filter");
    guard_arch(enforcing, arch, &guard);
    for (size_t i = 0; i < profile->n_arches; i++)
        if (profile->arches[i] != arch)
            guard_arch(enforcing, profile->arches[i], &guard);
    *ret = guard;
    return 0;
}
