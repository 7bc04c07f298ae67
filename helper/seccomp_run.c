/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A classic-BPF interpreter for seccomp filters.
 */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>

#include "seccomp_run.h"

static int jumps(const struct sock_filter *insn, uint32_t a)
{
    switch (BPF_OP(insn->code)) {
    case BPF_JEQ:
        return a == insn->k;
    case BPF_JGT:
        return a > insn->k;
    case BPF_JGE:
        return a >= insn->k;
    case BPF_JSET:
        return (a & insn->k) != 0;
    default:
        return -EINVAL;
    }
}

uint32_t seccomp_run(const struct seccomp_program *program, const struct seccomp_data *call)
{
    uint32_t a = 0;
    int taken;

    for (size_t i = 0; i < program->n; i++) {
        const struct sock_filter *insn = &program->insns[i];

        switch (insn->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (insn->k > sizeof(*call) - sizeof(a) || insn->k % sizeof(a) != 0)
                return SECCOMP_RUN_BROKEN;
            memcpy(&a, (const char *)call + insn->k, sizeof(a));
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= insn->k;
            break;
        case BPF_JMP | BPF_JA:
            i += insn->k;
            break;
        case BPF_RET | BPF_K:
            return insn->k;
        default:
            taken = BPF_CLASS(insn->code) == BPF_JMP && BPF_SRC(insn->code) == BPF_K ? jumps(insn, a) : -1;
            if (taken < 0)
                return SECCOMP_RUN_BROKEN;
            i += taken ? insn->jt : insn->jf;
        }
    }
    return SECCOMP_RUN_BROKEN;
}

uint32_t seccomp_audit_arch(uint32_t arch)
{
    return arch == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : arch;
}
