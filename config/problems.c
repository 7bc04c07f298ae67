/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Collecting what is wrong, so that one run shows all of it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "loader.h"
#include "util.h"

void cl_problems_clear(struct cl_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        free(problems->items[i].file);
        free(problems->items[i].text);
    }
    free(problems->items);
    *problems = (struct cl_problems){0};
}

static int problems_add(struct cl_problems *problems, struct cl_problem problem)
{
    struct cl_problem *items = reallocarray(problems->items, problems->n + 1, sizeof(*items));

    if (!items)
        return -ENOMEM;
    problems->items = items;
    problems->items[problems->n++] = problem;
    return 0;
}

/* The last place in the list says that it is not all. */
static void record(struct loader *l, unsigned line, bool warning, const char *fmt, va_list args)
{
    struct cl_problem problem = {.line = line, .warning = warning};

    if (!warning)
        l->n_errors++;
    if (l->problems->n >= LOADER_PROBLEMS_MAX)
        return;
    if (l->problems->n == LOADER_PROBLEMS_MAX - 1) {
        problem.text = strdup("more problems follow; mend these first");
        problem.line = 0;
        problem.warning = false;
    } else if (vasprintf(&problem.text, fmt, args) < 0) {
        problem.text = NULL;
    }
    problem.file = strdup(l->file);
    if (!problem.text || !problem.file || problems_add(l->problems, problem) < 0) {
        free(problem.text);
        free(problem.file);
        l->out_of_memory = true;
    }
}

void loader_error(struct loader *l, unsigned line, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    record(l, line, false, fmt, args);
    va_end(args);
}

void loader_warning(struct loader *l, unsigned line, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    record(l, line, true, fmt, args);
    va_end(args);
}

bool loader_is_full(const struct loader *l)
{
    return l->out_of_memory || l->n_errors > LOADER_PROBLEMS_MAX;
}

static int compare(const void *a, const void *b)
{
    const struct cl_problem *x = a, *y = b;
    int r = strcmp(x->file, y->file);

    if (r != 0)
        return r;
    return x->line < y->line ? -1 : x->line > y->line;
}

void loader_sort_problems(struct cl_problems *problems)
{
    if (problems->n > 1)
        qsort(problems->items, problems->n, sizeof(*problems->items), compare);
}

int loader_result(const struct loader *l)
{
    if (l->out_of_memory)
        return -ENOMEM;
    if (l->read_errno)
        return -l->read_errno;
    return l->n_errors > 0 ? -EINVAL : 0;
}
