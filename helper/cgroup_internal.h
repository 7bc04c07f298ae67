/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the two cgroup managers share: the table of limits, the limits of one open, and the work on a cgroup's
 * directory that is the same with either. Not for use outside helper/cgroup*.c and their test.
 */
#ifndef CL_CGROUP_INTERNAL_H
#define CL_CGROUP_INTERNAL_H

#include "cgroup.h"

enum cgroup_controller {
    CGROUP_CONTROLLER_PIDS,
    CGROUP_CONTROLLER_MEMORY,
    CGROUP_CONTROLLER_CPU,
    CGROUP_CONTROLLER_IO,
    CGROUP_CONTROLLER_COUNT
};

enum cgroup_limit {
    CGROUP_PIDS_MAX,
    CGROUP_MEMORY_MAX,
    CGROUP_MEMORY_HIGH,
    CGROUP_SWAP_MAX,
    CGROUP_CPU_MAX,
    CGROUP_CPU_WEIGHT,
    CGROUP_IO_MAX, /* not one value but a list of devices */
    CGROUP_LIMIT_COUNT
};

enum cgroup_rate {
    CGROUP_READ_BYTES,
    CGROUP_WRITE_BYTES,
    CGROUP_READ_OPS,
    CGROUP_WRITE_OPS,
    CGROUP_RATE_COUNT
};

/* Where limits apply: the user's cgroup and the leaf of one cell. */
enum cgroup_level { CGROUP_USER, CGROUP_SESSION, CGROUP_LEVEL_COUNT };

struct cgroup_limit_info {
    enum cgroup_controller controller;
    const char *file;      /* of the kernel's cgroup-v2.rst */
    const char *unlimited; /* what resets the file */
    const char *property;  /* systemd's, of org.freedesktop.systemd1; NULL for io: one for each rate */
    size_t offset;         /* in struct cl_limits */
    enum cl_key key[CGROUP_LEVEL_COUNT];
};

struct cgroup_rate_info {
    const char *word;     /* in io.max */
    const char *property; /* systemd's */
    size_t offset;        /* in struct cl_io_limit */
};

extern const struct cgroup_limit_info cgroup_limit_table[CGROUP_LIMIT_COUNT];
extern const struct cgroup_rate_info cgroup_rate_table[CGROUP_RATE_COUNT];

#define CGROUP_ALL_LIMITS  ((1U << CGROUP_LIMIT_COUNT) - 1)
#define CGROUP_DEVICES_MAX 16
#define CGROUP_ID_MAX      32
#define CGROUP_FS_TOP      "cloister" /* of cgroupfs: TOP/USER<uid>/ID */
#define CGROUP_FS_USER     "user-"
#define CGROUP_HELPERS     "cloister-helpers" /* cgroup_leave.c */

struct cgroup_device {
    unsigned major, minor; /* of a whole disk: the kernel refuses partitions */
    uint64_t rate[CGROUP_RATE_COUNT];
};

struct cgroup_limits {
    uint64_t value[CGROUP_LIMIT_COUNT]; /* as in struct cl_limits; CGROUP_IO_MAX unused */
    struct cgroup_device device[CGROUP_DEVICES_MAX];
    size_t n_devices;
};

/* One open: the request and what remains of the policy's limits once those that the kernel lacks are left
 * out. */
struct cgroup_setup {
    const struct cgroup_request *request;
    int mount_fd; /* of the cgroup2 mount, O_DIRECTORY, borrowed */
    struct cgroup_limits limits[CGROUP_LEVEL_COUNT];
};

/* cgroup_limits.c: what the limits are */

const char *cgroup_controller_name(enum cgroup_controller controller);
/* The controllers, as bits 1 << enum, of a space-separated list as in cgroup.controllers; others are ignored.
 */
unsigned cgroup_controllers_parse(const char *text);
/* The controllers that the limits of both levels need. */
unsigned cgroup_controllers_needed(const struct cgroup_setup *setup);

bool cgroup_limit_is_set(const struct cgroup_limits *limits, enum cgroup_limit limit);
/* The limits of the policy, of the controllers available. A limit of another: as cgroup_limit_unavailable. */
int cgroup_limits_collect(struct cgroup_setup *setup, unsigned available, struct cl_error *e) CL_WARN_UNUSED;
int cgroup_limits_collect_level(struct cgroup_setup *setup, enum cgroup_level level, unsigned available,
                                struct cl_error *e) CL_WARN_UNUSED;
void cgroup_limits_none(struct cgroup_limits *limits);
/* The kernel can't hold this limit: an error that blames its key, or, where the policy says "continue", a
 * warning in the log, and the limit is left out. why completes the sentence "… is set, but". */
int cgroup_limit_unavailable(struct cgroup_setup *setup, enum cgroup_level level, enum cgroup_limit limit,
                             const char *why, struct cl_error *e) CL_WARN_UNUSED;
/* The same for all limits of a controller. */
int cgroup_controller_unavailable(struct cgroup_setup *setup, enum cgroup_controller controller,
                                  const char *why, struct cl_error *e) CL_WARN_UNUSED;
/* The text that sets a limit (not CGROUP_IO_MAX) in its file, and that of a device in io.max. */
void cgroup_limit_format(enum cgroup_limit limit, uint64_t value, char *buf, size_t size);
void cgroup_device_format(const struct cgroup_device *device, char *buf, size_t size);
/* Does the text of a limit's file say that the value is in force? The kernel rounds memory down to pages, and
 * systemd may choose another period for the CPU. */
bool cgroup_limit_in_force(enum cgroup_limit limit, uint64_t value, const char *text);
bool cgroup_device_in_force(const struct cgroup_device *device, const char *text);

/* cgroup_apply.c: writing and reading them */

/* Write the limits of a level, those in which (bits 1 << enum), into the cgroup dir_fd; what isn't limited is reset where its
 * file exists. -ESTALE, with no error recorded: the cgroup has been removed. */
int cgroup_limits_write(struct cgroup_setup *setup, enum cgroup_level level, unsigned which, int dir_fd,
                        struct cl_error *e) CL_WARN_UNUSED;
/* Which limits, bits 1 << enum, differ from what is in force in the cgroup; what isn't limited counts, too. A
 * limit that can't be read differs. */
unsigned cgroup_limits_differ(const struct cgroup_limits *limits, int dir_fd);
/* Read back that the limits of a level are in force in dir_fd, for up to settle_ms until they are. */
int cgroup_limits_verify(struct cgroup_setup *setup, enum cgroup_level level, int dir_fd, int settle_ms,
                         struct cl_error *e) CL_WARN_UNUSED;

/* cgroup_device.c: from paths to disks */

/* The whole disk behind a path: of a block device node that device, of anything else the device of its
 * filesystem; from a partition to its disk, and from a device-mapper target to the disk below where there is
 * only one, as systemd does. -ENODEV when the filesystem has no block device of its own (btrfs, overlay, nfs,
 * tmpfs). */
int cgroup_device_resolve(const char *path, unsigned *ret_major, unsigned *ret_minor) CL_WARN_UNUSED;

/* cgroup_dir.c: names, and what is done through a cgroup's directory */

/* Open path ("/…") below the mount: a directory, nothing else, without following symbolic links. */
int cgroup_dir_open(int mount_fd, const char *path, int flags) CL_WARN_UNUSED;
/* The names of the directories in dir_fd that are prefix + something + suffix; unsorted. */
int cgroup_dir_list(int dir_fd, const char *prefix, const char *suffix, char ***ret) CL_WARN_UNUSED;
/* 1 when a process is in the cgroup or below, 0 when not, -ENOENT when the cgroup is gone. */
int cgroup_dir_populated(int dir_fd) CL_WARN_UNUSED;
/* Kill all that is in the cgroup and below; wait, until deadline_ms, for it to be empty. A cgroup that goes
 * away meanwhile is empty. */
int cgroup_dir_kill(int dir_fd, int64_t deadline_ms, struct cl_error *e) CL_WARN_UNUSED;
/* Is pid in the cgroup at path? 0, -ESRCH when there is no such process, -EXDEV when it is elsewhere. */
int cgroup_dir_has(const char *path, pid_t pid) CL_WARN_UNUSED;
/* Sleep longer each time, from 1 ms to 20 ms: false once deadline_ms has passed. *pause_ms starts as 0. */
bool cgroup_pause(int *pause_ms, int64_t deadline_ms);

/* Shapes of names. Ids are of [0-9a-z], up to CGROUP_ID_MAX. */
bool cgroup_id_is_valid(const char *id);
/* The leaf's path; the user's cgroup is its directory. */
int cgroup_path_make(enum cl_cgroup_manager manager, uid_t uid, const char *id, char **ret) CL_WARN_UNUSED;
/* Is it exactly a path that cgroup_path_make makes for this user? */
bool cgroup_path_is_valid(enum cl_cgroup_manager manager, const char *path, uid_t uid);
/* The uid of "PREFIX<uid>SUFFIX". 0 or -EINVAL. */
int cgroup_name_uid(const char *name, const char *prefix, const char *suffix, uid_t *ret) CL_WARN_UNUSED;

/* cgroup_login.c: remove the empty cgroups below a leaf. */
void cgroup_children_remove(int leaf_fd);
/* The limits of a session, for each login of a shared leaf. */
int cgroup_logins_update(struct cgroup_setup *setup, int leaf_fd, enum cgroup_change change, struct cl_error *e) CL_WARN_UNUSED;
unsigned cgroup_logins_differ(const struct cgroup_setup *setup, int leaf_fd);

/* cgroup_leaves.c: the paths of all leaves that systemd's scopes are. */
int cgroup_systemd_leaves(int mount_fd, char ***ret_paths) CL_WARN_UNUSED;

/* cgroup_leave.c: remove its cgroup, when nobody is in it. */
void cgroup_leave_sweep(int mount_fd);

/* The managers. The path given to remove has been checked. create undoes its own partial work; init, when it
 * had joined the leaf, dies with it. */
int cgroup_fs_create(struct cgroup_setup *setup, const char *path, struct cl_error *e) CL_WARN_UNUSED;
/* Write the limits in which (bits 1 << enum) of one level of the leaf at path, that lives. */
int cgroup_fs_update(struct cgroup_setup *setup, const char *path, enum cgroup_level level, unsigned which,
                     struct cl_error *e) CL_WARN_UNUSED;
int cgroup_fs_remove(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms,
                     struct cl_error *e) CL_WARN_UNUSED;
int cgroup_fs_sweep(int mount_fd, bool (*is_known)(const char *path, void *arg), void *arg,
                    struct cl_error *e) CL_WARN_UNUSED;

bool cgroup_systemd_answers(void);
int cgroup_systemd_create(struct cgroup_setup *setup, const char *path, struct cl_error *e) CL_WARN_UNUSED;
int cgroup_systemd_update(struct cgroup_setup *setup, const char *path, enum cgroup_level level, unsigned which,
                          struct cl_error *e) CL_WARN_UNUSED;
int cgroup_systemd_remove(int mount_fd, const char *path, uid_t uid, int64_t deadline_ms,
                          struct cl_error *e) CL_WARN_UNUSED;
int cgroup_systemd_sweep(int mount_fd, bool (*is_known)(const char *path, void *arg), void *arg,
                         struct cl_error *e) CL_WARN_UNUSED;

#endif
