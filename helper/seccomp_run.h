/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a filter answers to one call: the program run here as the kernel runs it (classic BPF as seccomp(2)
 * takes it).
 */
#ifndef CL_SECCOMP_RUN_H
#define CL_SECCOMP_RUN_H

#include <linux/seccomp.h>
#include <stdint.h>

#include "seccomp_compile.h"

/* For a program that the kernel would not take; no SECCOMP_RET_ value. */
#define SECCOMP_RUN_BROKEN 0xdeadbeefu

/* The SECCOMP_RET_ value, with its errno (equal to the SCMP_ACT_ value). */
uint32_t seccomp_run(const struct seccomp_program *program, const struct seccomp_data *call);
/* The AUDIT_ARCH_ value that a call of an SCMP_ARCH_ token carries: x32 is x86_64 to the kernel. */
uint32_t seccomp_audit_arch(uint32_t arch);

#endif
