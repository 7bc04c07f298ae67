/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * For the tests of the module: a service of PAM, the stack that it has, and what the fake helper is to answer.
 * What cannot be done fails the test (cmocka).
 */
#ifndef CL_TESTS_PAM_SERVICE_H
#define CL_TESTS_PAM_SERVICE_H

#include <security/pam_appl.h>

#include "fake.h"

#define SERVICE "cloister-test"
#define MODULE  TEST_DIR "/.libs/pam_cloister_fake.so"
#define USER    "nobody"

/* What the module told the user. */
extern char told[512];

/* Of cmocka: the fake helper is there, the stack has the module, and nothing was told. */
int setup(void **state);

/* The lines of type session; those of type auth are there. */
void write_stack(const char *session_lines);

/* What the helper answers from now on. */
void set_answer(enum fake_answer how);

/* What the helper has seen since then: zeros when it was not called. */
struct fake_record get_record(void);

/* An authenticated handle; the caller ends it. */
pam_handle_t *start(const char *user);

/* As sshd does: the monitor's setcred, then open. The result is PAM's. */
int open_as(pam_handle_t *pamh);

/* All that, and pam_end. */
int open_once(const char *user, enum fake_answer how);

#endif
