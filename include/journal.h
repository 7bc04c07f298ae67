/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The journal's native protocol (systemd's JOURNAL_NATIVE_PROTOCOL): one datagram is one entry, a list of fields. Only what
 * lib/log.c needs: no memfd, so an entry is small, and no library, so that nobody has to link libsystemd for it.
 */
#ifndef CL_JOURNAL_H
#define CL_JOURNAL_H

#include <stddef.h>

#include "err.h"

#define CL_JOURNAL_SOCKET    "/run/systemd/journal/socket"
#define CL_JOURNAL_VALUE_MAX 2048 /* bytes of one value */

struct cl_journal_entry {
    char data[8192];
    size_t n;
};

/* Add a field. Its value is escaped and, whatever it holds, sent with its length: it can never end early, or be a field
 * of its own. NULL and "" are no field; one that does not fit is left out. name is ours: upper-case letters and _. */
void cl_journal_put(struct cl_journal_entry *entry, const char *name, const char *value);
/* A connected, non-blocking, close-on-exec socket, or -errno: where no journal listens at path. */
int cl_journal_open(const char *path) CL_WARN_UNUSED;
/* Send an entry, waiting for room for at most a tenth of a second. 0 or -errno. */
int cl_journal_send(int fd, const struct cl_journal_entry *entry) CL_WARN_UNUSED;

#endif
