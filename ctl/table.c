/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Collect cells, find out how wide each column is, write lines.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"
#include "util.h"

#define GAP 2

struct table_cell {
    char *text; /* printable ASCII */
    enum table_style style;
};

struct table {
    const struct table_column *columns;
    size_t n_columns, n, room;
    struct table_cell *cells;
    bool failed; /* a cell is missing: so is the sense of those after it */
};

struct table *table_new(const struct table_column *columns, size_t n)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table)
        *table = (struct table){.columns = columns, .n_columns = n};
    return table;
}

void table_free(struct table *table)
{
    for (size_t i = 0; table && i < table->n; i++)
        free(table->cells[i].text);
    if (table)
        free(table->cells);
    free(table);
}

void table_freep(struct table **table)
{
    table_free(*table);
}

/* What terminals take for a command never gets there. */
static char *escape(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *escaped = malloc(4 * strlen(text) + 1), *to = escaped;

    if (!escaped)
        return NULL;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= ' ' && c < 0x7f) {
            *to++ = *text;
            continue;
        }
        *to++ = '\\';
        *to++ = 'x';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    *to = '\0';
    return escaped;
}

static bool make_room(struct table *table)
{
    size_t room = table->room ? 2 * table->room : 64;
    struct table_cell *grown =
        table->n < table->room ? table->cells : reallocarray(table->cells, room, sizeof(*grown));

    if (!grown)
        return false;
    if (table->n == table->room)
        table->room = room;
    table->cells = grown;
    return true;
}

void table_add(struct table *table, enum table_style style, const char *fmt, ...)
{
    cleanup_free char *text = NULL;
    char *escaped = NULL;
    va_list args;

    if (!table)
        return;
    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    if (text && make_room(table))
        escaped = escape(text);
    if (escaped)
        table->cells[table->n++] = (struct table_cell){escaped, style};
    else
        table->failed = true;
}

static void find_widths(const struct table *table, size_t *widths)
{
    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = table->columns[0].title ? strlen(table->columns[i].title) : 0;
    for (size_t i = 0; i < table->n; i++) {
        size_t length = strlen(table->cells[i].text);

        if (length > widths[i % table->n_columns])
            widths[i % table->n_columns] = length;
    }
}

static const char *const styles[] = {
    [TABLE_PLAIN] = "", [TABLE_FAINT] = "\033[2m", [TABLE_STRONG] = "\033[1m", [TABLE_ALARM] = "\033[31m"};

/* One line that is being written: what does not fit is cut off. */
struct line {
    FILE *out;
    const struct table_paper *paper;
    size_t used;
};

static int fitting(const struct line *line, size_t wanted)
{
    size_t left = line->paper->width > line->used ? line->paper->width - line->used : 0;

    return (int)(line->paper->width == 0 || wanted < left ? wanted : left);
}

static void put(struct line *line, const char *text, enum table_style style, size_t width, bool right)
{
    size_t length = strlen(text), blanks = width > length ? width - length : 0;
    bool styled;

    if (right) {
        fprintf(line->out, "%*s", fitting(line, blanks), "");
        line->used += blanks;
    }
    styled = line->paper->colour && style != TABLE_PLAIN && fitting(line, length) > 0;
    fprintf(line->out, "%s%.*s%s", styled ? styles[style] : "", fitting(line, length), text,
            styled ? "\033[0m" : "");
    line->used += length;
    if (!right) {
        fprintf(line->out, "%*s", fitting(line, blanks), "");
        line->used += blanks;
    }
}

/* The last column is not filled up with blanks. cells: NULL for the titles. */
static void put_row(const struct table *table, const struct table_paper *paper, FILE *out,
                    const size_t *widths, const struct table_cell *cells)
{
    struct line line = {.out = out, .paper = paper};

    for (size_t i = 0; i < table->n_columns; i++) {
        bool last = i + 1 == table->n_columns;
        size_t width = last && !table->columns[i].right ? 0 : widths[i];

        put(&line, cells ? cells[i].text : table->columns[i].title, cells ? cells[i].style : TABLE_STRONG,
            width + (last || table->columns[i].right ? 0 : GAP), table->columns[i].right);
        if (!last && table->columns[i].right)
            put(&line, "", TABLE_PLAIN, GAP, false);
    }
    fputs(paper->line_end ? paper->line_end : "\n", out);
}

bool table_print(const struct table *table, const struct table_paper *paper, FILE *out)
{
    cleanup_free size_t *widths = table ? calloc(table->n_columns, sizeof(*widths)) : NULL;
    unsigned rows = 0;

    if (!widths || table->failed)
        return false;
    find_widths(table, widths);
    if (table->columns[0].title) {
        put_row(table, paper, out, widths, NULL);
        rows++;
    }
    for (size_t i = 0; i + table->n_columns <= table->n && (paper->rows == 0 || rows < paper->rows);
         i += table->n_columns, rows++)
        put_row(table, paper, out, widths, &table->cells[i]);
    return true;
}

bool table_on_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

bool table_wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");

    return table_on_terminal() && !(no_color && *no_color);
}

void table_heading(const char *title, FILE *out)
{
    bool colour = table_wants_colour();

    fprintf(out, "\n%s%s%s\n", colour ? styles[TABLE_STRONG] : "", title, colour ? "\033[0m" : "");
}
