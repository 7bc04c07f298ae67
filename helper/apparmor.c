/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The AppArmor layer: before anything is built, the policy's profile must be loaded and enforced. The
 * placement changes into it later, in the process of the cell.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/apparmor.h>
#include <unistd.h>

#include "apparmor_internal.h"
#include "log.h"
#include "util.h"

/* A hundred bytes for each of forty thousand profiles. */
#define LIST_MAX_SIZE (4 << 20)

/* The mode of the profile name in the list: a line is the name, which may hold blanks and parentheses, and
 * the mode in parentheses. False: not there. */
static bool find_mode(const char *list, const char *name, char *mode, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = list; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t end = strcspn(line, "\n");
        const char *word = line + length + 2;

        if (end < length + 4 || strncmp(line, name, length) != 0 || strncmp(line + length, " (", 2) != 0 ||
            line[end - 1] != ')' || memchr(word, '(', (size_t)(line + end - word)))
            continue;
        snprintf(mode, size, "%.*s", (int)(line + end - 1 - word), word);
        return true;
    }
    return false;
}

static int read_list(const char *path, char **ret)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t size;

    return fd < 0 ? -errno : cl_read_all(fd, LIST_MAX_SIZE, ret, &size);
}

/* The layer is missing: log and go on where the policy says so, with *ret_profile NULL. */
static int missing(const struct cl_policy *policy, int err, const char *what, char **ret_profile,
                   struct cl_error *e)
{
    if (policy->apparmor.when_unavailable == CL_UNAVAILABLE_REFUSE)
        return cl_policy_fail(policy, CL_KEY_APPARMOR_PROFILE, e, err, "%s", what);
    cl_log(LOG_WARNING, "policy %s: %s; going on without AppArmor", policy->name, what);
    *ret_profile = NULL;
    return 0;
}

static int not_loaded(const struct cl_policy *policy, char **ret_profile, struct cl_error *e)
{
    char what[512];

    snprintf(what, sizeof(what),
             "AppArmor profile \"%s\" is not loaded (apparmor_parser -r /etc/apparmor.d/%s loads it)",
             policy->apparmor.profile, policy->apparmor.profile);
    return missing(policy, ENOENT, what, ret_profile, e);
}

static int not_complaining(const struct cl_policy *policy, char **ret_profile, struct cl_error *e)
{
    const char *profile = policy->apparmor.profile;
    char what[900];

    snprintf(what, sizeof(what),
             "mode is \"audit\", and neither AppArmor profile \"%s" APPARMOR_TWIN "\" nor \"%s\" is loaded in "
             "complain mode (apparmor_parser -r /etc/apparmor.d/%s" APPARMOR_TWIN " loads the first)",
             profile, profile, profile);
    return missing(policy, ENOENT, what, ret_profile, e);
}

static int no_apparmor(const struct cl_policy *policy, char **ret_profile, struct cl_error *e)
{
    return missing(policy, EOPNOTSUPP,
                   "AppArmor is not on in this kernel, or securityfs is not mounted (aa-status tells which)",
                   ret_profile, e);
}

/* In audit mode: the profile's twin, or the profile itself, whichever complains. */
static int find_complaining(const struct cl_policy *policy, const char *list, char **ret_profile, struct cl_error *e)
{
    cleanup_free char *twin = NULL;
    const char *found = NULL;
    char mode[16], *copy;

    if (cl_asprintf(&twin, "%s" APPARMOR_TWIN, policy->apparmor.profile) < 0)
        return cl_fail(e, ENOMEM, "find the AppArmor profile");
    if (find_mode(list, twin, mode, sizeof(mode)) && strcmp(mode, "complain") == 0)
        found = twin;
    else if (find_mode(list, policy->apparmor.profile, mode, sizeof(mode)) && strcmp(mode, "complain") == 0)
        found = policy->apparmor.profile;
    if (!found)
        return not_complaining(policy, ret_profile, e);
    copy = strdup(found);
    if (!copy)
        return cl_fail(e, ENOMEM, "find the AppArmor profile");
    *ret_profile = copy;
    return 0;
}

int apparmor_profile_in(const struct cl_policy *policy, const char *list, char **ret_profile,
                        struct cl_error *e)
{
    const char *profile = policy->apparmor.profile;
    cleanup_free char *text = NULL;
    char mode[16], *copy;
    int r;

    if (strcmp(profile, "unconfined") == 0) {
        *ret_profile = NULL;
        return 0;
    }
    if (!list)
        return no_apparmor(policy, ret_profile, e);
    r = read_list(list, &text);
    if (r < 0)
        return cl_policy_fail(policy, CL_KEY_APPARMOR_PROFILE, e, -r, "read %s", list);
    if (policy->mode == CL_MODE_AUDIT)
        return find_complaining(policy, text, ret_profile, e);
    if (!find_mode(text, profile, mode, sizeof(mode)))
        return not_loaded(policy, ret_profile, e);
    if (strcmp(mode, "enforce") != 0)
        return cl_policy_fail(policy, CL_KEY_APPARMOR_PROFILE, e, EINVAL,
                              "AppArmor profile \"%s\" is in %s mode (aa-enforce %s mends it)", profile, mode,
                              profile);
    copy = strdup(profile);
    if (!copy)
        return cl_fail(e, ENOMEM, "find the AppArmor profile");
    *ret_profile = copy;
    return 0;
}

int apparmor_profile(const struct cl_policy *policy, char **ret_profile, struct cl_error *e)
{
    cleanup_free char *mount = NULL, *list = NULL;

    if (aa_is_enabled() != 1 || aa_find_mountpoint(&mount) < 0)
        return apparmor_profile_in(policy, NULL, ret_profile, e);
    if (cl_asprintf(&list, "%s/profiles", mount) < 0)
        return cl_fail(e, ENOMEM, "find the AppArmor profile");
    return apparmor_profile_in(policy, list, ret_profile, e);
}
