/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tests of test-module: what becomes of a child that the service forks. Each is a function of cmocka's, with setup().
 */
#ifndef CL_TESTS_PAM_CHILDREN_H
#define CL_TESTS_PAM_CHILDREN_H

void test_child_of_refused_session_ends(void **state);
void test_child_of_exempt_session_goes_on(void **state);
void test_child_that_cannot_be_placed_ends(void **state);
void test_second_child_ends(void **state);
void test_child_without_session(void **state);
void test_close_in_child(void **state);

#endif
