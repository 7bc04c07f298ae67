/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdbool.h>

#include "raise.h"

/* Permitted becomes effective in caps; ret_changed: something was not. */
static int raise_all(cap_t caps, bool *ret_changed)
{
    cap_flag_value_t permitted, effective;
    bool changed = false;

    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
        if (cap_get_flag(caps, cap, CAP_PERMITTED, &permitted) < 0 ||
            cap_get_flag(caps, cap, CAP_EFFECTIVE, &effective) < 0)
            return -errno;
        if (permitted == effective)
            continue;
        if (cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, permitted) < 0)
            return -errno;
        changed = true;
    }
    *ret_changed = changed;
    return 0;
}

int cl_raise_begin(cap_t *ret_before)
{
    cap_t before = cap_get_proc(), raised = before ? cap_dup(before) : NULL;
    bool changed = false;
    int r = raised ? raise_all(raised, &changed) : -errno;

    if (r == 0 && changed && cap_set_proc(raised) < 0)
        r = -errno;
    (void)cap_free(raised);
    if (r < 0 || !changed) {
        (void)cap_free(before);
        before = NULL;
    }
    if (r == 0)
        *ret_before = before;
    return r;
}

int cl_raise_end(cap_t before)
{
    int r = before && cap_set_proc(before) < 0 ? -errno : 0;

    (void)cap_free(before);
    return r;
}
