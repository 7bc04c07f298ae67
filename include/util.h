/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Small utilities: cleanup attributes, string vectors, whole reads and writes. Nothing here logs or exits.
 */
#ifndef CL_UTIL_H
#define CL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "err.h"

#define CL_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Close *fd once if it is valid, set it to -1; errno is preserved. */
void cl_close(int *fd);
/* Give up ownership: returns *fd and leaves -1 behind. */
int cl_take_fd(int *fd);
void cl_freep(void *p); /* p is the address of a pointer from malloc */
void cl_fclosep(FILE **f);

#define cleanup_fd   __attribute__((cleanup(cl_close)))
#define cleanup_free __attribute__((cleanup(cl_freep)))
#define cleanup_file __attribute__((cleanup(cl_fclosep)))
#define cleanup_strv __attribute__((cleanup(cl_strv_freep)))

/* A string vector is a NULL-terminated array of owned strings; NULL is an empty vector. */
size_t cl_strv_length(char *const *strv);
bool cl_strv_contains(char *const *strv, const char *s);
int cl_strv_add(char ***strv, const char *s) CL_WARN_UNUSED; /* 0 or -ENOMEM; s is copied */
int cl_strv_copy(char *const *strv, char ***ret) CL_WARN_UNUSED;
void cl_strv_free(char **strv);
void cl_strv_freep(char ***strv);

/* Format into a new string; *ret is untouched on failure. 0 or -ENOMEM. */
int cl_asprintf(char **ret, const char *fmt, ...) CL_PRINTF(2, 3) CL_WARN_UNUSED;

/* Copy text and its end to buf of size bytes, all but printable ASCII escaped as \xNN: a terminal takes more than the
 * control characters of C as commands. What does not fit is cut. Returns the length of the copy. */
size_t cl_escape(const char *text, char *buf, size_t size);

/* Write all of buf, retrying on EINTR and short writes. 0 or -errno. */
int cl_write_all(int fd, const void *buf, size_t size) CL_WARN_UNUSED;
/* Read to end of file, at most max bytes; -EFBIG past that. *ret is NUL-terminated (beyond ret_size). */
int cl_read_all(int fd, size_t max, char **ret, size_t *ret_size) CL_WARN_UNUSED;
/* Open path below dirfd (O_NOFOLLOW|O_CLOEXEC, with flags) and write text in one write(2). For kernel control
 * files (cgroup, proc), where one write is one command. 0 or -errno. */
int cl_write_file_at(int dirfd, const char *path, const char *text) CL_WARN_UNUSED;
/* Read a small kernel file (at most 64 KiB); *ret is NUL-terminated, a trailing newline removed. */
int cl_read_file_at(int dirfd, const char *path, char **ret) CL_WARN_UNUSED;
/* Create or replace path below dirfd with buf through a temporary file and rename(2); durable is not promised.
 * mode as chmod(2). */
int cl_replace_file_at(int dirfd, const char *path, const void *buf, size_t size, mode_t mode) CL_WARN_UNUSED;

/* Parse an unsigned decimal that is the whole string. 0, -EINVAL or -ERANGE. */
int cl_parse_u64(const char *s, uint64_t *ret) CL_WARN_UNUSED;

/* CLOCK_MONOTONIC in milliseconds. */
int64_t cl_now_ms(void);

#endif
