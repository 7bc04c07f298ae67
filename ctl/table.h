/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Aligned columns of text. Whatever a cell holds, nothing but printable ASCII reaches the paper: the rest is
 * written as \xNN. Colour is for terminals.
 */
#ifndef CL_CTL_TABLE_H
#define CL_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "err.h"

struct table;

struct table_column {
    const char *title; /* NULL in the first column: the table has no titles */
    bool right;        /* aligned; numbers are */
};

enum table_style { TABLE_PLAIN, TABLE_FAINT, TABLE_STRONG, TABLE_ALARM };

/* What a table is written on. All zeros: no colour, as wide and long as need be. */
struct table_paper {
    bool colour;
    unsigned width, rows; /* columns of a line, and lines, titles included; 0: any number */
    const char *line_end; /* NULL: "\n" */
};

/* columns, n of them, must outlive the table. NULL: no memory; all below take that as well. */
struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table *table);
void table_freep(struct table **table);
#define cleanup_table __attribute__((cleanup(table_freep)))

/* The next cell, from left to right, row by row. */
void table_add(struct table *table, enum table_style style, const char *fmt, ...) CL_PRINTF(3, 4);
/* Write it. False: memory ran out, on the way here or now. */
bool table_print(const struct table *table, const struct table_paper *paper, FILE *out) CL_WARN_UNUSED;

/* Is standard output a terminal that can do more than print? */
bool table_on_terminal(void);
/* Is colour wanted there: no NO_COLOR (no-color.org)? */
bool table_wants_colour(void);
/* A title in the middle of other text. */
void table_heading(const char *title, FILE *out);

#endif
