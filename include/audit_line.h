/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading one of the kernel's audit records, as text, of seccomp or of AppArmor. What the kernel says about a process (uid,
 * session, call, profile) is the kernel's word; comm and the names of files are a tenant's, and any bytes.
 */
#ifndef CL_AUDIT_LINE_H
#define CL_AUDIT_LINE_H

#include <stdint.h>

#include "err.h"

#define AUDIT_LINE_MAX   8192       /* bytes; a longer one is none of ours */
#define AUDIT_NO_SESSION UINT32_MAX /* as the kernel has it */

enum audit_line_kind { AUDIT_LINE_SECCOMP, AUDIT_LINE_APPARMOR };

struct audit_line {
    enum audit_line_kind kind;
    int64_t seconds; /* since 1970; 0: the text does not say */
    char comm[64];   /* decoded: any bytes but NUL */
    /* of seccomp */
    uint32_t uid, session, arch, code; /* arch: AUDIT_ARCH_…; code: SECCOMP_RET_… */
    uint32_t syscall;
    /* of AppArmor; "" where the record has no such field */
    char verdict[16], operation[32], profile[256], name[2048], mask[32];
    char capability[32], family[32], type[32], peer[256];
    uint32_t fsuid, ouid; /* AUDIT_NO_SESSION: not said */
};

/* text: a message of the journal ("SECCOMP auid=…"), a line of audit.log ("type=SECCOMP msg=audit(…): …") or of the kernel's
 * log ("audit: type=1326 audit(…): …"). 0; -EINVAL: no such record, or one that lacks what it needs. *ret only on 0. */
int audit_line_parse(const char *text, struct audit_line *ret) CL_WARN_UNUSED;

#endif
