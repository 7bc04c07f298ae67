/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzing of seccomp profiles: any bytes as a Docker/OCI JSON profile. What is taken must become a filter that the
 * kernel takes, too, and that holds what the policy lays on top, whatever the profile says.
 */
#include "config.h"

#include <string.h>
#include <sys/syscall.h>

#include "fuzz.h"
#include "seccomp_compile.h"
#include "seccomp_run.h"

/* As the kernel's bpf_check_classic(): jumps stay inside, the last instruction returns. */
static void check_program(const struct seccomp_program *program)
{
    MUST(program->n > 0 && program->n <= BPF_MAXINSNS);
    for (size_t i = 0; i < program->n; i++) {
        const struct sock_filter *insn = &program->insns[i];
        size_t left = program->n - i - 1;

        if (insn->code == (BPF_JMP | BPF_JA))
            MUST(insn->k < left);
        else if (BPF_CLASS(insn->code) == BPF_JMP)
            MUST(insn->jt < left && insn->jf < left);
    }
    MUST(BPF_CLASS(program->insns[program->n - 1].code) == BPF_RET);
}

static uint32_t ask(const struct seccomp_program *program, uint32_t audit_arch, int number, uint64_t arg)
{
    const struct seccomp_data data = {.nr = number, .arch = audit_arch, .args = {arg}};
    uint32_t answer = seccomp_run(program, &data);

    MUST(answer != SECCOMP_RUN_BROKEN);
    return answer & SECCOMP_RET_ACTION_FULL;
}

static void check_answers(const struct seccomp_program *program, uint32_t arch)
{
    uint32_t answer;

    for (uint64_t arg = 0; arg < 3; arg++) {
        answer = ask(program, arch, SYS_ptrace, arg << 32 | arg);
        MUST(answer != SECCOMP_RET_ALLOW && answer != SECCOMP_RET_LOG);
        MUST(ask(program, arch, SYS_getrandom, arg) == SECCOMP_RET_ALLOW);
        (void)ask(program, arch, SYS_socket, arg);
    }
    answer = ask(program, ~arch, SYS_read, 0); /* of an architecture that no machine has */
    MUST(answer != SECCOMP_RET_ALLOW && answer != SECCOMP_RET_LOG);
}

/* Whatever the profile says, audit mode lets a denied call through, and logs it. */
static void check_audit(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch)
{
    struct seccomp_overlay audit = *overlay;
    cleanup_program struct seccomp_program program = {0};
    cleanup_strv char **unknown = NULL;
    struct cl_error e = {0};

    audit.audit = true;
    if (seccomp_compile(profile, &audit, arch, &program, &unknown, &e) < 0)
        return;
    check_program(&program);
    MUST(ask(&program, arch, SYS_ptrace, 0) == SECCOMP_RET_LOG);
    MUST(ask(&program, arch, SYS_getrandom, 0) == SECCOMP_RET_ALLOW);
}

static void try_profile(const uint8_t *data, size_t size, uint64_t bounding)
{
    static char allow_1[] = "getrandom", allow_2[] = "ptrace", deny_1[] = "ptrace";
    static char *const allow[] = {allow_1, allow_2, NULL}, *const deny[] = {deny_1, NULL};
    static const struct seccomp_overlay overlay = {.allow = allow, .deny = deny, .action = CL_SECCOMP_ERRNO};
    const struct seccomp_host host = {
        .arch = seccomp_arch_native(), .kernel_major = 6, .kernel_minor = 1, .bounding = bounding};
    cleanup_profile struct seccomp_profile *profile = NULL;
    cleanup_program struct seccomp_program program = {0};
    cleanup_strv char **unknown = NULL;
    struct cl_error e = {0};
    char line[1024];

    if (seccomp_profile_parse("fuzz.json", (const char *)data, size, &host, &profile, &e) < 0) {
        MUST(!profile && strlen(cl_error_format(&e, line, sizeof(line))) > 0);
        return;
    }
    if (seccomp_compile(profile, &overlay, host.arch, &program, &unknown, &e) < 0) {
        MUST(!program.insns && strlen(cl_error_format(&e, line, sizeof(line))) > 0);
        return;
    }
    check_program(&program);
    check_answers(&program, host.arch);
    check_audit(profile, &overlay, host.arch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_profile(data, size, 0);
    try_profile(data, size, UINT64_MAX);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
