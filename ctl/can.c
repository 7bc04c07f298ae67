/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister explain USER --can: what is asked for, and how the answer is told.
 */
#include "config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "can.h"
#include "helper/seccomp_ask.h"
#include "loader.h"
#include "schema.h"
#include "util.h"

#define RULES_SHOWN 6

void can_say(struct can *can, bool yes, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    free(can->why);
    if (vasprintf(&can->why, fmt, args) < 0)
        can->why = NULL;
    va_end(args);
    can->yes = yes;
}

static char *format(const char *fmt, va_list args)
{
    char *text = NULL;

    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

void can_rule(struct can *can, enum cl_key key, const struct cl_origin *origin, const char *fmt, ...)
{
    cleanup_free char *text = NULL, *source = NULL;
    va_list args;

    va_start(args, fmt);
    text = format(fmt, args);
    va_end(args);
    if (origin && origin->file && cl_asprintf(&source, "%s:%u", origin->file, origin->line) < 0)
        source = NULL;
    (void)json_array_append_new(can->rules,
                                json_pack("{s:o, s:o, s:o}", "key",
                                          ctl_json_string(key < CL_KEY_COUNT ? cl_key_name(key) : NULL),
                                          "source", ctl_json_string(source ? source : "built-in"), "text",
                                          ctl_json_string(text ? text : "")));
}

void can_note(struct can *can, const char *fmt, ...)
{
    cleanup_free char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = format(fmt, args);
    va_end(args);
    (void)json_array_append_new(can->notes, ctl_json_string(text ? text : ""));
}

static const struct cl_policy *parent_of(const struct can *can, const struct cl_policy *policy)
{
    for (size_t i = 0; policy->inherit && i < cl_config_count(can->config); i++)
        if (strcmp(cl_config_policy(can->config, i)->name, policy->inherit) == 0)
            return cl_config_policy(can->config, i);
    return NULL;
}

static bool same_origin(const struct cl_origin *a, const struct cl_origin *b)
{
    return a->file == b->file && a->line == b->line;
}

static bool has(const struct cl_policy *policy, enum cl_key list,
                bool (*is)(const char *name, const void *arg), const void *arg)
{
    char *const *names = *(char **const *)schema_field_const(&schema_policy[list], policy);

    for (; names && *names; names++)
        if (is(*names, arg))
            return true;
    return false;
}

const struct cl_origin *can_list_origin(const struct can *can, enum cl_key list, enum cl_key base,
                                        bool (*is)(const char *name, const void *arg), const void *arg)
{
    const struct cl_policy *policy = can->answer->policy, *parent;

    while ((parent = parent_of(can, policy)) && same_origin(&parent->origin[base], &policy->origin[base]) &&
           has(parent, list, is, arg))
        policy = parent;
    return &policy->origin[list];
}

/* Text of a user may hold anything. */
static void print_escaped(const char *label, const char *text)
{
    printf("%-12s", label);
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            printf("\\x%02x", (unsigned)(unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('\n');
}

static void print_rule(const char *label, const json_t *rule)
{
    cleanup_free char *line = NULL;
    const char *key = json_string_value(json_object_get(rule, "key"));

    if (cl_asprintf(&line, "%s (%s%s%s)", json_string_value(json_object_get(rule, "text")), key ? key : "",
                    key ? ", " : "", json_string_value(json_object_get(rule, "source"))) == 0)
        print_escaped(label, line);
}

/* A filter may have many rules about one call: the last tells what holds where none does. */
static int print_text(const struct can *can)
{
    size_t n = json_array_size(can->rules), i;
    json_t *item;

    print_escaped(can->yes ? "yes" : "no", can->why ? can->why : "");
    json_array_foreach(can->rules, i, item)
    {
        if (n > RULES_SHOWN && i == RULES_SHOWN - 2)
            printf("%-12s... (%zu more; --json has all)\n", "", n - RULES_SHOWN + 1);
        if (n <= RULES_SHOWN || i < RULES_SHOWN - 2 || i == n - 1)
            print_rule(i == 0 ? "by" : "", item);
    }
    json_array_foreach (can->notes, i, item) {
        print_escaped("note", json_string_value(item));
    }
    return ctl_flush();
}

static int print_json(const struct can *can)
{
    const struct answer *a = can->answer;
    json_t *document =
        json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:O, s:O, s:O}", "user",
                  ctl_json_string(a->user->name), "decision", a->decision, "service", a->service, "policy",
                  ctl_json_string(a->policy ? a->policy->name : NULL), "mode",
                  ctl_json_string(!a->expanded                         ? NULL
                                  : a->expanded->mode == CL_MODE_AUDIT ? "audit"
                                                                       : "enforce"),
                  "question", ctl_json_string(can->question), "kind", ctl_json_string(can->kind), "answer",
                  can->yes ? "yes" : "no", "conditional", can->conditional, "why", ctl_json_string(can->why),
                  "rules", can->rules, "notes", can->notes, "detail", can->detail);

    return ctl_json_print(document);
}

/* A capability's number: of CAP_KILL in any case, and of KILL where no system call has the name as it is
 * written. */
static bool find_capability(const char *question, unsigned *ret)
{
    uint64_t mask;

    if (capability_mask(question, &mask) < 0 || mask == 0 || (mask & (mask - 1)))
        return false;
    *ret = (unsigned)__builtin_ctzll(mask);
    return true;
}

static int unknown(const char *question)
{
    char near[64];

    if ((names_nearest_syscall(question, near, sizeof(near)) ||
         names_nearest_capability(question, near, sizeof(near))) &&
        strcasecmp(question, near) != 0) /* else: the name of a set of capabilities */
        (void)ctl_error(
            "--can: \"%.64s\" is no system call, capability or absolute path; did you mean \"%s\"?", question,
            near);
    else
        (void)ctl_error("--can: \"%.64s\" is no system call, capability or absolute path", question);
    return CTL_USAGE;
}

/* What it is, is known before who is asked about. */
static int find_kind(struct can *can, unsigned *ret_capability)
{
    bool is_capability = find_capability(can->question, ret_capability);

    if (*can->question == '/')
        can->kind = "path";
    else if (seccomp_is_syscall(can->question))
        can->kind = "syscall";
    else if (is_capability)
        can->kind = "capability";
    else
        return unknown(can->question);
    return 0;
}

static int ask(struct can *can)
{
    unsigned capability;
    int r = find_kind(can, &capability);

    if (r != 0)
        return r;
    if (strcmp(can->answer->decision, "exempt") == 0) {
        can_say(can, true, "the user is exempt (%s): no cell, nothing of this is bounded",
                can->answer->matched_by);
        return 0;
    }
    if (strcmp(can->answer->decision, "cell") != 0) {
        can_say(can, false, "the login is refused: %s", can->answer->reason);
        return 0;
    }
    return *can->kind == 's'   ? can_syscall(can)
           : *can->kind == 'c' ? can_capability(can, capability)
                               : can_path(can);
}

int can_answer(const struct ctl *ctl, const struct cl_config *config, const struct answer *answer,
               const char *question)
{
    struct can can = {.answer = answer,
                      .config = config,
                      .question = question,
                      .rules = json_array(),
                      .notes = json_array(),
                      .detail = json_object()};
    int r = ask(&can);

    if (r == 0)
        r = ctl->json ? print_json(&can) : print_text(&can);
    if (r == CTL_OK && !can.yes)
        r = CTL_PROBLEM;
    free(can.why);
    json_decref(can.rules);
    json_decref(can.notes);
    json_decref(can.detail);
    return r;
}
