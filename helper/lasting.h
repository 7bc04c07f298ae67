/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a live cell is to its logins: which are in it now, and how long it goes on without any.
 */
#ifndef CL_LASTING_H
#define CL_LASTING_H

#include "logins.h"
#include "record.h"

enum cell_state { CELL_ACTIVE, CELL_LINGERING, CELL_ENDING, CELL_STATE_COUNT };

struct lasting {
    enum cell_state state;
    struct logins logins; /* those that live; of a cell that ends with its one login, none */
    size_t n;             /* how many there are, that one included */
    int64_t left;         /* seconds that it lingers still; -1: no end is set, or it does not answer */
};

/* Asks cloister-init, where it matters. */
void lasting_look(int run_fd, const struct record *record, struct lasting *ret);
void lasting_clear(struct lasting *lasting);

const char *cell_state_name(enum cell_state state);
/* "1h 59m", "2m 5s". Returns buf. */
const char *lasting_duration(int64_t seconds, char *buf, size_t size);
/* "1h 59m left", "lingering", "ending", or "". Returns buf. */
const char *lasting_text(const struct lasting *lasting, char *buf, size_t size);
/* Adds share, on_logout, linger, state, linger_left and logins to an object. lasting: NULL where the cell itself looks. of_root: the
 * host's process ids, too, which are not the tenant's to know. */
void lasting_json(json_t *object, const struct record *record, const struct lasting *lasting, bool of_root);

#endif
