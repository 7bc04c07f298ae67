/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * probe DIRECTORY TOKEN [listen | connect PORT HEX]: writes DIRECTORY/TOKEN.facts, in JSON: what only the process
 * itself can tell, its descriptors as they were inherited first of all. listen: answers on a port of 127.0.0.1 with the token;
 * connect: what a port of 127.0.0.1 says to these bytes. Then it stays until DIRECTORY/TOKEN.end is there. Static, so that
 * it runs wherever a cell shows it; silent, so that it disturbs no protocol.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SESSION_KEYRING = -3, GET_KEYRING_ID = 0, DESCRIBE = 6, READ = 11, LIMIT_SECONDS = 300 };

static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned char)*text);
        else
            fputc(*text, out);
    fputc('"', out);
}

/* Into memory: nothing may be open yet that was not inherited. */
static void tell_descriptors(FILE *out)
{
    DIR *dir = opendir("/proc/self/fd");
    const char *comma = "";
    char target[4096];

    fputs("\"fds\": {", out);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        ssize_t n;

        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
            continue;
        n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        target[n < 0 ? 0 : n] = '\0';
        fprintf(out, "%s\"%s\": ", comma, entry->d_name);
        put_string(out, target);
        comma = ", ";
    }
    fputs("}", out);
    if (dir)
        closedir(dir);
}

static void tell_keyring(FILE *out)
{
    long id = syscall(SYS_keyctl, GET_KEYRING_ID, SESSION_KEYRING, 0, 0, 0), size = 0;
    char description[256] = "", keys[4096];

    if (id > 0) {
        (void)syscall(SYS_keyctl, DESCRIBE, id, description, sizeof(description) - 1, 0);
        size = syscall(SYS_keyctl, READ, id, keys, sizeof(keys), 0);
    }
    fprintf(out, ", \"keyring\": {\"id\": %ld, \"error\": %d, \"keys\": %ld, \"description\": ", id, id < 0 ? errno : 0,
            size / 4);
    put_string(out, description);
    fputs("}", out);
}

static int listen_here(FILE *out)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -1;
    fprintf(out, ", \"port\": %d", ntohs(address.sin_port));
    return fd;
}

static void tell_answer(FILE *out, const char *port, const char *hex)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char answer[256] = "";
    size_t got = 0;
    ssize_t n;

    address.sin_port = htons((unsigned short)atoi(port));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        for (; hex[0] && hex[1]; hex += 2) {
            char digits[3] = {hex[0], hex[1], '\0'};
            unsigned char byte = (unsigned char)strtoul(digits, NULL, 16);

            if (write(fd, &byte, 1) != 1)
                break;
        }
        while (got < sizeof(answer) - 1 && (n = read(fd, answer + got, sizeof(answer) - 1 - got)) > 0)
            got += (size_t)n;
        answer[got] = '\0';
    }
    close(fd);
    fputs(", \"answer\": ", out);
    put_string(out, answer);
}

static int write_out(const char *directory, const char *token, const char *text)
{
    char new[4096], final[4096];
    FILE *file;

    snprintf(new, sizeof(new), "%s/%s.new", directory, token);
    snprintf(final, sizeof(final), "%s/%s.facts", directory, token);
    file = fopen(new, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        return -1;
    return rename(new, final);
}

static void stay(const char *directory, const char *token, int server)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    time_t until = time(NULL) + LIMIT_SECONDS;
    char end[4096];

    snprintf(end, sizeof(end), "%s/%s.end", directory, token);
    while (access(end, F_OK) < 0 && time(NULL) < until) {
        int peer = server < 0 ? -1 : accept(server, NULL, NULL);

        if (peer >= 0) {
            if (write(peer, token, strlen(token)) < 0)
                perror("probe");
            close(peer);
        }
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    char *text = NULL, cwd[4096];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int server = -1;

    if (argc < 3 || !out)
        return 2;
    fputs("{", out);
    tell_descriptors(out);
    tell_keyring(out);
    fprintf(out, ", \"pid\": %d, \"cwd\": ", getpid());
    put_string(out, getcwd(cwd, sizeof(cwd)) ? cwd : "unreachable");
    if (argc > 3 && strcmp(argv[3], "listen") == 0) {
        server = listen_here(out);
        if (server < 0 || setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 20000},
                                     sizeof(struct timeval)) < 0)
            return 1;
    } else if (argc > 5) {
        tell_answer(out, argv[4], argv[5]);
    }
    fputs("}\n", out);
    if (fclose(out) != 0 || write_out(argv[1], argv[2], text) < 0)
        return 1;
    stay(argv[1], argv[2], server);
    free(text);
    return 0;
}
