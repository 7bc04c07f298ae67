/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A profile and what the policy lays on top become one BPF program. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_COMPILE_H
#define CL_SECCOMP_COMPILE_H

#include <linux/filter.h>
#include <stddef.h>

#include "err.h"
#include "policy.h"
#include "seccomp_profile.h"

struct seccomp_overlay {
    char *const *allow, *const *deny; /* string vectors of names; deny wins */
    enum cl_seccomp_action action;
};

struct seccomp_program {
    struct sock_filter *insns;
    size_t n; /* at most BPF_MAXINSNS */
};

/* Compile for arch (native, an SCMP_ARCH_ token). The profile's rules are changed: the overlay's names are
 * taken out of them. ret_unknown receives the profile's names that nothing knows, a string vector. -E2BIG:
 * longer than the kernel takes; -EINVAL: libseccomp refuses a rule; -ENOMEM. */
int seccomp_compile(struct seccomp_profile *profile, const struct seccomp_overlay *overlay, uint32_t arch,
                    struct seccomp_program *ret, char ***ret_unknown, struct cl_error *e) CL_WARN_UNUSED;
void seccomp_program_clear(struct seccomp_program *program);
#define cleanup_program __attribute__((cleanup(seccomp_program_clear)))

#endif
