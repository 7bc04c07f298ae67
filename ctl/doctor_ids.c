/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The findings of doctor: what each is called, how grave it is, and why it matters.
 */
#include "config.h"

#include <assert.h>

#include "doctor.h"
#include "util.h"

static const char *const severities[] = {
    [SEVERITY_SERIOUS] = "serious",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_INFO] = "info",
    [SEVERITY_OK] = "ok",
};
static_assert(CL_ARRAY_SIZE(severities) == SEVERITY_COUNT, "a severity without a name");

#define SERIOUS SEVERITY_SERIOUS
#define WARNING SEVERITY_WARNING
#define INFO    SEVERITY_INFO

static const struct finding_info infos[] = {
    [FINDING_OK] = {"ok", SEVERITY_OK, "nothing to mend"},
    [FINDING_NOT_LOOKED_AT] = {"not-looked-at", INFO, "it may be wrong all the same"},

    [FINDING_KERNEL_OLD] = {"kernel-old", SERIOUS, "cells need what Linux has since 5.14: every login is refused"},
    [FINDING_KERNEL_NAMESPACE] = {"kernel-namespace", SERIOUS, "a cell has one of each: every login is refused"},
    [FINDING_KERNEL_SECCOMP] = {"kernel-seccomp", SERIOUS, "system calls cannot be filtered: logins are refused"},
    [FINDING_KERNEL_MOUNT] = {"kernel-mount", SERIOUS,
                              "a cell's files are put together with it: every login is refused"},
    [FINDING_LANDLOCK] = {"landlock", SERIOUS, "a policy has files.landlock: its logins are refused"},
    [FINDING_LANDLOCK_OPTIONAL] = {"landlock-optional", WARNING,
                                   "a policy has files.landlock, and lets logins go on without"},
    [FINDING_IDMAP] = {"idmap", WARNING,
                       "in cells with identity = \"natural\", what root owns there shows as nobody's"},

    [FINDING_CGROUP_NONE] = {"cgroup-none", SERIOUS, "limits need cgroup v2: logins are refused"},
    [FINDING_CGROUP_CONTROLLER] = {"cgroup-controller", SERIOUS, "a policy limits it: its logins are refused"},
    [FINDING_CGROUP_CONTROLLER_OPTIONAL] = {"cgroup-controller-optional", WARNING,
                                            "a policy limits it, and lets logins go on without"},
    [FINDING_CGROUP_MANAGER] = {"cgroup-manager", SERIOUS, "cloister.conf asks for it: every login is refused"},
    [FINDING_CGROUP_WRITERS] =
        {"cgroup-writers", WARNING,
         "systemd owns the tree, may undo the limits of others, and does not know of the cells"},

    [FINDING_APPARMOR_PROFILE] = {"apparmor-profile", SERIOUS, "logins with this policy are refused"},
    [FINDING_APPARMOR_OPTIONAL] = {"apparmor-optional", WARNING, "logins with this policy go on without AppArmor"},

    [FINDING_HELPER_MODE] =
        {"helper-mode", SERIOUS,
         "it builds the cells as root: without the setuid bit `cloister run` and su fail; what others "
         "may write to, makes them root"},
    [FINDING_HELPER_NOSUID] = {"helper-nosuid", SERIOUS,
                               "the setuid bit has no effect there: `cloister run` and su fail"},
    [FINDING_PROGRAM_MISSING] = {"program-missing", SERIOUS, "without it every login but root's is refused"},
    [FINDING_PROGRAM_WRITABLE] = {"program-writable", SERIOUS, "root runs it: who may write to it becomes root"},
    [FINDING_CELL_USER] = {"cell-user", SERIOUS, "root of a cell is mapped to it: every login is refused"},
    [FINDING_FOLDER_OWNER] = {"folder-owner", SERIOUS, "what it says about cells is trusted: every login is refused"},
    [FINDING_FOLDER_MODE] = {"folder-mode", WARNING, "others may read who logs in from where"},

    [FINDING_CONFIG_INVALID] = {"config-invalid", SERIOUS, "an invalid edit never takes effect"},
    [FINDING_CONFIG_WARNING] = {"config-warning", WARNING, "it is valid, but hardly what is meant"},
    [FINDING_CONFIG_NOT_KEPT] = {"config-not-kept", INFO,
                                 "there is no last valid policy yet, that would stay in force after a broken edit"},
    [FINDING_CONFIG_EDITED] = {"config-edited", INFO, "the next login is the first that gets it, and keeps it"},

    [FINDING_PAM_UNREADABLE] = {"pam-unreadable", WARNING, "libpam refuses what it cannot read"},
    [FINDING_PAM_NO_DOOR] = {"pam-no-door", SERIOUS, "no login on this machine enters a cell"},
    [FINDING_PAM_SSHD] = {"pam-sshd", SERIOUS, "every ssh login is on the host, outside of every cell"},
    [FINDING_PAM_DOOR] = {"pam-door", WARNING, "a shell or job that it starts is on the host, outside of every cell"},
    [FINDING_PAM_AUTH_MISSING] = {"pam-auth-missing", SERIOUS,
                                  "the session line alone cannot place the login: every login is refused"},
    [FINDING_PAM_SESSION_MISSING] = {"pam-session-missing", SERIOUS,
                                     "nothing opens a cell: logins are refused, or stay on the host"},
    [FINDING_PAM_TWICE] = {"pam-twice", SERIOUS, "a second cell cannot be entered: every login is refused"},
    [FINDING_PAM_CONTROL] = {"pam-control", SERIOUS, "a refused login would go on without a cell"},
    [FINDING_PAM_SKIPPED] = {"pam-skipped", SERIOUS,
                             "libpam may never get to the module: no cell, or a refused login"},
    [FINDING_PAM_SYSTEMD] = {"pam-systemd-order", WARNING,
                             "/run/user/UID and the session's environment are made after the cell, which lacks them"},
    [FINDING_PAM_NOT_LAST] = {"pam-not-last", WARNING,
                              "what later modules do at the login is not seen in the cell, or fails inside of it"},
    [FINDING_PAM_PLACEMENT] = {"pam-placement", SERIOUS, "a service that Cloister does not know is refused"},
    [FINDING_PAM_PLACEMENT_INCLUDED] = {"pam-placement-included", INFO,
                                        "if it opens sessions, those of users who get cells are refused until placement "
                                        "names it"},
    [FINDING_PAM_MODULE] = {"pam-module", SERIOUS,
                            "libpam cannot load the module: every login is refused, root's too"},

    [FINDING_SSHD_CONFIG] = {"sshd-config", SERIOUS, "sshd will not start again with it, and could not be looked at"},
    [FINDING_SSHD_USEPAM] = {"sshd-usepam", SERIOUS, "sshd calls no PAM module: every ssh login is on the host"},
    [FINDING_SSHD_CHROOT] = {"sshd-chroot", WARNING, "sshd cannot chroot in a cell: these logins fail"},
    [FINDING_SSHD_SFTP] = {"sshd-sftp", INFO, "sftp alone, in a cell like any login"},
    [FINDING_SSHD_SAMPLE] = {"sshd-sample", INFO, "Match blocks may say something else for the others"},

    [FINDING_USER_MANAGER] = {"user-manager", SERIOUS,
                              "systemd runs the units in a user's home on the host, outside of every cell"},
    [FINDING_LINGER] = {"linger", WARNING, "the user has no user manager with Cloister: each boot logs a refusal"},
    [FINDING_TIMER] = {"sweep-timer", WARNING, "what a crash leaves stays until the user's next login"},
    [FINDING_JOBS] = {"jobs", SERIOUS, "these jobs run on the host, outside of every cell"},
    [FINDING_JOBS_ALLOWED] = {"jobs-allowed", WARNING,
                              "the jobs of users who get cells would run on the host, outside of every cell"},

    [FINDING_RECORD] = {"leftover-record", WARNING,
                        "a cell ended without a close; the user's next login, or a sweep, clears it"},
    [FINDING_CGROUP] = {"leftover-cgroup", WARNING, "no cell is in it any more"},
    [FINDING_CGROUP_BUSY] = {"leftover-processes", SERIOUS,
                             "processes without a cell that anyone knows of: no logout ends them"},

    [FINDING_NAT_RULES] = {"nat-rules", SERIOUS,
                           "what cells may reach is said by these rules: without them they are cut off; a login with "
                           "nat, or a sweep, brings them back"},
    [FINDING_NAT_GUARD] = {"nat-guard", SERIOUS,
                           "without it, packets of cells reach the host when somebody flushes the rules of nftables"},
    [FINDING_NAT_FIREWALL] = {"nat-firewall", WARNING,
                              "it drops what cells send to the outside: names do not resolve, connections time out"},
    [FINDING_NAT_POOL] = {"nat-pool", WARNING, "when all addresses are taken, logins with network.mode nat are refused"},
    [FINDING_NAT_DNS] = {"nat-dns", WARNING, "names do not resolve in cells of such policies"},
    [FINDING_NAT_ADDRESS] = {"leftover-address", WARNING, "no cell has it any more"},
};
static_assert(CL_ARRAY_SIZE(infos) == FINDING_COUNT, "a finding without a name");

const struct finding_info *finding_info(enum finding_id id)
{
    return &infos[id];
}

const char *severity_name(enum severity severity)
{
    return severities[severity];
}
