/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Choosing the policy of a login.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "load.h"
#include "select.h"
#include "util.h"

static void add_reason(char *buf, size_t size, const char *what, const char *name)
{
    size_t used = strlen(buf);

    snprintf(buf + used, size - used, "%s%s %s", used ? ", " : "", what, name);
}

static const char *common_group(char *const *groups, const struct cl_user *user)
{
    for (size_t i = 0; groups[i]; i++)
        for (size_t k = 0; k < user->n_groups; k++)
            if (strcmp(groups[i], user->group_names[k]) == 0)
                return groups[i];
    return NULL;
}

bool select_matches(const struct cl_policy *policy, const struct cl_user *user, const char *service,
                    char *buf, size_t size)
{
    buf[0] = '\0';
    if (policy->match.groups) {
        const char *group = common_group(policy->match.groups, user);

        if (!group)
            return false;
        add_reason(buf, size, "group", group);
    }
    if (policy->match.users) {
        if (!cl_strv_contains(policy->match.users, user->name))
            return false;
        add_reason(buf, size, "user", user->name);
    }
    if (policy->match.services) {
        if (!cl_strv_contains(policy->match.services, service))
            return false;
        add_reason(buf, size, "service", service);
    }
    return buf[0] != '\0';
}

/* Keep the list ordered: best first, and file order among equals. */
static void insert(const struct cl_policy **list, size_t n, const struct cl_policy *policy)
{
    size_t i = n;

    for (; i > 0 && list[i - 1]->priority < policy->priority; i--)
        list[i] = list[i - 1];
    list[i] = policy;
}

int cl_config_select(const struct cl_config *config, const struct cl_user *user, const char *service,
                     struct cl_selection *ret)
{
    struct cl_selection selection = {.considered =
                                         calloc(config->n_policies + 1, sizeof(*selection.considered))};
    const struct cl_policy *fallback = NULL;
    char scratch[sizeof(selection.matched_by)];

    if (!selection.considered)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_policies; i++) {
        const struct cl_policy *policy = config->policies[i];

        if (strcmp(policy->name, "default") == 0)
            fallback = policy;
        else if (select_matches(policy, user, service, scratch, sizeof(scratch)))
            insert(selection.considered, selection.n_considered++, policy);
    }
    if (selection.n_considered > 0) {
        selection.policy = selection.considered[0];
        (void)select_matches(selection.policy, user, service, selection.matched_by,
                             sizeof(selection.matched_by));
    } else if (fallback) {
        selection.policy = selection.considered[selection.n_considered++] = fallback;
        snprintf(selection.matched_by, sizeof(selection.matched_by), "default");
    }
    *ret = selection;
    return 0;
}

void cl_selection_clear(struct cl_selection *selection)
{
    free(selection->considered);
    *selection = (struct cl_selection){0};
}
