/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records of the kernel's audit subsystem (auditd(8), ausearch(8)): AUDIT_TRUSTED_APP, for opens, refusals and closes.
 */
#ifndef CL_AUDIT_H
#define CL_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

#define AUDIT_TEXT_MAX 2048

/* "op=cloister-open cell=ID acct="eva" policy="students" service="sshd" addr=192.0.2.7 terminal=ssh res=success". What a
 * user chose is quoted, or in hexadecimal digits where it holds anything but plain characters, as auditd's tools have it.
 * Returns buf. */
const char *audit_text(const char *op, const struct cl_log_about *about, bool success, char *buf, size_t size);

/* Send it. Where the kernel has no audit, has it off, or does not let us, nothing happens. */
void audit_send(const char *op, const struct cl_log_about *about, bool success);

#endif
