/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading the files of the configuration: by descriptor, only root's, bounded, and without directives.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"
#include "util.h"

static int read_error(struct loader *l, int err, const char *what)
{
    loader_error(l, 0, "%s: %s", what, strerror(err));
    if (!l->read_errno)
        l->read_errno = err;
    return -err;
}

static int check_owner(struct loader *l, const struct stat *st)
{
    if (l->trust_any_owner)
        return 0;
    if (st->st_uid != 0)
        loader_error(l, 0, "owned by uid %ju; allowed: root's only (chown root)", (uintmax_t)st->st_uid);
    else if (st->st_mode & (S_IWGRP | S_IWOTH))
        loader_error(l, 0, "writable by others than its owner, mode %04o (chmod go-w)",
                     (unsigned)(st->st_mode & 07777));
    else
        return 0;
    return -EINVAL;
}

/* The folder that the caller names may be reached through a link of root's; what is inside may not. */
int loader_open_dir(struct loader *l, int dirfd, const char *name, int *ret_fd)
{
    int nofollow = dirfd == AT_FDCWD ? 0 : O_NOFOLLOW;
    cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return read_error(l, errno, "open folder");
    r = check_owner(l, &st);
    if (r < 0)
        return r;
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

/* O_NONBLOCK: a FIFO must not block before fstat shows what it is. */
int loader_read(struct loader *l, int dirfd, const char *name, char **ret, size_t *ret_size)
{
    cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    cleanup_free char *text = NULL;
    struct stat st;
    size_t size;
    int r;

    if (fd < 0 && errno == ENOENT)
        return -ENOENT;
    if (fd < 0 && errno == ELOOP) {
        loader_error(l, 0, "a symbolic link; allowed: a regular file");
        return -EINVAL;
    }
    if (fd < 0 || fstat(fd, &st) < 0)
        return read_error(l, errno, "open");
    if (!S_ISREG(st.st_mode)) {
        loader_error(l, 0, "not a regular file");
        return -EINVAL;
    }
    r = check_owner(l, &st);
    if (r < 0)
        return r;
    r = cl_read_all(fd, LOADER_FILE_MAX, &text, &size);
    if (r == -EFBIG) {
        loader_error(l, 0, "larger than %d bytes", LOADER_FILE_MAX);
        return -EINVAL;
    }
    if (r < 0)
        return read_error(l, -r, "read");
    if (memchr(text, '\0', size)) {
        loader_error(l, 0, "holds a NUL byte; allowed: text");
        return -EINVAL;
    }
    *ret = text;
    text = NULL;
    *ret_size = size;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_configuration(const char *name)
{
    size_t length = strlen(name);

    return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static int list_names(DIR *dir, char ***ret, size_t *ret_n)
{
    cleanup_strv char **names = NULL;
    size_t n = 0, allocated = 0;

    for (;;) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(dir);
        if (!entry && errno)
            return -errno;
        if (!entry)
            break;
        if (!is_configuration(entry->d_name))
            continue;
        if (n >= LOADER_FILES_MAX)
            return -E2BIG;
        if (n + 1 >= allocated) {
            char **more = reallocarray(names, allocated + 256, sizeof(*more));

            if (!more)
                return -ENOMEM;
            names = more;
            allocated += 256;
        }
        names[n] = strdup(entry->d_name);
        if (!names[n])
            return -ENOMEM;
        names[++n] = NULL;
    }
    if (n > 1)
        qsort(names, n, sizeof(*names), compare_names);
    *ret = names;
    names = NULL;
    *ret_n = n;
    return 0;
}

int loader_list(struct loader *l, int dirfd, char ***ret)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t n = 0;
    DIR *dir;
    int r;

    if (fd < 0)
        return read_error(l, errno, "open folder");
    dir = fdopendir(fd);
    if (!dir) {
        r = -errno;
        close(fd);
        return read_error(l, -r, "open folder");
    }
    r = list_names(dir, ret, &n);
    closedir(dir);
    if (r < 0)
        return read_error(l, -r, "list folder");
    if (n == 0) {
        loader_error(l, 0, "no policy: the folder holds no file that ends in .conf");
        return -EINVAL;
    }
    return 0;
}

/* Skip what a string, a comment or one character is, as libconfig's scanner does; line counts along. */
static const char *skip_token(const char *p, unsigned *line)
{
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && p[1])
                p++;
            *line += *p == '\n';
        }
        return *p ? p + 1 : p;
    }
    if (*p == '#' || (*p == '/' && p[1] == '/'))
        return p + strcspn(p, "\n");
    if (*p == '/' && p[1] == '*') {
        for (p += 2; *p && !(*p == '*' && p[1] == '/'); p++)
            *line += *p == '\n';
        return *p ? p + 2 : p;
    }
    *line += *p == '\n';
    return p + 1;
}

/* '@' has no meaning in the files but to start a directive. A line that libconfig's scanner would take for
 * one is refused wherever it stands, so that a difference between the two scanners can't let it through. */
unsigned loader_find_directive(const char *text)
{
    unsigned line = 1;

    for (const char *p = text; *p;) {
        if (*p == '@')
            return line;
        p = skip_token(p, &line);
    }
    line = 1;
    for (const char *p = text; *p; line++) {
        p += strspn(p, " \t\r\f\v");
        if (strncasecmp(p, "@include", 8) == 0)
            return line;
        p += strcspn(p, "\n");
        p += *p == '\n';
    }
    return 0;
}

/* A name, as libconfig has them; it may hold digits. */
static const char *skip_name(const char *p)
{
    while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
           (*p && strchr("_-*", *p)))
        p++;
    return p;
}

unsigned loader_find_long_number(const char *text)
{
    unsigned line = 1;

    for (const char *p = text; *p;) {
        char *end;

        if (*p < '0' || *p > '9') {
            const char *name = *p == '-' ? p : skip_name(p);

            p = name > p ? name : skip_token(p, &line);
            continue;
        }
        errno = 0;
        if ((strtoull(p, &end, 10) > INT32_MAX || errno) && *end != 'L' && *end != '.')
            return line;
        p = skip_name(end);
    }
    return 0;
}

/* One line of text, for a message: without leading blanks, cut. */
static void quote_line(const char *text, unsigned line, char *buf, size_t size)
{
    while (line > 1 && *text) {
        text += strcspn(text, "\n");
        text += *text == '\n';
        line--;
    }
    text += strspn(text, " \t");
    snprintf(buf, size, "%.*s", (int)strcspn(text, "\r\n"), text);
}

int loader_parse_text(struct loader *l, const char *text, config_t *config)
{
    unsigned directive = loader_find_directive(text), number = loader_find_long_number(text);
    char line[61];

    if (directive) {
        loader_error(l, directive, "@include is refused: every file of policy.d is read by itself");
        return -EINVAL;
    }
    if (number) {
        quote_line(text, number, line, sizeof(line));
        loader_error(l, number,
                     "a number of more than 32 bits; write it as a string, which may have a unit: %s", line);
        return -EINVAL;
    }
    if (!config_read_string(config, text)) {
        int at = config_error_line(config);

        quote_line(text, at > 0 ? (unsigned)at : 1, line, sizeof(line));
        loader_error(l, at > 0 ? (unsigned)at : 0, "%s at or before: %s",
                     config_error_text(config) ? config_error_text(config) : "not readable", line);
        return -EINVAL;
    }
    return 0;
}
