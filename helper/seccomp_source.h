/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A policy's seccomp profile, read from its file, and everything else that decides about the program. Private
 * to seccomp*.c.
 */
#ifndef CL_SECCOMP_SOURCE_H
#define CL_SECCOMP_SOURCE_H

#include <stdbool.h>
#include <sys/utsname.h>

#include "seccomp_compile.h"
#include "seccomp_profile.h"

struct seccomp_source {
    char *path, *text;
    size_t size;
    struct utsname kernel;
    struct seccomp_host host;
};

void seccomp_source_clear(struct seccomp_source *source);
#define cleanup_source __attribute__((cleanup(seccomp_source_clear)))

bool seccomp_is_unconfined(const struct cl_policy *policy);
/* What the shipped profile allows on top where namespaces.nested lets the cell make namespaces, and nothing else: making
 * and joining them, and what mount(2), chroot(2) and sethostname(2) do inside. NULL: the profile is another, or nested is 0. */
char *const *seccomp_nested_calls(const struct cl_policy *policy);
/* Read the profile's file, which must be root's (`check`: or its own user's) alone to write. -errno. */
int seccomp_source_read(const struct cl_policy *policy, struct seccomp_source *source,
                        struct cl_error *e) CL_WARN_UNUSED;
int seccomp_source_parse(const struct seccomp_source *source, struct seccomp_profile **ret,
                         struct cl_error *e) CL_WARN_UNUSED;
/* What the policy lays on top; nothing is copied. */
struct seccomp_overlay seccomp_overlay_of(const struct cl_policy *policy);
/* -EINVAL: seccomp.deny names a call that neither libseccomp nor we know. */
int seccomp_check_deny(const struct cl_policy *policy, struct cl_error *e) CL_WARN_UNUSED;

#endif
