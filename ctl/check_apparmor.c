/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Are the AppArmor profiles that policies name loaded, in the mode that they need? Only looked at, because a
 * configuration may be meant for another kernel.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "ctl.h"
#include "helper/apparmor.h"
#include "util.h"

#define APPARMOR_PROFILES "/sys/kernel/security/apparmor/profiles"

void apparmor_list_read(struct apparmor_list *ret)
{
    cleanup_fd int fd = open(APPARMOR_PROFILES, O_RDONLY | O_CLOEXEC);
    size_t size;

    *ret = (struct apparmor_list){.missing = fd < 0 && errno == ENOENT};
    if (fd >= 0 && cl_read_all(fd, 16 * 1024 * 1024, &ret->text, &size) < 0)
        ret->text = NULL;
}

void apparmor_list_clear(struct apparmor_list *list)
{
    free(list->text);
    *list = (struct apparmor_list){0};
}

/* A line is "NAME (MODE)". */
bool apparmor_is_loaded(const struct apparmor_list *list, const char *name, const char *mode)
{
    size_t length = strlen(name), end = strlen(mode);

    for (const char *line = list->text; line && *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, name, length) == 0 && strncmp(line + length, " (", 2) == 0 &&
            strncmp(line + length + 2, mode, end) == 0 && line[length + 2 + end] == ')')
            return true;
    return false;
}

const char *apparmor_problem(const struct apparmor_list *list, const struct cl_policy *policy)
{
    cleanup_free char *twin = NULL;

    if (strcmp(policy->apparmor.profile, "unconfined") == 0)
        return NULL;
    if (list->missing)
        return "AppArmor is not in this kernel";
    if (!list->text)
        return NULL;
    if (policy->mode == CL_MODE_ENFORCE)
        return apparmor_is_loaded(list, policy->apparmor.profile, "enforce")
                   ? NULL
                   : "the profile is not loaded in enforce mode";
    if (apparmor_is_loaded(list, policy->apparmor.profile, "complain") ||
        (cl_asprintf(&twin, "%s" APPARMOR_TWIN, policy->apparmor.profile) == 0 &&
         apparmor_is_loaded(list, twin, "complain")))
        return NULL;
    return "neither its twin (" APPARMOR_TWIN ") nor the profile is loaded in complain mode";
}
