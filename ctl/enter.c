/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister enter ID [-- CMD...]: a command more in a cell that lives, as its user.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "start.h"

int ctl_enter(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    struct cl_run_request request = {0};
    struct started started;
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (first == argc)
        return ctl_usage_error(ctl, "enter needs the id of a cell");
    if (getuid() != 0)
        return ctl_error("only root may enter a cell");
    if (first + 1 < argc && strcmp(argv[first + 1], "--") == 0) {
        argv[first + 1] = argv[first];
        first++;
    }
    r = start("enter", &request, argv + first, &started);
    return r != CTL_OK ? r : relay(&started, false);
}
