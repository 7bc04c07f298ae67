/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of namespaces that a cell is made of: see namespaces(7).
 */
#ifndef CL_NAMESPACES_H
#define CL_NAMESPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum cl_ns { CL_NS_USER, CL_NS_PID, CL_NS_MOUNT, CL_NS_IPC, CL_NS_UTS, CL_NS_NET, CL_NS_CGROUP, CL_NS_COUNT };

struct cl_ns_info {
    const char *name;     /* the policy's word: "mount" */
    const char *proc;     /* the file in /proc/PID/ns: "mnt" */
    int flag;             /* CLONE_NEW* */
    const char *max_file; /* in /proc/sys/user: "max_mnt_namespaces" */
};

const struct cl_ns_info *cl_ns_info(enum cl_ns ns);

/* The inode numbers of a process's namespaces, from the open folder /proc/PID/ns. For the pid namespace that is the
 * one its children are born in if for_children, else its own. Fills ret[CL_NS_COUNT]. */
int cl_ns_inodes(int proc_ns_dir, bool for_children, uint64_t ret[CL_NS_COUNT]) CL_WARN_UNUSED;

#endif
