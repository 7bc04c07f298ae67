/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Amounts as people read them: a few digits and a unit. Each writes to buf, and returns it.
 */
#ifndef CL_CTL_AMOUNT_H
#define CL_CTL_AMOUNT_H

#include <stddef.h>
#include <stdint.h>

/* "512", "1.5K", "12M": powers of 1024. */
const char *amount_bytes(uint64_t bytes, char *buf, size_t size);
/* "0:07", "12:34", "3h05m", "2d04h"; what is negative, because the clock was set back, is nothing. */
const char *amount_age(int64_t seconds, char *buf, size_t size);
/* Of processor time: "0.07s", then as an age. */
const char *amount_cpu(uint64_t usec, char *buf, size_t size);

#endif
