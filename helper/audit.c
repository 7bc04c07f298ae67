/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One netlink message, no answer asked for: nothing of a login depends on it. The kernel lets who sends to a full queue
 * wait, a minute by default and non-blocking or not (audit_receive of kernel/audit.c), and tenants can fill it: so a
 * child sends, for which nobody waits. The kernel adds the login's auid and session, and who sent it.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit.h"
#include "util.h"

#ifndef AUDIT_TRUSTED_APP
#define AUDIT_TRUSTED_APP 1121 /* libaudit.h has it, the kernel's header has not */
#endif

struct text {
    char *buf;
    size_t size, n;
};

static void append(struct text *text, const char *piece)
{
    size_t length = strlen(piece);

    if (text->n + length >= text->size)
        return;
    memcpy(text->buf + text->n, piece, length + 1);
    text->n += length;
}

/* libaudit's rule, and a single quote, which would end the kernel's msg='…'. */
static bool is_plain(const char *value)
{
    for (; *value; value++)
        if ((unsigned char)*value <= ' ' || (unsigned char)*value > '~' || *value == '"' || *value == '\'')
            return false;
    return true;
}

static void put_encoded(struct text *text, const char *name, const char *value)
{
    char piece[600], *p = piece;
    bool plain = value && is_plain(value);

    if (!value || !*value)
        return;
    p += snprintf(piece, sizeof(piece), " %s=%s", name, plain ? "\"" : "");
    for (; *value && p + 4 < piece + sizeof(piece); value++)
        p += plain ? sprintf(p, "%c", *value) : sprintf(p, "%02X", (unsigned)(unsigned char)*value);
    (void)snprintf(p, 2, "%s", plain ? "\"" : "");
    append(text, piece);
}

/* Fields that the tools do not decode: the value as it is, or a question mark. */
static void put_bare(struct text *text, const char *name, const char *value, bool valid)
{
    char piece[320];

    (void)snprintf(piece, sizeof(piece), " %s=%s", name, valid ? value : "?");
    append(text, piece);
}

static bool is_address(const char *value)
{
    unsigned char address[sizeof(struct in6_addr)];

    return value && (inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1);
}

static bool is_terminal(const char *value)
{
    return value && *value &&
           value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:._-")] ==
               '\0';
}

const char *audit_text(const char *op, const struct cl_log_about *about, bool success, char *buf, size_t size)
{
    struct text text = {.buf = buf, .size = size};

    append(&text, "op=");
    append(&text, op);
    append(&text, " cell=");
    append(&text, about->id);
    put_encoded(&text, "acct", about->user);
    put_encoded(&text, "policy", about->policy);
    put_encoded(&text, "service", about->service);
    put_encoded(&text, "stage", about->error ? about->error->stage : NULL);
    put_bare(&text, "addr", about->rhost, is_address(about->rhost));
    put_bare(&text, "terminal", about->tty, is_terminal(about->tty));
    append(&text, success ? " res=success" : " res=failed");
    return buf;
}

static void send_text(const char *op, const struct cl_log_about *about, bool success)
{
    struct {
        struct nlmsghdr header;
        char text[AUDIT_TEXT_MAX];
    } message = {.header = {.nlmsg_type = AUDIT_TRUSTED_APP, .nlmsg_flags = NLM_F_REQUEST}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const union {
        const struct sockaddr_nl *nl;
        const struct sockaddr *any;
    } address = {.nl = &kernel};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

    if (fd < 0)
        return;
    (void)audit_text(op, about, success, message.text, sizeof(message.text));
    message.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(strlen(message.text) + 1);
    (void)!sendto(fd, &message, message.header.nlmsg_len, 0, address.any, sizeof(kernel));
}

void audit_send(const char *op, const struct cl_log_about *about, bool success)
{
    int closed[2];
    char none;
    pid_t pid;

    if (pipe2(closed, O_CLOEXEC) < 0)
        return;
    pid = fork();
    if (pid == 0) {
        /* It may outlive the helper: no lock, and nobody's pipe, stays open for it. The parent's end of ours is last. */
        if (close_range(0, (unsigned)closed[1] - 1, 0) == 0 && close_range((unsigned)closed[1] + 1, ~0U, 0) == 0 &&
            close(closed[1]) == 0)
            send_text(op, about, success);
        _exit(0);
    }
    /* A lock that is let go from here on is free at once (flock(2)): the child has no copy of it any more. */
    (void)close(closed[1]);
    if (pid > 0)
        (void)!read(closed[0], &none, sizeof(none));
    (void)close(closed[0]);
}
