/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister.conf: who is exempt, where services are placed, and the two settings of the whole host. Read
 * before any policy, so that a broken policy never keeps an exempt user out.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "run.h"
#include "util.h"

struct placement {
    const char *service;
    enum cl_placement placement;
};

/* sshd calls pam_setcred in the child that becomes the user; the others fork the user's process from the one
 * that opened the session. `cloister run` is no service of PAM; the helper itself places its commands. */
static const struct placement placements[] = {
    {"sshd", CL_PLACEMENT_CREDENTIALS}, {"login", CL_PLACEMENT_FORK},   {"su", CL_PLACEMENT_FORK},
    {"su-l", CL_PLACEMENT_FORK},        {"runuser", CL_PLACEMENT_FORK}, {"runuser-l", CL_PLACEMENT_FORK},
    {"sudo", CL_PLACEMENT_FORK},        {"sudo-i", CL_PLACEMENT_FORK},  {"cron", CL_PLACEMENT_FORK},
    {"crond", CL_PLACEMENT_FORK},       {"atd", CL_PLACEMENT_FORK},     {CL_RUN_SERVICE, CL_PLACEMENT_CREDENTIALS},
};

void cl_settings_free(struct cl_settings *settings)
{
    if (!settings)
        return;
    schema_clear_all(schema_settings, SCHEMA_SETTING_COUNT, settings);
    free(settings->file);
    free(settings->lines);
    free(settings);
}

void cl_settings_freep(struct cl_settings **settings)
{
    cl_settings_free(*settings);
    *settings = NULL;
}

/* A service that the file places moves from where the built-in table has it. */
static int set_placement(struct cl_settings *settings, const char *service, enum cl_placement placement)
{
    struct cl_service *grown;

    for (size_t i = 0; i < settings->n_services; i++)
        if (strcmp(settings->services[i].name, service) == 0) {
            settings->services[i].placement = placement;
            return 0;
        }
    grown = reallocarray(settings->services, settings->n_services + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    settings->services = grown;
    grown[settings->n_services].placement = placement;
    grown[settings->n_services].name = strdup(service);
    if (!grown[settings->n_services].name)
        return -ENOMEM;
    settings->n_services++;
    return 0;
}

static int add_placements(struct cl_settings *settings)
{
    struct cl_service *given = settings->services;
    size_t n = settings->n_services;
    int r = 0;

    settings->services = NULL;
    settings->n_services = 0;
    for (size_t i = 0; i < CL_ARRAY_SIZE(placements) && r == 0; i++)
        r = set_placement(settings, placements[i].service, placements[i].placement);
    for (size_t i = 0; i < n; i++) {
        if (r == 0)
            r = set_placement(settings, given[i].name, given[i].placement);
        free(given[i].name);
    }
    free(given);
    return r;
}

static void note_setting(const struct schema_key *key, unsigned line, void *arg)
{
    unsigned *lines = arg;

    lines[key - schema_settings] = line;
}

const char *cl_settings_origin(const struct cl_settings *settings, const char *name, char *buf, size_t size)
{
    buf[0] = '\0';
    for (size_t i = 0; i < SCHEMA_SETTING_COUNT; i++) {
        if (strcmp(schema_settings[i].name, name) != 0)
            continue;
        if (settings->file && settings->lines[i] > 0)
            snprintf(buf, size, "%s:%u", settings->file, settings->lines[i]);
        else
            snprintf(buf, size, "built-in");
    }
    return buf;
}

/* What text does not set has its built-in value. */
static int settings_from_text(struct loader *l, const char *text, struct cl_settings **ret)
{
    cleanup_settings struct cl_settings *settings = calloc(1, sizeof(*settings));
    cleanup_settings struct cl_settings *builtin = calloc(1, sizeof(*builtin));
    config_t config;
    int r =
        settings && builtin ? loader_fallbacks(l, schema_settings, SCHEMA_SETTING_COUNT, builtin) : -ENOMEM;

    if (r < 0)
        return r;
    settings->file = strdup(l->file);
    settings->lines = calloc(SCHEMA_SETTING_COUNT, sizeof(*settings->lines));
    if (!settings->file || !settings->lines)
        return -ENOMEM;
    config_init(&config);
    if (loader_parse_text(l, text, &config) == 0)
        loader_group(l, schema_settings, SCHEMA_SETTING_COUNT, "", config_root_setting(&config), settings,
                     note_setting, settings->lines);
    config_destroy(&config);
    for (size_t i = 0; i < SCHEMA_SETTING_COUNT && r == 0; i++)
        if (settings->lines[i] == 0)
            r = schema_copy(&schema_settings[i], builtin, settings);
    if (r == 0)
        r = add_placements(settings);
    if (r < 0)
        return r;
    *ret = settings;
    settings = NULL;
    return 0;
}

int settings_read(struct loader *l, int dirfd, struct cl_settings **ret)
{
    cleanup_free char *text = NULL;
    size_t size;
    int r = loader_read(l, dirfd, "cloister.conf", &text, &size);

    if (r < 0 && r != -ENOENT)
        return r;
    return settings_from_text(l, text ? text : "", ret);
}

int cl_settings_load(const char *dir, bool trust_any_owner, struct cl_settings **ret,
                     struct cl_problems *problems)
{
    cleanup_settings struct cl_settings *settings = NULL;
    struct loader l = {.problems = problems, .trust_any_owner = trust_any_owner, .file = dir};
    cleanup_free char *file = NULL;
    cleanup_fd int fd = -1;
    int r;

    r = cl_asprintf(&file, "%s/cloister.conf", dir);
    if (r < 0)
        return r;
    r = loader_open_dir(&l, AT_FDCWD, dir, &fd);
    if (r == 0) {
        l.file = file;
        r = settings_read(&l, fd, &settings);
    }
    loader_sort_problems(problems);
    if (loader_result(&l) < 0)
        return loader_result(&l);
    if (r < 0)
        return r;
    *ret = settings;
    settings = NULL;
    return 0;
}

int cl_settings_default(struct cl_settings **ret)
{
    struct cl_problems problems = {0};
    struct loader l = {.problems = &problems, .file = "built-in"};
    int r = settings_from_text(&l, "", ret);

    cl_problems_clear(&problems);
    return r;
}

bool cl_settings_exempt(const struct cl_settings *settings, const struct cl_user *user, char *ret_why,
                        size_t why_size)
{
    char scratch[1];

    if (!ret_why) {
        ret_why = scratch;
        why_size = sizeof(scratch);
    }
    if (user->uid == 0) {
        snprintf(ret_why, why_size, "uid 0");
        return true;
    }
    if (cl_strv_contains(settings->exempt_users, user->name)) {
        snprintf(ret_why, why_size, "user %s", user->name);
        return true;
    }
    for (size_t i = 0; i < user->n_groups; i++)
        if (cl_strv_contains(settings->exempt_groups, user->group_names[i])) {
            snprintf(ret_why, why_size, "group %s", user->group_names[i]);
            return true;
        }
    return false;
}

enum cl_placement cl_settings_placement(const struct cl_settings *settings, const char *service)
{
    for (size_t i = 0; i < settings->n_services; i++)
        if (strcmp(settings->services[i].name, service) == 0)
            return settings->services[i].placement;
    return CL_PLACEMENT_NONE;
}
