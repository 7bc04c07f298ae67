/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading pam.d as libpam does: logical lines, includes, substacks.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pam_stack.h"
#include "util.h"

#define FILE_SIZE_MAX (256 * 1024)
#define DEPTH_MAX     16 /* libpam's for substacks */
#define RULES_MAX     4096

static const char *const type_names[PAM_TYPE_COUNT] = {
    [PAM_TYPE_AUTH] = "auth",
    [PAM_TYPE_ACCOUNT] = "account",
    [PAM_TYPE_SESSION] = "session",
    [PAM_TYPE_PASSWORD] = "password",
};

const char *pam_type_name(enum pam_type type)
{
    return type_names[type];
}

/* What one reading carries along. */
struct reading {
    const char *const *dirs;
    enum pam_type type;
    struct pam_stack *stack;
    unsigned substack, depth;
    struct cl_error *e;
};

static int read_named(struct reading *reading, const char *name);

static int open_file(const char *path, char **ret_text)
{
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return cl_read_all(fd, FILE_SIZE_MAX, ret_text, NULL);
}

/* An absolute name is itself, another is looked for. */
static int find_file(const char *const *dirs, const char *name, char **ret_path, char **ret_text)
{
    int r = -ENOENT;

    if (name[0] == '/') {
        r = open_file(name, ret_text);
        return r < 0 ? r : cl_asprintf(ret_path, "%s", name);
    }
    for (; *dirs && r == -ENOENT; dirs++) {
        cleanup_free char *path = NULL;

        r = cl_asprintf(&path, "%s/%s", *dirs, name);
        if (r == 0)
            r = open_file(path, ret_text);
        if (r == 0) {
            *ret_path = path;
            path = NULL;
        }
    }
    return r;
}

/* One logical line of *text, in place: without its comment, continued after a backslash. NULL past the last. *line is
 * that of its last physical line. */
static char *next_line(char **text, unsigned *line)
{
    char *start = *text, *out = start;
    bool more = *start != '\0';

    if (!more)
        return NULL;
    while (more && **text) {
        char *from = *text;
        size_t length = strcspn(from, "\n"), kept = strcspn(from, "#\n");
        bool comment = kept < length;

        *text += length + (from[length] == '\n');
        (*line)++;
        while (kept > 0 && isspace((unsigned char)from[kept - 1]))
            kept--;
        more = !comment && kept > 0 && from[kept - 1] == '\\';
        memmove(out, from, kept);
        out += kept;
        if (more)
            out[-1] = ' ';
    }
    *out = '\0';
    return start;
}

/* A word, or what is in brackets, with a backslash before a bracket that is meant. Ends it; NULL: none. */
static char *next_word(char **text)
{
    char *word = *text + strspn(*text, " \t\r\f\v"), *end = word;

    if (!*word)
        return NULL;
    if (*word == '[') {
        while (*end && *end != ']')
            end += *end == '\\' && end[1] ? 2 : 1;
        end += *end == ']';
    } else {
        end += strcspn(end, " \t\r\f\v");
    }
    *text = end + (*end != '\0');
    *end = '\0';
    return word;
}

static int add_rule(struct reading *reading, const char *control, const char *module, const char *file, unsigned line,
                    bool may_lack)
{
    struct pam_stack *stack = reading->stack;
    struct pam_rule rule = {.line = line, .may_lack = may_lack, .substack = reading->substack};
    struct pam_rule *grown;

    if (stack->n == RULES_MAX)
        return cl_fail(reading->e, E2BIG, "%s: too many rules", file);
    grown = reallocarray(stack->rules, stack->n + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    stack->rules = grown;
    rule.control = strdup(control);
    rule.module = strdup(module);
    rule.file = strdup(file);
    stack->rules[stack->n++] = rule;
    return rule.control && rule.module && rule.file ? 0 : -ENOMEM;
}

static int add_substack(struct reading *reading)
{
    struct pam_stack *stack = reading->stack;
    struct pam_substack *grown = reallocarray(stack->substacks, stack->n_substacks + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    stack->substacks = grown;
    grown[stack->n_substacks] = (struct pam_substack){.begin = stack->n, .end = stack->n, .outer = reading->substack};
    stack->n_substacks++;
    return 0;
}

static int read_substack(struct reading *reading, const char *name)
{
    unsigned outer = reading->substack;
    int r = add_substack(reading);

    if (r < 0)
        return r;
    reading->substack = (unsigned)reading->stack->n_substacks - 1;
    r = read_named(reading, name);
    reading->stack->substacks[reading->substack].end = reading->stack->n;
    reading->substack = outer;
    return r;
}

static int read_line(struct reading *reading, char *text, const char *file, unsigned line)
{
    char *type = next_word(&text), *control = type ? next_word(&text) : NULL,
         *module = control ? next_word(&text) : NULL;
    bool may_lack = type && *type == '-';

    if (type && control && strcmp(type, "@include") == 0)
        return read_named(reading, control);
    if (!module || strcasecmp(type + may_lack, type_names[reading->type]) != 0)
        return 0; /* what libpam cannot read, it refuses itself */
    if (strcasecmp(control, "include") == 0)
        return read_named(reading, module);
    if (strcasecmp(control, "substack") == 0)
        return read_substack(reading, module);
    return add_rule(reading, control, module, file, line, may_lack);
}

static int read_named(struct reading *reading, const char *name)
{
    cleanup_free char *path = NULL, *text = NULL;
    unsigned line = 0;
    char *rest, *found;
    int r = reading->depth < DEPTH_MAX ? find_file(reading->dirs, name, &path, &text) : -ELOOP;

    if (r < 0)
        return cl_fail(reading->e, -r, "read %s", path ? path : name);
    reading->depth++;
    rest = text;
    while (r == 0 && (found = next_line(&rest, &line)))
        r = read_line(reading, found, path, line);
    reading->depth--;
    return r;
}

int pam_stack_read(const char *const *dirs, const char *service, enum pam_type type, struct pam_stack *ret,
                   struct cl_error *e)
{
    cleanup_pam_stack struct pam_stack stack = {0};
    struct reading reading = {.dirs = dirs, .type = type, .stack = &stack, .e = e};
    int r = strchr(service, '/') ? -ENOENT : add_substack(&reading);

    if (r == 0)
        r = read_named(&reading, service);
    if (r < 0)
        return cl_fail(e, -r, "read the stack of %s", service);
    stack.substacks[0].end = stack.n;
    *ret = stack;
    stack = (struct pam_stack){0};
    return 0;
}

void pam_stack_clear(struct pam_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++) {
        free(stack->rules[i].control);
        free(stack->rules[i].module);
        free(stack->rules[i].file);
    }
    free(stack->rules);
    free(stack->substacks);
    *stack = (struct pam_stack){0};
}
