/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: systemd's user managers, which are for exempt users alone, and the timer that sweeps.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "util.h"

#define LINGER_DIR "/var/lib/systemd/linger"
#define DROP_IN    "/etc/systemd/system/user@.service.d"

static char systemctl[] = "/usr/bin/systemctl";

static void check_user_manager(struct doctor *d)
{
    static char show[] = "show", property[] = "-pExecCondition", unit[] = "user@65534.service"; /* any instance */
    cleanup_free char *output = NULL;

    if (doctor_run((char *const[]){systemctl, show, property, unit, NULL}, &output) != 0) {
        doctor_find(d, FINDING_NOT_LOOKED_AT, unit, "systemctl status",
                    "the user managers: systemctl does not answer");
        return;
    }
    if (strstr(output, CL_HELPER_PATH " exempt "))
        return;
    doctor_find(d, FINDING_USER_MANAGER, "user@.service",
                "mkdir -p " DROP_IN
                " && printf '%s\\n' '[Service]' 'ExecCondition=+/usr/bin/timeout -k 2 10 " CL_HELPER_PATH
                " exempt %i' >" DROP_IN "/cloister.conf && systemctl daemon-reload",
                "user@.service has no ExecCondition that asks Cloister: every user may have a user manager");
}

static void check_timer(struct doctor *d)
{
    static char is_active[] = "is-active", is_enabled[] = "is-enabled", unit[] = "cloister-sweep.timer";
    cleanup_free char *active = NULL, *enabled = NULL;

    if (doctor_run((char *const[]){systemctl, is_active, unit, NULL}, &active) == 0 &&
        doctor_run((char *const[]){systemctl, is_enabled, unit, NULL}, &enabled) == 0)
        return;
    doctor_find(d, FINDING_TIMER, unit, "systemctl enable --now cloister-sweep.timer",
                "cloister-sweep.timer is not %s", active && strcmp(active, "active\n") == 0 ? "enabled" : "active");
}

static void check_linger(struct doctor *d)
{
    DIR *dir = opendir(LINGER_DIR);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        cleanup_free char *quoted = NULL, *fix = NULL;

        if (entry->d_name[0] == '.' || !doctor_covers_user(d, entry->d_name))
            continue;
        quoted = doctor_quote(entry->d_name);
        if (quoted && cl_asprintf(&fix, "loginctl disable-linger %s", quoted) < 0)
            fix = NULL;
        doctor_find(d, FINDING_LINGER, entry->d_name, fix, "%s lingers", entry->d_name);
    }
    if (dir)
        (void)closedir(dir);
}

void doctor_systemd(struct doctor *d)
{
    if (access("/run/systemd/system", F_OK) < 0) {
        doctor_ok(d, "no systemd runs here: there are no user managers, and no timers");
        return;
    }
    check_user_manager(d);
    check_timer(d);
    check_linger(d);
    doctor_ok(d, "systemd's user managers are for exempt users alone, and the sweep timer runs");
}
