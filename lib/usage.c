/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of what is read from a cgroup, and the three shapes of its files.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "usage.h"
#include "util.h"

enum shape {
    SHAPE_VALUE,  /* one number, or "max" */
    SHAPE_KEYED,  /* lines of "word number" */
    SHAPE_NESTED, /* lines of "MAJOR:MINOR word=number …": the sum of all */
};

struct use_info {
    const char *name, *file;
    enum shape shape;
    const char *word; /* of SHAPE_KEYED and SHAPE_NESTED */
};

static const struct use_info uses[] = {
    [CL_USE_PIDS] = {"pids", "pids.current", SHAPE_VALUE, NULL},
    [CL_USE_PIDS_MAX] = {"pids_max", "pids.max", SHAPE_VALUE, NULL},
    [CL_USE_PIDS_MAX_HITS] = {"pids_max_hits", "pids.events", SHAPE_KEYED, "max"},
    [CL_USE_PIDS_MAX_OWN] = {"pids_max_own", "pids.events.local", SHAPE_KEYED, "max"},
    [CL_USE_MEMORY] = {"memory", "memory.current", SHAPE_VALUE, NULL},
    [CL_USE_MEMORY_MAX] = {"memory_max", "memory.max", SHAPE_VALUE, NULL},
    [CL_USE_MEMORY_HIGH_HITS] = {"memory_high_hits", "memory.events", SHAPE_KEYED, "high"},
    [CL_USE_MEMORY_MAX_HITS] = {"memory_max_hits", "memory.events", SHAPE_KEYED, "max"},
    [CL_USE_OOM_KILLS] = {"oom_kills", "memory.events", SHAPE_KEYED, "oom_kill"},
    [CL_USE_MEMORY_HIGH_OWN] = {"memory_high_own", "memory.events.local", SHAPE_KEYED, "high"},
    [CL_USE_MEMORY_MAX_OWN] = {"memory_max_own", "memory.events.local", SHAPE_KEYED, "max"},
    [CL_USE_OOM_OWN] = {"oom_own", "memory.events.local", SHAPE_KEYED, "oom"},
    [CL_USE_SWAP] = {"swap", "memory.swap.current", SHAPE_VALUE, NULL},
    [CL_USE_SWAP_MAX_HITS] = {"swap_max_hits", "memory.swap.events", SHAPE_KEYED, "max"},
    [CL_USE_CPU_USEC] = {"cpu_usec", "cpu.stat", SHAPE_KEYED, "usage_usec"},
    [CL_USE_CPU_THROTTLED] = {"cpu_throttled", "cpu.stat", SHAPE_KEYED, "nr_throttled"},
    [CL_USE_CPU_THROTTLED_USEC] = {"cpu_throttled_usec", "cpu.stat", SHAPE_KEYED, "throttled_usec"},
    [CL_USE_IO_RBYTES] = {"io_rbytes", "io.stat", SHAPE_NESTED, "rbytes"},
    [CL_USE_IO_WBYTES] = {"io_wbytes", "io.stat", SHAPE_NESTED, "wbytes"},
    [CL_USE_IO_RIOS] = {"io_rios", "io.stat", SHAPE_NESTED, "rios"},
    [CL_USE_IO_WIOS] = {"io_wios", "io.stat", SHAPE_NESTED, "wios"},
};
static_assert(CL_ARRAY_SIZE(uses) == CL_USE_COUNT, "a row for each use");

const char *cl_use_name(enum cl_use use)
{
    return uses[use].name;
}

/* The number at the start of s, which a blank, a line's end or the text's end must follow. */
static bool parse_number(const char *s, uint64_t *ret)
{
    char digits[24];
    size_t length = strcspn(s, " \n");

    if (length == 0 || length >= sizeof(digits))
        return false;
    memcpy(digits, s, length);
    digits[length] = '\0';
    return cl_parse_u64(digits, ret) == 0;
}

static bool parse_value(const char *text, uint64_t *ret)
{
    if (strcmp(text, "max") != 0)
        return !strpbrk(text, " \n") && parse_number(text, ret);
    *ret = CL_USAGE_MAX;
    return true;
}

static bool parse_keyed(const char *text, const char *word, uint64_t *ret)
{
    size_t length = strlen(word);

    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, word, length) == 0 && line[length] == ' ')
            return parse_number(line + length + 1, ret);
    return false;
}

/* No device at all is a known nothing. */
static bool parse_nested(const char *text, const char *word, uint64_t *ret)
{
    size_t length = strlen(word);
    uint64_t sum = 0, n;

    for (const char *p = text; *p; p += strcspn(p, " \n"), p += *p != '\0') {
        if (strncmp(p, word, length) != 0 || p[length] != '=')
            continue;
        if (!parse_number(p + length + 1, &n))
            return false;
        sum = n > UINT64_MAX - sum ? UINT64_MAX : sum + n;
    }
    *ret = sum;
    return true;
}

static bool parse(const struct use_info *use, const char *text, uint64_t *ret)
{
    switch (use->shape) {
    case SHAPE_VALUE:
        return parse_value(text, ret);
    case SHAPE_KEYED:
        return parse_keyed(text, use->word, ret);
    case SHAPE_NESTED:
        return parse_nested(text, use->word, ret);
    }
    return false;
}

/* Rows of one file stand together: each file is read once. */
void cl_usage_read(int dir_fd, struct cl_usage *ret)
{
    cleanup_free char *text = NULL;
    const char *file = "";

    memset(ret, 0, sizeof(*ret));
    if (dir_fd < 0)
        return;
    for (size_t i = 0; i < CL_USE_COUNT; i++) {
        if (strcmp(file, uses[i].file) != 0) {
            file = uses[i].file;
            cl_freep(&text);
            if (cl_read_file_at(dir_fd, file, &text) < 0)
                text = NULL;
        }
        ret->known[i] = text && parse(&uses[i], text, &ret->n[i]);
    }
}
