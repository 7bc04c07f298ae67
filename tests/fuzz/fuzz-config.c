/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzing of the configuration: any bytes as cloister.conf's and as a policy file's content, through
 * everything that a login does with them. What loads must hold the promises that later stages rely on.
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "loader.h"

/* libconfig's scanner forgets the string that it was in when the file ends. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

static gid_t groups[] = {1000};
static char name[] = "e.va-1", group[] = "staff", home[] = "/home/e", *group_names[] = {group, NULL};
static const struct cl_user user = {.name = name,
                                    .uid = 1000,
                                    .gid = 1000,
                                    .group = group,
                                    .home = home,
                                    .shell = home,
                                    .groups = groups,
                                    .group_names = group_names,
                                    .n_groups = 1};

static void check_path_is_safe(const char *path)
{
    MUST(path[0] == '/');
    MUST(!strstr(path, "/../") && !strstr(path, "//"));
    MUST(strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static void check_expanded(const struct cl_policy *policy)
{
    MUST(policy->namespaces.user && policy->namespaces.pid && policy->namespaces.mount);
    MUST(policy->namespaces.net == (policy->network.mode != CL_NETWORK_HOST));
    MUST((policy->capabilities.ambient & ~policy->capabilities.bounding) == 0);
    MUST(policy->seccomp.profile && policy->apparmor.profile && policy->files.root);
    MUST(!policy->namespaces.hostname || strlen(policy->namespaces.hostname) <= 64);
    for (size_t i = 0; policy->files.private_dirs && policy->files.private_dirs[i]; i++)
        check_path_is_safe(policy->files.private_dirs[i]);
    for (size_t i = 0; policy->files.hide && policy->files.hide[i]; i++)
        check_path_is_safe(policy->files.hide[i]);
    for (size_t i = 0; i < policy->files.n_mounts; i++)
        check_path_is_safe(policy->files.mounts[i].target);
    for (size_t i = 0; i < policy->n_env; i++)
        MUST(policy->env[i].name[0] && strncmp(policy->env[i].name, "LD_", 3) != 0);
}

static void use(const struct cl_config *config)
{
    struct cl_selection selection;

    for (size_t i = 0; i < cl_config_count(config); i++) {
        struct cl_policy *expanded = NULL;
        struct cl_error e = {0};
        char text[1024];

        if (cl_policy_expand(cl_config_policy(config, i), &user, &expanded, &e) == 0)
            check_expanded(expanded);
        else
            MUST(strlen(cl_error_format(&e, text, sizeof(text))) > 0);
        cl_policy_free(expanded);
    }
    MUST(cl_config_select(config, &user, "sshd", &selection) == 0);
    cl_selection_clear(&selection);
    (void)cl_settings_exempt(cl_config_settings(config), &user, NULL, 0);
    (void)cl_settings_placement(cl_config_settings(config), "sshd");
}

/* The input is a policy file, or, after a NUL byte, cloister.conf and a policy file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *split = size ? memchr(data, 0, size) : NULL;
    size_t settings = split ? (size_t)(split - data) : 0;
    struct cl_problems problems = {0};
    struct cl_config *config = NULL;
    const char *path;
    int fd, r;

    path = fuzz_folder(&fd);
    fuzz_write(fd, "cloister.conf", data, settings);
    fuzz_write(fd, "policy.d/50-fuzz.conf", split ? split + 1 : data, split ? size - settings - 1 : size);
    r = cl_config_load(path, true, &config, &problems);
    MUST((r == 0) == (config != NULL));
    MUST(r == 0 || problems.n > 0);
    if (config)
        use(config);
    cl_config_free(config);
    cl_problems_clear(&problems);
    return 0;
}

static void remove_folder(void)
{
    int fd;
    const char *path = fuzz_folder(&fd);

    unlinkat(fd, "cloister.conf", 0);
    unlinkat(fd, "policy.d/50-fuzz.conf", 0);
    unlinkat(fd, "policy.d", AT_REMOVEDIR);
    rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return fuzz_start("policy.d", remove_folder);
}
