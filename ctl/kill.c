/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister kill ID, --login ID, or --user U: end cells, or one login. The helper does it, one a call.
 */
#include "config.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell.h"
#include "ctl.h"
#include "util.h"

static int kill_one(char *verb, char *id)
{
    static char name[] = "cloister-helper";
    char *const arguments[] = {name, verb, id, NULL};
    int status = 0, r;
    pid_t pid;

    r = posix_spawn(&pid, CL_HELPER_PATH, NULL, NULL, arguments, environ);
    if (r != 0)
        return ctl_error("run " CL_HELPER_PATH ": %s", strerror(r));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CTL_OK : CTL_PROBLEM; /* it said why */
}

static int kill_cell(char *id)
{
    static char verb[] = "kill";

    return kill_one(verb, id);
}

static int kill_login(const char *id)
{
    static char verb[] = "kill-login";
    cleanup_free char *copy = strdup(id);

    return copy ? kill_one(verb, copy) : ctl_error("out of memory");
}

static int kill_user(const char *user)
{
    cleanup_cells struct cells cells = {0};
    struct cl_error e = {0};
    int status = CTL_OK;
    size_t n = 0;

    if (cells_load(&cells, &e) < 0)
        return ctl_error("%s: %s", e.text, strerror(e.err));
    for (size_t i = 0; i < cells.n; i++) {
        if (strcmp(cells.items[i].record->user, user) != 0)
            continue;
        n++;
        if (kill_cell(cells.items[i].record->id) != CTL_OK)
            status = CTL_PROBLEM;
    }
    return n ? status : ctl_error("user \"%s\" has no live cell", user);
}

int ctl_kill(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (argc - first + (values[0] != NULL) + (values[1] != NULL) != 1)
        return ctl_usage_error(ctl, "kill takes the id of one cell or login, --login ID, or --user U");
    if (getuid() != 0)
        return ctl_error("only root may end cells");
    if (values[1])
        return kill_login(values[1]);
    return values[0] ? kill_user(values[0]) : kill_cell(argv[first]);
}
