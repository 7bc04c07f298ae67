/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One error, with its context. A function that fails fills it where the cause is known and returns -errno; a
 * stage adds its name once, and the configuration key adds where the administrator wrote it. Only a main
 * function prints it, so that a refused login is exactly one log line.
 */
#ifndef CL_ERR_H
#define CL_ERR_H

#include <stddef.h>

#define CL_WARN_UNUSED        __attribute__((warn_unused_result))
#define CL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

struct cl_error {
    int err;          /* errno, positive; 0: no error recorded */
    char stage[32];   /* "cgroup"; empty until a stage adds it */
    char key[64];     /* "cgroup.pids_max"; empty: no key is to blame */
    char origin[300]; /* "/etc/cloister/policy.d/50-students.conf:12" or "built-in"; empty as key */
    char text[512];   /* what was attempted, without errno's text and without a trailing full stop */
};

/* Record an error and return -err, for `return cl_fail(e, errno, "open %s", path)`. err is a positive errno (0 is
 * taken as EINVAL). An error already recorded is kept: the first is the cause. e may be NULL. errno is preserved. */
int cl_fail(struct cl_error *e, int err, const char *fmt, ...) CL_PRINTF(3, 4);

/* As cl_fail, naming the configuration key to blame and its origin ("file:line"); either may be NULL. */
int cl_fail_key(struct cl_error *e, int err, const char *key, const char *origin, const char *fmt, ...)
    CL_PRINTF(5, 6);

/* One line: "stage=cgroup key=cgroup.pids_max (FILE:12): write pids.max: Invalid argument". Control characters
 * are escaped. Writes at most size bytes, terminated; returns buf. */
const char *cl_error_format(const struct cl_error *e, char *buf, size_t size);

#endif
