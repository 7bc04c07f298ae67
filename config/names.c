/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names of capabilities and system calls, as libcap and libseccomp know them, and the nearest one to a typo.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include "loader.h"
#include "syscalls.h"
#include "util.h"

#define NAME_MAX_COMPARED 64
#define SYSCALLS_TRIED    600 /* numbers of the native architecture */

/* Docker's fourteen. */
static const cap_value_t default_capabilities[] = {
    CAP_CHOWN,      CAP_DAC_OVERRIDE, CAP_FOWNER,      CAP_FSETID,  CAP_KILL,
    CAP_SETGID,     CAP_SETUID,       CAP_SETPCAP,     CAP_NET_RAW, CAP_NET_BIND_SERVICE,
    CAP_SYS_CHROOT, CAP_MKNOD,        CAP_AUDIT_WRITE, CAP_SETFCAP,
};

static unsigned capability_count(void)
{
    int n = cap_max_bits();

    return n > 0 && n <= 64 ? (unsigned)n : (unsigned)CAP_LAST_CAP + 1;
}

static uint64_t all_capabilities(void)
{
    unsigned n = capability_count();

    return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static int named_capability(const char *name, uint64_t *ret)
{
    char lower[NAME_MAX_COMPARED] = "cap_";
    cap_value_t value;
    size_t used = strncasecmp(name, "cap_", 4) == 0 ? 0 : 4;

    if (strlen(name) + used >= sizeof(lower))
        return -EINVAL;
    for (; *name; name++)
        lower[used++] = (char)tolower((unsigned char)*name);
    lower[used] = '\0';
    if (cap_from_name(lower, &value) < 0 || value < 0 || (unsigned)value >= 64)
        return -EINVAL;
    *ret = UINT64_C(1) << value;
    return 0;
}

int capability_mask(const char *name, uint64_t *ret)
{
    if (strcasecmp(name, "ALL") == 0) {
        *ret = all_capabilities();
    } else if (strcasecmp(name, "NONE") == 0) {
        *ret = 0;
    } else if (strcasecmp(name, "DEFAULT") == 0) {
        uint64_t mask = 0;

        for (size_t i = 0; i < CL_ARRAY_SIZE(default_capabilities); i++)
            mask |= UINT64_C(1) << default_capabilities[i];
        *ret = mask;
    } else {
        return named_capability(name, ret);
    }
    return 0;
}

uint64_t capability_mask_of(char *const *names)
{
    uint64_t mask = 0, one;

    for (size_t i = 0; names && names[i]; i++)
        if (capability_mask(names[i], &one) == 0)
            mask |= one;
    return mask;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, ignoring case; both at most NAME_MAX_COMPARED bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_COMPARED + 1], n = strlen(b);

    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t above = row[j];

            row[j] = least(least(row[j] + 1, row[j - 1] + 1), diagonal + (same ? 0 : 1));
            diagonal = above;
        }
    }
    return row[n];
}

bool names_nearest(const char *name, const char *(*next)(size_t i, void *arg), void *arg, char *ret,
                   size_t size)
{
    size_t length = strlen(name), best = length / 3 + 2;
    bool found = false;
    const char *candidate;

    if (length == 0 || length > NAME_MAX_COMPARED)
        return false;
    for (size_t i = 0; (candidate = next(i, arg)); i++) {
        size_t other = strlen(candidate), d;

        /* The distance is at least the difference of the lengths. */
        if (other > NAME_MAX_COMPARED || (other > length ? other - length : length - other) >= best)
            continue;
        d = distance(name, candidate);
        if (d < best && d < other) {
            best = d;
            snprintf(ret, size, "%s", candidate);
            found = true;
        }
    }
    return found;
}

static const char *next_word(size_t i, void *arg)
{
    const char *const *const *words = arg;

    return (*words)[i];
}

bool names_nearest_word(const char *name, const char *const *words, char *ret, size_t size)
{
    return names_nearest(name, next_word, &words, ret, size);
}

struct name_buffer {
    char text[NAME_MAX_COMPARED];
};

const char *capability_name(unsigned bit, char *buf, size_t size)
{
    char *name = bit < capability_count() ? cap_to_name((cap_value_t)bit) : NULL;

    if (!name)
        return NULL;
    snprintf(buf, size, "%s", strncmp(name, "cap_", 4) == 0 ? name + 4 : name);
    cap_free(name);
    for (char *p = buf; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return buf;
}

static const char *next_capability(size_t i, void *arg)
{
    static const char *const sets[] = {"ALL", "NONE", "DEFAULT"};
    struct name_buffer *buffer = arg;

    if (i < CL_ARRAY_SIZE(sets))
        return sets[i];
    return capability_name((unsigned)(i - CL_ARRAY_SIZE(sets)), buffer->text, sizeof(buffer->text));
}

bool names_nearest_capability(const char *name, char *ret, size_t size)
{
    struct name_buffer buffer;

    return names_nearest(strncasecmp(name, "cap_", 4) == 0 ? name + 4 : name, next_capability, &buffer, ret,
                         size);
}

/* libseccomp has no list of names, but it names numbers; unused numbers are skipped as "". Then what it lacks. */
static const char *next_syscall(size_t i, void *arg)
{
    struct name_buffer *buffer = arg;
    char *name;

    if (i >= SYSCALLS_TRIED)
        return cl_syscall_recent_at(i - SYSCALLS_TRIED);
    name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)i);
    snprintf(buffer->text, sizeof(buffer->text), "%s", name ? name : "");
    free(name);
    return buffer->text;
}

bool names_nearest_syscall(const char *name, char *ret, size_t size)
{
    struct name_buffer buffer;

    return names_nearest(name, next_syscall, &buffer, ret, size);
}
