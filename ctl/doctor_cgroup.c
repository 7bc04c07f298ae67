/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: cgroup v2, the controllers that the policies' limits need, and who manages the tree.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "doctor.h"
#include "util.h"

#define SYSTEMD_HERE "/run/systemd/system"

static bool limits_pids(const struct cl_limits *l)
{
    return l->pids_max != CL_UNLIMITED;
}

static bool limits_memory(const struct cl_limits *l)
{
    return l->memory_max != CL_UNLIMITED || l->memory_high != CL_UNLIMITED || l->swap_max != CL_UNLIMITED;
}

static bool limits_cpu(const struct cl_limits *l)
{
    return l->cpu_max != CL_UNLIMITED || l->cpu_weight != CL_UNLIMITED;
}

static bool limits_io(const struct cl_limits *l)
{
    return l->n_io > 0;
}

static const struct {
    const char *name;
    bool (*is_limited)(const struct cl_limits *limits);
} controllers[] = {{"pids", limits_pids}, {"memory", limits_memory}, {"cpu", limits_cpu}, {"io", limits_io}};

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    while (*text) {
        size_t n = strcspn(text, " \n");

        if (n == length && memcmp(text, word, n) == 0)
            return true;
        text += n;
        text += strspn(text, " \n");
    }
    return false;
}

/* The first policy that needs the controller and does not do without it counts most. */
static void check_controller(struct doctor *d, size_t which, const char *available)
{
    const char *name = controllers[which].name, *refused = NULL, *optional = NULL;
    cleanup_free char *fix = NULL;

    for (size_t i = 0; d->config && i < cl_config_count(d->config); i++) {
        const struct cl_policy *policy = cl_config_policy(d->config, i);
        bool limited = controllers[which].is_limited(&policy->cgroup.user) ||
                       controllers[which].is_limited(&policy->cgroup.session);

        if (limited && policy->cgroup.when_unavailable == CL_UNAVAILABLE_REFUSE)
            refused = refused ? refused : policy->name;
        else if (limited)
            optional = optional ? optional : policy->name;
    }
    if ((!refused && !optional) || has_word(available, name))
        return;
    fix = doctor_boot_with("systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all cgroup_enable=memory");
    doctor_find(d, refused ? FINDING_CGROUP_CONTROLLER : FINDING_CGROUP_CONTROLLER_OPTIONAL, name, fix,
                "the controller %s is not in cgroup v2 here; policy %s has limits of it", name,
                refused ? refused : optional);
}

/* What answers, and what the settings ask for. */
static const char *check_manager(struct doctor *d)
{
    bool systemd = access(SYSTEMD_HERE, F_OK) == 0;
    enum cl_cgroup_manager asked = d->settings->cgroup_manager, found = CL_MANAGER_AUTO;
    cleanup_free char *quoted = doctor_quote(d->ctl->config), *fix = NULL;

    if (quoted && cl_asprintf(&fix, "sed -i 's/^[[:space:]]*cgroup_manager/#&/' %s/cloister.conf", quoted) < 0)
        fix = NULL;
    if (asked == CL_MANAGER_CGROUPFS && systemd)
        doctor_find(d, FINDING_CGROUP_WRITERS, NULL, fix,
                    "cgroup_manager is \"cgroupfs\" in %s/cloister.conf, and systemd runs",
                    d->ctl->config);
    if (!d->root)
        return systemd ? "systemd" : "cgroupfs";
    found = cgroup_manager_resolve(CL_MANAGER_AUTO);
    if (asked == CL_MANAGER_SYSTEMD && found != CL_MANAGER_SYSTEMD)
        doctor_find(d, FINDING_CGROUP_MANAGER, NULL, fix,
                    "cgroup_manager is \"systemd\" in %s/cloister.conf, and no systemd answers",
                    d->ctl->config);
    found = asked == CL_MANAGER_AUTO ? found : asked;
    return found == CL_MANAGER_SYSTEMD ? "systemd" : "cgroupfs";
}

void doctor_cgroup(struct doctor *d)
{
    const char *mount = cgroup_mount_point(), *manager;
    cleanup_free char *path = NULL, *available = NULL;

    if (!mount) {
        doctor_find(d, FINDING_CGROUP_NONE, NULL, "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
                    "no cgroup v2 is mounted at /sys/fs/cgroup");
        return;
    }
    if (cl_asprintf(&path, "%s/cgroup.controllers", mount) < 0 || cl_read_file_at(AT_FDCWD, path, &available) < 0) {
        doctor_find(d, FINDING_CGROUP_NONE, NULL, "", "the controllers of cgroup v2 at %s cannot be read", mount);
        return;
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(controllers); i++)
        check_controller(d, i, available);
    manager = check_manager(d);
    doctor_ok(d, "cgroup v2 at %s, made by %s, with the controllers %s", mount, manager,
              *available ? available : "(none)");
}
