/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * NSS look-ups of a user and all groups, once.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "util.h"

#define NAME_LENGTH_MAX 255
#define GROUPS_MAX      65536       /* NGROUPS_MAX of the kernel */
#define GROUP_SIZE_MAX  (64U << 20) /* of one group with all its members */

static int check_name(const char *name)
{
    if (!*name || strlen(name) > NAME_LENGTH_MAX)
        return -EINVAL;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        if (*p <= ' ' || *p == 0x7f || *p == ':' || *p == '/')
            return -EINVAL;
    return 0;
}

/* A group by its name or, where that is NULL, by its number. The functions of getgrnam(3) that return an
 * error number tell "there is none" (0) from "a service of NSS does not answer"; the others leave the two
 * alike. *ret_buf holds what ret points to; *ret_found says whether there is any. */
static int find_group(const char *name, gid_t gid, struct group *ret, char **ret_buf, bool *ret_found)
{
    size_t size = 4096;

    for (;;) {
        cleanup_free char *buf = malloc(size);
        struct group *found = NULL;
        int r;

        if (!buf)
            return -ENOMEM;
        r = name ? getgrnam_r(name, ret, buf, size, &found) : getgrgid_r(gid, ret, buf, size, &found);
        if (r == ERANGE && size < GROUP_SIZE_MAX) {
            size *= 4;
            continue;
        }
        if (r != 0)
            return -r;
        *ret_found = found != NULL;
        *ret_buf = buf;
        buf = NULL;
        return 0;
    }
}

int cl_group_exists(const char *name, bool *ret)
{
    cleanup_free char *buf = NULL;
    struct group group;

    return find_group(name, 0, &group, &buf, ret);
}

static int group_name(struct cl_user *user, gid_t gid, char **ret)
{
    cleanup_free char *buf = NULL;
    struct group group;
    bool found = false;
    int r = find_group(NULL, gid, &group, &buf, &found);

    if (r == -ENOMEM)
        return r;
    if (r < 0)
        user->groups_error = -r;
    return found ? cl_asprintf(ret, "%s", group.gr_name) : cl_asprintf(ret, "%u", gid);
}

/* getgrouplist(3) may repeat a gid. */
static size_t without_duplicates(gid_t *groups, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        while (j < kept && groups[j] != groups[i])
            j++;
        if (j == kept)
            groups[kept++] = groups[i];
    }
    return kept;
}

static int read_groups(struct cl_user *user)
{
    int n = 64;

    for (;;) {
        int room = n;
        gid_t *grown = reallocarray(user->groups, (size_t)room, sizeof(gid_t));

        if (!grown)
            return -ENOMEM;
        user->groups = grown;
        if (getgrouplist(user->name, user->gid, user->groups, &n) >= 0)
            break;
        if (n <= room)
            n = room * 2; /* the list grew meanwhile */
        if (n > GROUPS_MAX)
            return -E2BIG;
    }
    user->n_groups = without_duplicates(user->groups, (size_t)n);
    user->group_names = calloc(user->n_groups + 1, sizeof(char *));
    if (!user->group_names)
        return -ENOMEM;
    for (size_t i = 0; i < user->n_groups; i++) {
        int r = group_name(user, user->groups[i], &user->group_names[i]);
        if (r < 0)
            return r;
    }
    return group_name(user, user->gid, &user->group);
}

static int fill(const struct passwd *pw, struct cl_user *user)
{
    user->uid = pw->pw_uid;
    user->gid = pw->pw_gid;
    user->name = strdup(pw->pw_name);
    user->gecos = strdup(pw->pw_gecos ? pw->pw_gecos : "");
    user->home = strdup(pw->pw_dir ? pw->pw_dir : "");
    user->shell = strdup(pw->pw_shell ? pw->pw_shell : "");
    if (!user->name || !user->gecos || !user->home || !user->shell)
        return -ENOMEM;
    return read_groups(user);
}

static int from_passwd(const struct passwd *pw, const char *what, int nss_errno, struct cl_user **ret,
                       struct cl_error *e)
{
    cleanup_user struct cl_user *user = NULL;
    int r;

    if (!pw) /* errno 0 and ENOENT, ESRCH, EBADF, EPERM: "not found", getpwnam(3) */
        return cl_fail(e, nss_errno == EIO || nss_errno == ENOMEM || nss_errno == EMFILE ? nss_errno : ENOENT,
                       "look up user %s", what);
    user = calloc(1, sizeof(*user));
    if (!user)
        return cl_fail(e, ENOMEM, "look up user %s", what);
    r = fill(pw, user);
    if (r < 0)
        return cl_fail(e, -r, "look up groups of user %s", what);
    *ret = user;
    user = NULL;
    return 0;
}

int cl_user_lookup(const char *name, struct cl_user **ret, struct cl_error *e)
{
    const struct passwd *pw;

    if (check_name(name) < 0)
        return cl_fail(e, EINVAL, "user name is empty, too long or holds characters that no user name has");
    errno = 0;
    pw = getpwnam(name);
    return from_passwd(pw, name, errno, ret, e);
}

int cl_user_lookup_uid(uid_t uid, struct cl_user **ret, struct cl_error *e)
{
    const struct passwd *pw;
    char what[16];

    (void)snprintf(what, sizeof(what), "%u", uid);
    errno = 0;
    pw = getpwuid(uid);
    return from_passwd(pw, what, errno, ret, e);
}

void cl_user_free(struct cl_user *user)
{
    if (!user)
        return;
    free(user->name);
    free(user->group);
    free(user->gecos);
    free(user->home);
    free(user->shell);
    free(user->groups);
    cl_strv_free(user->group_names);
    free(user);
}

void cl_user_freep(struct cl_user **user)
{
    cl_user_free(*user);
    *user = NULL;
}
