/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister-helper: the setuid door. A table of verbs; each says who may use it. Nothing here takes a path, a
 * policy or a user from anyone but root.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "caller.h"
#include "close.h"
#include "decide.h"
#include "enter.h"
#include "handoff.h"
#include "log.h"
#include "run_verb.h"
#include "serve.h"
#include "status.h"
#include "sweep.h"
#include "util.h"

struct verb {
    const char *name;
    int keep_fd; /* the highest descriptor that the verb is handed */
    int n_arguments; /* -1: any number */
    bool any_caller; /* the verb itself finds out who asks */
    int (*run)(const struct caller *caller, char *const *arguments, struct cl_error *e);
};

static const struct verb verbs[] = {
    /* From pam_cloister. su, started by a user, is root by its effective uid alone, and so are we below it.
     */
    {"handoff", CL_HANDOFF_FD, 0, true, serve_handoff},
    {"sweep", 2, 0, false, sweep_verb},   /* from `cloister sweep` and the timer */
    {"exempt", 2, 1, false, exempt_verb}, /* from user@.service: may this uid have a user manager? */
    {"apply", 2, 3, false, apply_verb},   /* from `cloister apply` */
    {"kill", 2, 1, false, kill_verb},     /* from `cloister kill` */
    {"kill-login", 2, 1, false, kill_login_verb},
    /* From `cloister run`, of any user, for that user; run.c says what root may choose. */
    {"run", CL_HANDOFF_FD, -1, true, run_verb},
    {"end", 2, 1, true, end_verb},               /* and its end: by the process that opened it */
    {"status", 2, -1, true, status_verb},        /* from `cloister status`, of any user, about that user */
    {"enter", CL_HANDOFF_FD, -1, false, enter_verb}, /* from `cloister enter` */
};

static const struct verb *find_verb(int argc, char *const *argv)
{
    for (size_t i = 0; argc >= 2 && i < CL_ARRAY_SIZE(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0 &&
            (verbs[i].n_arguments < 0 || argc == 2 + verbs[i].n_arguments))
            return &verbs[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct verb *verb = find_verb(argc, argv);
    struct caller caller = {.uid = (uid_t)-1};
    struct cl_error e = {0};
    const struct cl_log_about about = {.error = &e};
    char line[1200];
    int r = caller_distrust(verb ? verb->keep_fd : 2, &caller, &e);

    cl_log_init("cloister-helper", false);
    if (r == 0 && !verb) {
        (void)dprintf(STDERR_FILENO,
                      "cloister-helper: started by pam_cloister and cloister(8), not by hand\n");
        return 2;
    }
    if (r == 0 && caller.uid != 0 && !verb->any_caller)
        r = cl_fail(&e, EPERM, "uid %u may not use this", caller.uid);
    /* Before anything is held that others wait for. Where it can't be left, what must not be held up at all does so itself. */
    if (r == 0 && verb->any_caller)
        (void)!caller_leave(NULL);
    if (r == 0)
        r = verb->run(&caller, argv + 2, &e);
    if (r < 0 && e.err) {
        cl_log_about(LOG_ERR, &about, "%s: %s", verb ? verb->name : "start",
                     cl_error_format(&e, line, sizeof(line)));
        /* A pipe that nobody reads may keep the caller's process waiting, not root's. */
        if (setresuid(caller.uid, caller.uid, caller.uid) == 0)
            (void)dprintf(STDERR_FILENO, "cloister-helper: %s\n", line);
    }
    return r < 0 ? 1 : 0;
}
