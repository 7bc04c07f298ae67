/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister doctor: one file for each area that it looks at. A check reports what it finds, by the id of the finding;
 * how grave that is, and why, is in the table of ids.
 */
#ifndef CL_CTL_DOCTOR_H
#define CL_CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "configuration.h"
#include "ctl.h"

#define CL_PAM_MODULE "pam_cloister.so"

enum severity { SEVERITY_SERIOUS, SEVERITY_WARNING, SEVERITY_INFO, SEVERITY_OK, SEVERITY_COUNT };

enum finding_id {
    FINDING_OK,
    FINDING_NOT_LOOKED_AT,
    /* kernel */
    FINDING_KERNEL_OLD,
    FINDING_KERNEL_NAMESPACE,
    FINDING_KERNEL_SECCOMP,
    FINDING_KERNEL_MOUNT,
    FINDING_LANDLOCK,
    FINDING_LANDLOCK_OPTIONAL,
    FINDING_IDMAP,
    /* cgroup */
    FINDING_CGROUP_NONE,
    FINDING_CGROUP_CONTROLLER,
    FINDING_CGROUP_CONTROLLER_OPTIONAL,
    FINDING_CGROUP_MANAGER,
    FINDING_CGROUP_WRITERS,
    /* AppArmor */
    FINDING_APPARMOR_PROFILE,
    FINDING_APPARMOR_OPTIONAL,
    /* what is installed */
    FINDING_HELPER_MODE,
    FINDING_HELPER_NOSUID,
    FINDING_PROGRAM_MISSING,
    FINDING_PROGRAM_WRITABLE,
    FINDING_CELL_USER,
    FINDING_FOLDER_OWNER,
    FINDING_FOLDER_MODE,
    /* configuration */
    FINDING_CONFIG_INVALID,
    FINDING_CONFIG_WARNING,
    FINDING_CONFIG_NOT_KEPT,
    FINDING_CONFIG_EDITED,
    /* PAM */
    FINDING_PAM_UNREADABLE,
    FINDING_PAM_NO_DOOR,
    FINDING_PAM_SSHD,
    FINDING_PAM_DOOR,
    FINDING_PAM_AUTH_MISSING,
    FINDING_PAM_SESSION_MISSING,
    FINDING_PAM_TWICE,
    FINDING_PAM_CONTROL,
    FINDING_PAM_SKIPPED,
    FINDING_PAM_SYSTEMD,
    FINDING_PAM_NOT_LAST,
    FINDING_PAM_PLACEMENT,
    FINDING_PAM_PLACEMENT_INCLUDED,
    FINDING_PAM_MODULE,
    /* sshd */
    FINDING_SSHD_CONFIG,
    FINDING_SSHD_USEPAM,
    FINDING_SSHD_CHROOT,
    FINDING_SSHD_SFTP,
    FINDING_SSHD_SAMPLE,
    /* systemd, cron, at */
    FINDING_USER_MANAGER,
    FINDING_LINGER,
    FINDING_TIMER,
    FINDING_JOBS,
    FINDING_JOBS_ALLOWED,
    /* leftovers */
    FINDING_RECORD,
    FINDING_CGROUP,
    FINDING_CGROUP_BUSY,
    /* network */
    FINDING_NAT_RULES,
    FINDING_NAT_GUARD,
    FINDING_NAT_FIREWALL,
    FINDING_NAT_POOL,
    FINDING_NAT_DNS,
    FINDING_NAT_ADDRESS,
    FINDING_COUNT
};

struct finding {
    enum finding_id id;
    const char *area; /* the check's name */
    char *subject;    /* a file, a service, a user, …; NULL: the machine */
    char *what, *fix; /* fix: a command, or "" */
};

struct sshd_answer {
    bool asked, use_pam;
    char service[64]; /* PAM service */
};

struct doctor {
    struct ctl *ctl;
    bool root;
    struct cl_settings *settings;   /* of the configuration, else the last valid or the built-in ones */
    const struct cl_config *config; /* NULL: not valid */
    const char *area;               /* of the check that runs */
    struct sshd_answer sshd;
    struct finding *findings;
    size_t n;
    bool out_of_memory;
};

struct finding_info {
    const char *name; /* "pam-auth-missing" */
    enum severity severity;
    const char *why;
};

const struct finding_info *finding_info(enum finding_id id);
const char *severity_name(enum severity severity);

/* Report. subject may be NULL; fix is a command to mend it, or "". Both are copied. */
void doctor_find(struct doctor *d, enum finding_id id, const char *subject, const char *fix, const char *fmt, ...)
    CL_PRINTF(5, 6);
/* All is well with what this check looked at, unless it reported a warning or worse. */
void doctor_ok(struct doctor *d, const char *fmt, ...) CL_PRINTF(2, 3);
/* What only root may look at: reports that it was left out, and returns false, for others. */
bool doctor_is_root(struct doctor *d, const char *what);

/* text as one word of a shell, quoted where it must be; a new string, or NULL. */
char *doctor_quote(const char *text);
/* A command that adds words to the kernel's command line, new: "" where no GRUB is that could be told. */
char *doctor_boot_with(const char *words);
/* Is there a login of this user that gets a cell? Not for exempt users, and not for those whom NSS does not know. */
bool doctor_covers_user(const struct doctor *d, const char *name);
/* Run a program: absolute path, fixed environment, no descriptor of ours, ten seconds. Its standard output, and where
 * that is empty its standard error, in a new string. The exit status, or -errno. */
int doctor_run(char *const *argv, char **ret_output);

/* The checks, in the order of doctor.c's table. */
void doctor_kernel(struct doctor *d);
void doctor_idmap(struct doctor *d); /* part of the kernel's */
void doctor_cgroup(struct doctor *d);
void doctor_apparmor(struct doctor *d);
void doctor_installed(struct doctor *d);
void doctor_folders(struct doctor *d);
void doctor_config(struct doctor *d);
void doctor_sshd(struct doctor *d);
void doctor_pam(struct doctor *d);
void doctor_systemd(struct doctor *d);
void doctor_jobs(struct doctor *d);
void doctor_leftovers(struct doctor *d);
void doctor_network(struct doctor *d); /* nothing in a build without network.mode "nat" */

/* doctor_print.c */
int doctor_print_text(const struct doctor *d);
int doctor_print_json(const struct doctor *d);

#endif
