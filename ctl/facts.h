/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists of names and values, as `show` prints them.
 */
#ifndef CL_CTL_FACTS_H
#define CL_CTL_FACTS_H

#include "hits.h"
#include "record.h"
#include "table.h"
#include "usage.h"

/* A table of names and values; NULL: no memory. */
struct table *facts_new(void);
void facts_add(struct table *table, const char *name, const char *fmt, ...) CL_PRINTF(3, 4);
/* What a cgroup uses; limits, with where they are set; limits hit, in words. */
struct table *facts_use(const struct cl_usage *usage);
struct table *facts_limits(const struct record_limit *limits, size_t n);
struct table *facts_hits(const struct hit *hits, size_t n);
/* Print it below a heading, if there is one. False: no memory. */
bool facts_print(const char *heading, const struct table *table) CL_WARN_UNUSED;

#endif
