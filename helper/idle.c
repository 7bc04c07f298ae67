/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The host's terminals, for the one process of a cell that has no name for them.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "channel.h"
#include "idle.h"
#include "mnt.h"
#include "util.h"

#define ANSWER_MS 200
#define NAME_CHARACTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* A mount by itself, in no namespace: by it nothing but terminals is reached, not even what lies above. */
int stage_idle(struct session *s, struct cl_error *e)
{
    cleanup_fd int host = -1;
    const struct group *tty;
    struct statfs fs;

    if (s->policy->session.idle == 0 || !s->lasting)
        return 0;
    host = open("/dev/pts", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (host < 0 || fstatfs(host, &fs) < 0)
        return cl_policy_fail(s->policy, CL_KEY_SESSION_IDLE, e, errno, "open /dev/pts");
    if (fs.f_type != DEVPTS_SUPER_MAGIC)
        return cl_policy_fail(s->policy, CL_KEY_SESSION_IDLE, e, ENOTTY, "/dev/pts is no devpts: input cannot be seen");
    s->devpts = mnt_clone(host, MNT_RDONLY | MNT_NOEXEC | MNT_DEVICES, -1, NULL, e);
    if (s->devpts < 0)
        return s->devpts;
    tty = getgrnam("tty"); /* idmap.c maps it */
    s->tty_gid = tty ? tty->gr_gid : 0;
    return 0;
}

/* What the service says may be any word, with or without the folder. */
int idle_open_terminal(const struct session *s)
{
    const char *tty = s->request->tty, *rest;
    cleanup_fd int fd = -1;
    char path[80];
    struct stat st;

    if (strncmp(tty, "/dev/", 5) == 0)
        tty += 5;
    rest = strncmp(tty, "pts/", 4) == 0 ? tty + 4 : tty;
    if (!*rest || strlen(tty) > 32 || rest[strspn(rest, NAME_CHARACTERS)])
        return -1;
    (void)snprintf(path, sizeof(path), "/dev/%s", tty);
    fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) ? cl_take_fd(&fd) : -1;
}

bool idle_ends(int run_fd, const struct record *record, const struct login *login)
{
    const struct channel_call call = {.run_fd = run_fd,
                                      .cell = record->id,
                                      .init_fd = -1,
                                      .verb = INIT_ASK,
                                      .login = login->id,
                                      .login_fd = -1,
                                      .kill_fd = -1,
                                      .timeout_ms = ANSWER_MS};
    struct init_answer answer = {0};

    return record->idle > 0 && channel_call(&call, &answer, NULL) == 0 && answer.status == INIT_IDLE;
}
