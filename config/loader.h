/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of config/ share while they load: the problems found, files read safely, values parsed
 * through the schema, names looked up with suggestions.
 */
#ifndef CL_LOADER_H
#define CL_LOADER_H

#include <libconfig.h>
#include <stdarg.h>

#include "configuration.h"
#include "schema.h"

#define LOADER_FILE_MAX     (1024 * 1024) /* bytes of one file */
#define LOADER_FILES_MAX    16384         /* files of policy.d */
#define LOADER_POLICIES_MAX 65536
#define LOADER_PROBLEMS_MAX 200                /* more are counted, not listed */
#define LOADER_LIST_MAX     512                /* strings of one list, inherited ones included */
#define LOADER_STRING_MAX   4096               /* bytes of any string */
#define LOADER_DEPTH_MAX    32                 /* policies of one chain of inheritance */
#define LOADER_TOTAL_MAX    (64 * 1024 * 1024) /* bytes of all policies, with what they inherit */

struct loader {
    struct cl_problems *problems;
    const char *file; /* being read; not owned */
    size_t n_errors;  /* problems that are not warnings, listed or not */
    size_t n_bytes;   /* of all resolved policies */
    bool out_of_memory;
    bool trust_any_owner;
    int read_errno; /* positive: the first file that could not be read at all */
};

/* problems.c: record a problem of the loader's file. Out of memory is remembered in the loader. */
void loader_error(struct loader *l, unsigned line, const char *fmt, ...) CL_PRINTF(3, 4);
void loader_warning(struct loader *l, unsigned line, const char *fmt, ...) CL_PRINTF(3, 4);
/* Is there no place for more problems, or no memory? Then reading on is of no use. */
bool loader_is_full(const struct loader *l);
/* By file and line; what concerns a file as a whole comes first. */
void loader_sort_problems(struct cl_problems *problems);
/* 0, -EINVAL when there are errors, or the reason why files could not be read. */
int loader_result(const struct loader *l) CL_WARN_UNUSED;

/* file.c: directories and files, by descriptor. Errors are recorded; -errno. */
int loader_open_dir(struct loader *l, int dirfd, const char *name, int *ret_fd) CL_WARN_UNUSED;
/* The text of a regular file below dirfd: root's, not writable by others, at most LOADER_FILE_MAX bytes,
 * without NUL. -ENOENT is not recorded. */
int loader_read(struct loader *l, int dirfd, const char *name, char **ret, size_t *ret_size) CL_WARN_UNUSED;
/* Names that end in ".conf" and do not start with a dot, in strcmp order. */
int loader_list(struct loader *l, int dirfd, char ***ret) CL_WARN_UNUSED;
/* Read text into config, which the caller has initialised and destroys. Refuses @include. */
int loader_parse_text(struct loader *l, const char *text, config_t *config) CL_WARN_UNUSED;
/* The line of the first directive ("@…" outside strings and comments), 0 when there is none. */
unsigned loader_find_directive(const char *text);
/* The line of the first number that is too long for an int and has no L at its end, 0 when there is none:
 * some versions of libconfig cut it to 32 bits without a word. */
unsigned loader_find_long_number(const char *text);

/* value.c: one value into the structure at base, whose own value must be empty. prefix is put before the
 * key's name in messages. 0, or -EINVAL with the problem recorded and the value left empty. */
int loader_value(struct loader *l, const struct schema_key *key, const char *prefix,
                 config_setting_t *setting, void *base) CL_WARN_UNUSED;

/* parse.c: all members of a group. given(key, line, arg) is called for each key that was read. */
typedef void loader_given(const struct schema_key *key, unsigned line, void *arg);
void loader_group(struct loader *l, const struct schema_key *rows, size_t n_rows, const char *prefix,
                  config_setting_t *group, void *base, loader_given *given, void *arg);
/* Every policy of a file's `policies`. */
struct draft {
    struct cl_policy *policy;
    const char *file;
    unsigned line;
    enum { DRAFT_NEW, DRAFT_VISITED, DRAFT_RESOLVED, DRAFT_BROKEN } state;
    unsigned depth;             /* of its chain, once it is resolved */
    bool faulty;                /* it, or what it inherits from, has values that were refused */
    bool net_given, mode_given; /* somewhere in its chain */
    unsigned session_given;     /* of the limits of a session that else follow the user's, a bit each */
    bool has_children;
};
struct drafts {
    struct draft *items;
    size_t n, allocated;
};
void loader_policies(struct loader *l, config_setting_t *root, struct drafts *drafts);

/* The built-in values of all rows that have one, into an empty structure. */
int loader_fallbacks(struct loader *l, const struct schema_key *rows, size_t n, void *base) CL_WARN_UNUSED;

/* resolve.c: names, inheritance, and what only makes sense of several keys at once. */
int resolve_policies(struct loader *l, struct drafts *drafts) CL_WARN_UNUSED;

#define cleanup_policy __attribute__((cleanup(cl_policy_freep)))

/* inherit.c: take from parent what the policy does not give. 0 or -ENOMEM. */
int inherit_policy(struct cl_policy *policy, const struct cl_policy *parent) CL_WARN_UNUSED;

/* consistency.c: what only makes sense of several keys together; before and after it has inherited. */
void consistency_of_draft(struct loader *l, const struct draft *draft);
void consistency_of_policy(struct loader *l, const struct draft *draft, const struct cl_policy *parent);
void consistency_of_network(struct loader *l, struct draft *draft,
                            const struct cl_policy *parent); /* fills in what is implied */

/* names.c */
/* "CHOWN", "cap_chown", "ALL", "NONE", "DEFAULT": the bits of a capability name. -EINVAL: unknown. */
int capability_mask(const char *name, uint64_t *ret) CL_WARN_UNUSED;
uint64_t capability_mask_of(char *const *names);
/* "CHOWN" for bit 0; the buffer's content, or NULL past the last. */
const char *capability_name(unsigned bit, char *buf, size_t size);
/* The known name nearest to name: false when none is near. The candidates come from next(i, arg), until NULL.
 */
bool names_nearest(const char *name, const char *(*next)(size_t i, void *arg), void *arg, char *ret,
                   size_t size);
bool names_nearest_word(const char *name, const char *const *words, char *ret, size_t size);
bool names_nearest_capability(const char *name, char *ret, size_t size);
bool names_nearest_syscall(const char *name, char *ret, size_t size);

/* checks.c: the rows' checks of strings */
schema_check check_policy_name, check_account, check_service, check_hostname, check_path, check_private_path, check_root,
    check_hidden_path, check_capability, check_syscall, check_seccomp_profile, check_apparmor_profile,
    check_network_name, check_pool, check_pool6, check_destination, check_dns;
bool check_env_name(const char *name, char *why, size_t size);
bool check_env_value(const char *value, char *why, size_t size);
/* Is every % of text one of the letters? */
bool check_template(const char *text, const char *letters, char *why, size_t size);

#endif
