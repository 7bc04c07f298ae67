/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fuse-home PATH UID GID: mounts at PATH a filesystem that UID serves: one folder with one empty file "served", which the
 * kernel shows to that user alone, not to root. Says "mounted" and serves until it is ended.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NAME "served"

static unsigned owner, group;

static struct fuse_attr attributes(uint64_t inode)
{
    return (struct fuse_attr){.ino = inode,
                              .mode = inode == FUSE_ROOT_ID ? S_IFDIR | 0700 : S_IFREG | 0600,
                              .nlink = 1,
                              .uid = owner,
                              .gid = group,
                              .blksize = 4096};
}

static void answer(int fd, uint64_t unique, int error, const void *data, size_t size)
{
    struct fuse_out_header header = {.len = (uint32_t)(sizeof(header) + size), .error = -error, .unique = unique};
    struct iovec parts[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)data, size}};

    (void)!writev(fd, parts, size ? 2 : 1);
}

static void list(int fd, uint64_t unique, uint64_t offset)
{
    union {
        struct fuse_dirent entry;
        char bytes[FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + sizeof(NAME) - 1)];
    } one = {.entry = {.ino = 2, .off = 1, .namelen = sizeof(NAME) - 1, .type = S_IFREG >> 12}};

    memcpy(one.bytes + FUSE_NAME_OFFSET, NAME, sizeof(NAME) - 1);
    answer(fd, unique, 0, &one, offset == 0 ? sizeof(one) : 0);
}

static void serve(int fd, const struct fuse_in_header *in)
{
    const struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
    const struct fuse_attr_out attr = {.attr = attributes(in->nodeid)};
    const struct fuse_entry_out entry = {.nodeid = 2, .attr = attributes(2)};
    const struct fuse_open_out opened = {.fh = 0};

    switch (in->opcode) {
    case FUSE_INIT:
        answer(fd, in->unique, 0, &init, sizeof(init));
        break;
    case FUSE_GETATTR:
        answer(fd, in->unique, 0, &attr, sizeof(attr));
        break;
    case FUSE_LOOKUP:
        if (strcmp((const char *)(in + 1), NAME) == 0)
            answer(fd, in->unique, 0, &entry, sizeof(entry));
        else
            answer(fd, in->unique, ENOENT, NULL, 0);
        break;
    case FUSE_OPENDIR:
    case FUSE_OPEN:
        answer(fd, in->unique, 0, &opened, sizeof(opened));
        break;
    case FUSE_READDIR:
        list(fd, in->unique, ((const struct fuse_read_in *)(in + 1))->offset);
        break;
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
        answer(fd, in->unique, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break;
    default:
        answer(fd, in->unique, ENOSYS, NULL, 0);
    }
}

int main(int argc, char *argv[])
{
    static union {
        struct fuse_in_header in;
        char bytes[FUSE_MIN_READ_BUFFER + 4096];
    } request;
    int fd = argc == 4 ? open("/dev/fuse", O_RDWR | O_CLOEXEC) : -1;
    char options[128];

    if (fd < 0)
        return 2;
    owner = (unsigned)strtoul(argv[2], NULL, 10);
    group = (unsigned)strtoul(argv[3], NULL, 10);
    (void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u", fd, owner, group);
    if (mount("served", argv[1], "fuse.served", MS_NOSUID | MS_NODEV, options) < 0)
        return 1;
    (void)puts("mounted");
    (void)fflush(stdout);
    while (read(fd, &request, sizeof(request)) > 0 || errno == EINTR || errno == ENOENT)
        serve(fd, &request.in);
    return 0;
}
