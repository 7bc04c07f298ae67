/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister apply: the helper gives live cells the limits of today's policies; here it is asked for, and told.
 */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "start.h"
#include "util.h"

#define APPLY_MAX (64 * 1024 * 1024)

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_side(const json_t *change, const char *which)
{
    const json_t *side = json_object_get(change, which);

    if (!json_is_object(side)) {
        printf("no limit");
        return;
    }
    ctl_print_escaped(stdout, text_of(side, "value"));
    printf(" (");
    ctl_print_escaped(stdout, text_of(side, "source"));
    printf(")");
}

static void print_changes(const json_t *changes, const char *indent)
{
    const json_t *change;
    size_t i;

    json_array_foreach(changes, i, change)
    {
        printf("%s%s: ", indent, text_of(change, "key"));
        print_side(change, "before");
        printf(" -> ");
        print_side(change, "after");
        putchar('\n');
    }
}

static void print_heading(const json_t *cell)
{
    const char *policy = text_of(cell, "policy"), *now = text_of(cell, "policy_now");

    printf("%s  ", text_of(cell, "id"));
    ctl_print_escaped(stdout, text_of(cell, "user"));
    printf("  policy %s", policy);
    if (now[0] && strcmp(now, policy) != 0)
        printf(", %s by now", now);
    putchar('\n');
}

static void print_cell(const json_t *cell, bool dry_run)
{
    const json_t *changes = json_object_get(cell, "changes"), *later = json_object_get(cell, "next_login");
    const char *left = text_of(cell, "left_alone"), *error = text_of(cell, "error");

    if (text_of(cell, "id")[0])
        print_heading(cell);
    else
        printf("uid %lld\n", (long long)json_integer_value(json_object_get(cell, "uid")));
    if (error[0]) {
        printf("  failed: ");
        ctl_print_escaped(stdout, error);
        putchar('\n');
    }
    if (left[0])
        printf("  left alone: %s\n", left);
    if (json_array_size(changes) > 0) {
        printf("  %s\n", dry_run ? "would change" : "changed");
        print_changes(changes, "    ");
    } else if (!left[0] && !error[0]) {
        printf("  limits are those of the policy\n");
    }
    if (json_array_size(later) > 0) {
        printf("  from the next login on\n");
        print_changes(later, "    ");
    } else if (json_is_null(later) && !left[0] && !error[0]) {
        printf("  what else differs is not known\n");
    }
}

static int report(const struct ctl *ctl, json_t *document)
{
    const json_t *cells = json_object_get(document, "cells"), *cell;
    int status = CTL_OK, r;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        if (json_is_string(json_object_get(cell, "error")))
            status = CTL_PROBLEM;
        if (!ctl->json)
            print_cell(cell, json_is_true(json_object_get(document, "dry_run")));
    }
    if (ctl->json)
        r = ctl_json_print(json_incref(document));
    else
        r = ctl_flush();
    return r != CTL_OK ? r : status;
}

int ctl_apply(struct ctl *ctl, int argc, char **argv)
{
    static char name[] = "cloister-helper", verb[] = "apply", dry_run[] = "dry-run", write_word[] = "write", all[] = "all",
                id[] = "id", user[] = "user", none[] = "";
    const char *values[CTL_OPTIONS_MAX] = {0};
    cleanup_free char *text = NULL, *whom = NULL;
    char *arguments[] = {name, verb, write_word, all, none, NULL};
    json_t *document;
    size_t size;
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (argc - first > 1 || (argc > first && values[0]))
        return ctl_usage_error(ctl, "apply takes the id of one cell, or --user U, or neither");
    if (strcmp(ctl->config, CL_CONFIG_DIR) != 0)
        return ctl_usage_error(ctl, "apply is about " CL_CONFIG_DIR " alone");
    if (getuid() != 0)
        return ctl_error("only root may change limits");
    if (values[1])
        arguments[2] = dry_run;
    if (argc > first || values[0]) {
        arguments[3] = values[0] ? user : id;
        arguments[4] = whom = strdup(values[0] ? values[0] : argv[first]);
    }
    start_fix_descriptors();
    r = start_reading(arguments, APPLY_MAX, &text, &size);
    if (r != CTL_OK)
        return r;
    document = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    r = document ? report(ctl, document) : ctl_error("the answer is damaged");
    json_decref(document);
    return r;
}
