/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Entries of the journal, written by hand: NAME, newline, the value's length in 64 little-endian bits, the
 * value, newline.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "journal.h"
#include "util.h"

#define ROOM_WAIT_MS 100

static void append(struct cl_journal_entry *entry, const void *data, size_t size)
{
    memcpy(entry->data + entry->n, data, size);
    entry->n += size;
}

void cl_journal_put(struct cl_journal_entry *entry, const char *name, const char *value)
{
    char escaped[CL_JOURNAL_VALUE_MAX];
    size_t length = value ? cl_escape(value, escaped, sizeof(escaped)) : 0, name_length = strlen(name);
    uint64_t little = htole64(length);

    if (length == 0 || sizeof(entry->data) - entry->n < name_length + sizeof(little) + length + 2)
        return;
    append(entry, name, name_length);
    append(entry, "\n", 1);
    append(entry, &little, sizeof(little));
    append(entry, escaped, length);
    append(entry, "\n", 1);
}

int cl_journal_open(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    union {
        const struct sockaddr_un *un;
        const struct sockaddr *any;
    } address = {.un = &un};
    cleanup_fd int fd = -1;

    if ((size_t)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path) >= sizeof(un.sun_path))
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, address.any, sizeof(un)) < 0)
        return -errno;
    return cl_take_fd(&fd);
}

int cl_journal_send(int fd, const struct cl_journal_entry *entry)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    if (send(fd, entry->data, entry->n, MSG_NOSIGNAL) >= 0)
        return 0;
    if (errno != EAGAIN || poll(&room, 1, ROOM_WAIT_MS) <= 0)
        return -errno;
    return send(fd, entry->data, entry->n, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
