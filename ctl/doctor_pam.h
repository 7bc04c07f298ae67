/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What doctor's files share about PAM services.
 */
#ifndef CL_CTL_DOCTOR_PAM_H
#define CL_CTL_DOCTOR_PAM_H

#include "doctor.h"
#include "pam_stack.h"

/* Where libpam looks for the files of services, up to NULL. */
extern const char *const doctor_pam_dirs[];

/* Is there a file of this service, and does its session stack have the module? */
bool doctor_pam_exists(const char *service);
bool doctor_pam_covers(const char *service);
/* A command that writes the lines that a service needs, new; NULL: out of memory. */
char *doctor_pam_add(const char *service, bool auth, bool session);

/* doctor_service.c: all findings of a service whose stacks have the module. True: it has it. */
bool doctor_service(struct doctor *d, const char *service);

#endif
