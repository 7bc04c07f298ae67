/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What does a policy's filter say about one system call? The program that a login would get is compiled and
 * run here, so the answer is the kernel's; the profile is then searched for who says so.
 */
#ifndef CL_SECCOMP_ASK_H
#define CL_SECCOMP_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "policy.h"

enum seccomp_by {
    SECCOMP_BY_NOTHING, /* there is no filter */
    SECCOMP_BY_DENY,    /* the policy's deny */
    SECCOMP_BY_ALLOW,   /* the policy's allow */
    SECCOMP_BY_NESTED,  /* the policy lets the cell make namespaces */
    SECCOMP_BY_RULES,   /* rules of the profile name the call */
    SECCOMP_BY_AGE,     /* the call is younger than the profile */
    SECCOMP_BY_DEFAULT, /* nothing names it: the profile's default action */
    SECCOMP_BY_ABSENCE, /* this architecture has no such call */
};

/* What the filter does with one set of arguments. */
struct seccomp_sample {
    uint64_t args[6];
    uint32_t action; /* SCMP_ACT_ */
};

#define SECCOMP_SAMPLES_MAX 8

struct seccomp_answer {
    enum seccomp_by by;
    char *profile;   /* path; NULL without a filter */
    char **rules;    /* of the profile, about this call, in words; string vector */
    char *otherwise; /* the profile's default action, in words */
    /* Each action that the filter takes, once, the one for arguments that are all 0 first. More than one: it
     * depends on the arguments. */
    struct seccomp_sample samples[SECCOMP_SAMPLES_MAX];
    size_t n_samples;
    uint32_t enforced; /* in audit mode: what samples[0] would be without it */
};

/* name is known (seccomp_name_known). Native architecture. Errors as seccomp_validate(). */
int seccomp_ask(const struct cl_policy *policy, const char *name, struct seccomp_answer *ret,
                struct cl_error *e) CL_WARN_UNUSED;
void seccomp_answer_clear(struct seccomp_answer *answer);
#define cleanup_answer_seccomp __attribute__((cleanup(seccomp_answer_clear)))

/* Does any sample let the call through? Does any deny it? */
bool seccomp_answer_allows(const struct seccomp_answer *answer);
bool seccomp_answer_denies(const struct seccomp_answer *answer);
/* "fails with EPERM", "is logged": what an action does to the call. Returns buf. */
const char *seccomp_action_text(uint32_t action, char *buf, size_t size);
/* " (TIOCSTI)": the name of a well-known value of a call's argument, for people; "" for others. */
const char *seccomp_value_name(const char *call, unsigned arg, uint64_t value);
/* A name of libseccomp's or of ours. */
bool seccomp_is_syscall(const char *name);

#endif
