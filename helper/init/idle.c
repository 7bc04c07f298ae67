/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Theory of operation: input is what the kernel notes as a terminal's time of access, as w(1) has it; here only whether it
 * changed counts, so that no step of the host's clock ends anybody. Which terminals are a login's is the kernel's word, too, read
 * in the cell's /proc: those of its first processes, whose parent is outside of the cell, and, where such a one has no terminal
 * (sshd's), those of its children that lead a session. So what runs on terminals of its own further inside, in tmux or script, is
 * not measured; a login without a terminal has nothing that could be.
 *
 * Terminals are looked up in the host's devpts, a mount by itself that leads nowhere else, or are what the login's service named.
 * What a tenant can choose is which terminal is its process's: so the line is written to none but the tenant's own, or the
 * service's. Signals are sent by the descriptor of the process's folder, to first processes only; the kernel bounds them to the
 * cell. All else of the end is a logout: the service sees that its process has gone, and closes the session.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "idle.h"

#define MAJOR_PTS   136 /* Documentation/admin-guide/devices.txt */
#define PLACES_MAX  1024
#define PAUSE_MIN   1000 /* between two looks */
#define PAUSE_MAX   30000
#define ANY_LOGIN   (-1) /* of a cell without a cgroup for each */
#define NO_LOGIN    (-2)
#define LOGIN_GROUP "/login-" /* helper/cgroup_login.c */
#define CELL_GROUP  "/cell"

struct process {
    pid_t pid, parent, session;
    dev_t tty; /* 0: none */
    unsigned long long start;
};

/* A first process of a login, or one that leads a session on a terminal of the login's. */
struct place {
    struct process process;
    int login; /* its number, or ANY_LOGIN */
};

struct places {
    struct place items[PLACES_MAX];
    size_t n, n_first; /* those come first */
};

int idle_start(int64_t limit, int64_t grace, uid_t uid, int devpts, struct idle *ret)
{
    struct statfs fs;

    *ret = (struct idle){.proc = -1, .devpts = devpts, .limit = limit, .grace = grace, .uid = uid};
    if (limit == 0)
        return 0;
    ret->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return ret->proc >= 0 && fstatfs(ret->proc, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC ? 0 : -1;
}

static int read_text(int dir, const char *name, char *buf, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return -1;
    buf[n] = '\0';
    return 0;
}

/* As the kernel encodes it: new_encode_dev() in include/linux/kdev_t.h. */
static dev_t decode_tty(unsigned number)
{
    return makedev(number >> 8 & 0xfff, (number & 0xff) | (number >> 12 & 0xfff00));
}

/* proc_pid_stat(5). The name, which is the tenant's choice, ends at the last parenthesis. */
static int read_process(int dir, pid_t pid, struct process *ret)
{
    char text[1024];
    const char *after_name;
    unsigned tty;

    if (read_text(dir, "stat", text, sizeof(text)) < 0)
        return -1;
    after_name = strrchr(text, ')');
    if (!after_name ||
        sscanf(after_name + 1, " %*c %d %*d %d %u %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ret->parent,
               &ret->session, &tty, &ret->start) != 4)
        return -1;
    ret->pid = pid;
    ret->tty = decode_tty(tty);
    return 0;
}

/* The process's folder, which stays that of this process, whatever becomes of its number. */
static int open_process(const struct idle *idle, pid_t pid, struct process *ret)
{
    char name[16];
    int dir;

    (void)snprintf(name, sizeof(name), "%d", pid);
    dir = openat(idle->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && read_process(dir, pid, ret) == 0)
        return dir;
    if (dir >= 0)
        (void)close(dir);
    return -1;
}

/* Root who enters a shared cell is in the cgroup of pid 1. */
static int find_login(int dir, const struct login *logins, unsigned n)
{
    char text[4096], id[INIT_ID_SIZE] = "", *group, *end;

    if (read_text(dir, "cgroup", text, sizeof(text)) < 0)
        return NO_LOGIN;
    group = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (!group)
        return ANY_LOGIN;
    group += *group == '\n';
    end = group + strcspn(group, "\n");
    *end = '\0';
    if (end - group > (long)strlen(CELL_GROUP) && strcmp(end - strlen(CELL_GROUP), CELL_GROUP) == 0)
        return NO_LOGIN;
    group = strstr(group, LOGIN_GROUP);
    if (!group)
        return ANY_LOGIN;
    (void)snprintf(id, sizeof(id), "%s", group + strlen(LOGIN_GROUP));
    for (unsigned i = 0; i < n; i++)
        if (strcmp(logins[i].id, id) == 0)
            return (int)i;
    return NO_LOGIN;
}

static bool is_first(const struct process *process)
{
    return process->parent == 0 && process->pid != getpid();
}

/* The login that a first process without a terminal, its parent, is of. */
static int login_of_parent(const struct places *places, const struct process *process)
{
    if (process->tty == 0 || process->session != process->pid)
        return NO_LOGIN;
    for (size_t i = 0; i < places->n_first; i++)
        if (places->items[i].process.pid == process->parent && places->items[i].process.tty == 0)
            return places->items[i].login;
    return NO_LOGIN;
}

static void add(struct places *places, const struct process *process, int login)
{
    if (login != NO_LOGIN && places->n < PLACES_MAX)
        places->items[places->n++] = (struct place){*process, login};
}

static void scan(const struct idle *idle, const struct login *logins, unsigned n, bool first, struct places *ret)
{
    int copy = openat(idle->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *proc = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;
    struct process process;

    while (proc && (entry = readdir(proc))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        int dir = pid > 0 ? open_process(idle, pid, &process) : -1;

        if (dir < 0)
            continue;
        if (!first)
            add(ret, &process, login_of_parent(ret, &process));
        else if (is_first(&process))
            add(ret, &process, find_login(dir, logins, n));
        (void)close(dir);
    }
    if (proc)
        (void)closedir(proc);
    else if (copy >= 0)
        (void)close(copy);
}

static void find_places(const struct idle *idle, const struct login *logins, unsigned n, struct places *ret)
{
    ret->n = ret->n_first = 0;
    scan(idle, logins, n, true, ret);
    ret->n_first = ret->n;
    scan(idle, logins, n, false, ret);
}

static bool is_of(const struct place *place, unsigned login)
{
    return place->login == ANY_LOGIN || place->login == (int)login;
}

static bool is_terminal(const struct stat *st, dev_t tty)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == tty && st->st_nlink > 0; /* a pty that has gone leaves its inode */
}

/* Where the terminal is, as openat(2) has it. */
struct terminal {
    int dir;
    char path[32];
    bool named; /* by the service */
    struct stat st;
};

static bool find_terminal(const struct idle *idle, const struct login *login, dev_t tty, struct terminal *ret)
{
    if (tty == 0)
        return false;
    *ret = (struct terminal){.dir = idle->proc, .named = true};
    if (login->terminal >= 0 && fstat(login->terminal, &ret->st) == 0 && is_terminal(&ret->st, tty)) {
        (void)snprintf(ret->path, sizeof(ret->path), "self/fd/%d", login->terminal);
        return true;
    }
    ret->dir = idle->devpts;
    ret->named = false;
    (void)snprintf(ret->path, sizeof(ret->path), "%u", minor(tty));
    return major(tty) == MAJOR_PTS && fstatat(ret->dir, ret->path, &ret->st, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_terminal(&ret->st, tty);
}

static uint64_t mark_of(const struct idle *idle, const struct places *places, const struct login *login, unsigned number)
{
    struct terminal terminal;
    uint64_t mark = 0;

    for (size_t i = 0; i < places->n; i++)
        if (is_of(&places->items[i], number) && find_terminal(idle, login, places->items[i].process.tty, &terminal))
            mark += (uint64_t)terminal.st.st_atim.tv_sec * 2 + 1;
    return mark;
}

/* It may be stopped, full, closed to messages (mesg(1)) or gone: then it is not said. */
static void write_line(const struct idle *idle, const struct terminal *terminal, const char *line)
{
    int fd = openat(terminal->dir, terminal->path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && is_terminal(&st, terminal->st.st_rdev) && (terminal->named || st.st_uid == idle->uid))
        (void)!write(fd, line, strlen(line));
    (void)close(fd);
}

static void tell(const struct idle *idle, const struct places *places, const struct login *login, unsigned number)
{
    long long seconds = idle->limit / 1000;
    bool minutes = seconds % 60 == 0;
    struct terminal terminal;
    char line[80];

    (void)snprintf(line, sizeof(line), "\r\ncloister: ended after %lld %s without input\r\n", minutes ? seconds / 60 : seconds,
                   minutes ? "min" : "s");
    for (size_t i = 0; i < places->n; i++)
        if (is_of(&places->items[i], number) && find_terminal(idle, login, places->items[i].process.tty, &terminal))
            write_line(idle, &terminal, line);
}

/* pidfd_send_signal(2) takes the folder of a process for its pidfd. */
static void send_signal(const struct idle *idle, const struct place *place, int sig)
{
    struct process now;
    int dir = open_process(idle, place->process.pid, &now);

    if (dir < 0)
        return;
    if (is_first(&now) && now.start == place->process.start)
        (void)syscall(SYS_pidfd_send_signal, dir, sig, NULL, 0);
    (void)close(dir);
}

/* A shell heeds a hang-up, sshd's process, which has no terminal, a request to end. */
static void ask_to_end(const struct idle *idle, const struct places *places, unsigned number)
{
    for (size_t i = 0; i < places->n_first; i++) {
        if (!is_of(&places->items[i], number))
            continue;
        send_signal(idle, &places->items[i], places->items[i].process.tty ? SIGHUP : SIGTERM);
        send_signal(idle, &places->items[i], SIGCONT);
    }
}

static void kill_first(const struct idle *idle, const struct places *places, unsigned number)
{
    for (size_t i = 0; i < places->n_first; i++)
        if (is_of(&places->items[i], number))
            send_signal(idle, &places->items[i], SIGKILL);
}

/* What is told needs a moment to get to who should read it. */
static void look_at(const struct idle *idle, const struct places *places, struct login *login, unsigned number, int64_t now)
{
    uint64_t mark = mark_of(idle, places, login, number);

    if (login->step == IDLE_WATCHED && (mark == 0 || mark != login->mark)) {
        login->mark = mark;
        login->at = now;
    } else if (login->step == IDLE_WATCHED && now - login->at >= idle->limit) {
        tell(idle, places, login, number);
        login->step = IDLE_TOLD;
    } else if (login->step == IDLE_TOLD) {
        ask_to_end(idle, places, number);
        login->step = IDLE_ENDING;
        login->at = now + idle->grace;
    } else if (login->step == IDLE_ENDING && now >= login->at) {
        kill_first(idle, places, number);
    }
}

static int64_t pause_after(const struct idle *idle, const struct login *logins, unsigned n)
{
    int64_t pause = idle->limit / 8;

    if (pause > PAUSE_MAX)
        pause = PAUSE_MAX;
    for (unsigned i = 0; i < n; i++)
        if (logins[i].step != IDLE_WATCHED)
            pause = PAUSE_MIN;
    return pause < PAUSE_MIN ? PAUSE_MIN : pause;
}

void idle_look(struct idle *idle, struct login *logins, unsigned n, int64_t now)
{
    static struct places places;

    if (idle->proc < 0 || n == 0 || now < idle->next)
        return;
    find_places(idle, logins, n, &places);
    for (unsigned i = 0; i < n; i++)
        look_at(idle, &places, &logins[i], i, now);
    idle->next = now + pause_after(idle, logins, n);
}
