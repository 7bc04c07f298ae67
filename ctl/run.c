/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister run [-- CMD...]: a command in a cell of its own, without a login.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "start.h"
#include "util.h"

/* Too long a name is no name of anything. */
static int copy(char *to, size_t size, const char *what, const char *text)
{
    if (!text)
        return CTL_OK;
    if (!*text)
        return ctl_error("%s is empty", what);
    return (size_t)snprintf(to, size, "%s", text) < size ? CTL_OK : ctl_error("%s is too long", what);
}

/* The helper's working folder is another one. */
static int copy_folder(char *to, size_t size, const char *folder)
{
    cleanup_free char *full = realpath(folder, NULL);

    return full ? copy(to, size, "the folder", full) : ctl_error("%s: %s", folder, strerror(errno));
}

static int make_request(const struct ctl *ctl, const char **values, struct cl_run_request *request)
{
    int r = copy(request->user, sizeof(request->user), "--user", values[0]);

    if (r == CTL_OK)
        r = copy(request->service, sizeof(request->service), "--service", values[1]);
    if (r == CTL_OK)
        r = copy(request->policy, sizeof(request->policy), "--policy", values[2]);
    if (r == CTL_OK && strcmp(ctl->config, CL_CONFIG_DIR) != 0)
        r = copy_folder(request->config, sizeof(request->config), ctl->config);
    if (r != CTL_OK)
        return r;
    request->version = CL_RUN_VERSION;
    return cl_run_request_valid(request) ? CTL_OK
                                         : ctl_error("a blank or a control character is in no such name");
}

int ctl_run(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    struct cl_run_request request = {0};
    struct started started;
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    r = make_request(ctl, values, &request);
    if (r != CTL_OK)
        return r;
    /* The helper says so, too. */
    if (getuid() != 0 && (request.user[0] || request.policy[0] || request.service[0] || request.config[0]))
        return ctl_error("only root may choose the user, the policy, the service or the configuration");
    r = start("run", &request, argv + first, &started);
    return r != CTL_OK ? r : relay(&started, true);
}
