/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister show ID: one cell, with its limits, what it uses, and how often a limit was hit, as the kernel
 * counts it.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cell.h"
#include "ctl.h"
#include "util.h"

/* A number in a file of the cell's cgroup; with a word, the number after it on its line ("oom_kill 3"). */
struct counter {
    const char *name, *file, *word;
};

static const struct counter counters[] = {
    {"pids_max", "pids.max", NULL},
    {"pids", "pids.current", NULL},
    {"pids_max_hits", "pids.events", "max"},
    {"memory_max", "memory.max", NULL},
    {"memory", "memory.current", NULL},
    {"memory_max_hits", "memory.events", "max"},
    {"oom_kills", "memory.events", "oom_kill"},
    {"swap", "memory.swap.current", NULL},
    {"cpu_usec", "cpu.stat", "usage_usec"},
    {"cpu_throttled_usec", "cpu.stat", "throttled_usec"},
};

/* False where the kernel has no such file, or it says "max". */
static bool read_counter(const struct cell *cell, const struct counter *counter, uint64_t *ret)
{
    cleanup_free char *text = NULL;
    const char *line;
    size_t length = counter->word ? strlen(counter->word) : 0;

    if (cell->cgroup_fd < 0 || cl_read_file_at(cell->cgroup_fd, counter->file, &text) < 0)
        return false;
    line = text;
    while (counter->word && line && !(strncmp(line, counter->word, length) == 0 && line[length] == ' ')) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return line && sscanf(counter->word ? line + length : line, "%" SCNu64, ret) == 1;
}

static int show_json(const struct cell *cell)
{
    json_t *document = cell_json(cell), *use = json_object();

    for (size_t i = 0; i < CL_ARRAY_SIZE(counters); i++) {
        uint64_t value;

        (void)json_object_set_new(use, counters[i].name,
                                  read_counter(cell, &counters[i], &value) ? json_integer((json_int_t)value)
                                                                           : json_null());
    }
    (void)json_object_set_new(document, "opener_pid", json_integer(cell->record->opener));
    (void)json_object_set_new(document, "use", use);
    return ctl_json_print(document);
}

static int show_text(const struct cell *cell)
{
    const struct record *r = cell->record;
    time_t since = (time_t)r->since;
    char date[32] = "?";
    struct tm tm;

    if (localtime_r(&since, &tm))
        (void)strftime(date, sizeof(date), "%F %T", &tm);
    printf("id                  %s\nuser                %s (uid %u)\npolicy              %s\nmode                %s\nservice         "
           "    %s\n"
           "from                %s\ntty                 %s\nsince               %s\ninit pid            %d\n"
           "opener pid          %d\ncgroup              %s\nprocesses           %u\n",
           r->id, r->user, r->uid, r->policy, cell_mode(cell), r->service, r->rhost[0] ? r->rhost : "-",
           r->tty[0] ? r->tty : "-", date, r->init, r->opener, r->cgroup[0] ? r->cgroup : "-",
           cell_processes(cell));
    for (size_t i = 0; i < CL_ARRAY_SIZE(counters); i++) {
        uint64_t value;

        if (read_counter(cell, &counters[i], &value))
            printf("%-19s %" PRIu64 "\n", counters[i].name, value);
        else
            printf("%-19s -\n", counters[i].name);
    }
    return ctl_flush();
}

int ctl_show(struct ctl *ctl, int argc, char **argv)
{
    cleanup_cells struct cells cells = {0};
    int first, r = cells_load_for(ctl, argc, argv, "show takes the id of one cell", 1, &cells, &first);

    if (r != -1)
        return r;
    for (size_t i = 0; i < cells.n; i++)
        if (strcmp(cells.items[i].record->id, argv[first]) == 0)
            return ctl->json ? show_json(&cells.items[i]) : show_text(&cells.items[i]);
    return ctl_error("no live cell has the id \"%s\"", argv[first]);
}
