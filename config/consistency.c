/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What only makes sense of several keys together. Each finding is reported at the policy that causes it, not
 * at every one that inherits it.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "loader.h"
#include "util.h"

#define IDLE_MIN 15U /* seconds */

/* Where to point: at the key, or at the policy where the key is inherited from another file. */
static unsigned line_of(const struct draft *draft, enum cl_key key)
{
    const struct cl_origin *origin = &draft->policy->origin[key];

    return origin->file == draft->file && origin->line >= draft->line ? origin->line : draft->line;
}

/* CHOWN and cap_chown are one capability; system calls have one name each. */
static bool is_same(const char *a, const char *b, bool capabilities)
{
    uint64_t x, y;

    if (!capabilities)
        return strcmp(a, b) == 0;
    return capability_mask(a, &x) == 0 && capability_mask(b, &y) == 0 && x == y;
}

static void check_both_lists(struct loader *l, const struct draft *draft, enum cl_key plus, enum cl_key minus,
                             bool capabilities)
{
    char *const *a = *(char **const *)schema_field_const(&schema_policy[plus], draft->policy);
    char *const *b = *(char **const *)schema_field_const(&schema_policy[minus], draft->policy);

    for (size_t i = 0; a && a[i]; i++)
        for (size_t k = 0; b && b[k]; k++)
            if (is_same(a[i], b[k], capabilities))
                loader_error(l, line_of(draft, minus), "%s: \"%s\" is in %s and in %s", draft->policy->name,
                             b[k], cl_key_name(plus), cl_key_name(minus));
}

static void check_none_alone(struct loader *l, const struct draft *draft)
{
    char *const *names = draft->policy->capabilities.bounding_names;

    for (size_t i = 0; names && names[i]; i++)
        if (strcasecmp(names[i], "NONE") == 0 && cl_strv_length(names) > 1)
            loader_error(l, line_of(draft, CL_KEY_CAPABILITIES_BOUNDING),
                         "%s: capabilities.bounding: \"NONE\" stands alone or not at all",
                         draft->policy->name);
}

static void check_default_match(struct loader *l, const struct draft *draft)
{
    const struct cl_policy *policy = draft->policy;

    if (strcmp(policy->name, "default") == 0 &&
        (policy->match.groups || policy->match.users || policy->match.services))
        loader_error(l, draft->line,
                     "default: match: the policy \"default\" takes whom no other matches; allowed: no match");
}

void consistency_of_draft(struct loader *l, const struct draft *draft)
{
    check_both_lists(l, draft, CL_KEY_CAPABILITIES_ADD, CL_KEY_CAPABILITIES_DROP, true);
    check_both_lists(l, draft, CL_KEY_SECCOMP_ALLOW, CL_KEY_SECCOMP_DENY, false);
    check_none_alone(l, draft);
    check_default_match(l, draft);
}

/* Did the policy write the key itself? What it took from its parent has the parent's origin. */
static bool is_own(const struct draft *draft, const struct cl_policy *parent, enum cl_key key)
{
    const struct cl_origin *own = &draft->policy->origin[key], *inherited = &parent->origin[key];

    return own->file != inherited->file || own->line != inherited->line;
}

static void check_ambient(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    const struct cl_policy *policy = draft->policy;
    uint64_t excess = policy->capabilities.ambient & ~policy->capabilities.bounding;
    char name[32];

    if (excess == 0 || !(is_own(draft, parent, CL_KEY_CAPABILITIES_AMBIENT) ||
                         is_own(draft, parent, CL_KEY_CAPABILITIES_BOUNDING) ||
                         is_own(draft, parent, CL_KEY_CAPABILITIES_DROP)))
        return;
    if (!capability_name((unsigned)__builtin_ctzll(excess), name, sizeof(name)))
        snprintf(name, sizeof(name), "a capability");
    loader_error(
        l, line_of(draft, CL_KEY_CAPABILITIES_AMBIENT),
        "%s: capabilities.ambient: %s is not in the bounding set; allowed: what capabilities.bounding "
        "and capabilities.add hold",
        policy->name, name);
}

/* Through an id-mapped mount root's files belong to an id of the cell, and a capability would count for them.
 */
static void check_ambient_identity(struct loader *l, const struct draft *draft,
                                   const struct cl_policy *parent)
{
    const struct cl_policy *policy = draft->policy;

    if (policy->capabilities.ambient == 0 || policy->namespaces.identity != CL_IDENTITY_NATURAL ||
        !(is_own(draft, parent, CL_KEY_CAPABILITIES_AMBIENT) ||
          is_own(draft, parent, CL_KEY_NAMESPACES_IDENTITY)))
        return;
    loader_error(
        l, line_of(draft, CL_KEY_CAPABILITIES_AMBIENT),
        "%s: capabilities.ambient: would count for root's files where namespaces.identity is \"natural\"; "
        "allowed: with namespaces.identity = \"plain\"",
        policy->name);
}

static void check_hostname_needs_uts(struct loader *l, const struct draft *draft,
                                     const struct cl_policy *parent)
{
    const struct cl_policy *policy = draft->policy;

    if (policy->namespaces.uts || !policy->namespaces.hostname ||
        !(is_own(draft, parent, CL_KEY_NAMESPACES_UTS) || is_own(draft, parent, CL_KEY_NAMESPACES_HOSTNAME)))
        return;
    loader_error(
        l, line_of(draft, CL_KEY_NAMESPACES_HOSTNAME),
        "%s: namespaces.hostname: \"%s\" would change the host's name; allowed: hostname = \"\" where "
        "namespaces.uts = false",
        policy->name, policy->namespaces.hostname);
}

static void check_memory_high(struct loader *l, const struct draft *draft, const struct cl_policy *parent,
                              enum cl_key high_key, const struct cl_limits *limits)
{
    if (limits->memory_high == CL_UNLIMITED || limits->memory_high < limits->memory_max ||
        !is_own(draft, parent, high_key))
        return;
    loader_warning(l, line_of(draft, high_key), "%s: %s: has no effect, it is not below memory_max",
                   draft->policy->name, cl_key_name(high_key));
}

/* Reported where it is written, not at each policy that inherits it. */
static void check_mode(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    if (draft->policy->mode == CL_MODE_AUDIT && is_own(draft, parent, CL_KEY_MODE))
        loader_warning(l, line_of(draft, CL_KEY_MODE),
                       "%s: mode: audit: seccomp and AppArmor only log, here and in policies that inherit it",
                       draft->policy->name);
}

static void check_overlay_of_unconfined(struct loader *l, const struct draft *draft,
                                        const struct cl_policy *parent)
{
    const struct cl_policy *policy = draft->policy;
    bool own = is_own(draft, parent, CL_KEY_SECCOMP_PROFILE) || is_own(draft, parent, CL_KEY_SECCOMP_ALLOW) ||
               is_own(draft, parent, CL_KEY_SECCOMP_DENY);

    if (own && strcmp(policy->seccomp.profile, "unconfined") == 0 &&
        (policy->seccomp.allow || policy->seccomp.deny))
        loader_error(
            l, line_of(draft, CL_KEY_SECCOMP_PROFILE),
            "%s: seccomp.profile: \"unconfined\" has no filter that seccomp.allow and seccomp.deny could "
            "change",
            policy->name);
}

/* Namespaces may be made then, and nothing be mounted in them: sandboxes start by doing that. */
static void check_nested_mounts(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    const struct cl_policy *policy = draft->policy;
    const char *profile = policy->apparmor.profile;

    if (policy->namespaces.nested == 0 ||
        (strcmp(profile, "cloister-default") != 0 && strcmp(profile, "cloister-restricted") != 0) ||
        !(is_own(draft, parent, CL_KEY_NAMESPACES_NESTED) || is_own(draft, parent, CL_KEY_APPARMOR_PROFILE)))
        return;
    loader_warning(l, line_of(draft, CL_KEY_NAMESPACES_NESTED),
                   "%s: namespaces.nested: apparmor.profile \"%s\" refuses every mount; bubblewrap and podman need "
                   "\"cloister-nested\"",
                   policy->name, profile);
}

/* Landlock refuses every mount, of namespaces of one's own as well. */
static void check_nested_landlock(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    if (draft->policy->namespaces.nested > 0 && draft->policy->files.landlock &&
        (is_own(draft, parent, CL_KEY_NAMESPACES_NESTED) || is_own(draft, parent, CL_KEY_FILES_LANDLOCK)))
        loader_warning(l, line_of(draft, CL_KEY_FILES_LANDLOCK),
                       "%s: files.landlock: refuses every mount, in nested namespaces, too: bubblewrap and podman need it "
                       "off",
                       draft->policy->name);
}

/* Such a build refuses to read it, rather than every login to open. */
static void check_nat_is_built(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    if (!CL_NAT && draft->policy->network.mode == CL_NETWORK_NAT && is_own(draft, parent, CL_KEY_NETWORK_MODE))
        loader_error(l, line_of(draft, CL_KEY_NETWORK_MODE),
                     "%s: network.mode: this build has no \"nat\" (configure --with-nat); allowed: \"isolated\" or "
                     "\"host\"",
                     draft->policy->name);
}

/* sshd and sudo make the terminal on the host when the cell stands already. */
static void check_pts(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    static const char *const late[] = {"sshd", "sudo"};
    char *const *services = draft->policy->match.services;

    if (draft->policy->files.pts != CL_PTS_PRIVATE || !is_own(draft, parent, CL_KEY_FILES_PTS))
        return;
    for (size_t i = 0; i < CL_ARRAY_SIZE(late); i++)
        if (!services || cl_strv_contains(services, late[i])) {
            loader_warning(l, line_of(draft, CL_KEY_FILES_PTS),
                           "%s: files.pts: private: terminals that %s makes have no name in the cell", draft->policy->name,
                           late[i]);
            return;
        }
}

/* Neither is an error: a child may set the other key. */
static void check_lasting(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    const struct cl_policy *policy = draft->policy;
    bool lingers = policy->session.on_logout == CL_ON_LOGOUT_LINGER;

    if (!lingers && is_own(draft, parent, CL_KEY_SESSION_LINGER))
        loader_warning(l, line_of(draft, CL_KEY_SESSION_LINGER),
                       "%s: session.linger: has no effect, session.on_logout is not \"linger\"", policy->name);
    if (policy->session.on_logout != CL_ON_LOGOUT_KILL && policy->namespaces.share == CL_SHARE_LOGIN &&
        (is_own(draft, parent, CL_KEY_SESSION_ON_LOGOUT) || is_own(draft, parent, CL_KEY_NAMESPACES_SHARE)))
        loader_warning(l, line_of(draft, CL_KEY_SESSION_ON_LOGOUT),
                       "%s: session.on_logout: what runs on cannot be reached by a later login; with "
                       "namespaces.share = \"user\" it can",
                       policy->name);
}

/* The kernel notes the time of input to the nearest 8 seconds. */
static void check_idle(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    uint64_t idle = draft->policy->session.idle;

    if (idle > 0 && idle < IDLE_MIN && is_own(draft, parent, CL_KEY_SESSION_IDLE))
        loader_error(l, line_of(draft, CL_KEY_SESSION_IDLE),
                     "%s: session.idle: found %u seconds; allowed: 0, which is never, or from %u on: input is seen to the nearest 8",
                     draft->policy->name, (unsigned)idle, IDLE_MIN);
}

void consistency_of_policy(struct loader *l, const struct draft *draft, const struct cl_policy *parent)
{
    check_ambient(l, draft, parent);
    check_ambient_identity(l, draft, parent);
    check_hostname_needs_uts(l, draft, parent);
    check_mode(l, draft, parent);
    check_nested_mounts(l, draft, parent);
    check_pts(l, draft, parent);
    check_nested_landlock(l, draft, parent);
    check_nat_is_built(l, draft, parent);
    check_memory_high(l, draft, parent, CL_KEY_CGROUP_MEMORY_HIGH, &draft->policy->cgroup.user);
    check_memory_high(l, draft, parent, CL_KEY_CGROUP_SESSION_MEMORY_HIGH, &draft->policy->cgroup.session);
    check_overlay_of_unconfined(l, draft, parent);
    check_lasting(l, draft, parent);
    check_idle(l, draft, parent);
}

/* Who gives only one of the two, in the whole chain, means the other. */
void consistency_of_network(struct loader *l, struct draft *draft, const struct cl_policy *parent)
{
    struct cl_policy *policy = draft->policy;
    struct cl_origin *net = &policy->origin[CL_KEY_NAMESPACES_NET],
                     *mode = &policy->origin[CL_KEY_NETWORK_MODE];
    char at[300];

    if (draft->net_given && !draft->mode_given) {
        policy->network.mode = policy->namespaces.net ? CL_NETWORK_ISOLATED : CL_NETWORK_HOST;
        *mode = *net;
    } else if (draft->mode_given && !draft->net_given) {
        policy->namespaces.net = policy->network.mode != CL_NETWORK_HOST;
        *net = *mode;
    } else if (policy->namespaces.net == (policy->network.mode == CL_NETWORK_HOST) && !draft->faulty &&
               (is_own(draft, parent, CL_KEY_NAMESPACES_NET) || is_own(draft, parent, CL_KEY_NETWORK_MODE))) {
        loader_error(
            l, line_of(draft, CL_KEY_NETWORK_MODE),
            "%s: network.mode contradicts namespaces.net = %s (%s); allowed: net = false with mode = "
            "\"host\", net = true with any other",
            policy->name, policy->namespaces.net ? "true" : "false",
            cl_policy_origin(policy, CL_KEY_NAMESPACES_NET, at, sizeof(at)));
    }
}
