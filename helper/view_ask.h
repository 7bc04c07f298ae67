/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What does a cell's file view show at a path? The builder's steps (view.c) are gone through in their order,
 * on paper: a step that covers the path decides, until a later one covers it. Nothing is mounted or opened;
 * the host's files are only looked at for links and for whether they exist, with the caller's rights.
 */
#ifndef CL_VIEW_ASK_H
#define CL_VIEW_ASK_H

#include <limits.h>
#include <stdbool.h>

#include "err.h"
#include "policy.h"
#include "user.h"

enum view_kind {
    VIEW_HOST,       /* the host's file */
    VIEW_ROOT,       /* of the tree that is the root, by files.root */
    VIEW_HIDDEN,     /* covered, by files.hide */
    VIEW_MASKED,     /* covered, in every cell */
    VIEW_PRIVATE,    /* the cell's own, by files.private */
    VIEW_HOME,       /* of the user's home */
    VIEW_HOMES,      /* a folder that has nothing but the way to the user's home */
    VIEW_OTHER_HOME, /* of the folder of homes, but not of the user's home */
    VIEW_MAIL,       /* the user's mailbox, or the folder that has nothing but it */
    VIEW_KERNEL,     /* /proc and /sys of the cell */
    VIEW_DEVICE,     /* /dev of the cell */
    VIEW_MOUNT,      /* of the host's, by files.mounts */
    VIEW_TMPFS,      /* an empty one of the cell, by files.mounts */
    VIEW_UNSEEN,     /* of a filesystem of the host that cells do not take over */
};

#define VIEW_BUILT_IN CL_KEY_COUNT /* no key of the policy says so: it is so in every cell */

struct view_answer {
    enum view_kind kind;
    bool there;                /* the cell has something at the path */
    bool writable;             /* as far as the view goes */
    bool unsure;               /* the caller may not look at the host's file */
    enum cl_key key;           /* that decides, or VIEW_BUILT_IN */
    char entry[PATH_MAX];      /* what of the key's value: "/run"; empty for the host's own */
    enum cl_key read_only_key; /* why it is not writable, where that is not the same */
    char read_only_entry[PATH_MAX];
    char path[PATH_MAX]; /* the path without links, as the cell has it */
    char host[PATH_MAX]; /* the host's file that shows there; empty where none does */
};

/* policy is expanded for the user. path: absolute, no component empty, "." or "..". -EINVAL: another path;
 * -ENAMETOOLONG; -ELOOP: too many links; -ENOMEM. */
int view_ask(const struct cl_policy *policy, const struct cl_user *user, const char *path,
             struct view_answer *ret, struct cl_error *e) CL_WARN_UNUSED;
/* "host", "hidden": a word for programs. */
const char *view_kind_name(enum view_kind kind);

#endif
