/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where a module stands in a PAM stack, and what libpam's controls do to it: pam.conf(5). A jump counts a substack as
 * one module, and neither a jump nor the end of a substack leaves it.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pam_stack.h"
#include "util.h"

static bool is_module(const struct pam_rule *rule, const char *module)
{
    const char *slash = strrchr(rule->module, '/');

    return strcmp(slash ? slash + 1 : rule->module, module) == 0;
}

/* The next "value=action" of a control in brackets; false past the last. */
static bool next_action(const char **text, char *value, char *action, size_t size)
{
    size_t length;

    *text += strspn(*text, "[ \t");
    length = strcspn(*text, "= \t]");
    if (length == 0 || length >= size || (*text)[length] != '=')
        return false;
    memcpy(value, *text, length);
    value[length] = '\0';
    *text += length + 1;
    length = strcspn(*text, " \t]");
    if (length == 0 || length >= size)
        return false;
    memcpy(action, *text, length);
    action[length] = '\0';
    *text += length;
    return true;
}

static bool is_binding(const char *control)
{
    char value[32], action[32];
    bool by_default = false;

    if (*control != '[')
        return strcasecmp(control, "required") == 0 || strcasecmp(control, "requisite") == 0;
    while (next_action(&control, value, action, sizeof(value))) {
        bool bad = strcasecmp(action, "bad") == 0 || strcasecmp(action, "die") == 0;

        if (strcasecmp(value, "default") == 0)
            by_default = bad;
        else if (!bad && strcasecmp(value, "success") != 0 && strcasecmp(value, "new_authtok_reqd") != 0 &&
                 strcasecmp(value, "ignore") != 0)
            return false;
    }
    return by_default;
}

/* The rule at which libpam goes on when `at` says to jump over n modules. */
static size_t jump_target(const struct pam_stack *stack, size_t at, unsigned long n)
{
    unsigned own = stack->rules[at].substack;
    size_t i = at + 1, end = stack->substacks[own].end;

    for (; n > 0 && i < end; n--) {
        unsigned inner = stack->rules[i].substack;

        while (inner != own && stack->substacks[inner].outer != own)
            inner = stack->substacks[inner].outer;
        i = inner == own ? i + 1 : stack->substacks[inner].end;
    }
    return i;
}

/* The farthest rule at which libpam may go on after the rule `at` without a failure of the stack. */
static size_t farthest(const struct pam_stack *stack, size_t at)
{
    const char *control = stack->rules[at].control;
    size_t end = stack->substacks[stack->rules[at].substack].end, to = at + 1;
    char value[32], action[32];

    if (*control != '[')
        return strcasecmp(control, "sufficient") == 0 ? end : to;
    while (next_action(&control, value, action, sizeof(value))) {
        unsigned long n = strtoul(action, NULL, 10);
        size_t target = strcasecmp(action, "done") == 0 ? end : n > 0 ? jump_target(stack, at, n) : to;

        to = target > to ? target : to;
    }
    return to;
}

void pam_stack_find(const struct pam_stack *stack, const char *module, struct pam_position *ret)
{
    struct pam_position position = {0};
    size_t first = 0;

    for (size_t i = 0; i < stack->n; i++) {
        if (!is_module(&stack->rules[i], module))
            continue;
        if (position.count++ == 0)
            first = i;
        position.last = &stack->rules[i];
        position.next = i + 1 < stack->n ? &stack->rules[i + 1] : NULL;
    }
    if (position.count > 0) {
        position.rule = &stack->rules[first];
        position.binding = is_binding(position.rule->control);
    }
    for (size_t i = 0; position.rule && !position.skips && i < first; i++)
        if (farthest(stack, i) > first)
            position.skips = &stack->rules[i];
    *ret = position;
}

const struct pam_rule *pam_stack_has(const struct pam_stack *stack, const char *module)
{
    for (size_t i = 0; i < stack->n; i++)
        if (is_module(&stack->rules[i], module))
            return &stack->rules[i];
    return NULL;
}
