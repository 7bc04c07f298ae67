/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the fuzz targets share.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

/* Called by libFuzzer, or by replay.c: once, and for each input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition);                       \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* A folder for the whole run, made once; ret_fd is open as long. In memory, unless TMPDIR says otherwise. */
static inline const char *fuzz_folder(int *ret_fd)
{
    static char path[256];
    static int fd = -1;

    if (fd < 0) {
        snprintf(path, sizeof(path), "%s/cloister-fuzz-XXXXXX",
                 getenv("TMPDIR") ? getenv("TMPDIR") : "/dev/shm");
        MUST(mkdtemp(path));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        MUST(fd >= 0);
    }
    *ret_fd = fd;
    return path;
}

/* For LLVMFuzzerInitialize: the folder with one in it; end removes both. */
static inline int fuzz_start(const char *sub, void (*end)(void))
{
    int fd;

    (void)fuzz_folder(&fd);
    MUST(mkdirat(fd, sub, 0700) == 0);
    return atexit(end);
}

static inline void fuzz_write(int dirfd, const char *path, const uint8_t *data, size_t size)
{
    int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0 && cl_write_all(fd, data, size) == 0);
    close(fd);
}

#endif
