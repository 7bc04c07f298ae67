/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seccomp: a Docker/OCI JSON profile becomes a BPF program, through libseccomp, kept in a cache.
 */
#ifndef CL_SECCOMP_H
#define CL_SECCOMP_H

#include "err.h"
#include "policy.h"

/* Where compiled filters are kept: root's alone (0700). */
#define CL_SECCOMP_CACHE CL_STATE_DIR "/seccomp"

/* The policy's filter as a sealed memfd that holds an array of struct sock_filter, or *ret_fd = -1 for
 * "unconfined" or where the kernel has no seccomp and the policy says continue. The profile is compiled for the
 * policy's bounding set (includes/excludes), this kernel and this architecture. cache_dir NULL: no cache.
 * Syscall names that libseccomp does not know are logged at LOG_DEBUG, once per compilation. Errors blame
 * seccomp.profile, .allow or .deny. */
int seccomp_filter(const struct cl_policy *policy, const char *cache_dir, int *ret_fd, struct cl_error *e)
    CL_WARN_UNUSED;

/* What `check` does: load and compile without a cache. ret_unknown (may be NULL) receives the syscall names that
 * libseccomp does not know, a string vector that the caller frees. */
int seccomp_validate(const struct cl_policy *policy, char ***ret_unknown, struct cl_error *e) CL_WARN_UNUSED;

#endif
