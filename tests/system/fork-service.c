/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fork-service [-i] SERVICE USER COMMAND: what su and cron do: opens a session, forks, and the child sets groups, gid
 * and uid and runs COMMAND with sh. -i: goes on where the session is refused, as careless services do. Exits with
 * the command's status, 111 when the session was refused, 112 when the child did not run at all.
 */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <security/pam_appl.h>

enum { REFUSED = 111, NOT_RUN = 112 };

static int answer_nothing(int n, const struct pam_message **messages, struct pam_response **ret, void *data)
{
    (void)n;
    (void)messages;
    (void)ret;
    (void)data;
    return PAM_CONV_ERR;
}

static int run(const char *user, const char *command)
{
    const struct passwd *pw = getpwnam(user);
    int status = 0;
    pid_t pid;

    if (!pw)
        return NOT_RUN;
    pid = fork();
    if (pid == 0) {
        if (initgroups(user, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
            _exit(NOT_RUN);
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(NOT_RUN);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
        return NOT_RUN;
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    const struct pam_conv conversation = {.conv = answer_nothing};
    int ignore = argc > 1 && strcmp(argv[1], "-i") == 0, r, status = REFUSED;
    pam_handle_t *pamh;

    argv += ignore;
    if (argc - ignore != 4 || pam_start(argv[1], argv[2], &conversation, &pamh) != PAM_SUCCESS)
        return 2;
    r = pam_open_session(pamh, 0);
    if (r == PAM_SUCCESS || ignore)
        status = run(argv[2], argv[3]);
    if (r == PAM_SUCCESS)
        (void)pam_close_session(pamh, 0);
    (void)pam_end(pamh, r);
    return status;
}
