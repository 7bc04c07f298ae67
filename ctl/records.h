/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where the kernel's audit records are read: only what nobody but the kernel, or root, can have written. A syslog's files
 * are not among them: every user may write lines there that look like the kernel's.
 */
#ifndef CL_CTL_RECORDS_H
#define CL_CTL_RECORDS_H

#include <stdint.h>

#include "audit_line.h"

#define RECORDS_MAX 200000 /* that are looked at, the newest */

typedef void records_visit(const struct audit_line *line, void *arg);

/* Visit all records of seccomp and AppArmor since that time, from the first source that has any: the journal (as the audit
 * subsystem sent them, then as the kernel logged them), audit.log of auditd(8), the kernel's ring buffer. Returns the
 * source's name, NULL where none has any. */
const char *records_read(int64_t since, records_visit *visit, void *arg);

/* records_journal.c, or records_no_journal.c where it is built without libsystemd: how many were visited. */
unsigned records_journal_audit(int64_t since, records_visit *visit, void *arg);
unsigned records_journal_kernel(int64_t since, records_visit *visit, void *arg);

#endif
