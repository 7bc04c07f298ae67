/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records as JSON, written before a cell is built and again when it lives. Whatever dies, and whenever, the
 * record says what has to be taken away.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "record.h"
#include "session.h"
#include "util.h"

#define RECORD_SIZE_MAX 65536
#define LOCK_POLL_MS    20

#define EXITING 0x4 /* PF_EXITING of the kernel's flags word */

/* Fields 3, 9 and 22 of /proc/PID/stat: proc_pid_stat(5). */
static int read_stat(pid_t pid, uint64_t *ret_start, bool *ret_ended, struct cl_error *e)
{
    cleanup_free char *stat = NULL;
    unsigned long long start;
    unsigned flags;
    char path[32], state, *after_name;
    int r;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    r = cl_read_file_at(AT_FDCWD, path, &stat);
    if (r < 0)
        return cl_fail(e, -r, "read %s", path);
    after_name = strrchr(stat, ')'); /* the name may hold anything, parentheses too */
    if (!after_name ||
        sscanf(after_name + 1,
               " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
               &flags, &start) != 3)
        return cl_fail(e, EBADMSG, "parse %s", path);
    *ret_start = start;
    *ret_ended = state == 'Z' || state == 'X' || (flags & EXITING);
    return 0;
}

int record_start_time(pid_t pid, uint64_t *ret, struct cl_error *e)
{
    bool ended;

    return read_stat(pid, ret, &ended, e);
}

/* A dying pid 1 waits for its namespace's last zombie to be reaped, perhaps for long: it has ended all the
 * same. */
int record_pidfd(pid_t pid, uint64_t start)
{
    cleanup_fd int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    uint64_t now;
    bool ended;

    if (fd < 0 || read_stat(pid, &now, &ended, NULL) < 0 || now != start || ended)
        return -1;
    return cl_take_fd(&fd);
}

uint32_t record_audit_session(void)
{
    cleanup_free char *text = NULL;
    uint64_t session;

    if (cl_read_file_at(AT_FDCWD, "/proc/self/sessionid", &text) < 0 || cl_parse_u64(text, &session) < 0 ||
        session > UINT32_MAX)
        return RECORD_NO_SESSION;
    return (uint32_t)session;
}

static int open_private_dir(int at, const char *path, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int fd = -1;
    struct stat st;

    if (mkdirat(at, path, 0700) < 0 && errno != EEXIST)
        return cl_fail(e, errno, "make %s", path);
    fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return cl_fail(e, errno, "open %s", path);
    if (st.st_uid != 0 || (st.st_mode & 022))
        return cl_fail(e, EPERM, "%s is not root's alone to write", path);
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

int record_open_dir(int *ret_fd, struct cl_error *e)
{
    cleanup_fd int run = -1, state = -1, sub = -1;
    int r = open_private_dir(AT_FDCWD, CL_RUN_DIR, &run, e);

    if (r == 0)
        r = open_private_dir(run, "cells", &sub, e);
    cl_close(&sub);
    if (r == 0)
        r = open_private_dir(run, "logins", &sub, e);
    cl_close(&sub);
    if (r == 0)
        r = open_private_dir(run, "locks", &sub, e);
    cl_close(&sub);
    if (r == 0)
        r = open_private_dir(run, "net", &sub, e);
    cl_close(&sub);
    if (r == 0)
        r = open_private_dir(run, "root", &sub,
                             e); /* where a view is assembled, seen only in its namespace */
    if (r == 0)
        r = open_private_dir(AT_FDCWD, CL_STATE_DIR, &state, e);
    cl_close(&sub);
    if (r == 0)
        r = open_private_dir(state, "seccomp", &sub, e);
    cl_close(&sub);
    if (r == 0)
        r = open_private_dir(state, "hits", &sub, e);
    if (r == 0)
        *ret_fd = cl_take_fd(&run);
    return r;
}

static int lock_file(int run_fd, const char *path, const char *whose, int64_t deadline_ms, int *ret_fd,
                     struct cl_error *e)
{
    const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
    cleanup_fd int fd = openat(run_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return cl_fail(e, errno, "open lock of %s", whose);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return cl_fail(e, errno, "lock %s", whose);
        if (cl_now_ms() >= deadline_ms)
            return cl_fail(e, ETIMEDOUT, "wait for another open or close of %s", whose);
        (void)nanosleep(&pause, NULL);
    }
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

int record_lock(int run_fd, uid_t uid, int64_t deadline_ms, int *ret_fd, struct cl_error *e)
{
    char path[32], whose[32];

    (void)snprintf(path, sizeof(path), "locks/%u", uid);
    (void)snprintf(whose, sizeof(whose), "uid %u", uid);
    return lock_file(run_fd, path, whose, deadline_ms, ret_fd, e);
}

int record_lock_network(int run_fd, int64_t deadline_ms, int *ret_fd, struct cl_error *e)
{
    return lock_file(run_fd, "locks/net", "the network", deadline_ms, ret_fd, e);
}

static void record_path(const char *id, char *buf, size_t size)
{
    (void)snprintf(buf, size, "cells/%s.json", id);
}

json_t *record_text(const char *s)
{
    json_t *text = json_string(s ? s : "");

    return text ? text : json_string("?");
}

json_t *record_limit_json(const struct record_limit *limit)
{
    return json_pack("{s:s, s:o, s:o}", "key", limit->key, "value", record_text(limit->value), "source",
                     record_text(limit->source));
}

static json_t *limits_to_json(const struct record *r)
{
    json_t *array = json_array();

    for (size_t i = 0; i < r->n_limits; i++)
        (void)json_array_append_new(array, record_limit_json(&r->limits[i]));
    return array;
}

static json_t *text_or_null(const char *s)
{
    return s && *s ? record_text(s) : json_null();
}

json_t *record_network_json(const struct record *r)
{
    if (!r->network || !*r->network)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o}", "mode", r->network, "address", text_or_null(r->address), "address6",
                     text_or_null(r->address6), "rate",
                     r->rate == CL_UNLIMITED ? json_null() : json_integer((json_int_t)r->rate));
}

/* Absent, or null, in the record of an older version. */
static void network_from_json(const json_t *json, struct record *r)
{
    const json_t *network = json_object_get(json, "network"), *rate = json_object_get(network, "rate");
    const char *mode = json_string_value(json_object_get(network, "mode"));
    const char *address = json_string_value(json_object_get(network, "address"));
    const char *address6 = json_string_value(json_object_get(network, "address6"));

    r->network = mode ? mode : "";
    r->address = address ? address : "";
    r->address6 = address6 ? address6 : "";
    r->rate = json_is_integer(rate) ? (uint64_t)json_integer_value(rate) : CL_UNLIMITED;
}

static json_t *record_to_json(const struct record *r)
{
    return json_pack(
        "{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:I, s:o, s:o, s:b, s:I, s:I, s:I, s:b, s:I, s:o}",
        "id", r->id, "live", r->live, "user", record_text(r->user), "policy", record_text(r->policy), "service",
        record_text(r->service), "rhost", record_text(r->rhost), "tty", record_text(r->tty), "cgroup",
        record_text(r->cgroup), "uid", (json_int_t)r->uid, "since", (json_int_t)r->since, "opener",
        (json_int_t)r->opener, "opener_start", (json_int_t)r->opener_start, "init", (json_int_t)r->init,
        "init_start", (json_int_t)r->init_start, "helper", (json_int_t)r->helper, "helper_start",
        (json_int_t)r->helper_start, "grace", (json_int_t)r->grace, "manager", (json_int_t)r->manager, "audit",
        r->audit, "apparmor", record_text(r->apparmor), "audit_session", (json_int_t)r->audit_session, "limits",
        limits_to_json(r), "port", record_text(r->port), "lasting", r->lasting, "share", (json_int_t)r->share,
        "on_logout", (json_int_t)r->on_logout, "linger", (json_int_t)r->linger, "ending", r->ending, "idle",
        (json_int_t)r->idle, "network", record_network_json(r));
}

int record_save(int run_fd, const struct record *record, struct cl_error *e)
{
    json_t *json = record_to_json(record);
    cleanup_free char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    char path[64];
    int r;

    json_decref(json);
    if (!text)
        return cl_fail(e, ENOMEM, "format the record");
    record_path(record->id, path, sizeof(path));
    r = cl_replace_file_at(run_fd, path, text, strlen(text), 0600);
    return r < 0 ? cl_fail(e, -r, "write record %s", record->id) : 0;
}

/* Absent in the record of an older version: a cell that outlived the upgrade. */
void record_limits_load(json_t *array, struct record *ret)
{
    size_t i;
    json_t *item;

    json_array_foreach(array, i, item)
    {
        struct record_limit *limit = &ret->limits[ret->n_limits];
        const char *key, *value, *source;

        if (ret->n_limits == RECORD_LIMITS_MAX ||
            json_unpack(item, "{s:s, s:s, s:s}", "key", &key, "value", &value, "source", &source) < 0)
            return;
        (void)snprintf(limit->key, sizeof(limit->key), "%s", key);
        (void)snprintf(limit->value, sizeof(limit->value), "%s", value);
        (void)snprintf(limit->source, sizeof(limit->source), "%s", source);
        ret->n_limits++;
    }
}

/* What comes with a question mark is missing in what an older version wrote. */
static int record_from_json(json_t *json, struct record *r)
{
    json_int_t uid, since, opener, opener_start, init, init_start, helper, helper_start, grace, manager;
    json_int_t audit_session = RECORD_NO_SESSION, share = CL_SHARE_LOGIN, on_logout = CL_ON_LOGOUT_KILL, linger = 0, idle = 0;
    const char *id;
    int live, audit = 0, lasting = 0, ending = 0;

    r->apparmor = r->port = "";

    if (json_unpack(
            json,
            "{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s?b, "
            "s?s, s?I, s?s, s?b, s?I, s?I, s?I, s?b, s?I}",
            "id", &id, "live", &live, "user", &r->user, "policy", &r->policy, "service", &r->service, "rhost",
            &r->rhost, "tty", &r->tty, "cgroup", &r->cgroup, "uid", &uid, "since", &since, "opener", &opener,
            "opener_start", &opener_start, "init", &init, "init_start", &init_start, "helper", &helper,
            "helper_start", &helper_start, "grace", &grace, "manager", &manager, "audit", &audit, "apparmor",
            &r->apparmor, "audit_session", &audit_session, "port", &r->port, "lasting", &lasting, "share", &share,
            "on_logout", &on_logout, "linger", &linger, "ending", &ending, "idle", &idle) < 0 ||
        !cl_id_valid(id))
        return -EBADMSG;
    memcpy(r->id, id, sizeof(r->id));
    r->live = live;
    r->audit = audit;
    r->audit_session = (uint32_t)audit_session;
    r->uid = (uid_t)uid;
    r->since = since;
    r->opener = (pid_t)opener;
    r->opener_start = (uint64_t)opener_start;
    r->init = (pid_t)init;
    r->init_start = (uint64_t)init_start;
    r->helper = (pid_t)helper;
    r->helper_start = (uint64_t)helper_start;
    r->grace = (uint64_t)grace;
    r->manager = manager == CL_MANAGER_SYSTEMD ? CL_MANAGER_SYSTEMD : CL_MANAGER_CGROUPFS;
    r->lasting = lasting;
    r->share = share == CL_SHARE_USER ? CL_SHARE_USER : CL_SHARE_LOGIN;
    r->on_logout = on_logout == CL_ON_LOGOUT_LINGER ? CL_ON_LOGOUT_LINGER
                   : on_logout == CL_ON_LOGOUT_KEEP ? CL_ON_LOGOUT_KEEP
                                                    : CL_ON_LOGOUT_KILL;
    r->linger = (uint64_t)linger;
    r->idle = (uint64_t)idle;
    r->ending = ending;
    record_limits_load(json_object_get(json, "limits"), r);
    network_from_json(json, r);
    return 0;
}

int record_json_error(const json_error_t *error)
{
    return json_error_code(error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
}

int record_load(int run_fd, const char *id, struct record **ret, struct cl_error *e)
{
    cleanup_record struct record *record = calloc(1, sizeof(*record));
    cleanup_free char *text = NULL;
    cleanup_fd int fd = -1;
    json_error_t why;
    char path[64];
    size_t size;
    int r;

    if (!record)
        return cl_fail(e, ENOMEM, "load record %s", id);
    record_path(id, path, sizeof(path));
    fd = openat(run_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return cl_fail(e, errno, "open record %s", id);
    r = cl_read_all(fd, RECORD_SIZE_MAX, &text, &size);
    if (r < 0)
        return cl_fail(e, -r, "read record %s", id);
    record->json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    r = record->json ? record_from_json(record->json, record) : record_json_error(&why);
    if (r < 0)
        return cl_fail(e, -r, "parse record %s", id);
    *ret = record;
    record = NULL;
    return 0;
}

int record_remove(int run_fd, const char *id)
{
    static const char *const beside[] = {"plan", "settings", "policy", "sock"};
    char path[64];

    for (size_t i = 0; i < CL_ARRAY_SIZE(beside); i++) { /* first: what has no record is never looked for */
        (void)snprintf(path, sizeof(path), "cells/%s.%s", id, beside[i]);
        if (unlinkat(run_fd, path, 0) < 0 && errno != ENOENT)
            return -errno;
    }
    record_path(id, path, sizeof(path));
    return unlinkat(run_fd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
}

void record_free(struct record *record)
{
    if (!record)
        return;
    json_decref(record->json);
    free(record);
}

void record_freep(struct record **record)
{
    record_free(*record);
    *record = NULL;
}

int record_list_folder(int run_fd, const char *folder, char ***ret, struct cl_error *e)
{
    cleanup_strv char **ids = NULL;
    int fd = openat(run_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int r = 0;

    if (!dir) {
        r = cl_fail(e, errno, "open " CL_RUN_DIR "/%s", folder);
        cl_close(&fd);
        return r;
    }
    while (r == 0 && (entry = readdir(dir))) {
        char id[CL_ID_LENGTH + 1] = "";

        if (strlen(entry->d_name) != CL_ID_LENGTH + strlen(".json") ||
            strcmp(entry->d_name + CL_ID_LENGTH, ".json") != 0)
            continue;
        memcpy(id, entry->d_name, CL_ID_LENGTH);
        if (cl_id_valid(id))
            r = cl_strv_add(&ids, id);
    }
    (void)closedir(dir);
    if (r < 0)
        return cl_fail(e, -r, "list records");
    *ret = ids;
    ids = NULL;
    return 0;
}

int record_list(int run_fd, char ***ret, struct cl_error *e)
{
    return record_list_folder(run_fd, "cells", ret, e);
}

bool record_in_use(const struct record *record)
{
    cleanup_fd int fd = record->live && !record->ending ? record_pidfd(record->init, record->init_start)
                                     : record_pidfd(record->helper, record->helper_start);

    return fd >= 0;
}
