/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How the command speaks: errors on stderr, documents on stdout. Nothing that a file or a user's name holds
 * reaches a terminal as a control character.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"
#include "util.h"

void ctl_print_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)*text);
        else
            fputc(*text, out);
    }
}

static void print_line(const char *text)
{
    fputs("cloister: ", stderr);
    ctl_print_escaped(stderr, text);
    fputc('\n', stderr);
}

static void print_args(const char *fmt, va_list args)
{
    cleanup_free char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    print_line(text ? text : "out of memory");
}

int ctl_error(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_args(fmt, args);
    va_end(args);
    return CTL_PROBLEM;
}

int ctl_usage_error(const struct ctl *ctl, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_args(fmt, args);
    va_end(args);
    fprintf(stderr, "Try `cloister %s%s--help`.\n", ctl->verb ? ctl->verb->name : "", ctl->verb ? " " : "");
    return CTL_USAGE;
}

/* The same folder, however it is spelled. */
bool ctl_trusts_any_owner(const char *dir)
{
    struct stat a, b;

    if (stat(CL_CONFIG_DIR, &a) < 0)
        return strcmp(dir, CL_CONFIG_DIR) != 0;
    return stat(dir, &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino;
}

static json_t *escaped_string(const char *text)
{
    cleanup_free char *escaped = NULL;
    size_t size;
    FILE *out = open_memstream(&escaped, &size);

    if (!out)
        return NULL;
    for (; *text; text++) {
        if ((unsigned char)*text < 0x80)
            fputc(*text, out);
        else
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)*text);
    }
    return fclose(out) == 0 ? json_string(escaped) : NULL;
}

json_t *ctl_json_string(const char *text)
{
    json_t *string = text ? json_string(text) : json_null();

    return string ? string : escaped_string(text);
}

int ctl_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return CTL_OK;
    return ctl_error("write to standard output: %s", strerror(errno));
}

int ctl_json_print(json_t *document)
{
    int r = document ? json_dumpf(document, stdout, JSON_INDENT(2)) : -1;

    json_decref(document);
    if (r < 0)
        return ctl_error("the JSON document could not be made or written");
    putchar('\n');
    return ctl_flush();
}

json_t *ctl_json_problems(const struct cl_problems *problems)
{
    json_t *array = json_array();

    for (size_t i = 0; i < problems->n; i++) {
        const struct cl_problem *p = &problems->items[i];

        json_array_append_new(array,
                              json_pack("{s:o, s:I, s:s, s:o}", "file", ctl_json_string(p->file), "line",
                                        (json_int_t)p->line, "severity", p->warning ? "warning" : "error",
                                        "text", ctl_json_string(p->text)));
    }
    return array;
}

void ctl_print_problems(const struct cl_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct cl_problem *p = &problems->items[i];
        const char *kind = p->warning ? "warning: " : "";

        if (p->line)
            ctl_error("%s:%u: %s%s", p->file, p->line, kind, p->text);
        else
            ctl_error("%s: %s%s", p->file, kind, p->text);
    }
}
