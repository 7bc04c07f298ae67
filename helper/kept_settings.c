/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The settings of a cell as JSON: { chosen, settings: { KEY: { value, source } } }, values as text.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kept_settings.h"
#include "util.h"

#define SETTINGS_MAX (4 * 1024 * 1024)

static void settings_path(const char *id, char *buf, size_t size)
{
    (void)snprintf(buf, size, "cells/%s.settings", id);
}

/* What is no UTF-8 is no JSON. */
static json_t *text(const char *s)
{
    json_t *string = s ? json_string(s) : NULL;

    return string ? string : json_string("?");
}

void kept_settings_put(json_t *kept, const struct cl_policy *policy, enum cl_key key)
{
    cleanup_free char *value = cl_policy_text(policy, key);
    char origin[4200];

    (void)json_object_set_new(json_object_get(kept, "settings"), cl_key_name(key),
                              json_pack("{s:o, s:o}", "value", text(value), "source",
                                        text(cl_policy_origin(policy, key, origin, sizeof(origin)))));
}

int kept_settings_write(int run_fd, const char *id, const json_t *kept, struct cl_error *e)
{
    cleanup_free char *dump = kept ? json_dumps(kept, JSON_INDENT(1)) : NULL;
    char path[64];
    int r;

    settings_path(id, path, sizeof(path));
    if (!dump)
        return cl_fail(e, ENOMEM, "format %s", path);
    r = cl_replace_file_at(run_fd, path, dump, strlen(dump), 0600);
    return r < 0 ? cl_fail(e, -r, "write %s", path) : 0;
}

int kept_settings_save(int run_fd, const char *id, const struct cl_policy *policy, bool chosen, struct cl_error *e)
{
    json_t *kept = json_pack("{s:b, s:{}}", "chosen", chosen, "settings");
    int r;

    for (enum cl_key key = CL_KEY_MODE; kept && key < CL_KEY_COUNT; key++)
        kept_settings_put(kept, policy, key);
    r = kept_settings_write(run_fd, id, kept, e);
    json_decref(kept);
    return r;
}

json_t *kept_settings_load(int run_fd, const char *id)
{
    cleanup_free char *dump = NULL;
    cleanup_fd int fd = -1;
    json_t *kept;
    char path[64];
    size_t size;

    settings_path(id, path, sizeof(path));
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || cl_read_all(fd, SETTINGS_MAX, &dump, &size) < 0)
        return NULL;
    kept = json_loadb(dump, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json_object_get(kept, "settings")))
        return kept;
    json_decref(kept);
    return NULL;
}

bool kept_settings_chosen(const json_t *kept)
{
    return json_is_true(json_object_get(kept, "chosen"));
}

json_t *kept_settings_get(const json_t *kept, enum cl_key key)
{
    json_t *setting = json_object_get(json_object_get(kept, "settings"), cl_key_name(key));

    return json_is_string(json_object_get(setting, "value")) && json_is_string(json_object_get(setting, "source"))
               ? setting
               : NULL;
}
