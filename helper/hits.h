/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which limits a session hit, by what the kernel counted, and which key of the policy that was. For the
 * helper, when a session ends, and for who asks before.
 */
#ifndef CL_HITS_H
#define CL_HITS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"
#include "usage.h"

/* What happened at a limit. io.max is not among them: the kernel does not count what it holds back there. */
enum hit_kind {
    HIT_OOM_KILLS,   /* processes killed */
    HIT_FORKS,       /* forks refused */
    HIT_MEMORY_MAX,  /* memory reclaimed at the limit, without a kill */
    HIT_MEMORY_HIGH, /* memory reclaimed at the limit */
    HIT_SWAP,        /* swapping out refused */
    HIT_CPU,         /* periods in which the processors were held back; usec of it */
    HIT_KIND_COUNT
};

struct hit {
    enum hit_kind kind;
    uint64_t count, usec;
    bool of_user; /* counted for all sessions of the user together */
    /* The limit that did it; both, where the kernel does not tell which of the two; neither: none of the
     * policy's, but the host's. Into the array that was given. */
    const struct record_limit *limit, *or_limit;
};

#define HITS_MAX (2 * HIT_KIND_COUNT)

/* From what a session's cgroup counted, and what the user's counted (NULL: not known), with the limits that
 * the session's record has. Returns how many. */
size_t hits_find(const struct cl_usage *session, const struct cl_usage *user,
                 const struct record_limit *limits, size_t n_limits, struct hit ret[HITS_MAX]);

/* "3 processes killed at memory_max 512M, set in 50-students.conf:12": for people, no control characters.
 * Returns buf. */
const char *hit_text(const struct hit *hit, char *buf, size_t size);
/* "3 killed", "0.90s cpu", "user: 2 forks": for a table. Returns buf. */
const char *hit_brief(const struct hit *hit, char *buf, size_t size);
/* An object of what, count, usec (of HIT_CPU), of_user, limits (key, value, source) and text. */
json_t *hit_json(const struct hit *hit);
/* An array of them; of_user chooses. */
json_t *hits_json(const struct hit *hits, size_t n, bool of_user);

/* An object of everything that is read from a cgroup: numbers, "max" where nothing is limited, null for what the
 * kernel does not count there. */
json_t *usage_json(const struct cl_usage *usage);

#endif
