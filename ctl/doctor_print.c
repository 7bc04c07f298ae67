/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What doctor found, for people (the gravest first) and for programs.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "util.h"

static const char *const colours[SEVERITY_COUNT] = {
    [SEVERITY_SERIOUS] = "\033[1;31m",
    [SEVERITY_WARNING] = "\033[33m",
    [SEVERITY_INFO] = "\033[36m",
    [SEVERITY_OK] = "\033[32m",
};

static bool in_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void print_line(const char *label, const char *text)
{
    printf("%-9s", label);
    ctl_print_escaped(stdout, text);
    putchar('\n');
}

/* Of many findings of one kind, only the first says why. */
static void print_finding(const struct finding *finding, bool first, bool colour)
{
    const struct finding_info *info = finding_info(finding->id);

    printf("%s%-9s%s", colour ? colours[info->severity] : "", severity_name(info->severity), colour ? "\033[0m" : "");
    if (info->severity == SEVERITY_OK)
        printf("%s: ", finding->area);
    ctl_print_escaped(stdout, finding->what);
    if (info->severity == SEVERITY_OK) {
        putchar('\n');
        return;
    }
    printf("  [%s]\n", info->name);
    if (first)
        print_line("  why", info->why);
    if (*finding->fix)
        print_line("  mend", finding->fix);
}

static size_t count(const struct doctor *d, enum severity severity)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n; i++)
        n += finding_info(d->findings[i].id)->severity == severity;
    return n;
}

int doctor_print_text(const struct doctor *d)
{
    size_t serious = count(d, SEVERITY_SERIOUS), warnings = count(d, SEVERITY_WARNING);
    enum finding_id last = FINDING_COUNT;
    bool colour = in_colour();

    for (enum severity severity = 0; severity < SEVERITY_COUNT; severity++)
        for (size_t i = 0; i < d->n; i++) {
            if (finding_info(d->findings[i].id)->severity != severity)
                continue;
            print_finding(&d->findings[i], d->findings[i].id != last, colour);
            last = d->findings[i].id;
        }
    printf("\n%zu serious, %zu %s%s\n", serious, warnings, warnings == 1 ? "warning" : "warnings",
           d->root ? "" : "; only root sees everything");
    return ctl_flush();
}

int doctor_print_json(const struct doctor *d)
{
    json_t *findings = json_array();
    bool complete = true;

    for (size_t i = 0; i < d->n; i++) {
        const struct finding *finding = &d->findings[i];
        const struct finding_info *info = finding_info(finding->id);

        complete = complete && finding->id != FINDING_NOT_LOOKED_AT;
        (void)json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:o}", "id", info->name,
                                                        "severity", severity_name(info->severity), "area",
                                                        finding->area, "subject", ctl_json_string(finding->subject),
                                                        "what", ctl_json_string(finding->what), "why", info->why,
                                                        "fix", ctl_json_string(*finding->fix ? finding->fix : NULL)));
    }
    return ctl_json_print(json_pack("{s:b, s:I, s:I, s:o}", "complete", (int)complete, "serious",
                                    (json_int_t)count(d, SEVERITY_SERIOUS), "warnings",
                                    (json_int_t)count(d, SEVERITY_WARNING), "findings", findings));
}
