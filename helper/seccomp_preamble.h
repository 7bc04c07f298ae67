/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The instructions before libseccomp's own in a filter. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_PREAMBLE_H
#define CL_SECCOMP_PREAMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "seccomp_compile.h"

/* The action keeps the call from happening. */
bool seccomp_action_denies(uint32_t action);

/* Write the preamble for profile and overlay; it falls through to the instruction after its last one.
 * default_action is the whole filter's, denial what a denied call does. -E2BIG, -ENOMEM. */
int seccomp_preamble(const struct seccomp_profile *profile, const struct seccomp_overlay *overlay,
                     uint32_t arch, uint32_t default_action, uint32_t denial, struct seccomp_program *ret,
                     struct cl_error *e) CL_WARN_UNUSED;

#endif
