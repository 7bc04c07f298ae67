/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whole reads and writes, and small files by descriptor.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define KERNEL_FILE_MAX (64 * 1024)

int cl_write_all(int fd, const void *buf, size_t size)
{
    const char *p = buf;

    while (size > 0) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

int cl_read_all(int fd, size_t max, char **ret, size_t *ret_size)
{
    cleanup_free char *buf = NULL;
    size_t size = 0, room = 0;

    for (;;) {
        ssize_t n;

        if (size == room) {
            size_t larger = room ? room * 2 : 4096;
            char *grown = realloc(buf, larger + 1);

            if (!grown)
                return -ENOMEM;
            buf = grown;
            room = larger;
        }
        n = read(fd, buf + size, room - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        size += (size_t)n;
        if (size > max)
            return -EFBIG;
    }
    buf[size] = '\0';
    *ret = buf;
    buf = NULL;
    if (ret_size)
        *ret_size = size;
    return 0;
}

int cl_write_file_at(int dirfd, const char *path, const char *text)
{
    cleanup_fd int fd = openat(dirfd, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    do
        n = write(fd, text, strlen(text));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return (size_t)n == strlen(text) ? 0 : -EIO;
}

int cl_read_file_at(int dirfd, const char *path, char **ret)
{
    cleanup_fd int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    size_t size = 0;
    int r;

    if (fd < 0)
        return -errno;
    r = cl_read_all(fd, KERNEL_FILE_MAX, ret, &size);
    if (r < 0)
        return r;
    if (size > 0 && (*ret)[size - 1] == '\n')
        (*ret)[size - 1] = '\0';
    return 0;
}

int cl_replace_file_at(int dirfd, const char *path, const void *buf, size_t size, mode_t mode)
{
    cleanup_free char *temporary = NULL;
    cleanup_fd int fd = -1;
    unsigned long long tag;
    int r;

    if (getrandom(&tag, sizeof(tag), 0) != (ssize_t)sizeof(tag))
        return -EIO;
    r = cl_asprintf(&temporary, "%s.%016llx.tmp", path, tag);
    if (r < 0)
        return r;
    fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    r = cl_write_all(fd, buf, size);
    if (r == 0 && fchmod(fd, mode) < 0) /* whatever the umask was */
        r = -errno;
    if (r == 0 && renameat(dirfd, temporary, dirfd, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(dirfd, temporary, 0);
    return r;
}
