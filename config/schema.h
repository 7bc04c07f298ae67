/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The schema: one row for each key of the configuration files. The rows drive parsing, ranges, defaults,
 * inheritance, expansion, messages, `cloister explain` and the test of the manual; a new key is a row here
 * and a member of the structure that it fills.
 */
#ifndef CL_SCHEMA_H
#define CL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "configuration.h"
#include "policy.h"

enum schema_kind {
    SCHEMA_BOOL,    /* bool; min and max narrow it to one value */
    SCHEMA_INTEGER, /* int64_t */
    SCHEMA_NUMBER,  /* uint64_t */
    SCHEMA_SIZE,    /* uint64_t, bytes: 512, "512M" */
    SCHEMA_PERCENT, /* uint64_t: 150, "150%" */
    SCHEMA_SECONDS, /* uint64_t: 90, "90s", "5m" */
    SCHEMA_ENUM,    /* an enum whose value is min + the index of the word in values */
    SCHEMA_STRING,  /* char *; "" is NULL where the row says SCHEMA_MAY_BE_EMPTY */
    SCHEMA_STRINGS, /* char **, a string vector */
    SCHEMA_RECORDS, /* an array of structures, filled by the rows of `record` */
    SCHEMA_ENV,     /* struct cl_env array: a group of any names */
    SCHEMA_OPTIONS, /* the options of struct cl_mount, as in fstab(5) */
};

enum schema_flag {
    SCHEMA_EXPANDS = 1 << 0,      /* %u %U %g %h %% */
    SCHEMA_EXPANDS_HOST = 1 << 1, /* %u %U %g %%, in which what a host name can't hold becomes '-' */
    SCHEMA_APPENDS = 1 << 2,      /* a child's list is added to the inherited one */
    SCHEMA_OWN = 1 << 3,          /* never inherited */
    SCHEMA_REQUIRED = 1 << 4,
    SCHEMA_UNSTORED = 1 << 5, /* checked, but of one value only: nothing to store */
    SCHEMA_MAY_BE_EMPTY = 1 << 6,
};

/* Is text good for this key? With literal, it is already expanded. If not, writes why it is not. */
typedef bool schema_check(const char *text, bool literal, char *why, size_t size);

#define SCHEMA_SIZE_MAX (UINT64_C(1) << 50) /* 1024T: more than any machine has */

struct schema_record;

struct schema_key {
    const char *name; /* its path: "cgroup.pids_max" */
    enum schema_kind kind;
    unsigned flags;
    size_t offset, count_offset; /* in the structure; count_offset for arrays that are not NULL-terminated */
    uint64_t min, max;           /* of numbers; of SCHEMA_INTEGER as int64_t */
    const char *word;            /* written instead of a number: CL_UNLIMITED; instead of a string: NULL */
    const char *const *values;   /* the words of an enum, or the only strings allowed */
    const char *const *later;    /* words that are refused as not in this release */
    schema_check *check;         /* of a string, or of each string of a list */
    const struct schema_record *record;
    const char *fallback; /* the built-in value as a file would say it; NULL: there is none */
    const char *allowed;  /* what a string may be, in words; of SCHEMA_SIZE, what is counted, if not bytes */
    const char *reason;   /* why a key takes one value only */
};

/* A structure that stands in a list: ( { path = "/"; rbps = "50M"; } ) */
struct schema_record {
    const struct schema_key *keys;
    size_t n_keys;
    size_t size;
    size_t max;                                               /* how many the list may hold */
    void (*init)(void *record);                               /* values of keys that are not given */
    bool (*finish)(const void *record, const char **ret_why); /* does it make sense as a whole? */
    size_t unique;                                            /* offset of a string that no two may share */
};

/* Rows past the keys of policy.h: keys that have one value in this release. */
enum { SCHEMA_NAMESPACES_TIME = CL_KEY_COUNT, SCHEMA_POLICY_COUNT };
extern const struct schema_key schema_policy[SCHEMA_POLICY_COUNT]; /* indexed by enum cl_key */

enum schema_setting {
    SCHEMA_SETTING_EXEMPT_USERS,
    SCHEMA_SETTING_EXEMPT_GROUPS,
    SCHEMA_SETTING_CGROUP_MANAGER,
    SCHEMA_SETTING_DEADLINE,
    SCHEMA_SETTING_NETWORK_NAME,
    SCHEMA_SETTING_NETWORK_POOL,
    SCHEMA_SETTING_NETWORK_POOL6,
    SCHEMA_SETTING_PLACEMENT,
    SCHEMA_SETTING_COUNT
};
extern const struct schema_key schema_settings[SCHEMA_SETTING_COUNT]; /* into struct cl_settings */

/* Write what the key allows, in words: "a number from 4 to 4194304, or "max"". Returns buf. */
const char *schema_allowed(const struct schema_key *key, char *buf, size_t size);

/* "512M": the largest unit that leaves a whole number. Returns buf. */
const char *schema_size_text(uint64_t bytes, char *buf, size_t size);
/* The options of a mount, as a file could say them, with what always holds. */
void schema_options_text(const struct cl_mount *mount, char *buf, size_t size);

/* The row named name among rows, and whether name is a group of rows ("cgroup"). NULL and false: neither. */
const struct schema_key *schema_find(const struct schema_key *rows, size_t n, const char *name,
                                     bool *ret_group);

/* The address of the key's value in the structure at base. */
static inline void *schema_field(const struct schema_key *key, void *base)
{
    return (char *)base + key->offset;
}

static inline const void *schema_field_const(const struct schema_key *key, const void *base)
{
    return (const char *)base + key->offset;
}

/* Deep copy of one key's value from a structure to another, whose own value must be empty. 0 or -ENOMEM, and
 * then to's value is empty. */
int schema_copy(const struct schema_key *key, const void *from, void *to) CL_WARN_UNUSED;
/* What a value holds in memory beyond the structure itself. */
size_t schema_bytes(const struct schema_key *key, const void *base);
/* Free one key's value and leave it empty. */
void schema_clear(const struct schema_key *key, void *base);
void schema_clear_all(const struct schema_key *rows, size_t n, void *base);
/* The number of elements of a value of SCHEMA_RECORDS or SCHEMA_ENV. */
size_t *schema_count(const struct schema_key *key, void *base);
size_t schema_count_const(const struct schema_key *key, const void *base);

#endif
