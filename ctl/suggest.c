/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cloister suggest USER|ID: what a policy in audit mode would have refused, as lines that let it through.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "cell.h"
#include "ctl.h"
#include "handoff.h"
#include "records.h"
#include "suggest.h"
#include "suggest_print.h"
#include "util.h"

#define cleanup_problems __attribute__((cleanup(cl_problems_clear)))

/* What was asked for, and what is found out about it. */
struct subject {
    const struct cell *cell; /* NULL: of a user */
    struct answer answer;    /* whose policy, as it is by now */
    struct suggestion *suggestion;
};

static int find_user(const char *name, struct cl_user **ret)
{
    struct cl_error e = {0};
    int r = cl_user_lookup(name, ret, &e);

    if (r == -ENOENT)
        return ctl_error("there is no cell and no user \"%.256s\"", name);
    return r < 0 ? ctl_error("look up user \"%.256s\": %s", name, strerror(-r)) : CTL_OK;
}

static const struct cell *find_cell(const struct cells *cells, const char *id)
{
    for (size_t i = 0; i < cells->n; i++)
        if (strcmp(cells->items[i].record->id, id) == 0)
            return &cells->items[i];
    return NULL;
}

/* The policy of a cell is the one of its name, whatever a login of today would get. */
static int decide_by_name(const struct cl_config *config, const char *name, struct answer *answer)
{
    struct cl_error e = {0};

    for (size_t i = 0; i < cl_config_count(config) && !answer->policy; i++)
        if (strcmp(cl_config_policy(config, i)->name, name) == 0)
            answer->policy = cl_config_policy(config, i);
    if (!answer->policy)
        return ctl_error("the policy \"%s\" of the cell is not there any more", name);
    if (cl_policy_expand(answer->policy, answer->user, &answer->expanded, &e) < 0)
        return ctl_error("%s", e.text);
    return CTL_OK;
}

static int decide(const struct cl_config *config, struct subject *subject)
{
    struct answer *answer = &subject->answer;
    int r;

    if (subject->cell)
        return decide_by_name(config, subject->cell->record->policy, answer);
    if (cl_settings_exempt(cl_config_settings(config), answer->user, answer->matched_by,
                           sizeof(answer->matched_by)))
        return ctl_error("user %s is exempt (%s): no policy applies", answer->user->name, answer->matched_by);
    r = answer_decide(config, answer);
    if (r < 0)
        return ctl_error("%s", strerror(-r));
    return answer->expanded
               ? CTL_OK
               : ctl_error("a login of user %s is refused: %s", answer->user->name, answer->reason);
}

static struct suggest_query make_query(const struct subject *subject)
{
    const struct cl_policy *policy = subject->answer.expanded;
    const struct record *record = subject->cell ? subject->cell->record : NULL;

    return (struct suggest_query){
        .uid = subject->answer.user->uid,
        /* The logins of a shared cell have a session each: then user and time have to do. */
        .session = record && record->share == CL_SHARE_LOGIN ? record->audit_session : AUDIT_NO_SESSION,
        .since = record ? record->since : 0,
        .profile = strcmp(policy->apparmor.profile, "unconfined") == 0 ? NULL : policy->apparmor.profile,
        .home = subject->answer.user->home};
}

static void take(const struct audit_line *line, void *arg)
{
    suggest_collect(arg, line);
}

static int suggest(const struct ctl *ctl, struct subject *subject)
{
    const struct suggest_report report = {.user = subject->answer.user,
                                          .id = subject->cell ? subject->cell->record->id : NULL,
                                          .policy = subject->answer.expanded,
                                          .suggestion = subject->suggestion};
    struct cl_error e = {0};
    char text[1200];

    subject->suggestion->query = make_query(subject);
    subject->suggestion->source = records_read(subject->suggestion->query.since, take, subject->suggestion);
    if (suggest_judge(subject->suggestion, report.policy, &e) < 0)
        return ctl_error("%s", cl_error_format(&e, text, sizeof(text)));
    return ctl->json ? suggest_print_json(&report) : suggest_print_text(&report);
}

static int load_and_suggest(const struct ctl *ctl, struct subject *subject)
{
    cleanup_problems struct cl_problems problems = {0};
    cleanup_config struct cl_config *config = NULL;
    int r = cl_config_load(ctl->config, ctl_trusts_any_owner(ctl->config), &config, &problems);

    if (r < 0) {
        ctl_print_problems(&problems);
        return ctl_error("%s: %s", ctl->config, r == -EINVAL ? "not valid" : strerror(-r));
    }
    subject->suggestion = calloc(1, sizeof(*subject->suggestion));
    if (!subject->suggestion)
        return ctl_error("%s", strerror(ENOMEM));
    r = decide(config, subject);
    if (r == CTL_OK)
        r = suggest(ctl, subject);
    answer_clear(&subject->answer);
    suggestion_clear(subject->suggestion);
    free(subject->suggestion);
    return r;
}

int ctl_suggest(struct ctl *ctl, int argc, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {0};
    cleanup_cells struct cells cells = {0};
    cleanup_user struct cl_user *user = NULL;
    struct subject subject = {.answer = {.service = "sshd"}};
    struct cl_error e = {0};
    int first, r = ctl_options(ctl, argc, argv, values, &first);

    if (r != -1)
        return r;
    if (argc - first != 1)
        return ctl_usage_error(ctl, "suggest needs one user, or the id of a cell");
    if (geteuid() != 0)
        return ctl_error("only root reads what the kernel logged");
    if (cl_id_valid(argv[first]) && cells_load(&cells, &e) < 0)
        return ctl_error("%s: %s", e.text, strerror(e.err));
    subject.cell = find_cell(&cells, argv[first]);
    r = find_user(subject.cell ? subject.cell->record->user : argv[first], &user);
    if (r != CTL_OK)
        return r;
    if (subject.cell && user->uid != subject.cell->record->uid)
        return ctl_error("user %s is not uid %u of the cell any more", user->name, subject.cell->record->uid);
    if (values[0])
        subject.answer.service = values[0];
    subject.answer.user = user;
    return load_and_suggest(ctl, &subject);
}
