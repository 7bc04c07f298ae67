/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading a profile's JSON as Go's decoder does, with messages that name the element. Private to seccomp*.c.
 */
#ifndef CL_SECCOMP_JSON_H
#define CL_SECCOMP_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct seccomp_host;

/* One parse: the file's name for messages, what conditions are held against, where errors go. */
struct js_parse {
    const char *name;
    const struct seccomp_host *host;
    struct cl_error *e;
};

/* The path of an element, "syscalls[3].args[0].op"; cut where it is too long. All return buf. */
#define JS_PATH_SIZE 96
const char *js_path(char *buf, const char *path, const char *key);
const char *js_path_item(char *buf, const char *path, size_t i);

/* Record "NAME: PATH: text" and return -err. */
int js_bad(const struct js_parse *p, int err, const char *path, const char *fmt, ...) CL_PRINTF(4, 5);

/* Parse text; *ret is a new reference. Integers up to UINT64_MAX are taken; js_number gives them back. */
int js_parse(const struct js_parse *p, const char *text, size_t size, json_t **ret) CL_WARN_UNUSED;

/* Members of object (NULL: an empty one), below path. Absent and null are the same: "", NULL, otherwise. Another type
 * is -EINVAL. Strings, arrays and objects are borrowed. */
int js_string(const struct js_parse *p, json_t *object, const char *path, const char *key, const char **ret)
    CL_WARN_UNUSED;
int js_array(const struct js_parse *p, json_t *object, const char *path, const char *key, json_t **ret)
    CL_WARN_UNUSED;
int js_object(const struct js_parse *p, json_t *object, const char *path, const char *key, json_t **ret)
    CL_WARN_UNUSED;
int js_number(const struct js_parse *p, json_t *object, const char *path, const char *key, uint64_t otherwise,
              uint64_t *ret) CL_WARN_UNUSED;
/* An array's element that must be a string and not empty. */
int js_string_at(const struct js_parse *p, json_t *array, const char *path, size_t i, const char **ret)
    CL_WARN_UNUSED;

#endif
