/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: is AppArmor on, and is each profile that a policy names loaded as the policy needs it?
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "helper/apparmor.h"
#include "util.h"

/* In audit mode the twin's file, where there is one. */
static char *mend(const struct apparmor_list *list, const struct cl_policy *policy)
{
    cleanup_free char *path = NULL, *quoted = NULL;
    const char *twin = policy->mode == CL_MODE_AUDIT ? APPARMOR_TWIN : "";
    char *text = NULL;

    if (list->missing)
        return doctor_boot_with("apparmor=1 security=apparmor");
    if (cl_asprintf(&path, CL_APPARMOR_DIR "/%s%s", policy->apparmor.profile, twin) < 0)
        return NULL;
    quoted = doctor_quote(path);
    if (!quoted ||
        cl_asprintf(&text, access(path, F_OK) == 0 ? "apparmor_parser -r %s" : "cloister check # no %s", quoted) < 0)
        return NULL;
    return text;
}

/* One finding for each profile and mode, by the gravest policy that names it. */
static bool is_repeated(const struct doctor *d, const struct apparmor_list *list, size_t at)
{
    const struct cl_policy *policy = cl_config_policy(d->config, at);

    for (size_t i = 0; i < cl_config_count(d->config); i++) {
        const struct cl_policy *other = cl_config_policy(d->config, i);
        bool graver = other->apparmor.when_unavailable == CL_UNAVAILABLE_REFUSE &&
                      policy->apparmor.when_unavailable != CL_UNAVAILABLE_REFUSE;
        bool same = other->apparmor.when_unavailable == policy->apparmor.when_unavailable;

        if (i != at && strcmp(policy->apparmor.profile, other->apparmor.profile) == 0 &&
            policy->mode == other->mode && (graver || (same && i < at)) && apparmor_problem(list, other))
            return true;
    }
    return false;
}

static void check_policies(struct doctor *d, const struct apparmor_list *list)
{
    for (size_t i = 0; d->config && i < cl_config_count(d->config); i++) {
        const struct cl_policy *policy = cl_config_policy(d->config, i);
        const char *problem = apparmor_problem(list, policy);
        cleanup_free char *fix = NULL;

        if (!problem || is_repeated(d, list, i))
            continue;
        fix = mend(list, policy);
        doctor_find(d,
                    policy->apparmor.when_unavailable == CL_UNAVAILABLE_REFUSE ? FINDING_APPARMOR_PROFILE
                                                                               : FINDING_APPARMOR_OPTIONAL,
                    policy->apparmor.profile, fix, "AppArmor profile %s, of policy %s: %s", policy->apparmor.profile,
                    policy->name, problem);
    }
}

void doctor_apparmor(struct doctor *d)
{
    struct apparmor_list list;

    apparmor_list_read(&list);
    if (list.text || list.missing || doctor_is_root(d, "which AppArmor profiles are loaded"))
        check_policies(d, &list);
    if (list.text && d->config)
        doctor_ok(d, "AppArmor is on, and the profiles of all policies are loaded");
    else if (list.missing && d->config)
        doctor_ok(d, "AppArmor is not in this kernel, and no policy asks for it");
    apparmor_list_clear(&list);
}
