/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files say which logins there are; how long is left, only cloister-init knows, for it ends the cell.
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "lasting.h"
#include "util.h"

#define ANSWER_MS 200

static const char *const state_names[] = {
    [CELL_ACTIVE] = "active", [CELL_LINGERING] = "lingering", [CELL_ENDING] = "ending"};
static_assert(CL_ARRAY_SIZE(state_names) == CELL_STATE_COUNT, "a name for each");

static const char *const on_logout_names[] = {
    [CL_ON_LOGOUT_KILL] = "kill", [CL_ON_LOGOUT_LINGER] = "linger", [CL_ON_LOGOUT_KEEP] = "keep"};

const char *cell_state_name(enum cell_state state)
{
    return state_names[state];
}

static void drop_ended(struct logins *logins)
{
    size_t kept = 0;

    for (size_t i = 0; i < logins->n; i++)
        if (login_in_use(logins->items[i]))
            logins->items[kept++] = logins->items[i];
        else
            login_freep(&logins->items[i]);
    logins->n = kept;
}

static int64_t ask_left(int run_fd, const struct record *record)
{
    const struct channel_call call = {.run_fd = run_fd,
                                      .cell = record->id,
                                      .init_fd = -1,
                                      .verb = INIT_ASK,
                                      .login_fd = -1,
                                      .kill_fd = -1,
                                      .timeout_ms = ANSWER_MS};
    struct init_answer answer = {.left = -1};

    return channel_call(&call, &answer, NULL) < 0 ? -1 : answer.left;
}

void lasting_look(int run_fd, const struct record *record, struct lasting *ret)
{
    *ret = (struct lasting){.state = record->ending ? CELL_ENDING : CELL_ACTIVE, .n = 1, .left = -1};
    if (!record->lasting)
        return;
    if (logins_load(run_fd, record->id, &ret->logins, NULL) == 0)
        drop_ended(&ret->logins);
    ret->n = ret->logins.n;
    if (ret->n > 0 || record->ending)
        return;
    ret->state = CELL_LINGERING;
    if (record->on_logout == CL_ON_LOGOUT_LINGER)
        ret->left = ask_left(run_fd, record);
}

void lasting_clear(struct lasting *lasting)
{
    logins_clear(&lasting->logins);
}

const char *lasting_duration(int64_t seconds, char *buf, size_t size)
{
    if (seconds < 3600)
        (void)snprintf(buf, size, "%" PRId64 "m %" PRId64 "s", seconds / 60, seconds % 60);
    else
        (void)snprintf(buf, size, "%" PRId64 "h %" PRId64 "m", seconds / 3600, seconds / 60 % 60);
    return buf;
}

const char *lasting_text(const struct lasting *lasting, char *buf, size_t size)
{
    char left[32];

    if (lasting->state == CELL_ACTIVE)
        (void)snprintf(buf, size, "%s", "");
    else if (lasting->left < 0)
        (void)snprintf(buf, size, "%s", state_names[lasting->state]);
    else
        (void)snprintf(buf, size, "%s left", lasting_duration(lasting->left, left, sizeof(left)));
    return buf;
}

static void add_login(json_t *array, const struct login *l, bool of_root)
{
    json_t *object = json_pack("{s:s, s:o, s:o, s:o, s:I}", "id", l->id, "service", record_text(l->service), "rhost",
                               record_text(l->rhost), "tty", record_text(l->tty), "since", (json_int_t)l->since);

    if (of_root)
        (void)json_object_set_new(object, "opener_pid", json_integer((json_int_t)l->opener));
    (void)json_array_append_new(array, object);
}

static json_t *logins_json(const struct record *r, const struct lasting *lasting, bool of_root)
{
    struct login first = {.service = r->service, .rhost = r->rhost, .tty = r->tty, .since = r->since, .opener = r->opener};
    json_t *array = json_array();

    memcpy(first.id, r->id, sizeof(first.id));
    if (!r->lasting || !lasting)
        add_login(array, &first, of_root);
    for (size_t i = 0; r->lasting && lasting && i < lasting->logins.n; i++)
        add_login(array, lasting->logins.items[i], of_root);
    return array;
}

void lasting_json(json_t *object, const struct record *record, const struct lasting *lasting, bool of_root)
{
    bool lingers = record->on_logout == CL_ON_LOGOUT_LINGER;

    (void)json_object_set_new(object, "share", json_string(record->share == CL_SHARE_USER ? "user" : "login"));
    (void)json_object_set_new(object, "on_logout", json_string(on_logout_names[record->on_logout]));
    (void)json_object_set_new(object, "linger", lingers ? json_integer((json_int_t)record->linger) : json_null());
    (void)json_object_set_new(object, "idle", record->idle > 0 ? json_integer((json_int_t)record->idle) : json_null());
    (void)json_object_set_new(object, "state",
                              json_string(cell_state_name(lasting ? lasting->state : CELL_ACTIVE)));
    (void)json_object_set_new(object, "linger_left",
                              lasting && lasting->left >= 0 ? json_integer((json_int_t)lasting->left) : json_null());
    (void)json_object_set_new(object, "logins", logins_json(record, lasting, of_root));
}
