/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Audit mode of a filter: what it would deny is logged and let through, with two exceptions. An ENOSYS that a
 * rule of the profile, or a call's youth, asks for is no denial but advice to fall back: it stays, so that
 * programs do what they will do once the policy is enforced. And what nothing else in a cell bounds stays
 * denied: input pushed into a terminal (TIOCSTI, TIOCLINUX), which may be the terminal of someone outside.
 * Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_AUDIT_H
#define CL_SECCOMP_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "seccomp_compile.h"

/* What becomes of an SCMP_ACT_ value of a rule, and of a filter's default. */
uint32_t seccomp_audited(uint32_t action, bool audit);
uint32_t seccomp_audited_default(uint32_t action, bool audit);

/* The instructions before an auditing filter: they answer what stays denied as enforcing does, and fall
 * through for everything else. -ENOMEM. */
int seccomp_audit_guard(const struct seccomp_program *enforcing, const struct seccomp_profile *profile,
                        uint32_t arch, struct seccomp_program *ret, struct cl_error *e) CL_WARN_UNUSED;

#endif
