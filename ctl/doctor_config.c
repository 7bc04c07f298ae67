/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: what `check` says of the configuration, and what is in force when it is not valid.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "util.h"

#define KEPT_DIR CL_STATE_DIR "/policy"

#define cleanup_problems __attribute__((cleanup(cl_problems_clear)))

static void report_problem(struct doctor *d, const struct cl_problem *problem, const char *consequence)
{
    cleanup_free char *quoted = doctor_quote(d->ctl->config), *fix = NULL;
    bool elsewhere = strcmp(d->ctl->config, CL_CONFIG_DIR) != 0;
    char line[32] = "";

    if (quoted && cl_asprintf(&fix, "editor %s%scloister check%s%s",
                              problem->file && access(problem->file, F_OK) == 0 ? problem->file : quoted, " && ",
                              elsewhere ? " " : "", elsewhere ? quoted : "") < 0)
        fix = NULL;
    if (problem->line > 0)
        snprintf(line, sizeof(line), ":%u", problem->line);
    doctor_find(d, problem->warning ? FINDING_CONFIG_WARNING : FINDING_CONFIG_INVALID, problem->file, fix,
                "%s%s: %s%s", problem->file ? problem->file : d->ctl->config, line, problem->text,
                problem->warning ? "" : consequence);
}

/* What logins get while the configuration is not valid. */
static const char *consequence_of(const struct doctor *d)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *kept = NULL;

    if (strcmp(d->ctl->config, CL_CONFIG_DIR) != 0 || !d->root)
        return "";
    return cl_config_load(KEPT_DIR, false, &kept, &problems) == 0
               ? "; the last valid policy, kept in " KEPT_DIR ", is in force"
               : "; no valid policy is kept, so every login that is not exempt is refused";
}

static void check_kept(struct doctor *d)
{
    if (strcmp(d->ctl->config, CL_CONFIG_DIR) != 0 || !doctor_is_root(d, "the last valid policy"))
        return;
    if (access(KEPT_DIR, F_OK) < 0)
        doctor_find(d, FINDING_CONFIG_NOT_KEPT, KEPT_DIR, "",
                    "no policy is kept in " KEPT_DIR " before the first login");
    else if (!cl_config_is_kept(CL_CONFIG_DIR, KEPT_DIR))
        doctor_find(d, FINDING_CONFIG_EDITED, CL_CONFIG_DIR, "", "%s was edited since the last login", CL_CONFIG_DIR);
}

void doctor_config(struct doctor *d)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *config = NULL;
    const char *consequence = "";
    int r = cl_config_load(d->ctl->config, ctl_trusts_any_owner(d->ctl->config), &config, &problems);

    if (!d->root && (r == -EACCES || r == -EPERM)) {
        (void)doctor_is_root(d, "the configuration");
        return;
    }
    if (r == 0 && check_layers(config, NULL, &problems) > 0)
        consequence = "; logins with this policy are refused";
    else if (r < 0)
        consequence = consequence_of(d);
    for (size_t i = 0; i < problems.n; i++)
        report_problem(d, &problems.items[i], consequence);
    if (r < 0)
        return;
    check_kept(d);
    doctor_ok(d, "%s is valid, %zu %s", d->ctl->config, cl_config_count(config),
              cl_config_count(config) == 1 ? "policy" : "policies");
}
