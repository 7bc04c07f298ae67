/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: which PAM services have the module, and which of those that start shells have not.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor_pam.h"
#include "util.h"

const char *const doctor_pam_dirs[] = {"/etc/pam.d", "/usr/lib/pam.d", NULL};

/* Services that start a shell; cron and atd are looked at with their jobs, and user managers with systemd. */
static const char *const doors[] = {"login", "su", "su-l", "runuser", "runuser-l", "sudo", "sudo-i"};

/* Files that services include, and the fallback. */
static bool is_shared(const char *name)
{
    static const char *const shared[] = {
        "other",          "system-auth",  "password-auth",      "postlogin",           "fingerprint-auth",
        "smartcard-auth", "system-login", "system-local-login", "system-remote-login", "system-services"};

    for (size_t i = 0; i < CL_ARRAY_SIZE(shared); i++)
        if (strcmp(name, shared[i]) == 0)
            return true;
    return strncmp(name, "common-", 7) == 0 || name[0] == '.' || strchr(name, '~') || strstr(name, ".dpkg") ||
           strstr(name, ".rpm") || strstr(name, ".ucf");
}

static char *path_of(const char *service)
{
    for (size_t i = 0; doctor_pam_dirs[i]; i++) {
        char *path = NULL;

        if (cl_asprintf(&path, "%s/%s", doctor_pam_dirs[i], service) == 0 && access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

bool doctor_pam_exists(const char *service)
{
    cleanup_free char *path = path_of(service);

    return path != NULL;
}

bool doctor_pam_covers(const char *service)
{
    cleanup_pam_stack struct pam_stack stack = {0};

    return pam_stack_read(doctor_pam_dirs, service, PAM_TYPE_SESSION, &stack, NULL) == 0 &&
           pam_stack_has(&stack, CL_PAM_MODULE);
}

/* By its name where libpam looks for it, else by its path. */
static const char *module_word(void)
{
    static const char dir[] = CL_PAM_DIR;

    return strncmp(dir, "/lib", 4) == 0 || strncmp(dir, "/usr/lib", 8) == 0 ? CL_PAM_MODULE
                                                                            : CL_PAM_DIR "/" CL_PAM_MODULE;
}

/* Order matters within one type alone, so the end of the file is the right place. */
char *doctor_pam_add(const char *service, bool auth, bool session)
{
    cleanup_free char *path = path_of(service), *own = NULL, *quoted = NULL;
    bool vendor = path && strncmp(path, "/etc/", 5) != 0;
    char *command = NULL;

    if (cl_asprintf(&own, "/etc/pam.d/%s", service) < 0)
        return NULL;
    quoted = doctor_quote(own);
    if (!quoted ||
        cl_asprintf(&command, "%s%s%s%s%sprintf '%%s\\n'%s%s%s%s%s%s >>%s", vendor ? "cp " : "", vendor ? path : "",
                    vendor ? " " : "", vendor ? quoted : "", vendor ? " && " : "", auth ? " 'auth required " : "",
                    auth ? module_word() : "", auth ? "'" : "", session ? " 'session required " : "",
                    session ? module_word() : "", session ? "'" : "", quoted) < 0)
        return NULL;
    return command;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of all services, sorted. */
static void list_services(struct doctor *d, char ***ret)
{
    for (size_t i = 0; doctor_pam_dirs[i]; i++) {
        DIR *dir = opendir(doctor_pam_dirs[i]);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
            if (!is_shared(entry->d_name) && !cl_strv_contains(*ret, entry->d_name) &&
                cl_strv_add(ret, entry->d_name) < 0)
                d->out_of_memory = true;
        if (dir)
            (void)closedir(dir);
    }
    if (*ret)
        qsort(*ret, cl_strv_length(*ret), sizeof(**ret), by_name);
}

static void check_door(struct doctor *d, const char *service)
{
    cleanup_free char *fix = NULL;

    if (!doctor_pam_exists(service) || doctor_pam_covers(service))
        return;
    fix = doctor_pam_add(service, false, true);
    doctor_find(d, FINDING_PAM_DOOR, service, fix, "the PAM service %s is without " CL_PAM_MODULE, service);
}

static void check_sshd(struct doctor *d, char *const *covered)
{
    cleanup_free char *fix = NULL;

    if (!*d->sshd.service || cl_strv_contains(covered, d->sshd.service))
        return;
    fix = doctor_pam_add(d->sshd.service, true, true);
    doctor_find(d, FINDING_PAM_SSHD, d->sshd.service, fix, "sshd's PAM service, %s, is without " CL_PAM_MODULE,
                d->sshd.service);
}

/* "login, sshd": a new string. */
static char *join(char *const *names)
{
    cleanup_free char *text = NULL;
    char *result;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (size_t i = 0; names && names[i]; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", names[i]);
    if (fclose(out) != 0)
        return NULL;
    result = text;
    text = NULL;
    return result;
}

void doctor_pam(struct doctor *d)
{
    cleanup_strv char **services = NULL, **covered = NULL;
    cleanup_free char *names = NULL;

    list_services(d, &services);
    for (size_t i = 0; services && services[i]; i++)
        if (doctor_service(d, services[i]) && cl_strv_add(&covered, services[i]) < 0)
            d->out_of_memory = true;
    if (!covered && !*d->sshd.service)
        doctor_find(d, FINDING_PAM_NO_DOOR, NULL, "", "no PAM service has " CL_PAM_MODULE);
    check_sshd(d, covered);
    for (size_t i = 0; i < CL_ARRAY_SIZE(doors); i++)
        check_door(d, doors[i]);
    names = join(covered);
    doctor_ok(d, CL_PAM_MODULE " stands where it must in the PAM services %s", names ? names : "?");
}
