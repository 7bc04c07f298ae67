/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The network of a cell, as the rest of the helper knows it. net.c, or net_none.c in a build without it.
 */
#ifndef CL_NETWORK_H
#define CL_NETWORK_H

#include "record.h"
#include "session.h"

int stage_network(struct session *s, struct cl_error *e);
void undo_network(struct session *s);
/* Where the host has the cell's resolv.conf; false: the cell gets none. */
bool network_resolv(const struct session *s, char *buf, size_t size);
/* What the record says: the cell's processes are gone. Best effort; what stays is reused or swept. */
void network_remove(int run_fd, const struct record *record);
/* Give back slots whose cells have no record any more. */
void network_sweep(int run_fd);

#endif
