/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The cache of compiled filters. A file is named by a hash of the inputs, and holds them: a hit compares all
 * of them, so that two inputs with one hash are a miss for each other and never the wrong filter. A file that
 * is damaged in any way is a miss too.
 *
 *   header · inputs · instructions
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp_cache.h"
#include "util.h"

#define FILE_MAX_SIZE (4 << 20)

struct cache_header {
    char magic[8];
    uint64_t inputs_size; /* bytes */
    uint64_t n;           /* instructions */
    uint64_t insns_hash;
};

static const char magic[8] = {'C', 'L', 'B', 'P', 'F', '\r', '\n', 1};

typedef char file_name[sizeof("0123456789abcdef.bpf")];

/* FNV-1a, 64 bits. */
static uint64_t hash(const void *data, size_t size)
{
    const unsigned char *p = data;
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < size; i++)
        h = (h ^ p[i]) * 0x100000001b3;
    return h;
}

static void make_name(file_name name, const void *inputs, size_t size)
{
    snprintf(name, sizeof(file_name), "%016llx.bpf", (unsigned long long)hash(inputs, size));
}

static bool only_ours(const struct stat *st)
{
    return (st->st_uid == 0 || st->st_uid == geteuid()) && (st->st_mode & 022) == 0;
}

int seccomp_cache_open(const char *dir, int *ret_fd)
{
    cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!only_ours(&st))
        return -EPERM;
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

static int read_file(int dir_fd, const char *name, char **ret, size_t *ret_size)
{
    cleanup_fd int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || !only_ours(&st))
        return -EPERM;
    return cl_read_all(fd, FILE_MAX_SIZE, ret, ret_size);
}

/* The instructions of a file that is whole and holds just these inputs; NULL otherwise. */
static const char *check_file(const char *file, size_t file_size, const void *inputs, size_t size,
                              size_t *ret_n)
{
    struct cache_header header;
    const char *insns;

    if (file_size < sizeof(header))
        return NULL;
    memcpy(&header, file, sizeof(header));
    if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.inputs_size != size || header.n == 0 ||
        header.n > BPF_MAXINSNS ||
        file_size != sizeof(header) + size + header.n * sizeof(struct sock_filter) ||
        memcmp(file + sizeof(header), inputs, size) != 0)
        return NULL;
    insns = file + sizeof(header) + size;
    if (hash(insns, header.n * sizeof(struct sock_filter)) != header.insns_hash)
        return NULL;
    *ret_n = header.n;
    return insns;
}

int seccomp_cache_get(int dir_fd, const void *inputs, size_t size, struct seccomp_program *ret)
{
    cleanup_free char *file = NULL;
    struct sock_filter *insns;
    const char *found;
    size_t file_size = 0, n;
    file_name name;

    make_name(name, inputs, size);
    if (read_file(dir_fd, name, &file, &file_size) < 0 || !file)
        return -ENOENT;
    found = check_file(file, file_size, inputs, size, &n);
    if (!found)
        return -ENOENT;
    insns = calloc(n, sizeof(insns[0]));
    if (!insns)
        return -ENOENT;
    memcpy(insns, found, n * sizeof(insns[0]));
    *ret = (struct seccomp_program){.insns = insns, .n = n};
    return 0;
}

/* Count the files and find the oldest one. */
static int scan(int dir_fd, size_t *ret_n, char *ret_oldest, size_t oldest_size)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct timespec oldest = {0};
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int r = -errno;

        cl_close(&fd);
        return r;
    }
    *ret_n = 0;
    while ((entry = readdir(dir)) != NULL) {
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
            continue;
        if (*ret_n == 0 || st.st_mtim.tv_sec < oldest.tv_sec ||
            (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
            oldest = st.st_mtim;
            snprintf(ret_oldest, oldest_size, "%s", entry->d_name);
        }
        (*ret_n)++;
    }
    closedir(dir);
    return 0;
}

static void prune(int dir_fd)
{
    char oldest[NAME_MAX + 1];
    size_t n = 0;

    while (scan(dir_fd, &n, oldest, sizeof(oldest)) == 0 && n > SECCOMP_CACHE_MAX)
        if (unlinkat(dir_fd, oldest, 0) < 0 && errno != ENOENT)
            return;
}

int seccomp_cache_put(int dir_fd, const void *inputs, size_t size, const struct seccomp_program *program)
{
    size_t insns_size = program->n * sizeof(program->insns[0]), file_size;
    struct cache_header header = {
        .inputs_size = size, .n = program->n, .insns_hash = hash(program->insns, insns_size)};
    cleanup_free char *file = NULL;
    file_name name;
    int r;

    file_size = sizeof(header) + size + insns_size;
    if (file_size > FILE_MAX_SIZE)
        return -EFBIG;
    file = malloc(file_size);
    if (!file)
        return -ENOMEM;
    memcpy(header.magic, magic, sizeof(magic));
    memcpy(file, &header, sizeof(header));
    memcpy(file + sizeof(header), inputs, size);
    memcpy(file + sizeof(header) + size, program->insns, insns_size);
    make_name(name, inputs, size);
    r = cl_replace_file_at(dir_fd, name, file, file_size, 0600);
    if (r == 0)
        prune(dir_fd);
    return r;
}
