/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * facts [call:NAME | PATH]...: what a process finds in its cell, one fact a line, words apart by spaces; then
 * "ready", and it stays until its standard input ends. Static, so that it runs wherever a cell shows it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Calls that harm nobody, and that neither the C library nor a shell makes by itself. Arguments are such that
 * a call which the filter lets through succeeds, or fails with another errno than EPERM. */
static const struct {
    const char *name;
    long number, arguments[3];
} calls[] = {
    {"getpriority", SYS_getpriority, {0}},
    {"getitimer", SYS_getitimer, {99}},
    {"sched_getparam", SYS_sched_getparam, {-1}},
    {"semget", SYS_semget, {1, -1}},
    {"add_key", SYS_add_key, {0}},
    {"request_key", SYS_request_key, {0}},
    {"keyctl", SYS_keyctl, {9999}},
};

/* In a child, because the filter may kill. */
static void tell_call(const char *name)
{
    int status = 0;
    pid_t pid;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (strcmp(calls[i].name, name) != 0)
            continue;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            const long *a = calls[i].arguments;

            _exit(syscall(calls[i].number, a[0], a[1], a[2], 0, 0) < 0 ? errno : 0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
            printf("call %s unknown\n", name);
        else if (WIFSIGNALED(status))
            printf("call %s signal %d\n", name, WTERMSIG(status));
        else
            printf("call %s errno %d\n", name, WEXITSTATUS(status));
    }
}

/* Entries but . and ..; -1: no folder, or not readable. */
static int count_entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void tell_path(const char *path)
{
    struct statfs fs;
    struct stat st;

    if (stat(path, &st) < 0 || statfs(path, &fs) < 0) {
        printf("path %s absent\n", path);
        return;
    }
    printf("path %s mode=%o uid=%u rdev=%lu ino=%lu tmpfs=%d flags=%lu size=%llu entries=%d\n", path,
           st.st_mode, st.st_uid, (unsigned long)st.st_rdev, (unsigned long)st.st_ino,
           fs.f_type == 0x01021994, (unsigned long)fs.f_flags,
           (unsigned long long)fs.f_blocks * (unsigned long long)fs.f_bsize,
           S_ISDIR(st.st_mode) ? count_entries(path) : -1);
}

/* Each line of a file after a word. */
static void tell_file(const char *word, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[1024];

    if (!file) {
        printf("%s unreadable %d\n", word, errno);
        return;
    }
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        printf("%s %s\n", word, line);
    }
    fclose(file);
}

static void tell_namespaces(void)
{
    static const char *const names[] = {"user", "pid", "mnt", "ipc", "uts", "net", "cgroup"};
    char path[64], target[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        n = readlink(path, target, sizeof(target) - 1);
        target[n < 0 ? 0 : n] = '\0';
        printf("ns %s %s\n", names[i], target);
    }
}

int main(int argc, char **argv)
{
    struct utsname name;
    char c;

    tell_file("status", "/proc/self/status");
    tell_file("label", "/proc/self/attr/current");
    tell_file("nested", "/proc/sys/user/max_user_namespaces");
    tell_namespaces();
    if (uname(&name) == 0)
        printf("hostname %s\n", name.nodename);
    for (char **variable = environ; *variable; variable++)
        printf("env %s\n", *variable);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "call:", 5) == 0)
            tell_call(argv[i] + 5);
        else
            tell_path(argv[i]);
    puts("ready");
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        ;
    return 0;
}
