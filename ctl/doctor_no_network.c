/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * doctor, in a build without network.mode = "nat": `check` says so of policies that ask for it.
 */
#include "config.h"

#include "doctor.h"

void doctor_network(struct doctor *d)
{
    (void)d;
}
