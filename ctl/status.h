/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The document of `cloister status`, for people.
 */
#ifndef CL_CTL_STATUS_H
#define CL_CTL_STATUS_H

#include <jansson.h>

#include "ctl.h"

/* status_text.c: print it. What is missing in it is told as a dash. CTL_OK, or CTL_PROBLEM after a message.
 */
int status_print(const json_t *status);

#endif
