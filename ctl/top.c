/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister top: the cells, the busiest first, look after look; in place on a terminal, else one after the
 * other. What a cell does is the difference of two looks.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "amount.h"
#include "cell.h"
#include "ctl.h"
#include "screen.h"
#include "util.h"

#define INTERVAL_MS 2000
#define COUNT_MAX   1000000
#define LINES_ABOVE 2

struct look {
    struct cells cells; /* the busiest first */
    int64_t at_ms;
};

static void look_clear(struct look *look)
{
    cells_clear(&look->cells);
}
#define cleanup_look __attribute__((cleanup(look_clear)))

/* Looking
 * -------------------------------------------------------------------------------------------------------- */

static const struct cell *find_cell(const struct look *look, const char *id)
{
    for (size_t i = 0; i < look->cells.n; i++)
        if (strcmp(look->cells.items[i].record->id, id) == 0)
            return &look->cells.items[i];
    return NULL;
}

static uint64_t grown(const struct cell *before, const struct cell *now, enum cl_use use)
{
    return now->now.usage.n[use] > before->now.usage.n[use] ? now->now.usage.n[use] - before->now.usage.n[use]
                                                            : 0;
}

static void find_rate(const struct cell *before, struct cell *now, int64_t ms)
{
    uint64_t elapsed = ms > 0 ? (uint64_t)ms : 1;

    if (!before || !before->now.usage.known[CL_USE_CPU_USEC] || !now->now.usage.known[CL_USE_CPU_USEC])
        return;
    now->rate = (struct cell_rate){
        .known = true,
        .cpu = grown(before, now, CL_USE_CPU_USEC) / elapsed,
        .read = grown(before, now, CL_USE_IO_RBYTES) * 1000 / elapsed,
        .wrote = grown(before, now, CL_USE_IO_WBYTES) * 1000 / elapsed,
    };
}

static int by_use(const void *a, const void *b)
{
    const struct cell *left = a, *right = b;
    const uint64_t keys[][2] = {{left->rate.cpu, right->rate.cpu},
                                {left->now.usage.n[CL_USE_MEMORY], right->now.usage.n[CL_USE_MEMORY]}};

    for (size_t i = 0; i < CL_ARRAY_SIZE(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] > keys[i][1] ? -1 : 1;
    return strcmp(left->record->id, right->record->id);
}

/* A new look takes the place of the one before. */
static int look_again(struct look *look, struct cl_error *e)
{
    cleanup_look struct look now = {.at_ms = cl_now_ms()};
    struct cells before;
    int r = cells_load(&now.cells, e);

    if (r < 0)
        return r;
    cells_measure(&now.cells);
    for (size_t i = 0; i < now.cells.n; i++)
        find_rate(find_cell(look, now.cells.items[i].record->id), &now.cells.items[i],
                  now.at_ms - look->at_ms);
    if (now.cells.n > 1)
        qsort(now.cells.items, now.cells.n, sizeof(*now.cells.items), by_use);
    before = look->cells;
    *look = now;
    now.cells = before;
    return 0;
}

/* Showing
 * -------------------------------------------------------------------------------------------------------- */

static void summarize(const struct cells *cells, char *buf, size_t size)
{
    uint64_t processes = 0, cpu = 0, memory = 0;
    char bytes[32], clock[16] = "?";
    time_t now = time(NULL);
    struct tm tm;

    for (size_t i = 0; i < cells->n; i++) {
        processes += cells->items[i].now.processes;
        cpu += cells->items[i].rate.cpu;
        memory += cells->items[i].now.usage.n[CL_USE_MEMORY];
    }
    if (localtime_r(&now, &tm))
        (void)strftime(clock, sizeof(clock), "%T", &tm);
    (void)snprintf(buf, size,
                   "%s  %zu cells, %" PRIu64 " processes, cpu %" PRIu64 ".%" PRIu64 "%%, memory %s", clock,
                   cells->n, processes, cpu / 10, cpu % 10, amount_bytes(memory, bytes, sizeof(bytes)));
}

/* A summary, an empty line, the table. */
static bool write_look(const struct look *look, const struct table_paper *paper, FILE *out)
{
    cleanup_table struct table *table = cell_table(&look->cells, true);
    const char *line_end = paper->line_end ? paper->line_end : "\n";
    char text[160];

    summarize(&look->cells, text, sizeof(text));
    fprintf(out, "%.*s%s%s", (int)(paper->width ? paper->width : sizeof(text)), text, line_end, line_end);
    return table_print(table, paper, out);
}

/* Nothing of it is shown before all of it is there. */
static int draw(const struct look *look, struct cl_error *e)
{
    struct table_paper paper = {.colour = table_wants_colour(), .line_end = SCREEN_LINE_END};
    cleanup_free char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int r = -ENOMEM;
    bool good;

    if (!out)
        return cl_fail(e, ENOMEM, "draw");
    screen_size(&paper.width, &paper.rows);
    paper.rows = paper.rows > LINES_ABOVE + 2 ? paper.rows - LINES_ABOVE - 1 : 1;
    good = write_look(look, &paper, out);
    if (fclose(out) == 0 && good)
        r = screen_draw(text);
    return r < 0 ? cl_fail(e, -r, "draw on the terminal") : 0;
}

static int watch(const struct screen *screen, struct look *look, int64_t interval_ms, struct cl_error *e)
{
    enum screen_event event = SCREEN_AGAIN;
    int r = 0;

    while (r == 0 && event != SCREEN_QUIT) {
        if (event == SCREEN_TIME)
            r = look_again(look, e);
        if (r == 0)
            r = draw(look, e);
        if (r == 0)
            event = screen_wait(screen, look->at_ms + interval_ms);
    }
    return r;
}

/* Messages come when the terminal is as it was. */
static int show_in_place(struct look *look, int64_t interval_ms, struct cl_error *e)
{
    struct screen screen = {.signals = -1};
    int r = screen_open(&screen);

    if (r < 0)
        return cl_fail(e, -r, "take the terminal");
    r = watch(&screen, look, interval_ms, e);
    screen_close(&screen);
    return r;
}

static json_t *rate_json(bool known, uint64_t rate)
{
    return known ? json_integer((json_int_t)rate) : json_null();
}

static int print_json(const struct look *look)
{
    json_t *array = json_array();

    for (size_t i = 0; i < look->cells.n; i++) {
        const struct cell *cell = &look->cells.items[i];
        const struct cell_rate *rate = &cell->rate;
        json_t *object = cell_json(cell);

        (void)json_object_set_new(object, "cpu_percent",
                                  rate->known ? json_real((double)rate->cpu / 10) : json_null());
        (void)json_object_set_new(
            object, "read_per_second",
            rate_json(rate->known && cell->now.usage.known[CL_USE_IO_RBYTES], rate->read));
        (void)json_object_set_new(
            object, "write_per_second",
            rate_json(rate->known && cell->now.usage.known[CL_USE_IO_WBYTES], rate->wrote));
        (void)json_array_append_new(array, object);
    }
    return ctl_json_print(array);
}

static int print_text(const struct look *look, bool first)
{
    const struct table_paper paper = {.colour = table_wants_colour()};

    if (!first)
        putchar('\n');
    return write_look(look, &paper, stdout) ? ctl_flush() : ctl_error("out of memory");
}

static void pause_until(int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

static int print_looks(const struct ctl *ctl, struct look *look, int64_t interval_ms, uint64_t count,
                       struct cl_error *e)
{
    for (uint64_t i = 0; i < count; i++) {
        int r;

        pause_until(look->at_ms + interval_ms);
        r = look_again(look, e);
        if (r < 0)
            return r;
        if ((ctl->json ? print_json(look) : print_text(look, i == 0)) != CTL_OK)
            return cl_fail(e, EIO, "print");
    }
    return 0;
}

/* Options
 * -------------------------------------------------------------------------------------------------------- */

static bool parse_interval(const char *text, int64_t *ret_ms)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !(seconds >= 0.1 && seconds <= 3600))
        return false;
    *ret_ms = (int64_t)(seconds * 1000);
    return true;
}

int ctl_top(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    cleanup_look struct look look = {0};
    int64_t interval_ms = INTERVAL_MS;
    struct cl_error e = {0};
    uint64_t count = 1;
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (first != argc)
        return ctl_usage_error(ctl, "top takes no argument");
    if (values[0] && !parse_interval(values[0], &interval_ms))
        return ctl_usage_error(ctl, "--interval is a number of seconds from 0.1 to 3600, not \"%s\"",
                               values[0]);
    if (values[1] && (cl_parse_u64(values[1], &count) < 0 || count == 0 || count > COUNT_MAX))
        return ctl_usage_error(ctl, "--count is a number from 1 to %d, not \"%s\"", COUNT_MAX, values[1]);
    r = look_again(&look, &e);
    if (r == 0 && (values[1] || ctl->json || !table_on_terminal()))
        r = print_looks(ctl, &look, interval_ms, count, &e);
    else if (r == 0)
        r = show_in_place(&look, interval_ms, &e);
    return r < 0 ? ctl_error("%s: %s", e.text, strerror(e.err)) : CTL_OK;
}
