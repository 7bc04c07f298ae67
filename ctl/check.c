/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister check: every problem of a configuration in one run, and of what it names: seccomp profiles that do
 * not compile, AppArmor profiles that are not loaded.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

static int report_json(const struct ctl *ctl, bool valid, size_t policies, const struct cl_problems *problems)
{
    json_t *document =
        json_pack("{s:o, s:b, s:I, s:o}", "config", ctl_json_string(ctl->config), "valid", (int)valid,
                  "policies", (json_int_t)policies, "problems", ctl_json_problems(problems));

    return ctl_json_print(document);
}

static int report_text(const struct ctl *ctl, bool valid, size_t policies, const struct cl_problems *problems)
{
    size_t warnings = count_warnings(problems);

    ctl_print_problems(problems);
    if (!valid)
        return ctl_error("%s: not valid, %zu %s", ctl->config, problems->n - warnings,
                         problems->n - warnings == 1 ? "error" : "errors");
    printf("%s: valid, %zu %s", ctl->config, policies, policies == 1 ? "policy" : "policies");
    if (warnings > 0)
        printf(", %zu %s", warnings, warnings == 1 ? "warning" : "warnings");
    putchar('\n');
    return ctl_flush();
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *config = NULL;
    struct apparmor_list apparmor;
    bool valid;
    size_t n;
    int first, r = ctl_options(ctl, argc, argv, NULL, &first);

    if (r != -1)
        return r;
    if (argc - first > 1)
        return ctl_usage_error(ctl, "check takes one folder");
    if (argc - first == 1)
        ctl->config = argv[first];
    r = cl_config_load(ctl->config, ctl_trusts_any_owner(ctl->config), &config, &problems);
    if (r < 0 && problems.n == 0)
        return ctl_error("%s: %s", ctl->config, strerror(-r));
    apparmor_list_read(&apparmor);
    valid = r == 0 && check_layers(config, &apparmor, &problems) == 0;
    apparmor_list_clear(&apparmor);
    n = config ? cl_config_count(config) : 0;
    r = ctl->json ? report_json(ctl, valid, n, &problems) : report_text(ctl, valid, n, &problems);
    return r != CTL_OK ? r : valid ? CTL_OK : CTL_PROBLEM;
}
