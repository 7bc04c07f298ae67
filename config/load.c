/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Loading a whole configuration folder: cloister.conf, then policy.d in name order, then all that ties
 * policies together. Every problem of every file is found in one run.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "load.h"
#include "util.h"

void cl_config_free(struct cl_config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->n_policies; i++)
        cl_policy_free(config->policies[i]);
    free(config->policies);
    cl_settings_free(config->settings);
    cl_strv_free(config->files);
    free(config);
}

void cl_config_freep(struct cl_config **config)
{
    cl_config_free(*config);
    *config = NULL;
}

const struct cl_settings *cl_config_settings(const struct cl_config *config)
{
    return config->settings;
}

size_t cl_config_count(const struct cl_config *config)
{
    return config->n_policies;
}

const struct cl_policy *cl_config_policy(const struct cl_config *config, size_t i)
{
    return i < config->n_policies ? config->policies[i] : NULL;
}

static void read_policy_file(struct loader *l, int dirfd, const char *name, struct drafts *drafts)
{
    cleanup_free char *text = NULL;
    config_t config;
    size_t size;
    int r = loader_read(l, dirfd, name, &text, &size);

    if (r == -ENOENT)
        loader_error(l, 0, "it went away while the folder was read");
    if (r < 0)
        return;
    config_init(&config);
    if (loader_parse_text(l, text, &config) == 0)
        loader_policies(l, config_root_setting(&config), drafts);
    config_destroy(&config);
}

/* config->files is as long as names: the paths are made first, because origins keep pointers to them. */
static int read_policy_files(struct loader *l, int dirfd, const char *folder, struct cl_config *config,
                             struct drafts *drafts)
{
    cleanup_strv char **names = NULL;
    size_t n;
    int r = loader_list(l, dirfd, &names);

    if (r < 0)
        return r;
    n = cl_strv_length(names);
    config->files = calloc(n + 1, sizeof(*config->files));
    if (!config->files)
        return -ENOMEM;
    for (size_t i = 0; i < n && !loader_is_full(l); i++) {
        r = cl_asprintf(&config->files[i], "%s/%s", folder, names[i]);
        if (r < 0)
            return r;
        l->file = config->files[i];
        read_policy_file(l, dirfd, names[i], drafts);
    }
    return 0;
}

/* The drafts' policies become the configuration's, whatever state they are in. */
static int take_policies(struct cl_config *config, struct drafts *drafts)
{
    config->policies = calloc(drafts->n + 1, sizeof(*config->policies));
    if (!config->policies)
        return -ENOMEM;
    for (size_t i = 0; i < drafts->n; i++) {
        config->policies[i] = drafts->items[i].policy;
        drafts->items[i].policy = NULL;
    }
    config->n_policies = drafts->n;
    return 0;
}

static void drafts_clear(struct drafts *drafts)
{
    for (size_t i = 0; i < drafts->n; i++)
        cl_policy_free(drafts->items[i].policy);
    free(drafts->items);
}

static int load_policies(struct loader *l, int dirfd, const char *folder, struct cl_config *config)
{
    struct drafts drafts = {0};
    cleanup_fd int fd = -1;
    size_t errors;
    int r;

    l->file = folder;
    r = loader_open_dir(l, dirfd, "policy.d", &fd);
    if (r < 0)
        return r;
    errors = l->n_errors;
    r = read_policy_files(l, fd, folder, config, &drafts);
    if (r == 0)
        r = resolve_policies(l, &drafts);
    if (r == 0 && drafts.n == 0 && l->n_errors == errors) {
        l->file = folder;
        loader_error(l, 0, "no policy in any of its files");
    }
    if (r == 0)
        r = take_policies(config, &drafts);
    drafts_clear(&drafts);
    return r;
}

static int load_all(struct loader *l, const char *dir, struct cl_config *config)
{
    cleanup_free char *settings = NULL, *folder = NULL;
    cleanup_fd int fd = -1;
    int r, both;

    if (cl_asprintf(&settings, "%s/cloister.conf", dir) < 0 || cl_asprintf(&folder, "%s/policy.d", dir) < 0)
        return -ENOMEM;
    l->file = dir;
    r = loader_open_dir(l, AT_FDCWD, dir, &fd);
    if (r < 0)
        return r;
    l->file = settings;
    r = settings_read(l, fd, &config->settings);
    both = load_policies(l, fd, folder, config);
    return r < 0 ? r : both;
}

int cl_config_load(const char *dir, bool trust_any_owner, struct cl_config **ret,
                   struct cl_problems *problems)
{
    cleanup_config struct cl_config *config = calloc(1, sizeof(*config));
    struct loader l = {.problems = problems, .trust_any_owner = trust_any_owner, .file = dir};
    int r;

    if (!config)
        return -ENOMEM;
    r = load_all(&l, dir, config);
    loader_sort_problems(problems);
    if (loader_result(&l) < 0)
        return loader_result(&l);
    if (r < 0)
        return r;
    *ret = config;
    config = NULL;
    return 0;
}
