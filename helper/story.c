/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file of each user, as JSON:
 *
 *   user      whose it is: a uid that has a new owner starts anew
 *   counted   what the user's cgroup had counted when a session last ended: what came since is told with the
 *             next one that ends, once
 *   sessions  those that hit a limit, oldest first: id, policy, service, ended, hits, told, lent (to which cell)
 *   lost      how many more there were that nobody was told of
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "events.h"
#include "hits.h"
#include "measure.h"
#include "session.h"
#include "story.h"
#include "story_file.h"
#include "util.h"

#define SESSIONS_MAX 16
#define LINES_MAX    4 /* of a notice */

void story_measure(const struct record *record, struct story_usage *ret)
{
    cleanup_fd int session = cgroup_open(record->cgroup), user = -1;
    struct stat st;

    memset(ret, 0, sizeof(*ret));
    user = session < 0 ? -1 : openat(session, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    measure_usage(session, &ret->session);
    cl_usage_read(user, &ret->user);
    if (user >= 0 && fstat(user, &st) == 0)
        ret->user_cgroup = st.st_ino;
}

/* What the user's cgroup counted since a session last ended. The cgroup is another one once its number is. */
static struct cl_usage since_counted(const json_t *story, const struct story_usage *usage)
{
    const json_t *counted = json_object_get(story, "counted");
    struct cl_usage since = usage->user;

    if ((uint64_t)json_integer_value(json_object_get(counted, "cgroup")) != usage->user_cgroup)
        return since;
    for (enum cl_use use = 0; use < CL_USE_COUNT; use++) {
        uint64_t before = (uint64_t)json_integer_value(json_object_get(counted, cl_use_name(use)));

        since.n[use] = since.n[use] > before ? since.n[use] - before : 0;
    }
    return since;
}

static void put_counted(json_t *story, const struct story_usage *usage)
{
    json_t *counted = json_object();

    (void)json_object_set_new(counted, "cgroup", json_integer((json_int_t)usage->user_cgroup));
    for (enum cl_use use = 0; use < CL_USE_COUNT; use++)
        if (usage->user.known[use])
            (void)json_object_set_new(counted, cl_use_name(use),
                                      json_integer((json_int_t)usage->user.n[use]));
    (void)json_object_set_new(story, "counted", counted);
}

/* Told ones go first; of those that were not, it is at least known how many. */
static void make_room(json_t *story)
{
    json_t *sessions = story_array(story, "sessions");

    while (json_array_size(sessions) >= SESSIONS_MAX) {
        size_t i = 0;

        while (i < json_array_size(sessions) &&
               !json_is_true(json_object_get(json_array_get(sessions, i), "told")))
            i++;
        if (i == json_array_size(sessions)) {
            json_int_t lost = json_integer_value(json_object_get(story, "lost"));

            i = 0;
            (void)json_object_set_new(story, "lost", json_integer(lost + 1));
        }
        (void)json_array_remove(sessions, i);
    }
}

static void log_hits(const struct record *record, const struct hit *hits, size_t n)
{
    char all[900] = "", text[1000];

    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(all);

        (void)snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? "; " : "",
                       hit_text(&hits[i], text, sizeof(text)));
    }
    event_limits(record, all);
}

static void add_session(json_t *story, const struct record *record, const struct hit *hits, size_t n)
{
    json_t *session = json_object(), *all = hits_json(hits, n, false), *of_user = hits_json(hits, n, true);

    (void)json_array_extend(all, of_user);
    json_decref(of_user);
    make_room(story);
    (void)json_object_set_new(session, "id", json_string(record->id));
    (void)json_object_set_new(session, "policy", json_string(record->policy));
    (void)json_object_set_new(session, "service", json_string(record->service));
    (void)json_object_set_new(session, "ended", json_integer((json_int_t)time(NULL)));
    (void)json_object_set_new(session, "told", json_false());
    (void)json_object_set_new(session, "hits", all);
    (void)json_array_append_new(story_array(story, "sessions"), session);
}

static bool any_change(const struct cl_usage *since)
{
    static const enum cl_use uses[] = {CL_USE_PIDS_MAX_OWN, CL_USE_MEMORY_MAX_OWN, CL_USE_OOM_OWN,
                                       CL_USE_MEMORY_HIGH_OWN, CL_USE_CPU_THROTTLED};

    for (size_t i = 0; i < CL_ARRAY_SIZE(uses); i++)
        if (since->n[uses[i]] > 0)
            return true;
    return false;
}

void story_end(const struct record *record, const struct story_usage *usage)
{
    json_t *story = story_load(record->uid, record->user);
    struct cl_usage since = since_counted(story, usage);
    struct hit hits[HITS_MAX];
    size_t n = hits_find(&usage->session, &since, record->limits, record->n_limits, hits);

    if (n > 0) {
        log_hits(record, hits, n);
        add_session(story, record, hits, n);
    }
    if (n > 0 || any_change(&since)) {
        if (usage->user_cgroup) /* else it is about one login, and the user's go on counting */
            put_counted(story, usage);
        story_save(record->uid, story);
    }
    json_decref(story);
}

/* "3 processes killed at …; 2 forks refused at …" */
static void append_hits(const json_t *session, char *buf, size_t size)
{
    size_t i;
    json_t *hit;

    json_array_foreach(json_object_get(session, "hits"), i, hit)
    {
        const char *text = json_string_value(json_object_get(hit, "text"));
        size_t used = strlen(buf);

        (void)snprintf(buf + used, size - used, "%s%s", i > 0 ? "; " : "", text ? text : "?");
    }
}

/* One line; it comes from root's file, and goes to a terminal all the same: plain ASCII. */
static void append_line(char *buf, size_t size, const char *line)
{
    size_t used = strlen(buf);

    for (; *line && used + 2 < size; line++)
        buf[used++] = *line >= ' ' && *line < 0x7f ? *line : '?';
    if (used + 1 < size)
        buf[used++] = '\n';
    buf[used] = '\0';
}

static void append_session(const json_t *session, bool last, char *buf, size_t size)
{
    time_t ended = (time_t)json_integer_value(json_object_get(session, "ended"));
    char line[600] = "last session: ", date[32] = "?";
    struct tm tm;

    if (!last) {
        if (localtime_r(&ended, &tm))
            (void)strftime(date, sizeof(date), "%F %R", &tm);
        (void)snprintf(line, sizeof(line), "session until %s: ", date);
    }
    append_hits(session, line, sizeof(line));
    append_line(buf, size, line);
}

const char *story_notice(uid_t uid, const char *user, char *buf, size_t size)
{
    json_t *story = story_load(uid, user), *sessions = story_array(story, "sessions"), *session;
    json_int_t more = json_integer_value(json_object_get(story, "lost"));
    size_t i, untold = 0, seen = 0, n = json_array_size(sessions);
    char line[96];

    buf[0] = '\0';
    json_array_foreach(sessions, i, session)
    {
        untold += !json_is_true(json_object_get(session, "told"));
    }
    if (untold > LINES_MAX)
        more += (json_int_t)(untold - LINES_MAX);
    if (more > 0) {
        (void)snprintf(line, sizeof(line),
                       "limits were hit in %" PRId64 " earlier session%s",
                       (int64_t)more, more == 1 ? "" : "s");
        append_line(buf, size, line);
    }
    json_array_foreach(sessions, i, session)
    {
        if (json_is_true(json_object_get(session, "told")))
            continue;
        if (seen++ + LINES_MAX >= untold)
            append_session(session, i + 1 == n, buf, size);
    }
    json_decref(story);
    return buf;
}

void story_lent(uid_t uid, const char *user, const char *id)
{
    json_t *story = story_load(uid, user), *session;
    size_t i;

    json_array_foreach(story_array(story, "sessions"), i, session)
    {
        if (!json_is_true(json_object_get(session, "told")))
            (void)json_object_set_new(session, "lent", json_string(id));
    }
    story_save(uid, story);
    json_decref(story);
}

void story_told(uid_t uid, const char *user, const char *id)
{
    json_t *story = story_load(uid, user), *session;
    bool any = false;
    size_t i;

    json_array_foreach(story_array(story, "sessions"), i, session)
    {
        const char *lent = json_string_value(json_object_get(session, "lent"));

        if (!lent || strcmp(lent, id) != 0 || json_is_true(json_object_get(session, "told")))
            continue;
        (void)json_object_set_new(session, "told", json_true());
        (void)json_object_del(story, "lost");
        any = true;
    }
    if (any)
        story_save(uid, story);
    json_decref(story);
}
