/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A classic-BPF interpreter for tests: what does a seccomp filter answer to one call, on any architecture?
 */
#ifndef TEST_BPF_RUN_H
#define TEST_BPF_RUN_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* SECCOMP_RET_ value of the filter; BPF_RUN_BROKEN for a program that the kernel would not take. */
#define BPF_RUN_BROKEN 0xdeadbeefu

static inline int bpf_run_jumps(const struct sock_filter *insn, uint32_t a)
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

static inline uint32_t bpf_run(const struct sock_filter *insns, size_t n, const struct seccomp_data *data)
{
    uint32_t a = 0;
    int jumps;

    for (size_t i = 0; i < n; i++) {
        const struct sock_filter *insn = &insns[i];

        switch (insn->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (insn->k > sizeof(*data) - sizeof(a) || insn->k % sizeof(a) != 0)
                return BPF_RUN_BROKEN;
            memcpy(&a, (const char *)data + insn->k, sizeof(a));
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
            jumps = BPF_CLASS(insn->code) == BPF_JMP && BPF_SRC(insn->code) == BPF_K ? bpf_run_jumps(insn, a)
                                                                                     : -1;
            if (jumps < 0)
                return BPF_RUN_BROKEN;
            i += jumps ? insn->jt : insn->jf;
        }
    }
    return BPF_RUN_BROKEN;
}

#endif
