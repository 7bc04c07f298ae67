/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Placement. Theory of operation: the process arrives as root of the host, holding descriptors that
 * root-owned code opened. It gives up one thing at a time, and each step must still be possible when its turn
 * comes:
 *
 *   descriptors    of a service with fork placement: none gets past its exec
 *   privilege      of such a service, where it has set it aside
 *   cgroup         while the host's credentials count: the kernel checks who opened cgroup.procs
 *   oom_score_adj  while /proc is the host's, where it may be written
 *   namespaces     all at once by pidfd; from here /proc is the cell's, and no name of the host resolves
 *   verify         the cell that was joined is the one that was planned, by inode number
 *   capabilities   bounding set, then gid and uid, then ambient, inheritable, permitted, effective: uid 0 of
 *                  the host is not mapped in the cell, so the kernel never clears them by itself at setuid
 *   files          of a service with fork placement: as the user's, until it becomes the user
 *   AppArmor       before no_new_privs, after which a confined service could not change its profile any more
 *   Landlock       after no_new_privs, which it asks for, and after AppArmor, whose files in /proc it might shut
 *   seccomp        last: nothing here may depend on what a profile allows
 *
 * Nothing is undone. A caller that gets an error must _exit.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/apparmor.h>
#include <sys/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"
#include "place.h"
#include "raise.h"
#include "util.h"

void cl_plan_fds_close(struct cl_plan_fds *fds)
{
    for (size_t i = 0; i < CL_FD_COUNT; i++)
        cl_close(&fds->fd[i]);
}

/* Services leave open what they, or who started them, had open: a folder of the host would be a way out of the cell. The
 * service itself still has them until it execs, with 0 to 2 as it made them. */
static int seal_descriptors(struct cl_error *e)
{
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        return cl_fail(e, errno, "mark the service's descriptors close-on-exec");
    return 0;
}

/* They are not put back: what the process keeps is set below. */
static int raise_capabilities(struct cl_error *e)
{
    cap_t before = NULL;
    int r = cl_raise_begin(&before);

    (void)cap_free(before);
    return r < 0 ? cl_fail(e, -r, "make the service's capabilities effective") : 0;
}

static int join_cgroup(int procs_fd, struct cl_error *e)
{
    if (write(procs_fd, "0", 1) != 1) /* "0" is the writer itself: cgroups(7) */
        return cl_fail(e, errno, "join the cell's cgroup");
    return 0;
}

static int reset_oom(struct cl_error *e)
{
    int r = cl_write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", "0");

    return r < 0 ? cl_fail(e, -r, "reset oom_score_adj") : 0;
}

static int join_keyring(struct cl_error *e)
{
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
        return cl_fail(e, errno, "join a new session keyring");
    return 0;
}

static int verify_namespaces(const struct cl_plan *plan, int dir, struct cl_error *e)
{
    uint64_t inodes[CL_NS_COUNT];
    int r = cl_ns_inodes(dir, false, inodes);

    if (r < 0)
        return cl_fail(e, -r, "read namespaces inside the cell");
    for (enum cl_ns ns = 0; ns < CL_NS_COUNT; ns++)
        if (plan->inodes[ns] && plan->inodes[ns] != inodes[ns])
            return cl_fail(e, EXDEV, "verify the %s namespace", cl_ns_info(ns)->name);
    return 0;
}

/* The pid namespace cannot be joined, only be born into; setns(2) would move later children only. The folder of links is
 * opened before: in the cell, a service that is neither root nor the user just then could not. */
static int join_namespaces(const struct cl_plan *plan, int init_fd, struct cl_error *e)
{
    cleanup_fd int dir = open("/proc/self/ns", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return cl_fail(e, errno, "open /proc/self/ns");
    if (setns(init_fd, (int)plan->namespaces & ~CLONE_NEWPID) < 0)
        return cl_fail(e, errno, "setns into the cell");
    return verify_namespaces(plan, dir, e);
}

/* su without a login stays where it was called, if the cell has that folder; joining a mount namespace has led to its root.
 * No link is followed: the path has none, unless somebody made one since, perhaps to a descriptor of the service. */
static void return_to(const char *folder)
{
    const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                                 .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    cleanup_fd int fd = folder[0] == '/' ? (int)syscall(SYS_openat2, AT_FDCWD, folder, &how, sizeof(how)) : -1;

    if (fd < 0 || fchdir(fd) < 0) /* the root it is, then */
        return;
}

static int drop_bounding(uint64_t keep, struct cl_error *e)
{
    for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
        if (!(cap < 64 && (keep >> cap & 1)) && cap_drop_bound(cap) < 0)
            return cl_fail(e, errno, "drop capability %d from the bounding set", cap);
    return 0;
}

static int become_user(const struct cl_plan *plan, struct cl_error *e)
{
    if (setresgid(plan->gid, plan->gid, plan->gid) < 0)
        return cl_fail(e, errno, "setresgid %u", plan->gid);
    if (setresuid(plan->uid, plan->uid, plan->uid) < 0)
        return cl_fail(e, errno, "setresuid %u", plan->uid);
    return 0;
}

/* Set inheritable to the ambient set, permitted and effective to keep, and raise the ambient set. */
static int set_capabilities(uint64_t keep, uint64_t ambient, struct cl_error *e)
{
    cap_t caps = cap_init();
    int r = caps ? 0 : -1;

    for (cap_value_t cap = 0; r == 0 && cap < cap_max_bits() && cap < 64; cap++) {
        if (keep >> cap & 1)
            r = cap_set_flag(caps, CAP_PERMITTED, 1, &cap, CAP_SET) |
                cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_SET);
        if (r == 0 && (ambient >> cap & 1))
            r = cap_set_flag(caps, CAP_INHERITABLE, 1, &cap, CAP_SET);
    }
    if (r == 0)
        r = cap_reset_ambient();
    if (r == 0)
        r = cap_set_proc(caps);
    for (cap_value_t cap = 0; r == 0 && cap < cap_max_bits() && cap < 64; cap++)
        if (ambient >> cap & 1)
            r = cap_set_ambient(cap, CAP_SET);
    if (r < 0)
        r = cl_fail(e, errno, "set capabilities");
    (void)cap_free(caps);
    return r;
}

static int change_profile(const char *profile, const char *wanted, struct cl_error *e)
{
    char *label = NULL, *mode = NULL;
    int r = 0;

    if (aa_change_profile(profile) < 0)
        return cl_fail(e, errno, "change to AppArmor profile %s", profile);
    if (aa_getcon(&label, &mode) < 0)
        return cl_fail(e, errno, "read the AppArmor label");
    if (strcmp(label, profile) != 0 || !mode || strcmp(mode, wanted) != 0)
        r = cl_fail(e, EPERM, "AppArmor label is %s, not %s in %s mode", label, profile, wanted);
    free(label); /* mode points into it: aa_getcon(2) */
    return r;
}

static int install_filter(int fd, bool log, struct cl_error *e)
{
    cleanup_free struct sock_filter *code = NULL;
    struct sock_fprog program;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return cl_fail(e, errno, "stat the seccomp filter");
    if (st.st_size <= 0 || (size_t)st.st_size % sizeof(*code) != 0 ||
        (size_t)st.st_size / sizeof(*code) > BPF_MAXINSNS)
        return cl_fail(e, EINVAL, "seccomp filter of %lld bytes", (long long)st.st_size);
    code = malloc((size_t)st.st_size);
    if (!code)
        return cl_fail(e, ENOMEM, "read the seccomp filter");
    if (pread(fd, code, (size_t)st.st_size, 0) != st.st_size)
        return cl_fail(e, EIO, "read the seccomp filter");
    program.len = (unsigned short)((size_t)st.st_size / sizeof(*code));
    program.filter = code;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, log ? SECCOMP_FILTER_FLAG_LOG : 0, &program) != 0)
        return cl_fail(e, errno, "install the seccomp filter");
    return 0;
}

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

/* What the process keeps, inside the cell's user namespace only. A service with fork placement still sets
 * groups, gid and uid; no more, for through id-mapped mounts any other capability would count for root's
 * files. Its exec clears these. */
static uint64_t kept_capabilities(const struct cl_plan *plan)
{
    if (plan->placement == CL_PLACEMENT_FORK)
        return plan->ambient | CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID);
    return plan->ambient;
}

static int lock_down(const struct cl_plan *plan, const struct cl_plan_fds *fds, struct cl_error *e)
{
    bool needs_admin =
        (plan->has_seccomp || plan->has_landlock) && !plan->no_new_privs; /* both want one or the other */
    uint64_t kept = kept_capabilities(plan);
    int r = set_capabilities(needs_admin ? kept | CAP_BIT(CAP_SYS_ADMIN) : kept, plan->ambient, e);

    if (r == 0 && plan->apparmor[0])
        r = change_profile(plan->apparmor, plan->complain ? "complain" : "enforce", e);
    if (r == 0 && plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = cl_fail(e, errno, "set no_new_privs");
    if (r == 0 && plan->has_landlock && (r = cl_landlock_restrict(fds->fd[CL_FD_LANDLOCK])) < 0)
        r = cl_fail(e, -r, "be bound by the Landlock ruleset");
    if (r == 0 && plan->has_seccomp)
        r = install_filter(fds->fd[CL_FD_SECCOMP], plan->seccomp_log, e);
    if (r == 0 && needs_admin)
        r = set_capabilities(kept, plan->ambient, e);
    return r;
}

/* The kernel's word for what set_capabilities did. */
static int verify_capabilities(uint64_t kept, uint64_t inheritable, struct cl_error *e)
{
    cap_t caps = cap_get_proc();
    bool same = caps != NULL;

    for (cap_value_t cap = 0; same && cap < cap_max_bits() && cap < 64; cap++) {
        cap_flag_value_t permitted, effective, inherited;

        same = cap_get_flag(caps, cap, CAP_PERMITTED, &permitted) == 0 &&
               cap_get_flag(caps, cap, CAP_EFFECTIVE, &effective) == 0 &&
               cap_get_flag(caps, cap, CAP_INHERITABLE, &inherited) == 0 && permitted == (kept >> cap & 1) &&
               effective == permitted && inherited == (inheritable >> cap & 1);
    }
    (void)cap_free(caps);
    return same ? 0 : cl_fail(e, EPERM, "verify the capabilities");
}

/* util-linux' login opens its terminal anew in the child, before it becomes the user: who is root of the host is nobody in the
 * cell, and has no terminal there. What is opened until then, is opened as the user. */
static int open_as_user(uid_t uid, struct cl_error *e)
{
    (void)setfsuid(uid);
    if ((uid_t)setfsuid((uid_t)-1) != uid)
        return cl_fail(e, EPERM, "setfsuid %u", uid);
    return 0;
}

/* Trust nothing: try to come back. */
static int verify_dropped(const struct cl_plan *plan, struct cl_error *e)
{
    if (getuid() != plan->uid || geteuid() != plan->uid || getgid() != plan->gid || getegid() != plan->gid)
        return cl_fail(e, EPERM, "verify the uid and gid");
    if (!(plan->ambient & CAP_BIT(CAP_SETUID)) && setresuid(0, 0, 0) == 0)
        return cl_fail(e, EPERM, "root could be regained");
    return verify_capabilities(plan->ambient, plan->ambient, e);
}

static int stage(struct cl_error *e, const char *name, int r)
{
    if (r < 0 && e && !e->stage[0])
        (void)strncpy(e->stage, name, sizeof(e->stage) - 1);
    return r;
}

int cl_place(const struct cl_plan *plan, const struct cl_plan_fds *fds, struct cl_error *e)
{
    bool fork = plan->placement == CL_PLACEMENT_FORK;
    char folder[PATH_MAX] = "";
    int r = 0;

    if (fork && !getcwd(folder, sizeof(folder)))
        folder[0] = '\0';
    if (fork)
        r = stage(e, "place-descriptors", seal_descriptors(e));
    if (r == 0 && fork)
        r = stage(e, "place-privilege", raise_capabilities(e));
    if (r == 0 && plan->has_cgroup)
        r = stage(e, "place-cgroup", join_cgroup(fds->fd[CL_FD_CGROUP], e));
    if (r == 0)
        r = stage(e, "place-oom", reset_oom(e));
    if (r == 0)
        r = stage(e, "place-namespaces", join_namespaces(plan, fds->fd[CL_FD_INIT], e));
    if (r == 0 && fork)
        return_to(folder);
    if (r == 0)
        r = stage(e, "place-capabilities", drop_bounding(plan->bounding, e));
    if (r == 0 && !fork)
        r = stage(e, "place-user", become_user(plan, e));
    if (r == 0)
        r = stage(e, "place-keyring", join_keyring(e));
    if (r == 0)
        r = stage(e, "place-files", fork ? open_as_user(plan->uid, e) : 0);
    if (r == 0)
        r = stage(e, "place-lockdown", lock_down(plan, fds, e));
    if (r == 0 && !fork)
        r = stage(e, "place-verify", verify_dropped(plan, e));
    return r;
}
