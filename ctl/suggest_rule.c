/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One AppArmor record as a rule of a profile: apparmor.d(5). What a tenant chose, the name of a file, is
 * quoted so that it means itself.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suggest.h"
#include "util.h"

static bool is_word(const char *text)
{
    return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Of the kernel's letters those of a profile: creating, deleting and changing attributes are writing. */
void suggest_add_letters(char letters[8], const char *more)
{
    static const char order[] = "rwamklx";
    char merged[8] = "";
    size_t n = 0;

    for (const char *letter = order; *letter; letter++)
        if (strchr(letters, *letter) || strchr(more, *letter) ||
            (*letter == 'w' && (strpbrk(more, "cd") || strpbrk(letters, "cd"))))
            if (*letter != 'a' || !strchr(merged, 'w'))
                merged[n++] = *letter;
    merged[n] = '\0';
    memcpy(letters, merged, sizeof(merged));
}

/* A process id in a path of /proc is another one the next time. */
static const char *put_component(FILE *out, const char *p, bool proc)
{
    size_t length = strcspn(p, "/");

    if (proc && length > 0 && strspn(p, "0123456789") == length) {
        fputs("[0-9]*", out);
        return p + length;
    }
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)p[i] > '~') {
            fprintf(out, "\\%03o", (unsigned)(unsigned char)p[i]);
            continue;
        }
        if (strchr("\"\\*?[]{}^", p[i]))
            fputc('\\', out);
        fputc(p[i], out);
    }
    return p + length;
}

static int put_path(FILE *out, const char *name, const char *home)
{
    bool proc = strncmp(name, "/proc/", 6) == 0;
    size_t home_length = home ? strlen(home) : 0;
    const char *p = name;

    if (*name != '/')
        return -EINVAL;
    for (const char *c = name; *c; c++)
        if (iscntrl((unsigned char)*c))
            return -EINVAL;
    fputc('"', out);
    if (home_length > 1 && strncmp(name, home, home_length) == 0 && name[home_length] == '/') {
        fputs("@{HOME}", out);
        p += home_length;
    }
    while (*p) {
        while (*p == '/')
            fputc(*p++, out);
        p = put_component(out, p, proc);
    }
    fputc('"', out);
    return 0;
}

static int file_rule(const struct audit_line *line, const char *home, char **ret_head, char ret_letters[8])
{
    bool owner = line->fsuid != AUDIT_NO_SESSION && line->fsuid == line->ouid;
    cleanup_free char *head = NULL;
    char letters[8] = "";
    size_t size;
    FILE *out;
    int r;

    suggest_add_letters(letters, line->mask);
    if (!letters[0])
        return -EINVAL;
    out = open_memstream(&head, &size);
    if (!out)
        return -ENOMEM;
    fputs(owner ? "owner " : "", out);
    r = put_path(out, line->name, home);
    if (fclose(out) != 0)
        return -ENOMEM;
    if (r < 0)
        return r;
    memcpy(ret_letters, letters, sizeof(letters));
    *ret_head = head;
    head = NULL;
    return 0;
}

/* ptrace and signal: of whom is a profile's name, which root gave. */
static int peer_rule(const char *what, const struct audit_line *line, char **ret_head)
{
    for (const char *c = line->peer; *c; c++)
        if (*c < ' ' || *c > '~' || strchr("\"\\*?[]{}^@", *c))
            return -EINVAL;
    if (!is_word(line->mask) || !line->peer[0])
        return -EINVAL;
    return cl_asprintf(ret_head, "%s (%s) peer=\"%s\"", what, line->mask, line->peer);
}

static int network_rule(const struct audit_line *line, char **ret_head)
{
    if (!is_word(line->family) || (line->type[0] && !is_word(line->type)))
        return -EINVAL;
    if (strcmp(line->family, "unix") == 0)
        return cl_asprintf(ret_head, "unix");
    return cl_asprintf(ret_head, "network %s%s%s", line->family, line->type[0] ? " " : "", line->type);
}

int suggest_rule_of(const struct audit_line *line, const char *home, char **ret_head, char ret_letters[8])
{
    static const struct {
        const char *operation, *rule;
    } plain[] = {{"mount", "mount"}, {"umount", "umount"}, {"pivotroot", "pivot_root"}};

    ret_letters[0] = '\0';
    if (line->capability[0])
        return is_word(line->capability) ? cl_asprintf(ret_head, "capability %s", line->capability) : -EINVAL;
    if (line->family[0])
        return network_rule(line, ret_head);
    if (strcmp(line->operation, "ptrace") == 0 || strcmp(line->operation, "signal") == 0)
        return peer_rule(line->operation, line, ret_head);
    for (size_t i = 0; i < CL_ARRAY_SIZE(plain); i++)
        if (strcmp(line->operation, plain[i].operation) == 0)
            return cl_asprintf(ret_head, "%s", plain[i].rule);
    return file_rule(line, home, ret_head, ret_letters);
}
