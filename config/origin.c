/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where a value comes from, and errors that blame it. Also the end of a policy's life.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "schema.h"
#include "util.h"

const char *cl_key_name(enum cl_key key)
{
    return (unsigned)key < CL_KEY_COUNT ? schema_policy[key].name : "";
}

const char *cl_policy_origin(const struct cl_policy *policy, enum cl_key key, char *buf, size_t size)
{
    const struct cl_origin *origin = &policy->origin[key];

    if (origin->file)
        snprintf(buf, size, "%s:%u", origin->file, origin->line);
    else
        snprintf(buf, size, "built-in");
    return buf;
}

int cl_policy_fail(const struct cl_policy *policy, enum cl_key key, struct cl_error *e, int err,
                   const char *fmt, ...)
{
    char origin[300], text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return cl_fail_key(e, err, cl_key_name(key), cl_policy_origin(policy, key, origin, sizeof(origin)), "%s",
                       text);
}

void cl_policy_free(struct cl_policy *policy)
{
    if (!policy)
        return;
    schema_clear_all(schema_policy, SCHEMA_POLICY_COUNT, policy);
    free(policy);
}

void cl_policy_freep(struct cl_policy **policy)
{
    cl_policy_free(*policy);
    *policy = NULL;
}
