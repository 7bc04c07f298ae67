/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a policy says, as plain data, and where the administrator said it. config/schema.c has the table of keys
 * that fills these structures; every other part only reads them.
 */
#ifndef CL_POLICY_H
#define CL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"
#include "user.h"

/* The build defines CL_CONFIG_DIR, /etc/cloister. */
#define CL_UNLIMITED UINT64_MAX

/* Every key of cloister.conf(5) that a policy may set, in the order of the manual. The name of a key is its path:
 * CL_KEY_CGROUP_PIDS_MAX is "cgroup.pids_max". */
enum cl_key {
    CL_KEY_NAME,
    CL_KEY_INHERIT,
    CL_KEY_PRIORITY,
    CL_KEY_MATCH_GROUPS,
    CL_KEY_MATCH_USERS,
    CL_KEY_MATCH_SERVICES,
    CL_KEY_MODE,
    CL_KEY_NAMESPACES_USER,
    CL_KEY_NAMESPACES_PID,
    CL_KEY_NAMESPACES_MOUNT,
    CL_KEY_NAMESPACES_IPC,
    CL_KEY_NAMESPACES_UTS,
    CL_KEY_NAMESPACES_NET,
    CL_KEY_NAMESPACES_CGROUP,
    CL_KEY_NAMESPACES_NESTED,
    CL_KEY_NAMESPACES_HOSTNAME,
    CL_KEY_NAMESPACES_IDENTITY,
    CL_KEY_NAMESPACES_SHARE,
    CL_KEY_CGROUP_PIDS_MAX,
    CL_KEY_CGROUP_MEMORY_MAX,
    CL_KEY_CGROUP_MEMORY_HIGH,
    CL_KEY_CGROUP_SWAP_MAX,
    CL_KEY_CGROUP_CPU_MAX,
    CL_KEY_CGROUP_CPU_WEIGHT,
    CL_KEY_CGROUP_IO,
    CL_KEY_CGROUP_WHEN_UNAVAILABLE,
    CL_KEY_CGROUP_SESSION_PIDS_MAX,
    CL_KEY_CGROUP_SESSION_MEMORY_MAX,
    CL_KEY_CGROUP_SESSION_MEMORY_HIGH,
    CL_KEY_CGROUP_SESSION_SWAP_MAX,
    CL_KEY_CGROUP_SESSION_CPU_MAX,
    CL_KEY_CGROUP_SESSION_CPU_WEIGHT,
    CL_KEY_CGROUP_SESSION_IO,
    CL_KEY_CAPABILITIES_BOUNDING,
    CL_KEY_CAPABILITIES_ADD,
    CL_KEY_CAPABILITIES_DROP,
    CL_KEY_CAPABILITIES_AMBIENT,
    CL_KEY_SECCOMP_PROFILE,
    CL_KEY_SECCOMP_ALLOW,
    CL_KEY_SECCOMP_DENY,
    CL_KEY_SECCOMP_ACTION,
    CL_KEY_SECCOMP_LOG,
    CL_KEY_SECCOMP_WHEN_UNAVAILABLE,
    CL_KEY_APPARMOR_PROFILE,
    CL_KEY_APPARMOR_WHEN_UNAVAILABLE,
    CL_KEY_NO_NEW_PRIVS,
    CL_KEY_FILES_ROOT,
    CL_KEY_FILES_OVERLAY,
    CL_KEY_FILES_HOME,
    CL_KEY_FILES_PRIVATE,
    CL_KEY_FILES_TMP_SIZE,
    CL_KEY_FILES_TMP_INODES,
    CL_KEY_FILES_HIDE,
    CL_KEY_FILES_READ_ONLY,
    CL_KEY_FILES_MOUNTS,
    CL_KEY_FILES_DEV,
    CL_KEY_FILES_PTS,
    CL_KEY_FILES_PTS_MAX,
    CL_KEY_FILES_PROC,
    CL_KEY_FILES_LANDLOCK,
    CL_KEY_FILES_LANDLOCK_WHEN_UNAVAILABLE,
    CL_KEY_NETWORK_MODE,
    CL_KEY_NETWORK_ALLOW,
    CL_KEY_NETWORK_DNS,
    CL_KEY_NETWORK_RATE,
    CL_KEY_SESSION_ON_LOGOUT,
    CL_KEY_SESSION_GRACE,
    CL_KEY_SESSION_LINGER,
    CL_KEY_SESSION_IDLE,
    CL_KEY_SESSION_MAX,
    CL_KEY_ENV,
    CL_KEY_COUNT
};

/* audit: seccomp and AppArmor log what they would refuse, and let it pass. */
enum cl_mode { CL_MODE_ENFORCE, CL_MODE_AUDIT };
/* What to do where the kernel lacks a layer. */
enum cl_unavailable { CL_UNAVAILABLE_REFUSE, CL_UNAVAILABLE_CONTINUE };
/* natural: id-mapped mounts show root's files as root's; plain: as nobody's. */
enum cl_identity { CL_IDENTITY_NATURAL, CL_IDENTITY_PLAIN };
enum cl_overlay { CL_OVERLAY_NONE, CL_OVERLAY_TMPFS };
enum cl_home { CL_HOME_BIND, CL_HOME_TMPFS, CL_HOME_READONLY };
enum cl_dev { CL_DEV_MINIMAL };
/* private: a devpts of the cell's own. */
enum cl_pts { CL_PTS_HOST, CL_PTS_PRIVATE };
/* masked: without what Docker takes away from a container. */
enum cl_proc { CL_PROC_MASKED, CL_PROC_WHOLE };
enum cl_network { CL_NETWORK_ISOLATED, CL_NETWORK_NAT, CL_NETWORK_HOST };
/* login: each has a cell of its own; user: all of a user that a policy makes the same cell for are in one. */
enum cl_share { CL_SHARE_LOGIN, CL_SHARE_USER };
/* After the last login of a cell: it ends; or what still runs goes on, for a time, or until it ends by itself. */
enum cl_on_logout { CL_ON_LOGOUT_KILL, CL_ON_LOGOUT_LINGER, CL_ON_LOGOUT_KEEP };
/* What a denied system call does: fails with EPERM, kills the process, or is only logged. */
enum cl_seccomp_action { CL_SECCOMP_ERRNO, CL_SECCOMP_KILL, CL_SECCOMP_LOG };

struct cl_io_limit {
    char *path; /* a file or directory on the filesystem, or a block device, whose device is limited */
    uint64_t rbps, wbps;   /* bytes per second, CL_UNLIMITED when not limited */
    uint64_t riops, wiops; /* operations per second */
};

/* Limits of one cgroup; CL_UNLIMITED writes "max". See the kernel's Documentation/admin-guide/cgroup-v2.rst. */
struct cl_limits {
    uint64_t pids_max;    /* processes and threads */
    uint64_t memory_max;  /* bytes */
    uint64_t memory_high; /* bytes */
    uint64_t swap_max;    /* bytes */
    uint64_t cpu_max;     /* percent of one CPU: 150 is one and a half */
    uint64_t cpu_weight;  /* 1..10000; CL_UNLIMITED: leave the kernel's default, 100 */
    struct cl_io_limit *io;
    size_t n_io;
};

struct cl_mount {
    char *source; /* a path of the host; NULL: a tmpfs */
    char *target; /* a path of the cell */
    bool read_only, noexec, recursive; /* nosuid and nodev always hold */
    uint64_t size;   /* tmpfs: bytes, CL_UNLIMITED: files.tmp_size */
    uint64_t inodes; /* tmpfs: CL_UNLIMITED: files.tmp_inodes */
};

struct cl_env {
    char *name, *value;
};

struct cl_origin {
    const char *file; /* owned by the configuration; NULL: built-in default */
    unsigned line;
};

struct cl_policy {
    char *name, *inherit; /* inherit: NULL when not given */
    int64_t priority;
    struct {
        char **groups, **users, **services; /* NULL: not given, matches all */
    } match;
    enum cl_mode mode;
    struct {
        bool user, pid, mount, ipc, uts, net, cgroup;
        uint64_t nested; /* how many nested user (and other) namespaces the cell may make; 0: none */
        char *hostname;  /* expanded; NULL: the host's */
        enum cl_identity identity;
        enum cl_share share;
    } namespaces;
    struct {
        struct cl_limits user, session;
        enum cl_unavailable when_unavailable;
    } cgroup;
    struct {
        char **bounding_names, **add, **drop, **ambient_names; /* as written */
        uint64_t bounding; /* bit n is capability n: (bounding | add) & ~drop, cut to what this libcap knows */
        uint64_t ambient;  /* a subset of bounding */
    } capabilities;
    struct {
        char *profile; /* "default", "unconfined" or an absolute path */
        char **allow, **deny;
        enum cl_seccomp_action action;
        bool log;
        enum cl_unavailable when_unavailable;
    } seccomp;
    struct {
        char *profile; /* a profile's name or "unconfined" */
        enum cl_unavailable when_unavailable;
    } apparmor;
    bool no_new_privs;
    struct {
        char *root;
        enum cl_overlay overlay; /* what takes the cell's writes to its root, instead of the host's files */
        enum cl_home home;
        char **private_dirs, **hide, **read_only;
        uint64_t tmp_size;   /* bytes, for each private directory */
        uint64_t tmp_inodes; /* files and folders, for each */
        struct cl_mount *mounts;
        size_t n_mounts;
        enum cl_dev dev;
        enum cl_pts pts;
        uint64_t pts_max; /* of private: terminals in one cell */
        enum cl_proc proc;
        bool landlock; /* the view is enforced by Landlock, too */
        enum cl_unavailable landlock_when_unavailable;
    } files;
    struct {
        enum cl_network mode;
        char **allow;  /* of nat: where to; include/address.h */
        char **dns;    /* of nat: servers' addresses, or "host": the host's own servers */
        uint64_t rate; /* of nat: bits per second, each way */
    } network;
    struct {
        enum cl_on_logout on_logout;
        uint64_t grace;  /* seconds between SIGHUP and SIGKILL at logout */
        uint64_t linger; /* seconds past the last logout, at most */
        uint64_t idle;   /* seconds without input after which a login with a terminal is ended; 0: never */
        uint64_t max;    /* logins of one user, and cells that go on without one; 0: no limit */
    } session;
    struct cl_env *env;
    size_t n_env;
    struct cl_origin origin[CL_KEY_COUNT]; /* where the value in force was written, through inheritance */
};

const char *cl_key_name(enum cl_key key); /* "cgroup.pids_max" */
/* The value of a key, as a file would say it, in a new string; NULL: no memory. */
char *cl_policy_text(const struct cl_policy *policy, enum cl_key key);
/* Writes "FILE:LINE" or "built-in"; returns buf. */
const char *cl_policy_origin(const struct cl_policy *policy, enum cl_key key, char *buf, size_t size);
/* Fail because of what a key says: cl_fail_key with the key's name and origin. Returns -err. */
int cl_policy_fail(const struct cl_policy *policy, enum cl_key key, struct cl_error *e, int err, const char *fmt,
                   ...) CL_PRINTF(5, 6);

#endif
