/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the user is told at a login: limits that earlier sessions hit. login and su have a terminal, or not,
 * when they open a session. sshd has none yet: it keeps the message, and shows it where it starts a shell on
 * a terminal, which it may never do. So its process in the cell notes, in a page shared with the monitor,
 * that it forked with a terminal open; the close takes that to the helper, which keeps what was not shown for
 * another login.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "module.h"

#define FDS_LOOKED_AT 64

bool notice_terminal(int flags)
{
    return !(flags & PAM_SILENT) && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static bool terminal_comes_later(pam_handle_t *pamh)
{
    const void *tty = NULL;

    return pam_get_item(pamh, PAM_TTY, &tty) == PAM_SUCCESS && tty && strcmp(tty, CL_TTY_LATER) == 0;
}

void notice_show(pam_handle_t *pamh, struct session *session, const char *notice)
{
    void *page;

    for (const char *line = notice; *line;) {
        int length = (int)strcspn(line, "\n");

        (void)pam_info(pamh, "%.*s", length, line);
        line += length;
        line += *line == '\n';
    }
    if (!*notice || !terminal_comes_later(pamh))
        return;
    page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) /* else it is told again */
        session->shown = page;
}

/* Between fork and exec: nothing but system calls. Descriptors 0 to 2 are sshd's own. */
void notice_in_child(const struct session *session)
{
    if (!session->shown || *session->shown)
        return;
    for (int fd = STDERR_FILENO + 1; fd < FDS_LOOKED_AT && !*session->shown; fd++)
        if (isatty(fd))
            *session->shown = 1;
}

bool notice_shown(const struct session *session)
{
    return session->shown && *session->shown;
}

void notice_clear(struct session *session)
{
    if (session->shown)
        (void)munmap((void *)(uintptr_t)session->shown, 1);
    session->shown = NULL;
}
