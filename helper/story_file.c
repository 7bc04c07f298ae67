/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading and replacing the files of the users' stories, and removing those of users that are gone.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "record.h"
#include "session.h"
#include "story.h"
#include "story_file.h"
#include "user.h"
#include "util.h"

#define STORY_DIR      CL_STATE_DIR "/hits"
#define STORY_SIZE_MAX (256 * 1024)

static int open_dir(void)
{
    return open(STORY_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static json_t *load(uid_t uid)
{
    cleanup_fd int dir = open_dir(), fd = -1;
    cleanup_free char *text = NULL;
    char name[32];
    size_t size = 0;

    (void)snprintf(name, sizeof(name), "%u.json", uid);
    fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || cl_read_all(fd, STORY_SIZE_MAX, &text, &size) < 0)
        return NULL;
    return json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
}

json_t *story_load(uid_t uid, const char *user)
{
    json_t *story = load(uid);
    const char *owner = json_string_value(json_object_get(story, "user"));

    if (owner && strcmp(owner, user) == 0)
        return story;
    json_decref(story);
    return json_pack("{s:s}", "user", user);
}

json_t *story_array(json_t *story, const char *name)
{
    json_t *array = json_object_get(story, name);

    if (json_is_array(array))
        return array;
    (void)json_object_set_new(story, name, json_array());
    return json_object_get(story, name);
}

void story_save(uid_t uid, const json_t *story)
{
    cleanup_free char *text = json_dumps(story, JSON_INDENT(1));
    cleanup_fd int dir = open_dir();
    char name[32];
    int r = dir < 0 ? -errno : text ? 0 : -ENOMEM;

    (void)snprintf(name, sizeof(name), "%u.json", uid);
    if (r == 0)
        r = cl_replace_file_at(dir, name, text, strlen(text), 0600);
    if (r < 0)
        cl_log(LOG_WARNING, "cannot keep what uid %u is to be told: %s", uid, strerror(-r));
}

/* "UID.json", or "UID.json.TAG.tmp", which a crash left. */
static bool parse_name(const char *name, uid_t *ret_uid, bool *ret_temporary)
{
    const char *dot = strchr(name, '.');
    char digits[16];
    uint64_t uid;

    if (!dot || (size_t)(dot - name) >= sizeof(digits))
        return false;
    memcpy(digits, name, (size_t)(dot - name));
    digits[dot - name] = '\0';
    if (cl_parse_u64(digits, &uid) < 0 || uid >= UINT32_MAX || strncmp(dot, ".json", 5) != 0)
        return false;
    *ret_uid = (uid_t)uid;
    *ret_temporary = dot[5] != '\0';
    return true;
}

/* Only a user that NSS knows for sure not to be there is gone. */
static bool is_gone(uid_t uid)
{
    cleanup_user struct cl_user *user = NULL;

    return cl_user_lookup_uid(uid, &user, NULL) == -ENOENT;
}

static unsigned sweep_one(int run_fd, int dir, const char *name)
{
    cleanup_fd int lock = -1;
    bool temporary;
    uid_t uid;

    if (!parse_name(name, &uid, &temporary) || (!temporary && !is_gone(uid)) ||
        record_lock(run_fd, uid, cl_now_ms(), &lock, NULL) < 0)
        return 0;
    return unlinkat(dir, name, 0) == 0;
}

unsigned story_sweep(int run_fd)
{
    int fd = open_dir();
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    unsigned n = 0;

    if (!dir) {
        cl_close(&fd);
        return 0;
    }
    while ((entry = readdir(dir)))
        n += sweep_one(run_fd, fd, entry->d_name);
    (void)closedir(dir);
    return n;
}
