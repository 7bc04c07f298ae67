/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the view is made of, as data: the kernel's folders, devices, and where the home lies. What is masked
 * and what is read-only is Docker's list (MaskedPaths and ReadonlyPaths of its OCI defaults).
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "path.h"
#include "util.h"
#include "view_layout.h"

const char *const view_masked[] = {
    "/proc/acpi",           "/proc/asound",
    "/proc/interrupts",     "/proc/kcore",
    "/proc/keys",           "/proc/latency_stats",
    "/proc/timer_list",     "/proc/timer_stats",
    "/proc/sched_debug",    "/proc/scsi",
    "/proc/kallsyms",       "/proc/kpagecount",
    "/proc/kpageflags",     "/proc/kpagecgroup",
    "/proc/vmallocinfo",    "/proc/slabinfo",
    "/sys/firmware",        "/sys/devices/virtual/powercap",
    "/sys/kernel/debug",    "/sys/kernel/tracing",
    "/sys/kernel/security", NULL,
};

const char *const view_kernel_read_only[] = {"/proc/bus",           "/proc/fs", "/proc/irq", "/proc/sys",
                                             "/proc/sysrq-trigger", NULL};

const char *const view_subordinate_ids[] = {"/etc/subuid", "/etc/subgid", NULL};

const struct view_device view_devices[] = {
    {"null", 1, 3},
    {"zero", 1, 5},
    {"full", 1, 7},
    {"random", 1, 8},
    {"urandom", 1, 9},
    {"tty", 5, 0},
    /* A node of its own, not a bind mount: the kernel looks for "pts" beside it. */
    {"ptmx", 5, 2},
    {NULL, 0, 0},
};

const struct view_link view_links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
    {NULL, NULL},
};

const char *view_status_folder(void)
{
    static const char path[] = CL_RUN_DIR;

    return strncmp(path, "/run/", 5) == 0 && !strchr(path + 5, '/') ? path + 5 : NULL;
}

/* Homes that lie directly in these share the folder with the system: it cannot be emptied. */
static const char *const system_folders[] = {"",           "/etc",     "/mnt",       "/opt",       "/srv",
                                             "/usr",       "/usr/lib", "/usr/local", "/usr/share", "/var",
                                             "/var/cache", "/var/lib", "/var/log",   "/var/spool", "/media"};

/* Absolute, and no component empty, "." or "..". */
static bool is_clean(const char *path)
{
    if (path[0] != '/' || strlen(path) >= sizeof(((struct view_homes *)NULL)->base))
        return false;
    while (*path) {
        size_t length = strcspn(++path, "/");

        if (length == 0 || (length == 1 && path[0] == '.') ||
            (length == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += length;
    }
    return true;
}

static bool overlaps(const char *home, const char *other)
{
    return path_is_below(home, other) || path_is_below(other, home);
}

static const char *private_overlap(const struct cl_policy *policy, const char *home)
{
    char *const *dirs = policy->files.private_dirs;

    for (; dirs && *dirs; dirs++)
        if (overlaps(home, *dirs))
            return *dirs;
    return NULL;
}

static bool is_usable(const struct cl_policy *policy, const char *home)
{
    static const char *const kernel[] = {"/proc", "/sys", "/dev", "/run", CL_RUN_DIR, CL_STATE_DIR};
    char *const *hide = policy->files.hide;

    if (!is_clean(home) || path_is_below(VIEW_USUAL_BASE, home))
        return false;
    for (size_t i = 0; i < CL_ARRAY_SIZE(kernel); i++)
        if (overlaps(home, kernel[i]))
            return false;
    for (size_t i = 0; hide && hide[i]; i++)
        if (path_is_below(home, hide[i]))
            return false;
    return true;
}

static void find_base(struct view_homes *homes, const char *home)
{
    size_t length = (size_t)(strrchr(home, '/') - home);
    char parent[sizeof(homes->base)];

    if (path_is_below(home, VIEW_USUAL_BASE)) {
        (void)snprintf(homes->base, sizeof(homes->base), VIEW_USUAL_BASE);
        return;
    }
    memcpy(parent, home, length);
    parent[length] = '\0';
    for (size_t i = 0; i < CL_ARRAY_SIZE(system_folders); i++)
        if (strcmp(parent, system_folders[i]) == 0)
            return;
    (void)snprintf(homes->base, sizeof(homes->base), "%s", parent);
}

void view_find_homes(const struct cl_policy *policy, const char *home, struct view_homes *ret)
{
    ret->base[0] = '\0';
    ret->has_home = is_usable(policy, home);
    ret->private_dir = ret->has_home ? private_overlap(policy, home) : NULL;
    ret->has_home = ret->has_home && !ret->private_dir;
    if (ret->has_home)
        find_base(ret, home);
}
