/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister: the command of administrators and users. One table of subcommands; each lives in a file of its
 * own.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "log.h"
#include "util.h"

static const struct ctl_verb verbs[] = {
    {"check",
     "[PATH] [--against USER]... [--service S]",
     "Look for every error in a configuration, and what it would change for users",
     ctl_check,
     {{"against", "USER...", "what would change for USER? May be repeated"},
      {"service", "S", "the PAM service of the compared logins (default sshd)"}}},
    {"explain",
     "USER [--service S] [--can SYSCALL|CAP|PATH]",
     "Show which policy a login gets, and why; or whether it can do one thing",
     ctl_explain,
     {{"service", "S", "the PAM service of the login (default sshd)"},
      {"can", "WHAT", "yes or no: may it make a system call, use a capability, see a path?"}}},
    {"list", "", "List the cells that live now", ctl_list, {{0}}},
    {"show", "ID", "Show one cell: who, since when, limits, use, limits hit", ctl_show, {{0}}},
    {"top",
     "[--interval S] [--count N]",
     "Watch the cells, the busiest first",
     ctl_top,
     {{"interval", "S", "look every S seconds (default 2)"},
      {"count", "N", "print N looks, one after the other"}}},
    {"kill",
     "ID | --login ID | --user U",
     "End a cell, one login of a shared cell, or all cells of a user",
     ctl_kill,
     {{"user", "U", "all cells of user U"}, {"login", "ID", "one login, also the first, which has its cell's id"}}},
    {"run",
     "[--user U] [--service S] [--policy P] [-- CMD...]",
     "Run a command in a cell of its own, without a login",
     ctl_run,
     {{"user", "U", "as user U (root only)"},
      {"service", "S", "with the policy of a login through S (root only)"},
      {"policy", "P", "with policy P (root only)"}}},
    {"enter", "ID [-- CMD...]", "Run a command in a cell that lives", ctl_enter, {{0}}},
    {"doctor", "", "Look for what keeps logins of this machine out of their cells", ctl_doctor, {{0}}},
    {"suggest",
     "USER|ID [--service S]",
     "Show what a policy in audit mode would have refused, as lines that let it through",
     ctl_suggest,
     {{"service", "S", "of a user: the policy of a login through S (default sshd)"}}},
    {"status",
     "[--user U]",
     "Show what holds for you: policy, limits, use, what was refused",
     ctl_status,
     {{"user", "U", "for user U (root only)"}}},
    {"apply",
     "[--dry-run] [ID | --user U]",
     "Give live cells the limits of today's policies",
     ctl_apply,
     {{"user", "U", "the cells of user U"}, {"dry-run", NULL, "only say what would change"}}},
    {"sweep", "", "Remove what ended sessions left behind", ctl_sweep, {{0}}},
};

static void print_option(const struct ctl_option *option, FILE *out)
{
    char text[64];

    snprintf(text, sizeof(text), "%s%s%s", option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    fprintf(out, "  --%-18s%s\n", text, option->help);
}

static void print_help(const struct ctl_verb *verb, FILE *out)
{
    if (verb) {
        fprintf(out, "Usage: cloister %s %s\n\n%s.\n\n", verb->name, verb->arguments, verb->help);
        for (size_t i = 0; i < CTL_OPTIONS_MAX && verb->options[i].name; i++)
            print_option(&verb->options[i], out);
    } else {
        fprintf(out, "Usage: cloister [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n");
        for (size_t i = 0; i < CL_ARRAY_SIZE(verbs); i++)
            fprintf(out, "  %-8s %-22s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
        fprintf(out, "\nOptions:\n");
    }
    fprintf(out,
            "  --config DIR        the configuration (default %s)\n"
            "  --json              print JSON\n"
            "  --help              print this\n"
            "  --version           print the version\n",
            CL_CONFIG_DIR);
    if (!verb)
        fprintf(out, "\nSee cloister(8) and cloister.conf(5).\n");
}

enum { OPTION_CONFIG = 1000, OPTION_JSON, OPTION_HELP, OPTION_VERSION, OPTIONS_GLOBAL = 4 };

static const struct option global_options[OPTIONS_GLOBAL] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
};

/* -1 to go on, else the status to exit with. */
static int global_option(struct ctl *ctl, int option)
{
    switch (option) {
    case OPTION_CONFIG:
        if (!*optarg)
            return ctl_usage_error(ctl, "--config needs a folder");
        ctl->config = optarg;
        return -1;
    case OPTION_JSON:
        ctl->json = true;
        return -1;
    case OPTION_HELP:
        print_help(ctl->verb, stdout);
        return ctl_flush();
    case OPTION_VERSION:
        printf("cloister %s\n", PACKAGE_VERSION);
        return ctl_flush();
    default:
        return ctl_usage_error(ctl, "%s", "see above");
    }
}

/* getopt's own message names argv[0]; ours is "cloister: ...". */
static int bad_option(const struct ctl *ctl, int option, char **argv)
{
    return ctl_usage_error(ctl, option == ':' ? "%s needs a value" : "unknown option %s", argv[optind - 1]);
}

/* A command to run may have options of its own: ours end at the first operand. */
static bool options_anywhere(const struct ctl_verb *verb)
{
    return verb && verb->run != ctl_run && verb->run != ctl_enter;
}

/* argv has room for no more values than words. */
static int take_value(struct ctl *ctl, int i, int argc, const char **values)
{
    const struct ctl_option *option = &ctl->verb->options[i];

    values[i] = optarg ? optarg : option->name;
    if (!option->argument || !strstr(option->argument, "..."))
        return -1;
    if (!ctl->repeated)
        ctl->repeated = calloc((size_t)argc, sizeof(*ctl->repeated));
    if (!ctl->repeated)
        return ctl_error("out of memory");
    ctl->repeated[ctl->n_repeated++] = optarg;
    return -1;
}

int ctl_options(struct ctl *ctl, int argc, char **argv, const char **values, int *ret_first)
{
    struct option options[OPTIONS_GLOBAL + CTL_OPTIONS_MAX + 1] = {{0}};
    int n = 0, c;

    for (; n < OPTIONS_GLOBAL; n++)
        options[n] = global_options[n];
    for (int i = 0; i < CTL_OPTIONS_MAX && ctl->verb && ctl->verb->options[i].name; i++)
        options[n++] =
            (struct option){ctl->verb->options[i].name,
                            ctl->verb->options[i].argument ? required_argument : no_argument, NULL, i + 1};
    optind = 0; /* glibc: start anew, with the reordering that the first character asks for */
    opterr = 0;
    while ((c = getopt_long(argc, argv, options_anywhere(ctl->verb) ? ":" : "+:", options, NULL)) != -1) {
        int r = -1;

        if (c == '?' || c == ':')
            r = bad_option(ctl, c, argv);
        else if (c > CTL_OPTIONS_MAX)
            r = global_option(ctl, c);
        else
            r = take_value(ctl, c - 1, argc, values);
        if (r != -1)
            return r;
    }
    *ret_first = optind;
    return -1;
}

static const struct ctl_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.config = CL_CONFIG_DIR};
    int first, r;

    cl_log_init("cloister", false);
    if (argc < 1) {
        print_help(NULL, stderr);
        return CTL_USAGE;
    }
    r = ctl_options(&ctl, argc, argv, NULL, &first);
    if (r != -1)
        return r;
    if (first >= argc) {
        print_help(NULL, stderr);
        return CTL_USAGE;
    }
    ctl.verb = find_verb(argv[first]);
    if (!ctl.verb)
        return ctl_usage_error(&ctl, "unknown command \"%s\"", argv[first]);
    r = ctl.verb->run(&ctl, argc - first, argv + first);
    free(ctl.repeated);
    return r;
}
