/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A terminal that is drawn on in place: ANSI sequences, no library. Theory of operation: signals come through
 * signalfd(2), so none interrupts a drawing, and whatever ends the program ends it by screen_close.
 */
#ifndef CL_CTL_SCREEN_H
#define CL_CTL_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <termios.h>

#include "err.h"

struct screen {
    int signals; /* signalfd; -1: not open */
    bool keys;   /* standard input is a terminal */
    struct termios modes;
};

/* Take standard output, and input if it is a terminal. 0 or -errno. */
int screen_open(struct screen *ret) CL_WARN_UNUSED;
/* As it was. Again, or of one that was never opened: nothing. */
void screen_close(struct screen *screen);

/* Columns and lines, as the terminal has them now. */
void screen_size(unsigned *ret_width, unsigned *ret_rows);
/* Show text, of fewer lines than there are, instead of what is shown; each ends in SCREEN_LINE_END. 0 or
 * -errno. */
int screen_draw(const char *text) CL_WARN_UNUSED;
#define SCREEN_LINE_END "\033[K\n"

enum screen_event { SCREEN_TIME, SCREEN_AGAIN, SCREEN_QUIT };
/* Wait until a time on cl_now_ms's clock, for a reason to draw again (another size, back from a stop), or for
 * the end: q, a signal, the terminal's own. A space is the time at once. */
enum screen_event screen_wait(const struct screen *screen, int64_t until_ms);

#endif
