/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister doctor: would logins land in cells on this machine, and what is in the way? Looks, and changes nothing.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "user.h"
#include "util.h"

static const struct {
    const char *area;
    void (*check)(struct doctor *d);
} checks[] = {
    {"kernel", doctor_kernel},       {"cgroup", doctor_cgroup},
    {"apparmor", doctor_apparmor},   {"installed", doctor_installed},
    {"folders", doctor_folders},     {"config", doctor_config},
    {"sshd", doctor_sshd},           {"pam", doctor_pam},
    {"systemd", doctor_systemd},     {"jobs", doctor_jobs},
    {"leftovers", doctor_leftovers}, {"network", doctor_network},
};

static void add(struct doctor *d, enum finding_id id, const char *subject, const char *fix, char *what)
{
    struct finding finding = {.id = id, .area = d->area, .what = what, .subject = subject ? strdup(subject) : NULL};
    struct finding *grown = reallocarray(d->findings, d->n + 1, sizeof(*grown));

    finding.fix = fix ? strdup(fix) : NULL;
    if (grown)
        d->findings = grown;
    if (!grown || !what || !finding.fix || (subject && !finding.subject)) {
        d->out_of_memory = true;
        free(finding.subject);
        free(finding.fix);
        free(what);
        return;
    }
    grown[d->n++] = finding;
}

void doctor_find(struct doctor *d, enum finding_id id, const char *subject, const char *fix, const char *fmt, ...)
{
    char *what = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&what, fmt, args) < 0)
        what = NULL;
    va_end(args);
    add(d, id, subject, fix, what);
}

void doctor_ok(struct doctor *d, const char *fmt, ...)
{
    char *what = NULL;
    va_list args;

    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->findings[i].area, d->area) == 0 &&
            finding_info(d->findings[i].id)->severity <= SEVERITY_WARNING)
            return;
    va_start(args, fmt);
    if (vasprintf(&what, fmt, args) < 0)
        what = NULL;
    va_end(args);
    add(d, FINDING_OK, NULL, "", what);
}

bool doctor_is_root(struct doctor *d, const char *what)
{
    if (!d->root)
        doctor_find(d, FINDING_NOT_LOOKED_AT, NULL, "sudo cloister doctor", "%s: not looked at", what);
    return d->root;
}

char *doctor_quote(const char *text)
{
    cleanup_free char *quoted = NULL;
    char *result;
    size_t size;
    FILE *out;

    if (*text &&
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@") == strlen(text) &&
        *text != '-')
        return strdup(text);
    out = open_memstream(&quoted, &size);
    if (!out)
        return NULL;
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    }
    fputc('\'', out);
    if (fclose(out) != 0)
        return NULL;
    result = quoted;
    quoted = NULL;
    return result;
}

char *doctor_boot_with(const char *words)
{
    char *command = NULL;

    if (access("/etc/default/grub", F_OK) < 0)
        return strdup("");
    return cl_asprintf(&command,
                       "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&%s /' /etc/default/grub && update-grub && reboot",
                       words) == 0
               ? command
               : NULL;
}

bool doctor_covers_user(const struct doctor *d, const char *name)
{
    cleanup_user struct cl_user *user = NULL;

    return cl_user_lookup(name, &user, NULL) == 0 && !cl_settings_exempt(d->settings, user, NULL, 0);
}

static void load(struct doctor *d, struct cl_config **ret_config)
{
    struct cl_problems problems = {0};

    if (cl_config_load(d->ctl->config, ctl_trusts_any_owner(d->ctl->config), ret_config, &problems) < 0)
        *ret_config = NULL;
    d->config = *ret_config;
    cl_problems_clear(&problems);
    if (cl_settings_load(d->ctl->config, ctl_trusts_any_owner(d->ctl->config), &d->settings, &problems) < 0 &&
        cl_settings_default(&d->settings) < 0)
        d->settings = NULL;
    cl_problems_clear(&problems);
}

static void clear(struct doctor *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->findings[i].subject);
        free(d->findings[i].what);
        free(d->findings[i].fix);
    }
    free(d->findings);
    cl_settings_free(d->settings);
}

static int diagnose(struct doctor *d)
{
    int r;

    for (size_t i = 0; i < CL_ARRAY_SIZE(checks); i++) {
        d->area = checks[i].area;
        checks[i].check(d);
    }
    if (d->out_of_memory)
        return ctl_error("out of memory");
    r = d->ctl->json ? doctor_print_json(d) : doctor_print_text(d);
    for (size_t i = 0; i < d->n && r == CTL_OK; i++)
        if (finding_info(d->findings[i].id)->severity == SEVERITY_SERIOUS)
            r = CTL_PROBLEM;
    return r;
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    struct doctor d = {.ctl = ctl, .root = geteuid() == 0};
    cleanup_config struct cl_config *config = NULL;
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (first != argc)
        return ctl_usage_error(ctl, "doctor takes no argument");
    load(&d, &config);
    r = d.settings ? diagnose(&d) : ctl_error("out of memory");
    clear(&d);
    return r;
}
