/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: does this kernel have what every cell is made of? Each system call is tried with arguments that it refuses.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"
#include "landlock.h"
#include "util.h"

#define KERNEL_MAJOR 5
#define KERNEL_MINOR 14

static void check_version(struct doctor *d, const struct utsname *name)
{
    unsigned major, minor;

    if (sscanf(name->release, "%u.%u", &major, &minor) == 2 &&
        (major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR)))
        doctor_find(d, FINDING_KERNEL_OLD, NULL, "apt-get install linux-image-amd64 && reboot",
                    "Linux %s is older than %d.%d", name->release, KERNEL_MAJOR, KERNEL_MINOR);
}

static void check_namespace(struct doctor *d, const char *name)
{
    cleanup_free char *text = NULL, *fix = NULL;
    char path[64];
    uint64_t max;

    snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
    if (access(path, F_OK) < 0) {
        doctor_find(d, FINDING_KERNEL_NAMESPACE, name, "", "this kernel has no %s namespaces", name);
        return;
    }
    snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", name);
    if (cl_read_file_at(AT_FDCWD, path, &text) < 0 || cl_parse_u64(text, &max) < 0 || max > 0)
        return;
    if (cl_asprintf(&fix, "sysctl -w user.max_%s_namespaces=10000 # and where /etc/sysctl.d sets it", name) < 0)
        d->out_of_memory = true;
    else
        doctor_find(d, FINDING_KERNEL_NAMESPACE, name, fix, "user.max_%s_namespaces is 0", name);
}

static void check_seccomp(struct doctor *d)
{
    cleanup_free char *actions = NULL;

    if (cl_read_file_at(AT_FDCWD, "/proc/sys/kernel/seccomp/actions_avail", &actions) < 0 ||
        !strstr(actions, "errno"))
        doctor_find(d, FINDING_KERNEL_SECCOMP, NULL, "", "this kernel has no seccomp filters");
}

static void check_calls(struct doctor *d)
{
    static const struct {
        const char *name;
        long number;
    } calls[] = {
        {"open_tree", SYS_open_tree},   {"move_mount", SYS_move_mount},       {"fsopen", SYS_fsopen},
        {"fsmount", SYS_fsmount},       {"mount_setattr", SYS_mount_setattr}, {"openat2", SYS_openat2},
        {"pidfd_open", SYS_pidfd_open},
    };

    for (size_t i = 0; i < CL_ARRAY_SIZE(calls); i++)
        if (syscall(calls[i].number, -1, NULL, -1, NULL, 0) < 0 && errno == ENOSYS)
            doctor_find(d, FINDING_KERNEL_MOUNT, calls[i].name, "", "this kernel has no %s(2)", calls[i].name);
}

/* Once, by the gravest policy that asks for it. */
static void check_landlock(struct doctor *d)
{
    const struct cl_policy *gravest = NULL;
    int abi = cl_landlock_abi();

    for (size_t i = 0; d->config && i < cl_config_count(d->config); i++) {
        const struct cl_policy *policy = cl_config_policy(d->config, i);

        if (policy->files.landlock &&
            (!gravest || gravest->files.landlock_when_unavailable > policy->files.landlock_when_unavailable))
            gravest = policy;
    }
    if (!gravest || abi >= CL_LANDLOCK_ABI_MIN)
        return;
    doctor_find(d,
                gravest->files.landlock_when_unavailable == CL_UNAVAILABLE_REFUSE ? FINDING_LANDLOCK
                                                                                  : FINDING_LANDLOCK_OPTIONAL,
                NULL, "", abi > 0 ? "Landlock of this kernel is older than Linux 5.19's, and policy %s asks for it"
                                  : "this kernel has no Landlock, or its option lsm= leaves it out, and policy %s asks "
                                    "for it",
                gravest->name);
}

void doctor_kernel(struct doctor *d)
{
    static const char *const namespaces[] = {"user", "pid", "mnt", "ipc", "uts", "net", "cgroup"};
    struct utsname name;

    if (uname(&name) < 0)
        return;
    check_version(d, &name);
    for (size_t i = 0; i < CL_ARRAY_SIZE(namespaces); i++)
        check_namespace(d, namespaces[i]);
    check_seccomp(d);
    check_calls(d);
    check_landlock(d);
    doctor_idmap(d);
    doctor_ok(d, "Linux %s has the namespaces, seccomp filters and mount calls that cells need", name.release);
}
