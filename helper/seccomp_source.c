/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From a policy to its seccomp profile's text and to a program: what the login, the check and the questions
 * of `cloister explain --can` have in common.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp_names.h"
#include "seccomp_source.h"
#include "util.h"

#define PROFILE_MAX_SIZE (1 << 20)

void seccomp_source_clear(struct seccomp_source *source)
{
    free(source->path);
    free(source->text);
    *source = (struct seccomp_source){0};
}

bool seccomp_is_unconfined(const struct cl_policy *policy)
{
    return strcmp(policy->seccomp.profile, "unconfined") == 0;
}

/* Each of them asks for a capability over a namespace, which nobody has but over one of their own making. What
 * CAP_SYS_ADMIN opens besides (bpf, perf_event_open, quotactl, fanotify_init …) stays shut. */
char *const *seccomp_nested_calls(const struct cl_policy *policy)
{
    static char clone[] = "clone", clone3[] = "clone3", unshare[] = "unshare", setns[] = "setns", mount[] = "mount",
                umount[] = "umount", umount2[] = "umount2", pivot_root[] = "pivot_root", chroot[] = "chroot",
                open_tree[] = "open_tree", move_mount[] = "move_mount", fsopen[] = "fsopen", fsconfig[] = "fsconfig",
                fsmount[] = "fsmount", fspick[] = "fspick", mount_setattr[] = "mount_setattr",
                sethostname[] = "sethostname", setdomainname[] = "setdomainname";
    static char *const calls[] = {clone,     clone3,     unshare, setns,    mount,   umount, umount2,       pivot_root,  chroot,
                                  open_tree, move_mount, fsopen,  fsconfig, fsmount, fspick, mount_setattr, sethostname, setdomainname,
                                  NULL};

    return policy->namespaces.nested > 0 && strcmp(policy->seccomp.profile, "default") == 0 ? calls : NULL;
}

/* Only a regular file that nobody but root (`check`: or its own user) may change; a FIFO must not block a
 * login. */
static int read_profile(const char *path, char **ret, size_t *ret_size, struct cl_error *e)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return cl_fail(e, errno, "open %s", path);
    if (!S_ISREG(st.st_mode))
        return cl_fail(e, EINVAL, "%s is not a regular file", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return cl_fail(e, EPERM, "%s is not owned by root", path);
    if (st.st_mode & 022)
        return cl_fail(e, EPERM, "%s is writable by group or others", path);
    r = cl_read_all(fd, PROFILE_MAX_SIZE, ret, ret_size);
    return r < 0 ? cl_fail(e, -r, "read %s", path) : 0;
}

int seccomp_source_read(const struct cl_policy *policy, struct seccomp_source *source, struct cl_error *e)
{
    const char *profile = policy->seccomp.profile;

    if (strcmp(profile, "default") == 0)
        profile = CL_PROFILE_DIR "/default.json";
    else if (*profile != '/')
        return cl_fail(e, EINVAL, "\"%s\" is neither default, unconfined nor an absolute path", profile);
    source->path = strdup(profile);
    if (!source->path)
        return cl_fail(e, ENOMEM, "load %s", profile);
    if (uname(&source->kernel) < 0)
        return cl_fail(e, errno, "uname");
    if (sscanf(source->kernel.release, "%5u.%5u", &source->host.kernel_major, &source->host.kernel_minor) !=
        2)
        return cl_fail(e, EINVAL, "the kernel calls its version \"%s\"", source->kernel.release);
    source->host.arch = seccomp_arch_native();
    source->host.bounding = policy->capabilities.bounding;
    return read_profile(profile, &source->text, &source->size, e);
}

int seccomp_source_parse(const struct seccomp_source *source, struct seccomp_profile **ret,
                         struct cl_error *e)
{
    return seccomp_profile_parse(source->path, source->text, source->size, &source->host, ret, e);
}

struct seccomp_overlay seccomp_overlay_of(const struct cl_policy *policy)
{
    return (struct seccomp_overlay){.allow = policy->seccomp.allow,
                                    .deny = policy->seccomp.deny,
                                    .nested = seccomp_nested_calls(policy),
                                    .action = policy->seccomp.action,
                                    .audit = policy->mode == CL_MODE_AUDIT};
}

/* A denial that can't be given must not be lost: the name is wrong, or too young for libseccomp and for us.
 */
int seccomp_check_deny(const struct cl_policy *policy, struct cl_error *e)
{
    for (char **name = policy->seccomp.deny; name && *name; name++)
        if (!seccomp_name_known(*name))
            return cl_policy_fail(policy, CL_KEY_SECCOMP_DENY, e, EINVAL, "unknown system call \"%s\"",
                                  *name);
    return 0;
}
