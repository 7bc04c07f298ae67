/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: cron and at run commands of users. Without the module in their stacks, those run on the host.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_pam.h"
#include "util.h"

struct scheduler {
    const char *services[2]; /* of PAM; the first that has a file */
    const char *what;
    const char *spools[2]; /* where jobs are: files that are named after their user, or belong to the user */
    bool named;
    const char *allow, *deny;
    bool open; /* with neither allow nor deny, everyone may */
};

static const struct scheduler schedulers[] = {
    {{"cron", "crond"},
     "crontab",
     {"/var/spool/cron/crontabs", "/var/spool/cron"},
     true,
     "/etc/cron.allow",
     "/etc/cron.deny",
     true},
    {{"atd", NULL},
     "job of at",
     {"/var/spool/cron/atjobs", "/var/spool/at"},
     false,
     "/etc/at.allow",
     "/etc/at.deny",
     false},
};

/* The user of a job, NULL where it is none. */
static const char *owner_of(const struct scheduler *s, int dir_fd, const char *name)
{
    const struct passwd *user;
    struct stat st;

    if (name[0] == '.' || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    if (s->named)
        return name;
    user = getpwuid(st.st_uid);
    return user ? user->pw_name : NULL;
}

static void list_owners(struct doctor *d, const struct scheduler *s, const char *spool, char ***owners)
{
    DIR *dir = opendir(spool);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        cleanup_free char *owner = NULL;
        const char *name = owner_of(s, dirfd(dir), entry->d_name);

        owner = name ? strdup(name) : NULL;
        if (owner && !cl_strv_contains(*owners, owner) && doctor_covers_user(d, owner) &&
            cl_strv_add(owners, owner) < 0)
            d->out_of_memory = true;
    }
    if (dir)
        (void)closedir(dir);
}

/* May a user who gets a cell make jobs? */
static bool is_open(struct doctor *d, const struct scheduler *s)
{
    cleanup_fd int fd = open(s->allow, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    cleanup_free char *text = NULL;
    char *rest, *line;

    if (fd < 0)
        return s->open || access(s->deny, F_OK) == 0;
    if (cl_read_all(fd, 1024 * 1024, &text, NULL) < 0)
        return true;
    rest = text;
    while ((line = strsep(&rest, "\n"))) {
        line[strcspn(line, " \t#")] = '\0';
        if (*line && doctor_covers_user(d, line))
            return true;
    }
    return false;
}

static void check_scheduler(struct doctor *d, const struct scheduler *s)
{
    const char *service = doctor_pam_exists(s->services[0]) ? s->services[0] : s->services[1];
    cleanup_strv char **owners = NULL;
    cleanup_free char *fix = NULL;

    if (!service || !doctor_pam_exists(service) || doctor_pam_covers(service))
        return;
    fix = doctor_pam_add(service, false, true);
    if (doctor_is_root(d, s->named ? "who has a crontab" : "who has jobs of at"))
        for (size_t i = 0; i < CL_ARRAY_SIZE(s->spools); i++)
            list_owners(d, s, s->spools[i], &owners);
    for (size_t i = 0; owners && owners[i]; i++)
        doctor_find(d, FINDING_JOBS, owners[i], fix, "%s has a %s, and the PAM service %s is without " CL_PAM_MODULE,
                    owners[i], s->what, service);
    if (!owners && is_open(d, s))
        doctor_find(d, FINDING_JOBS_ALLOWED, service, fix,
                    "users may make a %s, and the PAM service %s is without " CL_PAM_MODULE, s->what, service);
}

void doctor_jobs(struct doctor *d)
{
    for (size_t i = 0; i < CL_ARRAY_SIZE(schedulers); i++)
        check_scheduler(d, &schedulers[i]);
    doctor_ok(d, "no jobs of cron or at run outside of cells");
}
