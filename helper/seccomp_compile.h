/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A profile and what the policy lays on top become one BPF program. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_COMPILE_H
#define CL_SECCOMP_COMPILE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "policy.h"
#include "seccomp_profile.h"

struct seccomp_overlay {
    char *const *allow, *const *deny; /* string vectors of names; deny wins */
    char *const *nested;              /* more to allow, for namespaces.nested; NULL: none */
    enum cl_seccomp_action action;
    bool audit; /* what would be denied is only logged, see seccomp_audit.h */
};

struct seccomp_program {
    struct sock_filter *insns;
    size_t n; /* at most BPF_MAXINSNS */
};

/* Compile for arch (native, an SCMP_ARCH_ token). The profile's rules are changed: the overlay's names are
 * taken out of them. ret_unknown receives the profile's names that nothing knows, a string vector. -E2BIG:
 * longer than the kernel takes; -EINVAL: libseccomp refuses a rule; -ENOMEM. The same profile may be compiled again
 * with the same overlay, audit or not. */
int seccomp_compile(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch,
                    struct seccomp_program *ret, char ***ret_unknown, struct cl_error *e) CL_WARN_UNUSED;
/* What the filter's default and the overlay's deny do, without regard to audit: SCMP_ACT_ values. */
uint32_t seccomp_default_action(const struct seccomp_profile *profile, const struct seccomp_overlay *overlay);
uint32_t seccomp_denial(enum cl_seccomp_action action);
/* One program after another: the first falls through into the second. */
int seccomp_concatenate(const struct seccomp_program *a, const struct seccomp_program *b, struct seccomp_program *ret,
                        struct cl_error *e) CL_WARN_UNUSED;
void seccomp_program_clear(struct seccomp_program *program);
#define cleanup_program __attribute__((cleanup(seccomp_program_clear)))

#endif
