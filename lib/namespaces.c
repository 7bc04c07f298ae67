/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of namespaces, and their identity: a namespace is its inode number on nsfs.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <sys/stat.h>

#include "namespaces.h"
#include "util.h"

static const struct cl_ns_info namespaces[] = {
    [CL_NS_USER] = {"user", "user", CLONE_NEWUSER, "max_user_namespaces"},
    [CL_NS_PID] = {"pid", "pid", CLONE_NEWPID, "max_pid_namespaces"},
    [CL_NS_MOUNT] = {"mount", "mnt", CLONE_NEWNS, "max_mnt_namespaces"},
    [CL_NS_IPC] = {"ipc", "ipc", CLONE_NEWIPC, "max_ipc_namespaces"},
    [CL_NS_UTS] = {"uts", "uts", CLONE_NEWUTS, "max_uts_namespaces"},
    [CL_NS_NET] = {"net", "net", CLONE_NEWNET, "max_net_namespaces"},
    [CL_NS_CGROUP] = {"cgroup", "cgroup", CLONE_NEWCGROUP, "max_cgroup_namespaces"},
};
static_assert(CL_ARRAY_SIZE(namespaces) == CL_NS_COUNT, "one row for each namespace");

const struct cl_ns_info *cl_ns_info(enum cl_ns ns)
{
    return &namespaces[ns];
}

int cl_ns_inodes(int proc_ns_dir, bool for_children, uint64_t ret[CL_NS_COUNT])
{
    uint64_t inodes[CL_NS_COUNT];

    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++) {
        const char *file = ns == CL_NS_PID && for_children ? "pid_for_children" : namespaces[ns].proc;
        struct stat st;

        if (fstatat(proc_ns_dir, file, &st, 0) < 0)
            return -errno;
        inodes[ns] = st.st_ino;
    }
    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++)
        ret[ns] = inodes[ns];
    return 0;
}
