/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The host's mounts, read from /proc/self/mountinfo, and which of them a cell may take over.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mounts.h"
#include "path.h"
#include "util.h"

/* \ooo as in getmntent(3). */
static void unescape(char *s)
{
    char *to = s;

    for (const char *from = s; *from; to++) {
        unsigned octal;
        int length = 0;

        if (sscanf(from, "\\%3o%n", &octal, &length) == 1 && length == 4) {
            *to = (char)octal;
            from += length;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* proc_pid_mountinfo(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw". */
static bool has_option(const char *options, const char *name)
{
    size_t length = strlen(name);

    for (; *options; options += strcspn(options, ","), options += *options == ',')
        if (strncmp(options, name, length) == 0 && (options[length] == ',' || options[length] == '\0'))
            return true;
    return false;
}

static bool parse_line(const char *line, struct mount_line *ret)
{
    const char *separator = strstr(line, " - ");
    unsigned long long id;
    char options[512];

    if (!separator ||
        sscanf(line, "%llu %*s %31s %4095s %4095s %511s", &id, ret->device, ret->root, ret->point, options) !=
            5 ||
        sscanf(separator, " - %63s", ret->type) != 1)
        return false;
    ret->id = id;
    ret->read_only = has_option(options, "ro");
    ret->noexec = has_option(options, "noexec");
    unescape(ret->root);
    unescape(ret->point);
    return true;
}

/* A filesystem that a tenant serves could stall every login of theirs, or show the builder what it likes. */
bool mount_served_by_user(const char *type)
{
    return strcmp(type, "fuse") == 0 || (strncmp(type, "fuse.", 5) == 0);
}

/* The kernel's own, wherever the host mounts it, in a chroot say: it would show the host's processes and
 * devices. */
bool mount_served_by_kernel(const char *type)
{
    static const char *const types[] = {"binfmt_misc", "bpf",        "cgroup",    "cgroup2",  "configfs",
                                        "debugfs",     "devpts",     "devtmpfs",  "efivarfs", "fusectl",
                                        "hugetlbfs",   "mqueue",     "nsfs",      "proc",     "pstore",
                                        "rpc_pipefs",  "securityfs", "selinuxfs", "sysfs",    "tracefs"};

    for (size_t i = 0; i < CL_ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

/* The mount on which path lies: the last one made of those that lead deepest. */
const struct mount_line *mount_of(const struct mount_table *table, const char *path)
{
    const struct mount_line *best = NULL;

    for (size_t i = 0; i < table->n; i++)
        if (path_is_below(path, table->lines[i].point) &&
            (!best || strlen(table->lines[i].point) >= strlen(best->point)))
            best = &table->lines[i];
    return best;
}

void mount_cover(struct mount_table *table, const char *path)
{
    const struct mount_line *under = mount_of(table, path);
    struct mount_origin *origin = &table->covered[table->n_covered];
    const char *below;

    if (!under || table->n_covered == CL_ARRAY_SIZE(table->covered))
        return;
    below = path + (strcmp(under->point, "/") == 0 ? 0 : strlen(under->point));
    (void)snprintf(origin->device, sizeof(origin->device), "%s", under->device);
    (void)snprintf(origin->root, sizeof(origin->root), "%s%s",
                   strcmp(under->root, "/") == 0 && below[0] ? "" : under->root, below);
    table->n_covered++;
}

bool mount_shows_covered(const struct mount_table *table, const struct mount_line *line)
{
    for (size_t i = 0; i < table->n_covered; i++) {
        const struct mount_origin *origin = &table->covered[i];

        if (strcmp(origin->device, line->device) == 0 &&
            (path_is_below(line->root, origin->root) || path_is_below(origin->root, line->root)))
            return true;
    }
    return false;
}

int mounts_load(struct mount_table *ret, struct cl_error *e)
{
    cleanup_file FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
    cleanup_free char *text = NULL;
    size_t size = 0;

    if (!mountinfo)
        return cl_fail(e, errno, "read the host's mounts");
    while (getline(&text, &size, mountinfo) > 0) {
        struct mount_line *grown = reallocarray(ret->lines, ret->n + 1, sizeof(*grown));

        if (!grown)
            return cl_fail(e, ENOMEM, "read the host's mounts");
        ret->lines = grown;
        if (parse_line(text, &grown[ret->n]))
            ret->n++;
    }
    return 0;
}

void mounts_free(struct mount_table *table)
{
    if (table)
        free(table->lines);
    free(table);
}
