/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeping the last valid configuration: its files are copied to a new folder beside the old one, the copy is
 * loaded to prove that it is valid, and then the two change places in one step. What is read at any moment is
 * one whole configuration.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"
#include "util.h"

/* A configuration's files: "cloister.conf" and "policy.d/NAME", in order, with their text. */
struct kept_file {
    char *path, *text;
    size_t size;
};

struct kept {
    struct kept_file *items;
    size_t n;
};

static void kept_clear(struct kept *kept)
{
    for (size_t i = 0; i < kept->n; i++) {
        free(kept->items[i].path);
        free(kept->items[i].text);
    }
    free(kept->items);
    *kept = (struct kept){0};
}

#define cleanup_kept     __attribute__((cleanup(kept_clear)))
#define cleanup_problems __attribute__((cleanup(cl_problems_clear)))

static int kept_read(struct loader *l, int dirfd, const char *path, struct kept *kept)
{
    struct kept_file *items = reallocarray(kept->items, kept->n + 1, sizeof(*items));
    struct kept_file file = {0};
    int r;

    if (!items)
        return -ENOMEM;
    kept->items = items;
    l->file = path;
    r = loader_read(l, dirfd, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, &file.text, &file.size);
    if (r < 0)
        return r;
    file.path = strdup(path);
    if (!file.path) {
        free(file.text);
        return -ENOMEM;
    }
    kept->items[kept->n++] = file;
    return 0;
}

static int kept_read_policies(struct loader *l, int dirfd, struct kept *kept)
{
    cleanup_strv char **names = NULL;
    cleanup_fd int fd = -1;
    int r = loader_open_dir(l, dirfd, "policy.d", &fd);

    if (r == 0)
        r = loader_list(l, fd, &names);
    for (size_t i = 0; r == 0 && names && names[i]; i++) {
        cleanup_free char *path = NULL;

        r = cl_asprintf(&path, "policy.d/%s", names[i]);
        if (r == 0)
            r = kept_read(l, fd, path, kept);
    }
    return r;
}

/* All files of a folder. The caller has loaded it, so its owner is known to be good. */
static int kept_read_all(const char *dir, struct kept *kept)
{
    cleanup_problems struct cl_problems problems = {0};
    struct loader l = {.problems = &problems, .trust_any_owner = true, .file = dir};
    cleanup_fd int fd = -1;
    int r = loader_open_dir(&l, AT_FDCWD, dir, &fd);

    if (r < 0)
        return r;
    r = kept_read(&l, fd, "cloister.conf", kept);
    if (r < 0 && r != -ENOENT)
        return r;
    return kept_read_policies(&l, fd, kept);
}

static bool kept_equal(const struct kept *a, const struct kept *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->items[i].path, b->items[i].path) != 0 || a->items[i].size != b->items[i].size ||
            memcmp(a->items[i].text, b->items[i].text, a->items[i].size) != 0)
            return false;
    return true;
}

static int write_file(int dirfd, const struct kept_file *file)
{
    cleanup_fd int fd = openat(dirfd, file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return -errno;
    r = cl_write_all(fd, file->text, file->size);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    return r;
}

static int write_all(int dirfd, const struct kept *kept)
{
    int r = mkdirat(dirfd, "policy.d", 0700) < 0 ? -errno : 0;

    for (size_t i = 0; i < kept->n && r == 0; i++)
        r = write_file(dirfd, &kept->items[i]);
    if (r == 0 && fsync(dirfd) < 0)
        r = -errno;
    return r;
}

static int unlink_all(int dirfd)
{
    DIR *dir = fdopendir(dirfd);
    struct dirent *entry;

    if (!dir) {
        close(dirfd);
        return -errno;
    }
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd, entry->d_name, 0);
    closedir(dir);
    return 0;
}

/* Remove a folder of ours: files, and policy.d with files. Nothing else is ever in it. */
static int remove_folder(int parent, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    cleanup_fd int fd = openat(parent, name, flags);
    int policies;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    policies = openat(fd, "policy.d", flags);
    if (policies >= 0)
        (void)unlink_all(policies);
    (void)unlinkat(fd, "policy.d", AT_REMOVEDIR);
    (void)unlink_all(cl_take_fd(&fd));
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int write_new(int parent, const char *name, const struct kept *kept)
{
    cleanup_fd int fd = -1;
    int r = remove_folder(parent, name);

    if (r < 0)
        return r;
    if (mkdirat(parent, name, 0700) < 0)
        return -errno;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : write_all(fd, kept);
}

/* Whoever edits the files meanwhile could have made a copy that mixes old and new. */
static int prove(const char *dir, struct cl_error *e)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *config = NULL;
    int r = cl_config_load(dir, true, &config, &problems);

    return r < 0 ? cl_fail(e, -r, "the configuration changed while it was copied to %s", dir) : 0;
}

static int exchange(int parent, const char *new_name, const char *name)
{
    if (renameat2(parent, new_name, parent, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (renameat2(parent, new_name, parent, name, RENAME_EXCHANGE) < 0)
        return -errno;
    return remove_folder(parent, new_name);
}

static int replace(const char *parent_path, const char *name, const struct kept *kept, struct cl_error *e)
{
    cleanup_fd int parent = open(parent_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_free char *new_name = NULL, *new_path = NULL;
    int r;

    if (parent < 0)
        return cl_fail(e, errno, "open %s", parent_path);
    /* Who finds the lock taken leaves the work to its holder. */
    if (flock(parent, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? 0 : cl_fail(e, errno, "lock %s", parent_path);
    if (cl_asprintf(&new_name, "%s.new", name) < 0 ||
        cl_asprintf(&new_path, "%s/%s", parent_path, new_name) < 0)
        return cl_fail(e, ENOMEM, "keep the configuration");
    r = write_new(parent, new_name, kept);
    if (r < 0)
        return cl_fail(e, -r, "write %s", new_path);
    r = prove(new_path, e);
    if (r == 0) {
        r = exchange(parent, new_name, name);
        if (r < 0)
            r = cl_fail(e, -r, "put %s in its place", new_path);
    }
    if (r < 0)
        (void)remove_folder(parent, new_name);
    return r;
}

int cl_config_keep(const char *dir, const char *to_dir, struct cl_error *e)
{
    cleanup_kept struct kept now = {0}, before = {0};
    cleanup_free char *parent = strdup(to_dir);
    char *slash = parent ? strrchr(parent, '/') : NULL;
    int r;

    if (!parent)
        return cl_fail(e, ENOMEM, "keep the configuration");
    if (!slash || slash == parent || !slash[1])
        return cl_fail(e, EINVAL, "keep the configuration in \"%s\"", to_dir);
    *slash = '\0';
    r = kept_read_all(dir, &now);
    if (r < 0)
        return cl_fail(e, -r, "read %s", dir);
    if (kept_read_all(to_dir, &before) == 0 && kept_equal(&now, &before))
        return 0;
    return replace(parent, slash + 1, &now, e);
}

bool cl_config_is_kept(const char *dir, const char *to_dir)
{
    cleanup_kept struct kept now = {0}, kept = {0};

    return kept_read_all(dir, &now) == 0 && kept_read_all(to_dir, &kept) == 0 && kept_equal(&now, &kept);
}
