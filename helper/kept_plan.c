/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A plan and its filter in one file: plain data of one build, as on the wire.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept_plan.h"
#include "util.h"

#define FILTER_MAX (4096 * 8) /* BPF_MAXINSNS instructions */

struct kept {
    char version[32]; /* of the package: another one's plan may mean something else */
    uint32_t handoff;
    uint32_t filter_size;
    struct cl_plan plan;
};

static void plan_path(const char *id, char *buf, size_t size)
{
    (void)snprintf(buf, size, "cells/%s.plan", id);
}

int kept_plan_save(int run_fd, const struct cl_plan *plan, int seccomp_fd, struct cl_error *e)
{
    struct {
        struct kept kept;
        char filter[FILTER_MAX];
    } file = {.kept = {.version = PACKAGE_VERSION, .handoff = CL_HANDOFF_VERSION, .plan = *plan}};
    ssize_t n = seccomp_fd < 0 ? 0 : pread(seccomp_fd, file.filter, sizeof(file.filter), 0);
    char path[64];
    int r;

    if (n < 0)
        return cl_fail(e, errno, "read the seccomp filter");
    file.kept.filter_size = (uint32_t)n;
    plan_path(plan->id, path, sizeof(path));
    r = cl_replace_file_at(run_fd, path, &file, sizeof(file.kept) + (size_t)n, 0600);
    return r < 0 ? cl_fail(e, -r, "write %s", path) : 0;
}

static int make_filter(const void *filter, size_t size, int *ret_fd)
{
    cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : cl_write_all(fd, filter, size);

    if (r == 0)
        *ret_fd = cl_take_fd(&fd);
    return r;
}

/* A plan that can be placed by: as cl_reply_valid sees it. */
static bool is_sound(const struct kept *kept, size_t size, const char *id)
{
    struct cl_reply reply = {.version = CL_HANDOFF_VERSION, .type = CL_REPLY_PLAN, .plan = kept->plan};

    return cl_reply_valid(&reply) && strcmp(kept->plan.id, id) == 0 &&
           size == sizeof(*kept) + kept->filter_size && kept->plan.has_seccomp == (kept->filter_size > 0);
}

int kept_plan_load(int run_fd, const char *id, struct cl_plan *ret, int *ret_seccomp_fd, struct cl_error *e)
{
    cleanup_free char *text = NULL;
    cleanup_fd int fd = -1, filter = -1;
    struct kept kept;
    char path[64];
    size_t size;
    int r;

    plan_path(id, path, sizeof(path));
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(e, errno, "open %s", path);
    r = cl_read_all(fd, sizeof(kept) + FILTER_MAX, &text, &size);
    if (r < 0)
        return cl_fail(e, -r, "read %s", path);
    if (size < sizeof(kept))
        return cl_fail(e, EBADMSG, "%s is damaged", path);
    memcpy(&kept, text, sizeof(kept));
    if (strncmp(kept.version, PACKAGE_VERSION, sizeof(kept.version)) != 0 ||
        kept.handoff != CL_HANDOFF_VERSION)
        return cl_fail(e, ESTALE, "cell %s was opened by another version of Cloister", id);
    if (!is_sound(&kept, size, id))
        return cl_fail(e, EBADMSG, "%s is damaged", path);
    r = kept.filter_size > 0 ? make_filter(text + sizeof(kept), kept.filter_size, &filter) : 0;
    if (r < 0)
        return cl_fail(e, -r, "load the seccomp filter of %s", path);
    *ret = kept.plan;
    *ret_seccomp_fd = cl_take_fd(&filter);
    return 0;
}
