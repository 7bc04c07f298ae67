/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kernel quotes a string that it does not trust, or writes it in hexadecimal digits where it holds
 * quotes, blanks or control characters: so a value never holds a blank or a quote of its own, and what looks
 * like a field is one. Of a field that is there twice, the first counts; of those that stand behind subj=, a profile's
 * name that may hold anything, the last. What is longer than its place is no record of ours, rather than half of one.
 */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit_line.h"
#include "util.h"

#define ENRICHED 0x1d /* auditd(8) puts its own interpretation after it */

enum format {
    FORMAT_TEXT,    /* quoted, or hexadecimal, or bare */
    FORMAT_WORD,    /* never hexadecimal */
    FORMAT_DECIMAL, /* 32 bits */
    FORMAT_HEX,     /* the same, with or without 0x */
};

struct field {
    const char *name;
    enum audit_line_kind kind;
    enum format format;
    bool needed, last;
    size_t offset, size; /* in struct audit_line */
};

#define PLACE(member) offsetof(struct audit_line, member), sizeof(((struct audit_line *)0)->member)

static const struct field fields[] = {
    {"uid", AUDIT_LINE_SECCOMP, FORMAT_DECIMAL, true, false, PLACE(uid)},
    {"ses", AUDIT_LINE_SECCOMP, FORMAT_DECIMAL, false, false, PLACE(session)},
    {"comm", AUDIT_LINE_SECCOMP, FORMAT_TEXT, false, true, PLACE(comm)},
    {"arch", AUDIT_LINE_SECCOMP, FORMAT_HEX, true, true, PLACE(arch)},
    {"syscall", AUDIT_LINE_SECCOMP, FORMAT_DECIMAL, true, true, PLACE(syscall)},
    {"code", AUDIT_LINE_SECCOMP, FORMAT_HEX, true, true, PLACE(code)},
    {"apparmor", AUDIT_LINE_APPARMOR, FORMAT_WORD, true, false, PLACE(verdict)},
    {"operation", AUDIT_LINE_APPARMOR, FORMAT_WORD, true, false, PLACE(operation)},
    {"profile", AUDIT_LINE_APPARMOR, FORMAT_TEXT, true, false, PLACE(profile)},
    {"name", AUDIT_LINE_APPARMOR, FORMAT_TEXT, false, false, PLACE(name)},
    {"comm", AUDIT_LINE_APPARMOR, FORMAT_TEXT, false, false, PLACE(comm)},
    {"denied_mask", AUDIT_LINE_APPARMOR, FORMAT_WORD, false, false, PLACE(mask)},
    {"requested_mask", AUDIT_LINE_APPARMOR, FORMAT_WORD, false, false, PLACE(mask)},
    {"capname", AUDIT_LINE_APPARMOR, FORMAT_WORD, false, false, PLACE(capability)},
    {"family", AUDIT_LINE_APPARMOR, FORMAT_WORD, false, false, PLACE(family)},
    {"sock_type", AUDIT_LINE_APPARMOR, FORMAT_WORD, false, false, PLACE(type)},
    {"peer", AUDIT_LINE_APPARMOR, FORMAT_TEXT, false, false, PLACE(peer)},
    {"fsuid", AUDIT_LINE_APPARMOR, FORMAT_DECIMAL, false, false, PLACE(fsuid)},
    {"ouid", AUDIT_LINE_APPARMOR, FORMAT_DECIMAL, false, false, PLACE(ouid)},
};

/* One NAME=VALUE of the text; a quoted value without its quotes. */
struct token {
    const char *name, *value;
    size_t name_length, length;
    bool quoted;
};

static bool is_end(char c)
{
    return c == '\0' || c == '\n' || c == ENRICHED;
}

/* The next token from *at on; words without '=' are passed over. False at the end, and where a quote is not
 * closed. */
static bool next_token(const char **at, struct token *ret)
{
    const char *p = *at, *start;

    for (;;) {
        while (*p == ' ')
            p++;
        start = p;
        while (!is_end(*p) && *p != ' ' && *p != '=')
            p++;
        if (*p == '=')
            break;
        if (is_end(*p))
            return false;
    }
    *ret = (struct token){.name = start, .name_length = (size_t)(p - start), .quoted = p[1] == '"'};
    start = ++p + ret->quoted;
    for (p = start; !is_end(*p) && *p != (ret->quoted ? '"' : ' ');)
        p++;
    if (ret->quoted && *p != '"')
        return false;
    ret->value = start;
    ret->length = (size_t)(p - start);
    *at = p + (*p == '"' && ret->quoted);
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The kernel writes an untrusted string as upper-case digits; false where this is something else. */
static bool decode_hex(const struct token *token, char *to)
{
    for (size_t i = 0; i < token->length; i += 2) {
        int high = hex_digit(token->value[i]), low = hex_digit(token->value[i + 1]);

        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return false;
        to[i / 2] = (char)(high * 16 + low);
    }
    to[token->length / 2] = '\0';
    return true;
}

static int take_text(const struct token *token, bool may_be_hex, char *to, size_t size)
{
    if (token->length >= (may_be_hex && !token->quoted ? 2 * size : size))
        return -EINVAL;
    if (may_be_hex && !token->quoted && token->length > 0 && token->length % 2 == 0 && decode_hex(token, to))
        return 0;
    if (token->length >= size)
        return -EINVAL;
    memcpy(to, token->value, token->length);
    to[token->length] = '\0';
    return 0;
}

static int take_number(const struct token *token, int base, void *to)
{
    char digits[24];
    char *end;
    unsigned long long value;
    uint32_t number;

    if (token->length == 0 || token->length >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, token->value, token->length);
    digits[token->length] = '\0';
    if (digits[strspn(digits, "0123456789abcdefABCDEFx")] != '\0')
        return -EINVAL; /* no sign, no blank */
    errno = 0;
    value = strtoull(digits, &end, base);
    if (*end != '\0' || errno != 0 || value > UINT32_MAX)
        return -EINVAL;
    number = (uint32_t)value;
    memcpy(to, &number, sizeof(number));
    return 0;
}

static int take(const struct field *field, const struct token *token, struct audit_line *line)
{
    char *to = (char *)line + field->offset;

    switch (field->format) {
    case FORMAT_TEXT:
        return take_text(token, true, to, field->size);
    case FORMAT_WORD:
        return take_text(token, false, to, field->size);
    case FORMAT_DECIMAL:
        return take_number(token, 10, to);
    case FORMAT_HEX:
        return take_number(token, 16, to);
    default:
        return -EINVAL;
    }
}

static bool skip(const char **at, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*at, prefix, length) != 0)
        return false;
    *at += length;
    return true;
}

/* "audit(SECONDS.MS:SERIAL): " */
static bool skip_stamp(const char **at, int64_t *ret_seconds)
{
    char *end;

    if (!skip(at, "audit(") || **at < '0' || **at > '9')
        return false;
    *ret_seconds = strtoll(*at, &end, 10);
    *at = end + strspn(end, ".:0123456789");
    return skip(at, "): ");
}

/* What kind of record, and where its fields begin. */
static bool parse_start(const char **at, struct audit_line *line)
{
    static const struct {
        const char *number, *name;
        enum audit_line_kind kind;
    } types[] = {{"1326", "SECCOMP", AUDIT_LINE_SECCOMP}, {"1400", "AVC", AUDIT_LINE_APPARMOR}};
    bool kernel = skip(at, "audit: "), typed = skip(at, "type=");

    if (kernel && !typed)
        return false;
    for (size_t i = 0; i < CL_ARRAY_SIZE(types); i++) {
        if (!skip(at, typed && kernel ? types[i].number : types[i].name) || **at != ' ')
            continue;
        line->kind = types[i].kind;
        ++*at;
        if (!typed)
            return true;
        return (kernel || skip(at, "msg=")) && skip_stamp(at, &line->seconds);
    }
    return false;
}

static int parse_fields(const char *at, struct audit_line *line)
{
    bool seen[CL_ARRAY_SIZE(fields)] = {false};
    struct token token;

    while (next_token(&at, &token)) {
        for (size_t i = 0; i < CL_ARRAY_SIZE(fields); i++) {
            const struct field *field = &fields[i];

            if (field->kind != line->kind || (seen[i] && !field->last) || strlen(field->name) != token.name_length ||
                strncmp(field->name, token.name, token.name_length) != 0)
                continue;
            seen[i] = true;
            if (strcmp(field->name, "requested_mask") == 0 && line->mask[0])
                break; /* what was refused of it is known */
            if (take(field, &token, line) < 0)
                return -EINVAL;
            break;
        }
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(fields); i++)
        if (fields[i].kind == line->kind && fields[i].needed && !seen[i])
            return -EINVAL;
    return 0;
}

int audit_line_parse(const char *text, struct audit_line *ret)
{
    struct audit_line line = {
        .session = AUDIT_NO_SESSION, .fsuid = AUDIT_NO_SESSION, .ouid = AUDIT_NO_SESSION};

    if (strnlen(text, AUDIT_LINE_MAX) == AUDIT_LINE_MAX || !parse_start(&text, &line) ||
        parse_fields(text, &line) < 0)
        return -EINVAL;
    *ret = line;
    return 0;
}
