/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Landlock's system calls, and the rights of each of its versions.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"
#include "util.h"

#define CREATE_VERSION     1U /* LANDLOCK_CREATE_RULESET_VERSION */
#define RULE_PATH_BENEATH  1
#define BIT(n)             (UINT64_C(1) << (n))

/* LANDLOCK_ACCESS_FS_*: the kernel numbers them so, and adds new ones behind. */
enum right {
    EXECUTE,
    WRITE_FILE,
    READ_FILE,
    READ_DIR,
    REMOVE_DIR,
    REMOVE_FILE,
    MAKE_CHAR,
    MAKE_DIR,
    MAKE_REG,
    MAKE_SOCK,
    MAKE_FIFO,
    MAKE_BLOCK,
    MAKE_SYM,
    REFER,
    TRUNCATE,
    IOCTL_DEV
};

#define OF_FILES (BIT(EXECUTE) | BIT(WRITE_FILE) | BIT(READ_FILE) | BIT(TRUNCATE) | BIT(IOCTL_DEV))

/* struct landlock_ruleset_attr of the first version, which every later one takes. */
struct ruleset {
    uint64_t handled_access_fs;
};

/* struct landlock_path_beneath_attr */
struct path_beneath {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

int cl_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

    return abi < 0 ? -errno : (int)abi;
}

uint64_t cl_landlock_handled(int abi)
{
    /* How many of them each version has. */
    static const unsigned known[] = {[1] = REFER, [2] = TRUNCATE, [3] = IOCTL_DEV, [4] = IOCTL_DEV, [5] = IOCTL_DEV + 1};

    if (abi < 1)
        return 0;
    return BIT(known[abi < (int)CL_ARRAY_SIZE(known) ? abi : (int)CL_ARRAY_SIZE(known) - 1]) - 1;
}

uint64_t cl_landlock_rights(int abi, unsigned classes, bool folder)
{
    uint64_t rights = 0;

    if (classes & CL_LANDLOCK_READ)
        rights |= BIT(READ_FILE) | BIT(READ_DIR);
    if (classes & CL_LANDLOCK_LIST)
        rights |= BIT(READ_DIR);
    if (classes & CL_LANDLOCK_EXECUTE)
        rights |= BIT(EXECUTE);
    if (classes & CL_LANDLOCK_WRITE)
        rights |= BIT(WRITE_FILE) | BIT(REMOVE_DIR) | BIT(REMOVE_FILE) | BIT(MAKE_DIR) | BIT(MAKE_REG) |
                  BIT(MAKE_SOCK) | BIT(MAKE_FIFO) | BIT(MAKE_SYM) | BIT(REFER) | BIT(TRUNCATE);
    if (classes & CL_LANDLOCK_DEVICES)
        rights |= BIT(WRITE_FILE) | BIT(TRUNCATE) | BIT(IOCTL_DEV);
    return rights & cl_landlock_handled(abi) & (folder ? UINT64_MAX : OF_FILES);
}

int cl_landlock_create(int abi, struct cl_error *e)
{
    const struct ruleset attr = {.handled_access_fs = cl_landlock_handled(abi)};
    long fd = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0); /* close-on-exec */

    return fd < 0 ? cl_fail(e, errno, "make a Landlock ruleset") : (int)fd;
}

int cl_landlock_allow(int ruleset, int fd, uint64_t rights)
{
    const struct path_beneath rule = {.allowed_access = rights, .parent_fd = fd};

    if (rights == 0) /* no rule; the kernel would refuse it */
        return 0;
    return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int cl_landlock_restrict(int ruleset)
{
    return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
