/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * explain USER --can: one question about a cell, answered yes or no, and who says so.
 */
#ifndef CL_CTL_CAN_H
#define CL_CTL_CAN_H

#include <jansson.h>

#include "answer.h"
#include "configuration.h"
#include "ctl.h"

struct can {
    const struct answer *answer;    /* of what the login gets */
    const struct cl_config *config; /* NULL where the user is exempt */
    const char *question;
    const char *kind; /* "syscall", "capability", "path" */
    bool yes, conditional;
    char *why;      /* one line */
    json_t *rules;  /* array of { key, source, text } */
    json_t *notes;  /* array of strings */
    json_t *detail; /* object: what only one kind tells */
};

/* Answer, print, and return CTL_OK for yes, CTL_PROBLEM for no, CTL_USAGE for what is no system call,
 * capability or path. */
int can_answer(const struct ctl *ctl, const struct cl_config *config, const struct answer *answer,
               const char *question);

/* For the files of the three kinds. Out of memory shows when the document is printed. */
void can_say(struct can *can, bool yes, const char *fmt, ...) CL_PRINTF(3, 4);
void can_rule(struct can *can, enum cl_key key, const struct cl_origin *origin, const char *fmt, ...)
    CL_PRINTF(4, 5);
void can_note(struct can *can, const char *fmt, ...) CL_PRINTF(2, 3);
/* Where a name of a list that grows through inheritance was written: at the policy farthest up the chain that
 * has it. is the name one of those meant? base: the key that, given anew, starts without what was inherited.
 */
const struct cl_origin *can_list_origin(const struct can *can, enum cl_key list, enum cl_key base,
                                        bool (*is)(const char *name, const void *arg), const void *arg);

/* can_syscall.c, can_capability.c, can_path.c: 0, or an enum ctl_exit after an error message. */
int can_syscall(struct can *can);
int can_capability(struct can *can, unsigned capability);
int can_path(struct can *can);

#endif
