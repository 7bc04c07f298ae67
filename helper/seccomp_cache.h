/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Compiled filters, kept in a directory of root's. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_CACHE_H
#define CL_SECCOMP_CACHE_H

#include <stddef.h>

#include "err.h"
#include "seccomp_compile.h"

/* How many files the directory may hold. */
#define SECCOMP_CACHE_MAX 256

/* Open dir; -EPERM when another user than root (or, in tests, than the caller) could write there. */
int seccomp_cache_open(const char *dir, int *ret_fd) CL_WARN_UNUSED;

/* inputs is everything that the program depends on. 0 and *ret, or -ENOENT: not there, or not usable. */
int seccomp_cache_get(int dir_fd, const void *inputs, size_t size,
                      struct seccomp_program *ret) CL_WARN_UNUSED;

/* Keep program under inputs; the oldest files go when there are too many. */
int seccomp_cache_put(int dir_fd, const void *inputs, size_t size,
                      const struct seccomp_program *program) CL_WARN_UNUSED;

#endif
