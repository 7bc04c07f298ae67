/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor: what sshd's configuration comes to, as sshd itself says: `sshd -T`, and `-C user=…` where there are Match
 * blocks.
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "doctor.h"
#include "util.h"

#define SSHD_CONFIG     "/etc/ssh/sshd_config"
#define SSHD_CONFIG_DIR "/etc/ssh/sshd_config.d"
#define FIRST_USER      1000
#define USERS_MAX       8 /* to ask sshd about: each takes a process */

static const char *find_sshd(void)
{
    static const char *const places[] = {"/usr/sbin/sshd", "/usr/local/sbin/sshd"};

    for (size_t i = 0; i < CL_ARRAY_SIZE(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static const char *reload_command(void)
{
    return access("/usr/lib/systemd/system/ssh.service", F_OK) == 0 ||
                   access("/lib/systemd/system/ssh.service", F_OK) == 0
               ? "systemctl reload ssh"
               : "systemctl reload sshd";
}

/* The value of a keyword in what `sshd -T` prints, "keyword value" lines; false: not there. */
static bool get_value(const char *text, const char *keyword, char *buf, size_t size)
{
    size_t length = strlen(keyword);

    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncasecmp(line, keyword, length) == 0 && line[length] == ' ') {
            line += length + 1;
            snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
            return true;
        }
    return false;
}

/* Does a file have a line that starts with "Match"? */
static bool file_has_match(const char *path)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    cleanup_free char *text = NULL;

    if (fd < 0 || cl_read_all(fd, 1024 * 1024, &text, NULL) < 0)
        return false;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *word = line + strspn(line, " \t");

        if (strncasecmp(word, "match", 5) == 0 && isspace((unsigned char)word[5]))
            return true;
    }
    return false;
}

static bool has_match(void)
{
    DIR *dir = opendir(SSHD_CONFIG_DIR);
    const struct dirent *entry;
    bool found = file_has_match(SSHD_CONFIG);

    while (dir && !found && (entry = readdir(dir))) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), SSHD_CONFIG_DIR "/%s", entry->d_name);
        found = entry->d_name[0] != '.' && file_has_match(path);
    }
    if (dir)
        (void)closedir(dir);
    return found;
}

/* What chroots, or allows sftp alone: of everyone, or of one user. */
static void check_values(struct doctor *d, const char *text, const char *user)
{
    cleanup_free char *fix = NULL;
    char value[256];

    if (cl_asprintf(&fix, "editor " SSHD_CONFIG " && sshd -t && %s", reload_command()) < 0)
        fix = NULL;
    if (get_value(text, "chrootdirectory", value, sizeof(value)) && strcasecmp(value, "none") != 0)
        doctor_find(d, FINDING_SSHD_CHROOT, user, fix, "sshd has ChrootDirectory %s for %s", value,
                    user ? user : "everyone");
    if (get_value(text, "forcecommand", value, sizeof(value)) && strncmp(value, "internal-sftp", 13) == 0)
        doctor_find(d, FINDING_SSHD_SFTP, user, "", "sshd has ForceCommand internal-sftp for %s",
                    user ? user : "everyone");
}

static void ask_user(struct doctor *d, char *sshd, const char *name)
{
    static char test[] = "-T", criteria[] = "-C";
    cleanup_free char *spec = NULL, *output = NULL;

    if (cl_asprintf(&spec, "user=%s,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22", name) < 0)
        d->out_of_memory = true;
    else if (doctor_run((char *const[]){sshd, test, criteria, spec, NULL}, &output) == 0)
        check_values(d, output, name);
}

/* Users who get cells. They are asked about after the list is read: looking one up may read it anew. */
static void ask_users(struct doctor *d, char *sshd)
{
    cleanup_strv char **names = NULL;
    const struct passwd *entry;
    size_t asked = 0, users = 0;

    setpwent();
    while ((entry = getpwent()) && users < 100000)
        if (entry->pw_uid >= FIRST_USER && entry->pw_uid < 65534 && !strpbrk(entry->pw_name, ", \t=") &&
            ++users > 0 && cl_strv_add(&names, entry->pw_name) < 0)
            d->out_of_memory = true;
    endpwent();
    for (size_t i = 0; names && names[i] && asked <= USERS_MAX; i++) {
        if (!doctor_covers_user(d, names[i]))
            continue;
        if (asked++ < USERS_MAX)
            ask_user(d, sshd, names[i]);
    }
    if (asked > USERS_MAX)
        doctor_find(d, FINDING_SSHD_SAMPLE, NULL, "sshd -T -C user=NAME,host=localhost,addr=127.0.0.1",
                    "sshd's configuration has Match blocks, and was tried for %d users only", USERS_MAX);
}

static void check_output(struct doctor *d, char *sshd, const char *text)
{
    cleanup_free char *fix = NULL;
    char value[64] = "no";

    (void)get_value(text, "pamservicename", d->sshd.service, sizeof(d->sshd.service)); /* not before 9.8 */
    (void)get_value(text, "usepam", value, sizeof(value));
    if (strcasecmp(value, "yes") != 0) {
        /* The first value counts. */
        if (cl_asprintf(&fix, "sed -i '1i UsePAM yes' " SSHD_CONFIG " && %s", reload_command()) < 0)
            fix = NULL;
        doctor_find(d, FINDING_SSHD_USEPAM, SSHD_CONFIG, fix, "sshd has UsePAM no");
    }
    check_values(d, text, NULL);
    if (has_match())
        ask_users(d, sshd);
}

void doctor_sshd(struct doctor *d)
{
    static char test[] = "-T";
    cleanup_free char *sshd = find_sshd() ? strdup(find_sshd()) : NULL, *output = NULL;
    int r;

    if (!sshd) {
        doctor_ok(d, "no sshd is installed");
        return;
    }
    snprintf(d->sshd.service, sizeof(d->sshd.service), "sshd");
    if (!doctor_is_root(d, "what sshd's configuration comes to"))
        return;
    r = doctor_run((char *const[]){sshd, test, NULL}, &output);
    if (r == 0) {
        check_output(d, sshd, output);
        doctor_ok(d, "sshd uses PAM, as the service %s, and chroots nobody", d->sshd.service);
    } else if (r > 0 && strstr(output, "privilege separation directory")) {
        doctor_find(
            d, FINDING_NOT_LOOKED_AT, SSHD_CONFIG, "mkdir -m 0755 /run/sshd",
            "what sshd's configuration comes to: sshd -T needs /run/sshd, which is not there before sshd starts");
    } else if (r == -ETIMEDOUT) {
        doctor_find(
            d, FINDING_NOT_LOOKED_AT, SSHD_CONFIG, "sshd -T",
            "what sshd's configuration comes to: sshd -T does not end, perhaps because name services are slow");
    } else {
        doctor_find(d, FINDING_SSHD_CONFIG, SSHD_CONFIG, "sshd -t", "sshd -T fails: %.*s",
                    r < 0 ? 200 : (int)strcspn(output, "\n"), r < 0 ? strerror(-r) : output);
    }
}
