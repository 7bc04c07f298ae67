/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From audit records to lines of a policy: what cloister suggest is made of.
 */
#ifndef CL_CTL_SUGGEST_H
#define CL_CTL_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "audit_line.h"
#include "err.h"
#include "policy.h"

#define SUGGEST_CALLS_MAX 512
#define SUGGEST_RULES_MAX 1024

/* Whose records count: all that is asked for comes from the kernel, not from the process. */
struct suggest_query {
    uid_t uid;
    uint32_t session;    /* of seccomp's records, which name it; AUDIT_NO_SESSION: any */
    int64_t since;       /* seconds since 1970 */
    const char *profile; /* the policy's AppArmor profile: its records count, and its twin's; NULL: none does */
    const char *home;    /* paths below it are written @{HOME}; may be NULL */
};

/* What enforcing the policy would do. */
enum suggest_effect {
    SUGGEST_ALLOW,   /* refused now; the suggestion lets it through */
    SUGGEST_PARTLY,  /* refused with some arguments only; the suggestion lets all through */
    SUGGEST_DENIED,  /* a deny of the policy, or of the profile, stands against it: no suggestion helps */
    SUGGEST_OTHER, /* not logged by the policy as it is by now, which lets it through or answers otherwise: nothing to suggest */
};

struct suggest_call {
    char name[48]; /* "perf_event_open"; "" where the number has no name */
    uint32_t arch, number;
    unsigned count;
    char comm[64]; /* of the last process: what it calls itself */
    enum suggest_effect effect;
};

struct suggest_rule {
    char *head;      /* "capability sys_ptrace"; a path's without its letters */
    char letters[8]; /* "rw"; "": not of a file */
    bool of_user; /* the kernel said whose it is; else anyone's under the profile: of capabilities, sockets, signals */
    unsigned count;
    char comm[64];
    enum suggest_effect effect;
};

struct suggestion {
    struct suggest_query query;
    struct suggest_call calls[SUGGEST_CALLS_MAX];
    struct suggest_rule rules[SUGGEST_RULES_MAX];
    size_t n_calls, n_rules;
    unsigned n_seccomp, n_apparmor; /* records that count */
    unsigned n_lost;                /* of these, for which there was no room, or no rule can be written */
    const char *source;             /* where they were read; NULL: there were none */
};

void suggestion_clear(struct suggestion *s);

/* Take one record, if it counts. */
void suggest_collect(struct suggestion *s, const struct audit_line *line);
/* When all are taken: order them, and fill the effects of calls from what the policy's filter says in audit mode. -errno with e
 * when it can't be compiled. */
int suggest_judge(struct suggestion *s, const struct cl_policy *policy, struct cl_error *e) CL_WARN_UNUSED;

/* suggest_rule.c: the rule for one record of AppArmor: *ret_head is a new string, ret_letters may stay empty. home as in a
 * query. -EINVAL: none can be written. */
int suggest_rule_of(const struct audit_line *line, const char *home, char **ret_head, char ret_letters[8])
    CL_WARN_UNUSED;
/* Add the letters of more to letters: "r" and "w" are "rw". */
void suggest_add_letters(char letters[8], const char *more);

#endif
