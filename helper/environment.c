/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A login's environment, made from nothing.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "util.h"

#define DEFAULT_PATH    "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
#define LOCALE_FILE_MAX 16384

const char *const environment_locale_files[] = {"/etc/default/locale", "/etc/locale.conf", NULL};

static size_t name_length(const char *assignment)
{
    return strcspn(assignment, "=");
}

static void unset(char **env, const char *name)
{
    size_t length = name_length(name), kept = 0;

    for (size_t i = 0; env && env[i]; i++) {
        if (name_length(env[i]) == length && strncmp(env[i], name, length) == 0)
            free(env[i]);
        else
            env[kept++] = env[i];
    }
    if (env)
        env[kept] = NULL;
}

static int set(char ***env, const char *name, const char *value)
{
    cleanup_free char *assignment = NULL;
    int r = cl_asprintf(&assignment, "%s=%s", name, value);

    if (r < 0)
        return r;
    unset(*env, name);
    return cl_strv_add(env, assignment);
}

/* The value of LANG in shell-like text, without its quotes; cuts text up. NULL: it is not there, or odd. */
static char *find_lang(char *text)
{
    char *line, *rest = NULL;

    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *value = line + strlen("LANG=");
        size_t length;

        if (strncmp(line, "LANG=", strlen("LANG=")) != 0)
            continue;
        value += strspn(value, "\"'");
        length = strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._@-");
        if (length == 0 || value[length + strspn(value + length, "\"' \t\r")])
            return NULL;
        value[length] = '\0';
        return value;
    }
    return NULL;
}

static int set_lang(char ***env, const char *const *files)
{
    for (; *files; files++) {
        cleanup_fd int fd = open(*files, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        cleanup_free char *text = NULL;
        const char *value;

        if (fd < 0 || cl_read_all(fd, LOCALE_FILE_MAX, &text, NULL) < 0)
            continue;
        value = find_lang(text);
        if (value)
            return set(env, "LANG", value);
    }
    return 0;
}

static int apply(char ***env, const char *assignment)
{
    unset(*env, assignment);
    return strchr(assignment, '=') ? cl_strv_add(env, assignment) : 0;
}

int environment_make(const struct cl_user *user, const char *term, const char *const *locale_files,
                     const char *plan_env, char ***ret)
{
    const struct {
        const char *name, *value;
    } login[] = {
        {"HOME", user->home[0] ? user->home : "/"},
        {"USER", user->name},
        {"LOGNAME", user->name},
        {"SHELL", user->shell[0] ? user->shell : "/bin/sh"},
        {"PATH", DEFAULT_PATH},
        {"TERM", term},
    };
    cleanup_strv char **env = NULL;
    int r = 0;

    for (size_t i = 0; r == 0 && i < CL_ARRAY_SIZE(login); i++)
        if (login[i].value[0])
            r = set(&env, login[i].name, login[i].value);
    if (r == 0)
        r = set_lang(&env, locale_files);
    for (; r == 0 && *plan_env; plan_env += strlen(plan_env) + 1)
        r = apply(&env, plan_env);
    if (r < 0)
        return r;
    *ret = env;
    env = NULL;
    return 0;
}
