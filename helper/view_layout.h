/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What every cell's file view is made of, for who builds it and for who tells what it shows.
 */
#ifndef CL_VIEW_LAYOUT_H
#define CL_VIEW_LAYOUT_H

#include <stdbool.h>

#include "policy.h"

#define VIEW_USUAL_BASE  "/home"
#define VIEW_MAIL_FOLDER "/var/mail"

/* The file in CL_RUN_DIR that tells a cell about itself, and the name of that folder in the cell's own /run; NULL: it is not
 * there. */
#define VIEW_STATUS "status.json"
const char *view_status_folder(void);

/* Paths, NULL at the end: covered, and read-only, of /proc and /sys. */
extern const char *const view_masked[];
extern const char *const view_kernel_read_only[];
/* Hidden where namespaces.nested is above 0: nothing in a cell can map what they give, and podman(1) works with one id
 * where it finds no more, but not where newuidmap(1) then fails. */
extern const char *const view_subordinate_ids[];

/* In /dev: a terminal of the host's devpts that a login brought into a cell that has its own. */
#define VIEW_TERMINAL "console"
/* Tells how many terminals the host has in use. */
#define VIEW_PTS_COUNT "/proc/sys/kernel/pty"

/* Of /dev, a NULL name at the end: Documentation/admin-guide/devices.txt. */
struct view_device {
    const char *name;
    unsigned major, minor;
};
extern const struct view_device view_devices[];
struct view_link {
    const char *name, *target;
};
extern const struct view_link view_links[];

/* The folder that holds the homes is replaced by one that has only the user's own. */
struct view_homes {
    bool has_home;   /* the home is a path that a cell can have */
    const char *private_dir; /* the entry of files.private for which it is none, or NULL; not owned */
    char base[4096]; /* that folder; empty: none, the home lies among the system's folders */
};

/* Where the home lies is what NSS says, and a directory service may say anything: a home that is, holds or
 * lies in what the view replaces is no home. */
void view_find_homes(const struct cl_policy *policy, const char *home, struct view_homes *ret);

#endif
