/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The sources of audit records, and those that are files.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "records.h"
#include "util.h"

#define AUDIT_LOG "/var/log/audit/audit.log"
#define KMSG      "/dev/kmsg"

static bool visit_text(const char *text, int64_t since, records_visit *visit, void *arg)
{
    struct audit_line line;

    if (audit_line_parse(text, &line) < 0)
        return false;
    if (line.seconds >= since)
        visit(&line, arg);
    return true;
}

/* Read on to the end of a line that was too long for the buffer. */
static void skip_line(FILE *file)
{
    int c;

    while ((c = fgetc(file)) != EOF && c != '\n')
        ;
}

static FILE *open_audit_log(void)
{
    cleanup_fd int fd = open(AUDIT_LOG, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    FILE *file;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
        return NULL;
    file = fdopen(fd, "r");
    if (file)
        (void)cl_take_fd(&fd);
    return file;
}

static unsigned read_audit_log(int64_t since, records_visit *visit, void *arg)
{
    cleanup_file FILE *file = open_audit_log();
    char text[AUDIT_LINE_MAX];
    unsigned n = 0;

    while (file && n < RECORDS_MAX && fgets(text, sizeof(text), file)) {
        if (!strchr(text, '\n') && !feof(file))
            skip_line(file);
        else if (visit_text(text, since, visit, arg))
            n++;
    }
    return n;
}

/* "PRIORITY,SERIAL,USEC,FLAGS;TEXT": see the kernel's Documentation/ABI/testing/dev-kmsg. Facility 0 is the
 * kernel's own: what is written to the device gets another. */
static bool visit_message(char *message, int64_t since, records_visit *visit, void *arg)
{
    char *text = strchr(message, ';');

    if (!text || message[0] < '0' || message[0] > '9' || strtoul(message, NULL, 10) >= 8)
        return false;
    text[strcspn(text, "\n")] = '\0';
    return visit_text(text + 1, since, visit, arg);
}

static unsigned read_kmsg(int64_t since, records_visit *visit, void *arg)
{
    cleanup_fd int fd = open(KMSG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char message[AUDIT_LINE_MAX];
    unsigned n = 0;

    for (unsigned i = 0; fd >= 0 && i < RECORDS_MAX; i++) {
        ssize_t size = read(fd, message, sizeof(message) - 1);

        if (size < 0 && errno != EPIPE && errno != EINTR && errno != EINVAL)
            break; /* EPIPE: overwritten before it was read; EINVAL: longer than our buffer */
        if (size <= 0)
            continue;
        message[size] = '\0';
        if (visit_message(message, since, visit, arg))
            n++;
    }
    return n;
}

const char *records_read(int64_t since, records_visit *visit, void *arg)
{
    static const struct {
        const char *name;
        unsigned (*read)(int64_t since, records_visit *visit, void *arg);
    } sources[] = {
        {"journal", records_journal_audit},
        {"audit.log", read_audit_log},
        {"journal", records_journal_kernel},
        {"kernel", read_kmsg},
    };

    for (size_t i = 0; i < CL_ARRAY_SIZE(sources); i++)
        if (sources[i].read(since, visit, arg) > 0)
            return sources[i].name;
    return NULL;
}
