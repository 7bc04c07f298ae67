/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Does what the policies name exist on this machine? Seccomp profiles are compiled, which a login would do
 * too: a failure is an error. AppArmor is only looked at, because a configuration may be meant for another
 * kernel.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"
#include "forwarding.h"
#include "helper/seccomp.h"
#include "landlock.h"
#include "schema.h"
#include "util.h"

/* The findings of one run. Policies that differ in nothing that the filter is made of are compiled once. */
struct layers {
    struct cl_problems *problems;
    const struct cl_policy **compiled;
    size_t n_compiled, n_errors;
    const struct apparmor_list *apparmor; /* NULL: not asked for */
};

/* Blames the key, or the policy as a whole where the value is built in. Takes text. */
static void add(struct layers *layers, const struct cl_policy *policy, enum cl_key key, bool warning,
                char *text)
{
    const struct cl_origin *origin = &policy->origin[policy->origin[key].file ? key : CL_KEY_NAME];
    struct cl_problem problem = {.warning = warning, .text = text};
    struct cl_problem *items;

    problem.file = strdup(origin->file);
    problem.line = origin->line;
    items = text && problem.file
                ? reallocarray(layers->problems->items, layers->problems->n + 1, sizeof(*items))
                : NULL;
    layers->n_errors += !warning;
    if (!items) {
        free(problem.file);
        free(text);
        return;
    }
    layers->problems->items = items;
    items[layers->problems->n++] = problem;
}

static bool same_list(char *const *a, char *const *b)
{
    size_t n = cl_strv_length(a);

    if (n != cl_strv_length(b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static bool same_filter(const struct cl_policy *a, const struct cl_policy *b)
{
    return strcmp(a->seccomp.profile, b->seccomp.profile) == 0 &&
           same_list(a->seccomp.allow, b->seccomp.allow) && same_list(a->seccomp.deny, b->seccomp.deny) &&
           a->mode == b->mode && a->seccomp.action == b->seccomp.action && a->seccomp.log == b->seccomp.log &&
           a->capabilities.bounding == b->capabilities.bounding &&
           (a->namespaces.nested > 0) == (b->namespaces.nested > 0);
}

static bool is_compiled(const struct layers *layers, const struct cl_policy *policy)
{
    for (size_t i = 0; i < layers->n_compiled; i++)
        if (same_filter(layers->compiled[i], policy))
            return true;
    return false;
}

static void check_seccomp(struct layers *layers, const struct cl_policy *policy)
{
    cleanup_strv char **unknown = NULL;
    struct cl_error e = {0};
    char *text = NULL;

    if (is_compiled(layers, policy))
        return;
    layers->compiled[layers->n_compiled++] = policy;
    if (seccomp_validate(policy, &unknown, &e) < 0) {
        if (cl_asprintf(&text, "%s: %s: %s%s%s", policy->name, *e.key ? e.key : "seccomp.profile", e.text,
                        e.err ? ": " : "", e.err ? strerror(e.err) : "") == 0)
            add(layers, policy, CL_KEY_SECCOMP_PROFILE, false, text);
        return;
    }
    if (unknown && strcmp(policy->seccomp.profile, "default") != 0 &&
        cl_asprintf(&text, "%s: seccomp.profile: libseccomp does not know %zu of its system calls (%s%s)",
                    policy->name, cl_strv_length(unknown), unknown[0], unknown[1] ? ", ..." : "") == 0)
        add(layers, policy, CL_KEY_SECCOMP_PROFILE, true, text);
}

static void check_apparmor(struct layers *layers, const struct cl_policy *policy)
{
    const char *what = apparmor_problem(layers->apparmor, policy);
    bool refuse = policy->apparmor.when_unavailable == CL_UNAVAILABLE_REFUSE;
    char *text = NULL;

    if (what && cl_asprintf(&text, "%s: apparmor.profile: \"%s\": %s%s", policy->name, policy->apparmor.profile, what,
                            refuse ? ", logins are refused" : "") == 0)
        add(layers, policy, CL_KEY_APPARMOR_PROFILE, true, text);
}

static void check_landlock(struct layers *layers, const struct cl_policy *policy)
{
    bool refuse = policy->files.landlock_when_unavailable == CL_UNAVAILABLE_REFUSE;
    char *text = NULL;

    if (policy->files.landlock && cl_landlock_abi() < CL_LANDLOCK_ABI_MIN &&
        cl_asprintf(&text, "%s: files.landlock: this kernel has no Landlock, or one older than Linux 5.19's%s", policy->name,
                    refuse ? ", logins are refused" : "") == 0)
        add(layers, policy, CL_KEY_FILES_LANDLOCK, true, text);
}

static void check_network(struct layers *layers, const struct cl_policy *policy, const struct cl_settings *settings)
{
    const char *off = policy->network.mode == CL_NETWORK_NAT ? cl_forwarding_off(settings->network.pool6 != NULL) : NULL;
    char *text = NULL;

    if (off && cl_asprintf(&text, "%s: network.mode: \"nat\": %s is 0 on this host, logins are refused", policy->name,
                           off) == 0)
        add(layers, policy, CL_KEY_NETWORK_MODE, true, text);
}

/* Is it written elsewhere than in the policies before? */
static bool is_first(const struct cl_config *config, size_t n, enum cl_key key)
{
    const struct cl_origin *own = &cl_config_policy(config, n)->origin[key];

    for (size_t i = 0; i < n; i++) {
        const struct cl_origin *other = &cl_config_policy(config, i)->origin[key];

        if (own->file == other->file && own->line == other->line)
            return false;
    }
    return true;
}

/* The kernel undoes a mount on a file that goes, in every namespace. Landlock holds but in /etc, see view_landlock.c. */
static void check_hidden_files(struct layers *layers, const struct cl_policy *policy)
{
    struct stat st;

    for (char *const *path = policy->files.hide; path && *path; path++) {
        char *text = NULL;

        if (stat(*path, &st) < 0 || S_ISDIR(st.st_mode) || (policy->files.landlock && strncmp(*path, "/etc/", 5) != 0))
            continue;
        if (cl_asprintf(&text, "%s: files.hide: \"%s\" is a file: when the host replaces it, cells that live see the new one, "
                        "as its mode lets them; a hidden folder stays hidden", policy->name, *path) == 0)
            add(layers, policy, CL_KEY_FILES_HIDE, true, text);
    }
}

static void check_default(struct layers *layers, const struct cl_config *config)
{
    char *text = NULL;

    for (size_t i = 0; i < cl_config_count(config); i++)
        if (strcmp(cl_config_policy(config, i)->name, "default") == 0)
            return;
    if (cl_asprintf(&text, "there is no policy \"default\": who matches no policy is refused") == 0)
        add(layers, cl_config_policy(config, 0), CL_KEY_NAME, true, text);
}

size_t check_layers(const struct cl_config *config, const struct apparmor_list *apparmor, struct cl_problems *problems)
{
    size_t n = cl_config_count(config);
    struct layers layers = {
        .problems = problems, .compiled = calloc(n + 1, sizeof(*layers.compiled)), .apparmor = apparmor};

    if (!layers.compiled)
        return 1;
    check_default(&layers, config);
    for (size_t i = 0; i < n; i++) {
        check_seccomp(&layers, cl_config_policy(config, i));
        if (apparmor)
            check_apparmor(&layers, cl_config_policy(config, i));
        check_landlock(&layers, cl_config_policy(config, i));
        if (is_first(config, i, CL_KEY_FILES_HIDE))
            check_hidden_files(&layers, cl_config_policy(config, i));
        check_network(&layers, cl_config_policy(config, i), cl_config_settings(config));
    }
    free(layers.compiled);
    return layers.n_errors;
}
