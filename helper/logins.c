/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Logins as JSON.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "logins.h"
#include "util.h"

#define LOGIN_SIZE_MAX 8192

static void login_path(const char *id, char *buf, size_t size)
{
    (void)snprintf(buf, size, "logins/%s.json", id);
}

int login_save(int run_fd, const struct login *login, struct cl_error *e)
{
    json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "id", login->id, "cell", login->cell,
                             "user", record_text(login->user), "service", record_text(login->service), "rhost",
                             record_text(login->rhost), "tty", record_text(login->tty), "uid",
                             (json_int_t)login->uid, "since", (json_int_t)login->since, "opener",
                             (json_int_t)login->opener, "opener_start", (json_int_t)login->opener_start);
    cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    char path[64];
    int r;

    json_decref(json);
    if (!text)
        return cl_fail(e, ENOMEM, "format the login");
    login_path(login->id, path, sizeof(path));
    r = cl_replace_file_at(run_fd, path, text, strlen(text), 0600);
    return r < 0 ? cl_fail(e, -r, "write login %s", login->id) : 0;
}

static int from_json(json_t *json, struct login *l)
{
    json_int_t uid, since, opener, opener_start;
    const char *id, *cell;

    if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "id", &id, "cell", &cell, "user",
                    &l->user, "service", &l->service, "rhost", &l->rhost, "tty", &l->tty, "uid", &uid, "since",
                    &since, "opener", &opener, "opener_start", &opener_start) < 0 ||
        !cl_id_valid(id) || !cl_id_valid(cell))
        return -EBADMSG;
    memcpy(l->id, id, sizeof(l->id));
    memcpy(l->cell, cell, sizeof(l->cell));
    l->uid = (uid_t)uid;
    l->since = since;
    l->opener = (pid_t)opener;
    l->opener_start = (uint64_t)opener_start;
    return 0;
}

int login_load(int run_fd, const char *id, struct login **ret, struct cl_error *e)
{
    cleanup_login struct login *login = calloc(1, sizeof(*login));
    cleanup_free char *text = NULL;
    cleanup_fd int fd = -1;
    json_error_t why;
    char path[64];
    size_t size;
    int r;

    if (!login)
        return cl_fail(e, ENOMEM, "load login %s", id);
    login_path(id, path, sizeof(path));
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(e, errno, "open login %s", id);
    r = cl_read_all(fd, LOGIN_SIZE_MAX, &text, &size);
    if (r < 0)
        return cl_fail(e, -r, "read login %s", id);
    login->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    r = login->json ? from_json(login->json, login) : record_json_error(&why);
    if (r == 0 && strcmp(login->id, id) != 0)
        r = -EBADMSG;
    if (r < 0)
        return cl_fail(e, -r, "parse login %s", id);
    *ret = login;
    login = NULL;
    return 0;
}

int login_remove(int run_fd, const char *id)
{
    char path[64];

    login_path(id, path, sizeof(path));
    return unlinkat(run_fd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

void login_freep(struct login **login)
{
    if (*login)
        json_decref((*login)->json);
    free(*login);
    *login = NULL;
}

bool login_in_use(const struct login *login)
{
    cleanup_fd int fd = record_pidfd(login->opener, login->opener_start);

    return fd >= 0;
}

static int by_age(const void *a, const void *b)
{
    const struct login *left = *(struct login *const *)a, *right = *(struct login *const *)b;

    if (left->since != right->since)
        return left->since < right->since ? -1 : 1;
    return strcmp(left->id, right->id);
}

static int add(struct logins *logins, struct login *login)
{
    struct login **grown = reallocarray(logins->items, logins->n + 1, sizeof(struct login *));

    if (!grown)
        return -ENOMEM;
    logins->items = grown;
    grown[logins->n++] = login;
    return 0;
}

/* Or is damaged, and no login's. Other errors say nothing of it. */
static bool has_ended(int error)
{
    return error == -ENOENT || error == -EBADMSG || error == -EFBIG || error == -ELOOP;
}

int logins_load(int run_fd, const char *cell, struct logins *ret, struct cl_error *e)
{
    cleanup_logins struct logins logins = {0};
    cleanup_strv char **ids = NULL;
    int r = record_list_folder(run_fd, "logins", &ids, NULL);

    if (r == -ENOENT)
        r = 0; /* there has been none since boot */
    for (size_t i = 0; r == 0 && ids && ids[i]; i++) {
        cleanup_login struct login *login = NULL;

        r = login_load(run_fd, ids[i], &login, NULL);
        if (has_ended(r))
            r = 0;
        if (!login || (cell && strcmp(login->cell, cell) != 0))
            continue;
        r = add(&logins, login);
        if (r == 0)
            login = NULL;
    }
    if (r < 0)
        return cl_fail(e, -r, "load the logins");
    if (logins.n > 1)
        qsort(logins.items, logins.n, sizeof(struct login *), by_age);
    *ret = logins;
    logins = (struct logins){0};
    return 0;
}

void logins_clear(struct logins *logins)
{
    for (size_t i = 0; i < logins->n; i++)
        login_freep(&logins->items[i]);
    free((void *)logins->items);
    *logins = (struct logins){0};
}

int logins_count(int run_fd, const char *cell, const char *but, size_t *ret, struct cl_error *e)
{
    cleanup_logins struct logins logins = {0};
    size_t n = 0;
    int r = logins_load(run_fd, cell, &logins, e);

    if (r < 0)
        return r;
    for (size_t i = 0; i < logins.n; i++)
        n += (!but || strcmp(logins.items[i]->id, but) != 0) && login_in_use(logins.items[i]);
    *ret = n;
    return 0;
}

void logins_forget(int run_fd, const char *cell)
{
    cleanup_logins struct logins logins = {0};

    if (logins_load(run_fd, cell, &logins, NULL) < 0)
        return; /* the next sweep finds them */
    for (size_t i = 0; i < logins.n; i++)
        (void)!login_remove(run_fd, logins.items[i]->id);
}
