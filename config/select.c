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

/* A user may be in thousands of groups, and policies may name thousands: sorted once for all policies. The
 * names stay the user's. */
struct groups {
    const char **names;
    size_t n;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_groups(const struct cl_user *user, struct groups *ret)
{
    const char **names = calloc(user->n_groups + 1, sizeof(*names));

    if (!names)
        return -ENOMEM;
    for (size_t i = 0; i < user->n_groups; i++)
        names[i] = user->group_names[i];
    qsort(names, user->n_groups, sizeof(*names), compare_names);
    *ret = (struct groups){.names = names, .n = user->n_groups};
    return 0;
}

/* The first of the policy's groups that is one of the user's. */
static const char *common_group(char *const *wanted, const struct groups *groups)
{
    for (size_t i = 0; wanted[i]; i++) {
        const char *name = wanted[i];

        if (bsearch(&name, groups->names, groups->n, sizeof(*groups->names), compare_names))
            return name;
    }
    return NULL;
}

/* The parts of match beside groups. */
static bool matches_others(const struct cl_policy *policy, const struct cl_user *user, const char *service,
                           char *buf, size_t size)
{
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
    return true;
}

static bool matches(const struct cl_policy *policy, const struct cl_user *user, const struct groups *groups,
                    const char *service, char *buf, size_t size)
{
    buf[0] = '\0';
    if (policy->match.groups) {
        const char *group = common_group(policy->match.groups, groups);

        if (!group)
            return false;
        add_reason(buf, size, "group", group);
    }
    return matches_others(policy, user, service, buf, size) && buf[0] != '\0';
}

bool select_matches(const struct cl_policy *policy, const struct cl_user *user, const char *service,
                    char *buf, size_t size)
{
    struct groups groups = {0};
    bool match = sort_groups(user, &groups) == 0 && matches(policy, user, &groups, service, buf, size);

    free(groups.names);
    return match;
}

/* Keep the list ordered: best first, and file order among equals. */
static void insert(const struct cl_policy **list, size_t n, const struct cl_policy *policy)
{
    size_t i = n;

    for (; i > 0 && list[i - 1]->priority < policy->priority; i--)
        list[i] = list[i - 1];
    list[i] = policy;
}

/* Where a service of NSS does not answer, getgrouplist(3) leaves out what that service knows, and says nothing.
 * One question for a group that nobody has tells whether all answer: on a sound machine it is the only one. */
static int nss_error(const struct cl_user *user)
{
    bool exists;

    return user->groups_error ? -user->groups_error : cl_group_exists("cloister-no-such-group", &exists);
}

/* The first of the groups that may be the user's, for all that NSS tells. */
static const char *doubtful_group(char *const *wanted, const struct cl_user *user)
{
    for (size_t i = 0; wanted[i]; i++) {
        bool exists = false;

        if (user->groups_error || cl_group_exists(wanted[i], &exists) < 0)
            return wanted[i];
    }
    return NULL;
}

/* Would the policy, by its place in the file before or after the best one, be chosen if its groups matched? */
static bool outranks(const struct cl_policy *policy, const struct cl_policy *best, bool before)
{
    if (strcmp(policy->name, "default") == 0 || !policy->match.groups)
        return false;
    if (!best || strcmp(best->name, "default") == 0)
        return true;
    return policy->priority > best->priority || (policy->priority == best->priority && before);
}

/* None is chosen where NSS cannot tell whether another should have been: the one that is left may be laxer. */
static void doubt(const struct cl_config *config, const struct cl_user *user, const char *service,
                  struct cl_selection *selection)
{
    const struct cl_policy *best = selection->policy;
    char scratch[sizeof(selection->matched_by)];
    bool before = true, asked = false;

    for (size_t i = 0; i < config->n_policies; i++) {
        const struct cl_policy *policy = config->policies[i];

        if (policy == best)
            before = false;
        scratch[0] = '\0';
        if (policy == best || !outranks(policy, best, before) ||
            !matches_others(policy, user, service, scratch, sizeof(scratch)))
            continue;
        if (!asked)
            selection->doubt = -nss_error(user);
        asked = true;
        if (selection->doubt == 0)
            return;
        selection->doubtful_group = doubtful_group(policy->match.groups, user);
        if (!selection->doubtful_group)
            continue;
        selection->doubtful = policy;
        selection->policy = NULL;
        return;
    }
}

int cl_selection_fail(const struct cl_selection *selection, const struct cl_user *user, struct cl_error *e)
{
    return cl_policy_fail(selection->doubtful, CL_KEY_MATCH_GROUPS, e, selection->doubt,
                          "cannot tell whether %.64s is in group %.64s: NSS does not answer", user->name,
                          selection->doubtful_group);
}

int cl_config_select(const struct cl_config *config, const struct cl_user *user, const char *service,
                     struct cl_selection *ret)
{
    struct cl_selection selection = {.considered =
                                         calloc(config->n_policies + 1, sizeof(*selection.considered))};
    const struct cl_policy *fallback = NULL;
    struct groups groups = {0};
    char scratch[sizeof(selection.matched_by)];

    if (!selection.considered || sort_groups(user, &groups) < 0) {
        cl_selection_clear(&selection);
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->n_policies; i++) {
        const struct cl_policy *policy = config->policies[i];

        if (strcmp(policy->name, "default") == 0)
            fallback = policy;
        else if (matches(policy, user, &groups, service, scratch, sizeof(scratch)))
            insert(selection.considered, selection.n_considered++, policy);
    }
    if (selection.n_considered > 0) {
        selection.policy = selection.considered[0];
        (void)matches(selection.policy, user, &groups, service, selection.matched_by,
                      sizeof(selection.matched_by));
    } else if (fallback) {
        selection.policy = selection.considered[selection.n_considered++] = fallback;
        snprintf(selection.matched_by, sizeof(selection.matched_by), "default");
    }
    free(groups.names);
    doubt(config, user, service, &selection);
    *ret = selection;
    return 0;
}

void cl_selection_clear(struct cl_selection *selection)
{
    free(selection->considered);
    *selection = (struct cl_selection){0};
}
