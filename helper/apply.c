/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * All live cells of one user are seen together, oldest first, under the user's lock: no open, close or sweep comes between. The
 * limits of the user's cgroup are those of its newest cell's policy, as after a login. Everything that limits is written before
 * anything is lifted, and nothing is lifted for a user of whom something failed, or of whose cells some were not asked for.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "decide.h"
#include "util.h"

#define LOCK_WAIT_MS 5000

struct apply {
    bool write;
    const char *id, *user; /* which; both NULL: all */
    int run_fd;
    char **ids;
    struct cl_config *config;
    json_t *told; /* array */
};

/* The cells of one user. */
struct cells {
    struct apply_cell *items;
    size_t n;
};

struct uids {
    uid_t *items;
    size_t n;
};

static bool is_asked_for(const struct apply *a, const struct record *r)
{
    return (!a->id || strcmp(a->id, r->id) == 0) && (!a->user || strcmp(a->user, r->user) == 0);
}

static int by_age(const void *a, const void *b)
{
    const struct record *left = ((const struct apply_cell *)a)->record, *right = ((const struct apply_cell *)b)->record;

    if (left->since != right->since)
        return left->since < right->since ? -1 : 1;
    return strcmp(left->id, right->id);
}

static int load_cells(const struct apply *a, uid_t uid, struct cells *ret, struct cl_error *e)
{
    for (size_t i = 0; a->ids && a->ids[i]; i++) {
        struct record *record = NULL;
        struct apply_cell *grown;
        bool ours;

        if (record_load(a->run_fd, a->ids[i], &record, NULL) < 0)
            continue;
        ours = record->uid == uid && record->live && record_in_use(record);
        grown = ours ? reallocarray(ret->items, ret->n + 1, sizeof(*grown)) : NULL;
        if (!grown) {
            record_free(record);
            if (ours)
                return cl_fail(e, ENOMEM, "load the records");
            continue;
        }
        ret->items = grown;
        grown[ret->n++] = (struct apply_cell){.record = record, .selected = is_asked_for(a, record)};
    }
    if (ret->n > 1)
        qsort(ret->items, ret->n, sizeof(*ret->items), by_age);
    return 0;
}

/* The newest that has a cgroup, if its policy is known, and nothing keeps it from being applied. */
static struct apply_cell *leader(const struct cells *cells)
{
    for (size_t i = cells->n; i-- > 0;)
        if (cells->items[i].record->cgroup[0])
            return cells->items[i].policy && !cells->items[i].error.err ? &cells->items[i] : NULL;
    return NULL;
}

/* What fails for the user's cgroup fails for each of its cells. */
static void share_error(const struct cells *cells, const struct apply_cell *lead)
{
    for (size_t i = 0; lead->error.err && i < cells->n; i++)
        if (!cells->items[i].error.err)
            cells->items[i].error = lead->error;
}

static void write_all(const struct cells *cells, struct apply_cell *lead, enum cgroup_change change)
{
    struct apply_cell *items = cells->items;

    if (lead) {
        apply_cell_write(lead, lead->policy, change);
        share_error(cells, lead);
    }
    for (size_t i = 0; i < cells->n; i++)
        if (items[i].selected)
            apply_cell_write(&items[i], NULL, change);
}

/* May what is no longer limited be lifted? */
static bool is_whole(const struct cells *cells)
{
    for (size_t i = 0; i < cells->n; i++)
        if (!cells->items[i].selected || cells->items[i].error.err)
            return false;
    return true;
}

static void change_cells(const struct apply *a, const struct cells *cells)
{
    struct apply_cell *lead = leader(cells);
    const struct cl_policy *user = lead ? lead->policy : NULL;

    for (size_t i = 0; i < cells->n; i++)
        apply_cell_aim(&cells->items[i], user);
    if (!a->write)
        return;
    write_all(cells, lead, CGROUP_SET);
    if (is_whole(cells))
        write_all(cells, lead, CGROUP_LIFT);
    for (size_t i = 0; i < cells->n; i++)
        apply_cell_record(&cells->items[i], a->run_fd, user);
}

static int apply_user(const struct apply *a, uid_t uid, struct cl_error *e)
{
    cleanup_fd int lock = -1;
    struct cells cells = {0};
    int r = record_lock(a->run_fd, uid, cl_now_ms() + LOCK_WAIT_MS, &lock, e);

    if (r == 0)
        r = load_cells(a, uid, &cells, e);
    for (size_t i = 0; r == 0 && i < cells.n; i++)
        apply_cell_decide(&cells.items[i], a->run_fd, a->config);
    if (r == 0)
        change_cells(a, &cells);
    for (size_t i = 0; i < cells.n; i++) {
        if (r == 0 && cells.items[i].selected)
            (void)json_array_append_new(a->told, apply_cell_json(&cells.items[i]));
        apply_cell_clear(&cells.items[i]);
    }
    free(cells.items);
    return r;
}

static bool add_uid(struct uids *uids, uid_t uid)
{
    uid_t *grown;

    for (size_t i = 0; i < uids->n; i++)
        if (uids->items[i] == uid)
            return true;
    grown = reallocarray(uids->items, uids->n + 1, sizeof(*grown));
    if (!grown)
        return false;
    uids->items = grown;
    grown[uids->n++] = uid;
    return true;
}

/* Whose cells are asked for. */
static int find_users(const struct apply *a, struct uids *ret, struct cl_error *e)
{
    for (size_t i = 0; a->ids && a->ids[i]; i++) {
        cleanup_record struct record *record = NULL;

        if (record_load(a->run_fd, a->ids[i], &record, NULL) == 0 && record->live && is_asked_for(a, record) &&
            !add_uid(ret, record->uid))
            return cl_fail(e, ENOMEM, "list the users of cells");
    }
    return 0;
}

/* A user whose lock is not to be had is told as a failure, and the others go on. */
static int apply_users(const struct apply *a, struct cl_error *e)
{
    struct uids uids = {0};
    int r = find_users(a, &uids, e);

    for (size_t i = 0; r == 0 && i < uids.n; i++) {
        struct cl_error cause = {0};
        char why[1200];

        if (apply_user(a, uids.items[i], &cause) < 0)
            (void)json_array_append_new(a->told, json_pack("{s:I, s:s}", "uid", (json_int_t)uids.items[i], "error",
                                                           cl_error_format(&cause, why, sizeof(why))));
    }
    free(uids.items);
    return r;
}

static int answer(const struct apply *a, struct cl_error *e)
{
    json_t *all = json_pack("{s:b, s:O}", "dry_run", !a->write, "cells", a->told);
    cleanup_free char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    int r = text ? cl_write_all(STDOUT_FILENO, text, strlen(text)) : -ENOMEM;

    json_decref(all);
    return r < 0 ? cl_fail(e, -r, "write what was done") : 0;
}

static int select_cells(struct apply *a, const char *what, const char *which, struct cl_error *e)
{
    if (strcmp(what, "id") == 0)
        a->id = which;
    else if (strcmp(what, "user") == 0)
        a->user = which;
    else if (strcmp(what, "all") != 0)
        return cl_fail(e, EINVAL, "apply takes all, an id or a user");
    if (a->id && !cl_id_valid(a->id))
        return cl_fail(e, EINVAL, "\"%.32s\" is not the id of a cell", a->id);
    return 0;
}

int apply_verb(const struct caller *caller, char *const *arguments, struct cl_error *e)
{
    struct apply a = {.write = strcmp(arguments[0], "write") == 0, .run_fd = -1, .told = json_array()};
    int r = select_cells(&a, arguments[1], arguments[2], e);

    if (r == 0 && !a.write && strcmp(arguments[0], "dry-run") != 0)
        r = cl_fail(e, EINVAL, "apply is a dry-run or a write");
    if (r == 0)
        r = record_open_dir(&a.run_fd, e);
    if (r == 0)
        r = decide_load_valid(a.write, &a.config, e);
    if (r == 0)
        r = record_list(a.run_fd, &a.ids, e);
    if (r == 0)
        r = apply_users(&a, e);
    if (r == 0)
        r = json_array_size(a.told) == 0 && a.id ? cl_fail(e, ENOENT, "no live cell has the id %s", a.id) : answer(&a, e);
    json_decref(a.told);
    cl_config_free(a.config);
    cl_strv_free(a.ids);
    cl_close(&a.run_fd);
    return r;
}
