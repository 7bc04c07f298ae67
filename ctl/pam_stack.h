/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stacks of PAM services as libpam puts them together from pam.d: pam.conf(5). Read only, for doctor; a login
 * never depends on it.
 */
#ifndef CL_CTL_PAM_STACK_H
#define CL_CTL_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum pam_type { PAM_TYPE_AUTH, PAM_TYPE_ACCOUNT, PAM_TYPE_SESSION, PAM_TYPE_PASSWORD, PAM_TYPE_COUNT };

/* "auth" */
const char *pam_type_name(enum pam_type type);

struct pam_rule {
    char *control; /* "required", "[success=1 default=ignore]" */
    char *module;  /* as written */
    char *file;    /* where it is written */
    unsigned line;
    bool may_lack;     /* written with a dash: no error where the module is not installed */
    unsigned substack; /* the number of the innermost substack that it is in; 0: in none */
};

struct pam_substack {
    size_t begin, end; /* its rules */
    unsigned outer;    /* the substack that it is in */
};

/* The rules of one type, in order, of a service and of all that it includes. */
struct pam_stack {
    struct pam_rule *rules;
    size_t n;
    struct pam_substack *substacks; /* substacks[0] is the whole */
    size_t n_substacks;
};

/* The stack of a service, whose file, and what it includes, is looked for in dirs (up to NULL), the first that has
 * it. -ENOENT: there is no such file; -ELOOP: files that include each other too deeply. Errors name the file. */
int pam_stack_read(const char *const *dirs, const char *service, enum pam_type type, struct pam_stack *ret,
                   struct cl_error *e) CL_WARN_UNUSED;
void pam_stack_clear(struct pam_stack *stack);
#define cleanup_pam_stack __attribute__((cleanup(pam_stack_clear)))

/* Where a module stands in a stack. */
struct pam_position {
    size_t count;                 /* how often */
    const struct pam_rule *rule;  /* the first time; NULL: not there */
    const struct pam_rule *last;  /* the last time */
    const struct pam_rule *next;  /* the rule after the last time, NULL: none */
    const struct pam_rule *skips; /* a rule before it that may end the stack, or jump over it, without a failure */
    bool binding; /* its failure is the stack's: required, requisite, or what is the same in brackets */
};

/* module: "pam_cloister.so", with or without a path in the file. */
void pam_stack_find(const struct pam_stack *stack, const char *module, struct pam_position *ret);
/* The first rule of a module, NULL: not there. */
const struct pam_rule *pam_stack_has(const struct pam_stack *stack, const char *module);

#endif
