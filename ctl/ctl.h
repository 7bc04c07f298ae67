/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the subcommands of cloister share: the table of them, the global options, exit statuses and output.
 */
#ifndef CL_CTL_H
#define CL_CTL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "configuration.h"
#include "policy.h"

enum ctl_exit { CTL_OK = 0, CTL_PROBLEM = 1, CTL_USAGE = 2 };

struct ctl_verb;

struct ctl {
    const struct ctl_verb *verb;
    const char *config; /* the configuration's folder */
    bool json;
    char **repeated; /* the values of an option that may be given more than once */
    size_t n_repeated;
};

/* An option of one subcommand. With a value, *value is set to it. */
struct ctl_option {
    const char *name;
    const char *argument; /* its name in the help; NULL: takes none; "X...": may be repeated */
    const char *help;
};

#define CTL_OPTIONS_MAX 8

struct ctl_verb {
    const char *name;
    const char *arguments;                              /* "USER [--service S]" */
    const char *help;                                   /* one line */
    int (*run)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the verb; returns an enum ctl_exit */
    struct ctl_option options[CTL_OPTIONS_MAX];         /* until one without a name */
};

/* Parse the options of the verb and the global ones anywhere among its arguments. values[i] receives the
 * value of the verb's option i, or its name for one without an argument, or NULL. *ret_first is the index of
 * the first operand in argv, which is reordered. -1 when the verb is to run, else the status to exit with. */
int ctl_options(struct ctl *ctl, int argc, char **argv, const char **values, int *ret_first);

/* "cloister: TEXT" to stderr, control characters escaped. Returns CTL_PROBLEM. */
int ctl_error(const char *fmt, ...) CL_PRINTF(1, 2);
/* As ctl_error, with a word about --help. Returns CTL_USAGE. */
int ctl_usage_error(const struct ctl *ctl, const char *fmt, ...) CL_PRINTF(2, 3);

/* Text, as cl_escape writes it. */
void ctl_print_escaped(FILE *out, const char *text);

/* Whether files of dir may belong to anyone: yes but for the folder that logins use. */
bool ctl_trusts_any_owner(const char *dir);

/* A JSON string of any bytes: what is not UTF-8 becomes "\xNN". NULL text is null. */
json_t *ctl_json_string(const char *text);
/* Print a document and a newline, and drop the reference. Returns CTL_OK, or CTL_PROBLEM when it could not be
 * made or written. */
int ctl_json_print(json_t *document);
/* Have all writes to stdout worked? CTL_OK, or CTL_PROBLEM after an error message. */
int ctl_flush(void);

/* Problems as an array of { file, line, severity, text }, or as lines on stderr. */
json_t *ctl_json_problems(const struct cl_problems *problems);
void ctl_print_problems(const struct cl_problems *problems);

/* render.c: the value of a key, for programs; cl_policy_text is for people. */
json_t *render_json(const struct cl_policy *policy, enum cl_key key);

/* check_layers.c: what the configuration names must exist: seccomp profiles compile, and, where the AppArmor profiles
 * are given, those are loaded. Findings are added to problems. Returns how many are not warnings. */
struct apparmor_list;
size_t check_layers(const struct cl_config *config, const struct apparmor_list *apparmor, struct cl_problems *problems);

/* check_apparmor.c: the kernel's list of loaded profiles. */
struct apparmor_list {
    bool missing; /* AppArmor is not in this kernel */
    char *text;   /* lines of "NAME (MODE)"; NULL when it can't be read */
};
void apparmor_list_read(struct apparmor_list *ret);
void apparmor_list_clear(struct apparmor_list *list);
/* What is wrong with the profile of a policy, NULL: nothing, or the list can't be read. */
const char *apparmor_problem(const struct apparmor_list *list, const struct cl_policy *policy);
/* Is the profile loaded, in that mode? */
bool apparmor_is_loaded(const struct apparmor_list *list, const char *name, const char *mode);

int ctl_apply(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_explain(struct ctl *ctl, int argc, char **argv);
int ctl_list(struct ctl *ctl, int argc, char **argv);
int ctl_show(struct ctl *ctl, int argc, char **argv);
int ctl_top(struct ctl *ctl, int argc, char **argv);
int ctl_kill(struct ctl *ctl, int argc, char **argv);
int ctl_doctor(struct ctl *ctl, int argc, char **argv);
int ctl_suggest(struct ctl *ctl, int argc, char **argv);
int ctl_sweep(struct ctl *ctl, int argc, char **argv);
int ctl_run(struct ctl *ctl, int argc, char **argv);
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_enter(struct ctl *ctl, int argc, char **argv);

#endif
