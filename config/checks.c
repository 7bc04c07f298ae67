/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What strings of the configuration may be. Each check is applied twice where a string expands: to what the
 * file says, and to what it became for a user.
 */
#include "config.h"

#include <ctype.h>
#include <limits.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "loader.h"
#include "syscalls.h"

#define NAME_LIMIT 64
#define PATH_LIMIT 1024

static bool no(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

/* Only letters and digits of ASCII: what a locale calls a letter doesn't matter here. */
static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static bool is_made_of(const char *text, const char *also)
{
    for (; *text; text++)
        if (!is_alnum(*text) && !strchr(also, *text))
            return false;
    return true;
}

bool check_policy_name(const char *text, bool literal, char *why, size_t size)
{
    (void)literal;
    if (strlen(text) > NAME_LIMIT)
        return no(why, size, "longer than 64 bytes");
    if (!is_alnum(text[0]) || !is_made_of(text, "._-"))
        return no(why, size, "");
    return true;
}

/* Directory services have names with blanks and backslashes: only what no name can hold is refused. */
bool check_account(const char *text, bool literal, char *why, size_t size)
{
    (void)literal;
    if (!*text)
        return no(why, size, "empty");
    if (strlen(text) > 256)
        return no(why, size, "longer than 256 bytes");
    if (has_control(text) || strchr(text, ':') || strchr(text, '/'))
        return no(why, size, "':', '/' and control characters can't be in it");
    return true;
}

bool check_service(const char *text, bool literal, char *why, size_t size)
{
    (void)literal;
    if (strlen(text) > NAME_LIMIT)
        return no(why, size, "longer than 64 bytes");
    if (!is_alnum(text[0]) || !is_made_of(text, "._-+@"))
        return no(why, size, "a file name of /etc/pam.d is expected");
    return true;
}

/* As the file says it, each % sequence stands for at least one good character. */
bool check_hostname(const char *text, bool literal, char *why, size_t size)
{
    if (!*text)
        return literal ? no(why, size, "empty") : true;
    if (strlen(text) > NAME_LIMIT)
        return no(why, size, "longer than 64 bytes");
    if (text[0] == '-' || text[0] == '.')
        return no(why, size, "it starts with '-' or '.'");
    if (!is_made_of(text, literal ? "-_." : "-_.%"))
        return no(why, size, "");
    return true;
}

/* Each component: not empty, not "." or "..", short enough for any filesystem. */
static bool check_components(const char *text, char *why, size_t size)
{
    while (*text == '/') {
        size_t length = strcspn(++text, "/");

        if (length == 0)
            return no(why, size, "write it without // and without a / at its end");
        if ((length == 1 && text[0] == '.') || (length == 2 && text[0] == '.' && text[1] == '.'))
            return no(why, size, "write it without . and ..");
        if (length > NAME_MAX)
            return no(why, size, "a name in it is longer than 255 bytes");
        text += length;
    }
    return true;
}

bool check_path(const char *text, bool literal, char *why, size_t size)
{
    if (!literal && text[0] == '%' && text[1] == 'h' && (text[2] == '/' || text[2] == '\0'))
        text += 2;
    else if (text[0] != '/')
        return no(why, size, "not an absolute path");
    if (strlen(text) > PATH_LIMIT)
        return no(why, size, "longer than 1024 bytes");
    if (has_control(text))
        return no(why, size, "control characters in it");
    return text[0] == '\0' || strcmp(text, "/") == 0 || check_components(text, why, size);
}

bool check_hidden_path(const char *text, bool literal, char *why, size_t size)
{
    if (strcmp(text, "/") == 0)
        return no(why, size, "the root can't be covered");
    return check_path(text, literal, why, size);
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* A mount over /proc or /sys would lie to the programs that set and show the cell's own limits; /dev is built
 * by files.dev, and only its shared memory is a place for files. */
bool check_private_path(const char *text, bool literal, char *why, size_t size)
{
    if (is_below(text, "/proc") || is_below(text, "/sys"))
        return no(why, size, "nothing may cover /proc or /sys");
    if (is_below(text, "/dev") && !is_below(text, "/dev/shm"))
        return no(why, size, "nothing below /dev but /dev/shm may be covered");
    return check_hidden_path(text, literal, why, size);
}

/* The kernel's folders are no tree of files; a cell has its own. */
bool check_root(const char *text, bool literal, char *why, size_t size)
{
    if (is_below(text, "/proc") || is_below(text, "/sys") || is_below(text, "/dev"))
        return no(why, size, "/proc, /sys and /dev are the kernel's");
    return check_path(text, literal, why, size);
}

bool check_capability(const char *text, bool literal, char *why, size_t size)
{
    char near[64];
    uint64_t mask;

    (void)literal;
    if (capability_mask(text, &mask) == 0)
        return true;
    if (names_nearest_capability(text, near, sizeof(near)))
        snprintf(why, size, "did you mean \"%s\"?", near);
    else
        snprintf(why, size, "no such capability, see capabilities(7)");
    return false;
}

bool check_syscall(const char *text, bool literal, char *why, size_t size)
{
    char near[64];

    (void)literal;
    if (seccomp_syscall_resolve_name(text) != __NR_SCMP_ERROR || cl_syscall_recent_number(text) >= 0)
        return true;
    if (names_nearest_syscall(text, near, sizeof(near)))
        snprintf(why, size, "did you mean \"%s\"?", near);
    else
        snprintf(why, size, "no such system call, see syscalls(2)");
    return false;
}

bool check_seccomp_profile(const char *text, bool literal, char *why, size_t size)
{
    static const char *const words[] = {"default", "unconfined", NULL};
    char near[64];

    if (strcmp(text, "default") == 0 || strcmp(text, "unconfined") == 0)
        return true;
    if (text[0] != '/' && names_nearest_word(text, words, near, sizeof(near))) {
        snprintf(why, size, "did you mean \"%s\"?", near);
        return false;
    }
    return check_path(text, literal, why, size) && (strcmp(text, "/") != 0 || no(why, size, "a folder"));
}

/* No stacks ("//&") and no namespaces (":ns:"): the placement changes to one profile of the host. */
bool check_apparmor_profile(const char *text, bool literal, char *why, size_t size)
{
    (void)literal;
    if (!*text)
        return no(why, size, "empty");
    if (strlen(text) > 200)
        return no(why, size, "longer than 200 bytes");
    if (!is_made_of(text, "._-+/@"))
        return no(why, size, "letters, digits and . _ - + / @ are allowed");
    return true;
}

/* It becomes the name of a bridge and, with the number of a cell, of its port: at most 15 bytes. */
bool check_network_name(const char *text, bool literal, char *why, size_t size)
{
    size_t length = strlen(text);

    (void)literal;
    if (length < 1 || length > 10 || text[0] < 'a' || text[0] > 'z' ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") != length)
        return no(why, size, "");
    return true;
}

bool check_pool(const char *text, bool literal, char *why, size_t size)
{
    struct cl_prefix prefix;

    (void)literal;
    if (!cl_prefix_parse(text, &prefix))
        return no(why, size, "no address of a network");
    return (prefix.family == AF_INET && prefix.length >= 16 && prefix.length <= 29) || no(why, size, "");
}

bool check_pool6(const char *text, bool literal, char *why, size_t size)
{
    struct cl_prefix prefix;

    (void)literal;
    if (!*text)
        return true;
    if (!cl_prefix_parse(text, &prefix))
        return no(why, size, "no address of a network");
    return (prefix.family == AF_INET6 && prefix.length >= 48 && prefix.length <= 112) || no(why, size, "");
}

bool check_destination(const char *text, bool literal, char *why, size_t size)
{
    struct cl_destination destination;

    (void)literal;
    return cl_destination_parse(text, &destination) || no(why, size, "");
}

bool check_dns(const char *text, bool literal, char *why, size_t size)
{
    struct cl_prefix prefix;

    (void)literal;
    return strcmp(text, "host") == 0 || (!strchr(text, '/') && cl_prefix_parse(text, &prefix)) || no(why, size, "");
}

/* LD_*, and with it every way to load code into the login service's own child, is not for policies. */
bool check_env_name(const char *name, char *why, size_t size)
{
    if (strlen(name) > NAME_LIMIT)
        return no(why, size, "its name is longer than 64 bytes");
    if (!is_made_of(name, "_") || (name[0] >= '0' && name[0] <= '9'))
        return no(why, size, "allowed names: letters, digits and _, not starting with a digit");
    if (strncmp(name, "LD_", 3) == 0)
        return no(why, size, "variables of the dynamic loader are refused");
    return true;
}

bool check_env_value(const char *value, char *why, size_t size)
{
    return !has_control(value) || no(why, size, "control characters in it");
}

bool check_template(const char *text, const char *letters, char *why, size_t size)
{
    for (; *text; text++) {
        if (*text != '%')
            continue;
        text++;
        if (*text != '%' && (!*text || !strchr(letters, *text))) {
            snprintf(why, size, "unknown %%%.*s; allowed: ", *text && !has_control(text) ? 1 : 0, text);
            for (; *letters; letters++)
                snprintf(why + strlen(why), size - strlen(why), "%%%c ", *letters);
            snprintf(why + strlen(why), size - strlen(why), "and %%%%");
            return false;
        }
    }
    return true;
}
