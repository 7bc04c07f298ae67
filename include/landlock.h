/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Landlock, as far as a cell uses it: landlock(7) and the kernel's Documentation/userspace-api/landlock.rst. The numbers
 * are ours, because the headers of a build may be older than the kernel that it runs on.
 */
#ifndef CL_LANDLOCK_H
#define CL_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* Without "refer" (the second version, Linux 5.19) no file could be renamed or linked into another folder. */
#define CL_LANDLOCK_ABI_MIN 2

enum cl_landlock_class {
    CL_LANDLOCK_READ = 1 << 0,    /* read files and folders */
    CL_LANDLOCK_EXECUTE = 1 << 1,
    CL_LANDLOCK_WRITE = 1 << 2,   /* write files, and make, rename and remove all but devices */
    CL_LANDLOCK_DEVICES = 1 << 3, /* write and control devices that are there */
    CL_LANDLOCK_LIST = 1 << 4     /* read folders */
};

/* The kernel's version of the interface: 1 or more, or -ENOSYS (not built in), -EOPNOTSUPP (not switched on). */
int cl_landlock_abi(void);
/* Every right over files that this version knows: what a ruleset takes away where no rule gives it. */
uint64_t cl_landlock_handled(int abi);
/* What the classes are in rights of this version; of a file that is no folder, only those that it can have. */
uint64_t cl_landlock_rights(int abi, unsigned classes, bool folder);

/* An empty ruleset. Returns its descriptor or -errno. */
int cl_landlock_create(int abi, struct cl_error *e) CL_WARN_UNUSED;
/* A rule for what is open (O_PATH) as fd and all below. -errno. */
int cl_landlock_allow(int ruleset, int fd, uint64_t rights) CL_WARN_UNUSED;
/* Bind the calling thread and all that it will start. Needs no_new_privs, or CAP_SYS_ADMIN over its user namespace. */
int cl_landlock_restrict(int ruleset) CL_WARN_UNUSED;

#endif
