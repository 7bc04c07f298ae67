/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister sweep: the helper does it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

int ctl_sweep(struct ctl *ctl, int argc, char **argv)
{
    static char name[] = "cloister-helper", verb[] = "sweep";
    static char *const arguments[] = {name, verb, NULL};
    const char *values[CTL_OPTIONS_MAX] = {0};
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (first != argc)
        return ctl_usage_error(ctl, "sweep takes no argument");
    if (getuid() != 0)
        return ctl_error("only root may sweep");
    (void)execv(CL_HELPER_PATH, arguments);
    return ctl_error("run " CL_HELPER_PATH ": %s", strerror(errno));
}
