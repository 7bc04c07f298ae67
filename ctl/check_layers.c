/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Does what the policies name exist on this machine? Seccomp profiles are compiled, which a login would do
 * too: a failure is an error. AppArmor is only looked at, because a configuration may be meant for another
 * kernel.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "helper/apparmor.h"
#include "helper/seccomp.h"
#include "schema.h"
#include "util.h"

#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"

/* The findings of one run. Policies that differ in nothing that the filter is made of are compiled once. */
struct layers {
    struct cl_problems *problems;
    const struct cl_policy **compiled;
    size_t n_compiled, n_errors;
    char *loaded; /* text of APPARMOR_PROFILES, NULL when it can't be read */
    bool apparmor_missing;
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
           a->capabilities.bounding == b->capabilities.bounding;
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

/* A line is "NAME (MODE)". */
static bool is_loaded(const char *loaded, const char *name, const char *mode)
{
    size_t length = strlen(name);

    for (const char *line = loaded; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, name, length) == 0 && strncmp(line + length, mode, strlen(mode)) == 0)
            return true;
    return false;
}

static bool is_usable(const struct cl_policy *policy, const char *loaded)
{
    cleanup_free char *twin = NULL;

    if (policy->mode == CL_MODE_ENFORCE)
        return is_loaded(loaded, policy->apparmor.profile, " (enforce)");
    return is_loaded(loaded, policy->apparmor.profile, " (complain)") ||
           (cl_asprintf(&twin, "%s" APPARMOR_TWIN, policy->apparmor.profile) == 0 &&
            is_loaded(loaded, twin, " (complain)"));
}

static void check_apparmor(struct layers *layers, const struct cl_policy *policy)
{
    const char *what = layers->apparmor_missing         ? "AppArmor is not in this kernel"
                       : policy->mode == CL_MODE_AUDIT ? "neither its twin (" APPARMOR_TWIN ") nor the profile is "
                                                         "loaded in complain mode"
                                                       : "the profile is not loaded in enforce mode";
    bool refuse = policy->apparmor.when_unavailable == CL_UNAVAILABLE_REFUSE;
    char *text = NULL;

    if (strcmp(policy->apparmor.profile, "unconfined") == 0 ||
        (!layers->apparmor_missing &&
         (!layers->loaded || is_usable(policy, layers->loaded))))
        return;
    if (cl_asprintf(&text, "%s: apparmor.profile: \"%s\": %s%s", policy->name, policy->apparmor.profile, what,
                    refuse ? ", logins are refused" : "") == 0)
        add(layers, policy, CL_KEY_APPARMOR_PROFILE, true, text);
}

static void read_loaded(struct layers *layers)
{
    cleanup_fd int fd = open(APPARMOR_PROFILES, O_RDONLY | O_CLOEXEC);
    size_t size;

    if (fd < 0)
        layers->apparmor_missing = errno == ENOENT;
    else if (cl_read_all(fd, 16 * 1024 * 1024, &layers->loaded, &size) < 0)
        layers->loaded = NULL;
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

size_t check_layers(const struct cl_config *config, struct cl_problems *problems)
{
    size_t n = cl_config_count(config);
    struct layers layers = {.problems = problems, .compiled = calloc(n + 1, sizeof(*layers.compiled))};

    if (!layers.compiled)
        return 1;
    read_loaded(&layers);
    check_default(&layers, config);
    for (size_t i = 0; i < n; i++) {
        check_seccomp(&layers, cl_config_policy(config, i));
        check_apparmor(&layers, cl_config_policy(config, i));
    }
    free(layers.compiled);
    free(layers.loaded);
    return layers.n_errors;
}
