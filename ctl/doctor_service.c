/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: one PAM service that has the module. Is it in the right stacks, once, required, and last?
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor_pam.h"
#include "util.h"

struct service {
    struct doctor *d;
    const char *name;
    enum cl_placement placement;
    struct pam_stack stacks[PAM_TYPE_COUNT];
    struct pam_position at[PAM_TYPE_COUNT];
};

static bool is_own(const struct service *s, const struct pam_rule *rule)
{
    const char *slash = strrchr(rule->file, '/');

    return strcmp(slash ? slash + 1 : rule->file, s->name) == 0;
}

/* Take the lines of a type out of a file, and, with anew, write one where it belongs. */
static char *replace(const struct service *s, enum pam_type type, const struct pam_rule *rule, bool anew)
{
    cleanup_free char *quoted = doctor_quote(rule->file), *added = NULL;
    char *command = NULL;

    added = anew ? doctor_pam_add(s->name, type == PAM_TYPE_AUTH, type == PAM_TYPE_SESSION) : NULL;
    if (!quoted || (anew && !added) ||
        cl_asprintf(&command, "sed -i '/^-\\?%s[[:space:]].*pam_cloister\\.so/d' %s%s%s%s", pam_type_name(type),
                    quoted, anew ? " && " : "", anew ? added : "",
                    is_own(s, rule) ? "" : " # and so for each service that includes it") < 0)
        return NULL;
    return command;
}

/* Does the module that a rule names exist? Relative names are looked for where libpam may. */
static void check_module(const struct service *s, const struct pam_rule *rule)
{
    static const char *const dirs[] = {CL_PAM_DIR, "/lib/security", "/lib64/security", "/usr/lib64/security"};
    cleanup_free char *fix = NULL, *quoted = doctor_quote(rule->file);
    char path[PATH_MAX];

    for (size_t i = 0; rule->module[0] != '/' && i < CL_ARRAY_SIZE(dirs); i++) {
        snprintf(path, sizeof(path), "%s/%s", dirs[i], rule->module);
        if (access(path, F_OK) == 0)
            return;
    }
    if (rule->module[0] == '/' && access(rule->module, F_OK) == 0)
        return;
    if (access(CL_PAM_DIR "/" CL_PAM_MODULE, F_OK) < 0)
        return; /* not installed: told already */
    if (quoted &&
        cl_asprintf(&fix, "sed -i 's|[^[:space:]]*pam_cloister\\.so|" CL_PAM_DIR "/" CL_PAM_MODULE "|' %s", quoted) < 0)
        fix = NULL;
    doctor_find(s->d, FINDING_PAM_MODULE, s->name, fix, "%s:%u names %s, and there is no such file", rule->file,
                rule->line, rule->module);
}

static void check_twice(const struct service *s, enum pam_type type)
{
    const struct pam_position *at = &s->at[type];
    bool same = strcmp(at->rule->file, at->last->file) == 0;
    cleanup_free char *fix = replace(s, type, at->last, same);

    doctor_find(s->d, FINDING_PAM_TWICE, s->name, fix, "PAM service %s has %zu %s lines for " CL_PAM_MODULE, s->name,
                at->count, pam_type_name(type));
}

/* What comes after the module. */
static void check_order(const struct service *s, enum pam_type type)
{
    const struct pam_position *at = &s->at[type];
    const struct pam_rule *systemd = pam_stack_has(&s->stacks[type], "pam_systemd.so");
    bool before_systemd = type == PAM_TYPE_SESSION && systemd && systemd > at->last;
    cleanup_free char *fix = NULL;

    if (!at->next)
        return;
    fix = replace(s, type, at->rule, true);
    if (before_systemd)
        doctor_find(s->d, FINDING_PAM_SYSTEMD, s->name, fix,
                    "PAM service %s: the session line of " CL_PAM_MODULE
                    " (%s:%u) comes before pam_systemd.so (%s:%u)",
                    s->name, at->rule->file, at->rule->line, systemd->file, systemd->line);
    else
        doctor_find(s->d, FINDING_PAM_NOT_LAST, s->name, fix,
                    "PAM service %s: %s (%s:%u) comes after " CL_PAM_MODULE " in the %s stack", s->name,
                    at->next->module, at->next->file, at->next->line, pam_type_name(type));
}

static void check_stack(const struct service *s, enum pam_type type)
{
    const struct pam_position *at = &s->at[type];
    cleanup_free char *fix = NULL, *edit = NULL, *quoted = at->skips ? doctor_quote(at->skips->file) : NULL;

    check_module(s, at->rule);
    if (at->count > 1)
        check_twice(s, type);
    if (!at->binding || at->rule->may_lack) {
        fix = replace(s, type, at->rule, true);
        doctor_find(s->d, FINDING_PAM_CONTROL, s->name, fix,
                    "%s:%u: the %s line of " CL_PAM_MODULE " is %s, not required", at->rule->file, at->rule->line,
                    pam_type_name(type), at->binding ? "written with a dash" : at->rule->control);
    }
    if (at->skips) {
        if (quoted && cl_asprintf(&edit, "editor %s", quoted) < 0)
            edit = NULL;
        doctor_find(s->d, FINDING_PAM_SKIPPED, s->name, edit,
                    "PAM service %s: %s:%u, \"%s %s\", may skip the %s line of " CL_PAM_MODULE, s->name,
                    at->skips->file, at->skips->line, at->skips->control, at->skips->module, pam_type_name(type));
    }
    check_order(s, type);
}

static void check_missing(const struct service *s, enum finding_id id, enum pam_type type)
{
    cleanup_free char *fix = doctor_pam_add(s->name, type == PAM_TYPE_AUTH, type == PAM_TYPE_SESSION);

    doctor_find(s->d, id, s->name, fix, "PAM service %s has no %s line for " CL_PAM_MODULE, s->name,
                pam_type_name(type));
}

/* What gives the service a placement. */
static char *place(const struct service *s)
{
    struct cl_settings *built_in = NULL;
    char *command = NULL;
    bool some = false;
    int r;

    if (strpbrk(s->name, "'\"\\"))
        return strdup("");
    if (cl_settings_default(&built_in) == 0)
        some = built_in->n_services != s->d->settings->n_services;
    cl_settings_free(built_in);
    r = some ? cl_asprintf(&command, "editor %s/cloister.conf # add { service = \"%s\"; at = \"fork\"; } to placement",
                           s->d->ctl->config, s->name)
             : cl_asprintf(&command, "echo 'placement = ( { service = \"%s\"; at = \"fork\"; } );' >>%s/cloister.conf",
                           s->name, s->d->ctl->config);
    return r < 0 ? NULL : command;
}

/* One that only includes the module's line may never open a session, such as passwd; and user managers are for users
 * alone who get no cell. */
static void check_unknown(const struct service *s)
{
    const struct pam_rule *rule =
        s->at[PAM_TYPE_SESSION].rule ? s->at[PAM_TYPE_SESSION].rule : s->at[PAM_TYPE_AUTH].rule;
    cleanup_free char *fix = is_own(s, rule) ? place(s) : strdup("");

    if (strcmp(s->name, "systemd-user") != 0)
        doctor_find(s->d, is_own(s, rule) ? FINDING_PAM_PLACEMENT : FINDING_PAM_PLACEMENT_INCLUDED, s->name, fix,
                    "PAM service %s has " CL_PAM_MODULE " (%s:%u), and no placement is known for it", s->name,
                    rule->file, rule->line);
}

static void check(const struct service *s)
{
    if (s->placement == CL_PLACEMENT_NONE) {
        check_unknown(s);
        return;
    }
    if (s->at[PAM_TYPE_SESSION].count > 0)
        check_stack(s, PAM_TYPE_SESSION);
    else
        check_missing(s, FINDING_PAM_SESSION_MISSING, PAM_TYPE_SESSION);
    if (s->placement != CL_PLACEMENT_CREDENTIALS)
        return; /* placed at its fork: the auth line does nothing there */
    if (s->at[PAM_TYPE_AUTH].count > 0)
        check_stack(s, PAM_TYPE_AUTH);
    else
        check_missing(s, FINDING_PAM_AUTH_MISSING, PAM_TYPE_AUTH);
}

bool doctor_service(struct doctor *d, const char *name)
{
    static const enum pam_type types[] = {PAM_TYPE_AUTH, PAM_TYPE_SESSION};
    struct service s = {.d = d, .name = name, .placement = cl_settings_placement(d->settings, name)};
    struct cl_error e = {0};
    bool has = false;
    int r = 0;

    for (size_t i = 0; i < CL_ARRAY_SIZE(types) && r == 0; i++) {
        r = pam_stack_read(doctor_pam_dirs, name, types[i], &s.stacks[types[i]], &e);
        if (r == 0)
            pam_stack_find(&s.stacks[types[i]], CL_PAM_MODULE, &s.at[types[i]]);
        has = has || s.at[types[i]].count > 0;
    }
    if (r == -EACCES && !d->root)
        (void)doctor_is_root(d, e.text);
    else if (r < 0)
        doctor_find(d, FINDING_PAM_UNREADABLE, name, "", "PAM service %s: %s: %s", name, e.text, strerror(-r));
    else if (has)
        check(&s);
    for (size_t i = 0; i < CL_ARRAY_SIZE(types); i++)
        pam_stack_clear(&s.stacks[types[i]]);
    return has;
}
