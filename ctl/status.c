/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister status: what holds for me. A cell shows the document of its open, to which is added what the
 * kernel says by now; outside, the helper is asked. The document is dist/schema/status.json either way.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "procs.h"
#include "start.h"
#include "status.h"
#include "util.h"
#include "view_layout.h"

#define STATUS_MAX (4 * 1024 * 1024)

static json_t *first_cell(const json_t *status)
{
    return json_array_get(json_object_get(status, "cells"), 0);
}

/* The cell's own cgroup is the root of its cgroup namespace: all that it can see. */
static void add_use(json_t *status)
{
    cleanup_fd int cgroup = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct record record = {0};
    struct hit hits[HITS_MAX];
    struct cl_usage usage;
    json_t *cell = first_cell(status);
    json_int_t age = (json_int_t)time(NULL) - json_integer_value(json_object_get(cell, "since"));
    size_t n;

    record_limits_load(json_object_get(cell, "limits"), &record);
    measure_usage(cgroup, &usage);
    n = hits_find(&usage, NULL, record.limits, record.n_limits, hits);
    (void)json_object_set_new(cell, "age", json_integer(age < 0 ? 0 : age));
    (void)json_object_set_new(cell, "processes", json_integer((json_int_t)procs_each(cgroup, NULL, NULL)));
    (void)json_object_set_new(cell, "use", usage_json(&usage));
    (void)json_object_set_new(cell, "hits", hits_json(hits, n, false));
    (void)json_object_set_new(status, "inside", json_true());
}

static int parse(const char *text, size_t size, json_t **ret)
{
    json_t *status = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(status) || !json_is_array(json_object_get(status, "cells"))) {
        json_decref(status);
        return ctl_error("the status is damaged");
    }
    *ret = status;
    return CTL_OK;
}

/* -1: this is no cell, or one that shows nothing. */
static int look_inside(json_t **ret)
{
    cleanup_fd int fd = open(CL_RUN_DIR "/" VIEW_STATUS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    cleanup_free char *text = NULL;
    struct stat st;
    size_t size;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -1;
    r = cl_read_all(fd, STATUS_MAX, &text, &size);
    if (r < 0)
        return ctl_error("read " CL_RUN_DIR "/" VIEW_STATUS ": %s", strerror(-r));
    r = parse(text, size, ret);
    if (r == CTL_OK && first_cell(*ret))
        add_use(*ret);
    return r;
}

static int ask_helper(const char *user, json_t **ret)
{
    static char name[] = "cloister-helper", verb[] = "status";
    cleanup_free char *whom = user ? strdup(user) : NULL, *text = NULL;
    char *const arguments[] = {name, verb, whom, NULL};
    size_t size;
    int r;

    start_fix_descriptors();
    if (start_is_inert())
        return ctl_error("setuid programs have no effect here, and this cell shows no status");
    r = start_reading(arguments, STATUS_MAX, &text, &size);
    return r == CTL_OK ? parse(text, size, ret) : r;
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    json_t *status = NULL;
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (first != argc || (values[0] && !*values[0]))
        return ctl_usage_error(ctl, "status takes no argument but --user U");
    if (values[0] && getuid() != 0)
        return ctl_error("only root may ask about another user");
    r = values[0] ? -1 : look_inside(&status);
    if (r == -1)
        r = ask_helper(values[0], &status);
    if (r != CTL_OK)
        return r;
    if (ctl->json)
        return ctl_json_print(status);
    r = status_print(status);
    json_decref(status);
    return r;
}
