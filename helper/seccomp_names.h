/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names and numbers of system calls: libseccomp's tables, and what they lack. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_NAMES_H
#define CL_SECCOMP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The system call's number on one architecture (an SCMP_ARCH_ token; x32 numbers carry bit 30), or -1 where
 * that architecture has no such call. */
int seccomp_number(uint32_t arch, const char *name);

/* libseccomp knows the name on some architecture. */
bool seccomp_name_in_library(const char *name);
/* The name is newer than this libseccomp, but known here. */
bool seccomp_name_is_recent(const char *name);
bool seccomp_name_known(const char *name);

/* A call that 32-bit architectures also reach through a multiplexer: socketcall(call, …) or ipc(call, …). */
struct seccomp_multiplexed {
    const char *name, *multiplexer;
    unsigned call;
    uint32_t mask; /* bits of the first argument that hold the call */
};
/* NULL: not multiplexed. */
const struct seccomp_multiplexed *seccomp_multiplexed(const char *name);

/* The SCMP_ARCH_ token of "SCMP_ARCH_X86_64", or 0 where this libseccomp does not have it. ret_known: the
 * name is one of the OCI runtime specification. */
uint32_t seccomp_arch_by_name(const char *name, bool *ret_known);
/* Docker's name of an architecture in includes and excludes ("amd64"); NULL when it has none. */
const char *seccomp_arch_docker_name(uint32_t arch);

#endif
