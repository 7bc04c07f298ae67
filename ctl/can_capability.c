/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * May a login use a capability? Only one of the ambient set is ever in effect: the bounding set alone gives
 * nothing, because every mount of a cell is nosuid.
 */
#include "config.h"

#include <stdio.h>

#include "can.h"
#include "loader.h"

static bool includes(const char *name, const void *bit)
{
    uint64_t mask;

    return capability_mask(name, &mask) == 0 && (mask & *(const uint64_t *)bit);
}

static bool listed(char *const *names, uint64_t bit)
{
    return (capability_mask_of(names) & bit) != 0;
}

static const struct cl_origin *origin_of(const struct can *can, enum cl_key key, const uint64_t *bit)
{
    return can_list_origin(can, key, CL_KEY_CAPABILITIES_BOUNDING, includes, bit);
}

/* (bounding | add) & ~drop, and who of the three it was. */
static void tell_bounding(struct can *can, const char *name, uint64_t bit)
{
    const struct cl_policy *p = can->answer->expanded;

    if (listed(p->capabilities.drop, bit))
        can_rule(can, CL_KEY_CAPABILITIES_DROP, origin_of(can, CL_KEY_CAPABILITIES_DROP, &bit),
                 "%s is dropped from the bounding set", name);
    else if (listed(p->capabilities.add, bit))
        can_rule(can, CL_KEY_CAPABILITIES_ADD, origin_of(can, CL_KEY_CAPABILITIES_ADD, &bit),
                 "%s is added to the bounding set", name);
    else
        can_rule(can, CL_KEY_CAPABILITIES_BOUNDING, &p->origin[CL_KEY_CAPABILITIES_BOUNDING],
                 "%s is %s the bounding set", name, p->capabilities.bounding & bit ? "in" : "not in");
}

int can_capability(struct can *can, unsigned capability)
{
    const struct cl_policy *p = can->answer->expanded;
    uint64_t bit = UINT64_C(1) << capability;
    bool bounding = p->capabilities.bounding & bit, ambient = p->capabilities.ambient & bit;
    char bare[32], name[40];

    if (!capability_name(capability, bare, sizeof(bare)))
        (void)snprintf(bare, sizeof(bare), "%u", capability);
    (void)snprintf(name, sizeof(name), "CAP_%s", bare);
    if (ambient)
        can_say(can, true,
                "%s is ambient: every program of the login has it, over what belongs to the cell's user "
                "namespace",
                name);
    else if (bounding)
        can_say(can, false,
                "%s is in the bounding set, but not ambient: nothing in the cell gives it to anyone", name);
    else
        can_say(can, false, "%s is in no set of the login", name);
    can_rule(can, CL_KEY_CAPABILITIES_AMBIENT, &p->origin[CL_KEY_CAPABILITIES_AMBIENT],
             "%s is %s the ambient set", name, ambient ? "in" : "not in");
    tell_bounding(can, name, bit);
    if (p->namespaces.nested > 0)
        can_note(
            can,
            "namespaces.nested lets the user make a user namespace, and have every capability over that one");
    (void)json_object_set_new(can->detail, "capability", ctl_json_string(name));
    (void)json_object_set_new(can->detail, "bounding", json_boolean(bounding));
    (void)json_object_set_new(can->detail, "ambient", json_boolean(ambient));
    return 0;
}
