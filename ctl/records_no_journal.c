/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Built without libsystemd: there is no journal.
 */
#include "config.h"

#include "records.h"

unsigned records_journal_audit(int64_t since, records_visit *visit, void *arg)
{
    return 0;
}

unsigned records_journal_kernel(int64_t since, records_visit *visit, void *arg)
{
    return 0;
}
