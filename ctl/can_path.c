/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What does the cell show at a path?
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "can.h"
#include "helper/view_ask.h"

/* What there is, and, where it is not there, what there is instead. */
static const struct {
    const char *there, *missing;
} words[] = {
    [VIEW_HOST] = {"is there as on the host", "does not exist, on the host either"},
    [VIEW_ROOT] = {"is there, of the tree that is the root", "does not exist in the tree that is the root"},
    [VIEW_HIDDEN] = {"is hidden: a folder looks empty, a file reads as empty",
                     "is hidden with the folder above it"},
    [VIEW_MASKED] = {"is masked in every cell", "is masked in every cell with the folder above it"},
    [VIEW_PRIVATE] = {"is the cell's own, and empty when it begins",
                      "is not seen: the folder above it is the cell's own, and empty when it begins"},
    [VIEW_HOME] = {"is in the user's home", "does not exist in the user's home"},
    [VIEW_HOMES] = {"is there, with nothing in it but the way to the user's home", ""},
    [VIEW_OTHER_HOME] = {"is not seen: homes of others are not", "is not seen: homes of others are not"},
    [VIEW_MAIL] = {"is there, with the user's own mailbox and no other", "is not seen: mailboxes of others are not"},
    [VIEW_KERNEL] = {"is the cell's own", "does not exist in the cell's own"},
    [VIEW_DEVICE] = {"is of the cell's own /dev", "is not in the cell's own /dev"},
    [VIEW_MOUNT] = {"is there, from elsewhere on the host", "does not exist in what is mounted there"},
    [VIEW_TMPFS] = {"is the cell's own, and empty when it begins",
                    "is not seen: an empty filesystem of the cell's own is mounted above it"},
    [VIEW_UNSEEN] = {"", "is not seen: it lies on a filesystem that cells do not take over"},
};

static bool shows(const struct view_answer *a)
{
    return a->there && a->kind != VIEW_HIDDEN && a->kind != VIEW_MASKED && a->kind != VIEW_OTHER_HOME &&
           a->kind != VIEW_UNSEEN;
}

static void tell_rules(struct can *can, const struct view_answer *a)
{
    const struct cl_policy *p = can->answer->expanded;

    if (a->kind == VIEW_HOST || a->kind == VIEW_UNSEEN)
        can_rule(can, VIEW_BUILT_IN, NULL, "%s",
                 a->kind == VIEW_HOST ? "what the policy does not name is as on the host"
                                      : "filesystems that users or the kernel serve stay outside, and mounts "
                                        "of what the view replaces");
    else
        can_rule(can, a->key, a->key < CL_KEY_COUNT ? &p->origin[a->key] : NULL, "%s", a->entry);
    if (a->read_only_entry[0])
        can_rule(can, a->read_only_key, a->read_only_key < CL_KEY_COUNT ? &p->origin[a->read_only_key] : NULL,
                 "%s is read-only", a->read_only_entry);
}

static void tell_notes(struct can *can, const struct view_answer *a)
{
    const struct cl_policy *p = can->answer->expanded;

    if (strcmp(a->path, can->question) != 0)
        can_note(can, "%s leads to %s in the cell", can->question, a->path);
    if (a->host[0] && can->yes)
        can_note(can, "owner and mode of the file decide, as on the host");
    if (a->unsure)
        can_note(can, "you may not look at the host's file: whether it exists is not known");
    if (can->yes && p->files.landlock)
        can_note(can, "files.landlock says the same again, and refuses what the host adds to / or another folder with "
                      "something hidden in it after the login");
    if (can->yes && strcmp(p->apparmor.profile, "unconfined") != 0)
        can_note(can, "the AppArmor profile %s may restrict it further%s", p->apparmor.profile,
                 p->mode == CL_MODE_AUDIT ? ", once it is enforced" : "");
}

int can_path(struct can *can)
{
    struct view_answer a;
    struct cl_error e = {0};
    const char *what;

    if (view_ask(can->answer->expanded, can->answer->user, can->question, &a, &e) < 0) {
        (void)ctl_error("--can: %s: %s", e.text, strerror(e.err));
        return e.err == EINVAL ? CTL_USAGE : CTL_PROBLEM;
    }
    what = a.there ? words[a.kind].there : words[a.kind].missing;
    can_say(can, shows(&a), "%s %s%s", can->question, what,
            !shows(&a)             ? ""
            : a.writable           ? ""
            : a.kind == VIEW_HOMES ? ""
                                   : "; it cannot be written to");
    tell_rules(can, &a);
    tell_notes(can, &a);
    (void)json_object_set_new(can->detail, "view", ctl_json_string(view_kind_name(a.kind)));
    (void)json_object_set_new(can->detail, "writable", json_boolean(shows(&a) && a.writable));
    (void)json_object_set_new(can->detail, "path", ctl_json_string(a.path));
    (void)json_object_set_new(can->detail, "host", ctl_json_string(shows(&a) && a.host[0] ? a.host : NULL));
    return 0;
}
