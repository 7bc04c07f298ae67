/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister-sendmail: takes the place of sendmail in a cell, where a setuid or setgid mailer has no effect, and hands the
 * message to cloister-mail on the host. Options are those that other mailers share (see sendmail(1) of Postfix); what says
 * who sends, or how, is taken and left aside: the host knows.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "submission.h"
#include "util.h"

struct request {
    bool recipients_in_header, dot_ends;
    char **recipients; /* of argv */
};

static int fail(int status, const char *what, const char *why)
{
    (void)fprintf(stderr, "sendmail: %s%s%s\n", what, *why ? ": " : "", why);
    return status;
}

/* EX_OK, or what to exit with. */
static int parse(int argc, char **argv, struct request *ret)
{
    int option;

    ret->dot_ends = true;
    while ((option = getopt(argc, argv, "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:r:tvx")) != -1) {
        switch (option) {
        case 't':
            ret->recipients_in_header = true;
            break;
        case 'i':
            ret->dot_ends = false;
            break;
        case 'o':
            if (strcmp(optarg, "i") == 0)
                ret->dot_ends = false;
            break;
        case 'b':
            if (strcmp(optarg, "m") != 0)
                return fail(EX_USAGE, "in a cell it only sends mail, and has no -b", optarg);
            break;
        case '?':
            return EX_USAGE;
        default:
            break;
        }
    }
    ret->recipients = argv + optind;
    if (!*ret->recipients && !ret->recipients_in_header)
        return fail(EX_USAGE, "no recipient", "");
    return EX_OK;
}

static int connect_to_host(int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = CL_MAIL_SOCKET};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

static int send_request(const struct request *request, FILE *to)
{
    if (request->recipients_in_header && fputs("t\n", to) < 0)
        return -EIO;
    for (char *const *recipient = request->recipients; *recipient; recipient++) {
        if (strchr(*recipient, '\n'))
            return -EINVAL;
        if (fprintf(to, "r %s\n", *recipient) < 0)
            return -EIO;
    }
    return fputc('\n', to) == EOF ? -EIO : 0;
}

static int send_message(const struct request *request, FILE *to)
{
    cleanup_free char *line = NULL;
    size_t size = 0;
    ssize_t n;

    while ((n = getline(&line, &size, stdin)) > 0) {
        if (request->dot_ends && n <= 2 && line[0] == '.' && (n == 1 || line[1] == '\n'))
            return 0;
        if (fwrite(line, 1, (size_t)n, to) != (size_t)n)
            return -EIO;
    }
    return feof(stdin) ? 0 : -EINVAL; /* also where a line does not fit in memory */
}

/* Its status. A host that does not answer has not taken the message. One that stopped reading resets the connection, after its
 * answer. */
static int take_reply(int fd)
{
    char reply[MAIL_REPLY_MAX + 16], *end;
    size_t size = 0;
    ssize_t n;
    long status;

    while (size < sizeof(reply) - 1 && (n = read(fd, reply + size, sizeof(reply) - 1 - size)) > 0)
        size += (size_t)n;
    reply[size] = '\0';
    status = strtol(reply, &end, 10);
    if (end == reply || *end != '\n' || status < 0 || status > 255)
        return fail(EX_TEMPFAIL, "the host did not answer", "");
    (void)fputs(end + 1, stderr);
    return (int)status;
}

int main(int argc, char **argv)
{
    struct request request = {0};
    cleanup_fd int fd = -1;
    cleanup_file FILE *to = NULL;
    int r, status = parse(argc, argv, &request);

    if (status != EX_OK)
        return status;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return EX_OSERR;
    r = connect_to_host(&fd);
    if (r < 0)
        return fail(EX_TEMPFAIL, "cannot reach the host's mail by " CL_MAIL_SOCKET, strerror(-r));
    to = fdopen(dup(fd), "w");
    if (!to)
        return fail(EX_OSERR, "no stream", strerror(errno));
    r = send_request(&request, to);
    if (r == 0)
        r = send_message(&request, to);
    if (r == -EINVAL) /* without an end in order, nothing is sent */
        return fail(EX_DATAERR, "the message cannot be read, or a recipient has a line break", "");
    if (fflush(to) == 0 && r == 0)
        (void)shutdown(fd, SHUT_WR);
    return take_reply(fd); /* also where the host stopped reading: it says why */
}
