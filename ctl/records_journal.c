/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Audit records in systemd's journal. Fields that start with an underscore are journald's own word: it takes
 * _TRANSPORT=audit from the kernel alone, and in _TRANSPORT=kernel facility 0 is the kernel's.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "records.h"
#include "util.h"

static void close_journal(sd_journal **journal)
{
    sd_journal_close(*journal);
}
#define cleanup_journal __attribute__((cleanup(close_journal)))

static bool parse_entry(sd_journal *journal, struct audit_line *ret)
{
    static const char name[] = "MESSAGE=";
    char text[AUDIT_LINE_MAX];
    const void *data;
    uint64_t usec;
    size_t size;

    if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0 || size < sizeof(name) - 1)
        return false;
    size -= sizeof(name) - 1;
    if (size >= sizeof(text) || memchr(data, '\0', size))
        return false;
    memcpy(text, (const char *)data + sizeof(name) - 1, size);
    text[size] = '\0';
    if (audit_line_parse(text, ret) < 0)
        return false;
    if (ret->seconds == 0 && sd_journal_get_realtime_usec(journal, &usec) >= 0)
        ret->seconds = (int64_t)(usec / 1000000);
    return true;
}

/* matches: until NULL; of the same field any must hold, of different fields each. From the newest back. */
static unsigned read_journal(const char *const *matches, int64_t since, records_visit *visit, void *arg)
{
    cleanup_journal sd_journal *journal = NULL;
    struct audit_line line;
    unsigned n = 0;

    if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
        return 0;
    for (; *matches; matches++)
        if (sd_journal_add_match(journal, *matches, 0) < 0)
            return 0;
    if (sd_journal_set_data_threshold(journal, 2 * AUDIT_LINE_MAX) < 0 || sd_journal_seek_tail(journal) < 0)
        return 0;
    for (unsigned i = 0; i < RECORDS_MAX && sd_journal_previous(journal) > 0; i++) {
        if (!parse_entry(journal, &line))
            continue;
        n++;
        if (line.seconds < since)
            break;
        visit(&line, arg);
    }
    return n;
}

unsigned records_journal_audit(int64_t since, records_visit *visit, void *arg)
{
    static const char *const matches[] = {"_TRANSPORT=audit", "_AUDIT_TYPE=1326", "_AUDIT_TYPE=1400", NULL};

    return read_journal(matches, since, visit, arg);
}

unsigned records_journal_kernel(int64_t since, records_visit *visit, void *arg)
{
    static const char *const matches[] = {"_TRANSPORT=kernel", "SYSLOG_FACILITY=0", NULL};

    return read_journal(matches, since, visit, arg);
}
