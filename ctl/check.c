/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister check: every problem of a configuration in one run, and of what it names: seccomp profiles that do
 * not compile, AppArmor profiles that are not loaded. With --against, what it would change for users.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "against.h"
#include "ctl.h"
#include "util.h"

#define cleanup_problems __attribute__((cleanup(cl_problems_clear)))

static size_t count_warnings(const struct cl_problems *problems)
{
    size_t n = 0;

    for (size_t i = 0; i < problems->n; i++)
        n += problems->items[i].warning;
    return n;
}

/* What is checked, and what is asked about it. */
struct check {
    const char *dir;
    const struct cl_config *config; /* NULL where it could not be loaded */
    bool valid;
    const struct cl_problems *problems;
    const struct against *against; /* NULL: not compared */
    const char *service;
};

static size_t count_policies(const struct check *check)
{
    return check->config ? cl_config_count(check->config) : 0;
}

static int report_json(const struct ctl *ctl, const struct check *check)
{
    json_t *document = json_pack("{s:o, s:b, s:I, s:o}", "config", ctl_json_string(check->dir), "valid",
                                 (int)check->valid, "policies", (json_int_t)count_policies(check), "problems",
                                 ctl_json_problems(check->problems));
    int status = CTL_OK, r;
    json_t *against;

    if (check->against) {
        status = against_json(check->against, check->config, check->service, ctl->repeated, ctl->n_repeated,
                              &against);
        if (json_object_set_new(document, "against", against) < 0) {
            json_decref(document);
            document = NULL;
        }
    }
    r = ctl_json_print(document);
    return r != CTL_OK ? r : status;
}

static int report_text(const struct ctl *ctl, const struct check *check)
{
    size_t warnings = count_warnings(check->problems), errors = check->problems->n - warnings;
    size_t policies = count_policies(check);
    int status = CTL_OK, r;

    ctl_print_problems(check->problems);
    if (!check->valid)
        return ctl_error("%s: not valid, %zu %s", check->dir, errors, errors == 1 ? "error" : "errors");
    printf("%s: valid, %zu %s", check->dir, policies, policies == 1 ? "policy" : "policies");
    if (warnings > 0)
        printf(", %zu %s", warnings, warnings == 1 ? "warning" : "warnings");
    putchar('\n');
    if (check->against)
        status = against_print(check->against, check->config, check->service, ctl->repeated, ctl->n_repeated);
    r = ctl_flush();
    return r != CTL_OK ? r : status;
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *config = NULL;
    struct apparmor_list apparmor;
    cleanup_against struct against *against = NULL;
    const char *values[CTL_OPTIONS_MAX] = {0};
    struct check check = {.problems = &problems};
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (argc - first > 1)
        return ctl_usage_error(ctl, "check takes one folder%s",
                               values[0] ? "; --against is repeated for each user" : "");
    if (values[1] && !values[0])
        return ctl_usage_error(ctl, "--service goes with --against");
    check.dir = argc - first == 1 ? argv[first] : ctl->config;
    check.service = values[1] ? values[1] : "sshd";
    r = cl_config_load(check.dir, ctl_trusts_any_owner(check.dir), &config, &problems);
    if (r < 0 && problems.n == 0)
        return ctl_error("%s: %s", check.dir, strerror(-r));
    check.config = config;
    apparmor_list_read(&apparmor);
    check.valid = r == 0 && check_layers(config, &apparmor, &problems) == 0;
    apparmor_list_clear(&apparmor);
    if (check.valid && values[0] &&
        against_load(argc - first == 1 ? ctl->config : NULL, check.dir, &against) < 0)
        return CTL_PROBLEM;
    check.against = against;
    r = ctl->json ? report_json(ctl, &check) : report_text(ctl, &check);
    return r != CTL_OK ? r : check.valid ? CTL_OK : CTL_PROBLEM;
}
