/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the tests of the built command share: running it, and holding its documents against their schemas. The
 * program is taken from the environment's `cloister`, else from the build folder.
 */
#ifndef CL_COMMAND_FIXTURE_H
#define CL_COMMAND_FIXTURE_H

#include "policy-fixture.h"

#include <jansson.h>
#include <pwd.h>
#include <regex.h>
#include <sys/wait.h>

struct run {
    int status;
    char *out, *err;
};

static inline void run_clear(struct run *run)
{
    free(run->out);
    free(run->err);
}

static inline const char *source_dir(void)
{
    return getenv("srcdir") ? getenv("srcdir") : ".";
}

static inline char *slurp(FILE *file)
{
    char *text;
    size_t size;

    rewind(file);
    assert_int_equal(cl_read_all(fileno(file), 1 << 22, &text, &size), 0);
    fclose(file);
    return text;
}

/* arguments are at most 8 words; "%" in one stands for the fixture's folder. */
static inline struct run run(const struct fixture *f, const char *const *arguments)
{
    const char *program = getenv("cloister") ? getenv("cloister") : "./cloister";
    const char *argv[10] = {"cloister"};
    FILE *out = tmpfile(), *err = tmpfile();
    struct run r;
    pid_t pid;

    assert_true(out && err);
    for (int i = 0; arguments[i]; i++)
        argv[i + 1] = strcmp(arguments[i], "%") == 0 ? f->path : arguments[i];
    pid = fork();
    if (pid == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &r.status, 0), pid);
    assert_true(WIFEXITED(r.status));
    r.status = WEXITSTATUS(r.status);
    assert_int_not_equal(r.status, 127);
    r.out = slurp(out);
    r.err = slurp(err);
    return r;
}

#define RUN(f, ...) run(f, (const char *const[]){__VA_ARGS__, NULL})

static inline bool is_type(const json_t *value, const char *type)
{
    return strcmp(type, "string") == 0    ? json_is_string(value)
           : strcmp(type, "integer") == 0 ? json_is_integer(value)
           : strcmp(type, "boolean") == 0 ? json_is_boolean(value)
           : strcmp(type, "array") == 0   ? json_is_array(value)
           : strcmp(type, "object") == 0  ? json_is_object(value)
                                          : json_is_null(value);
}

static inline void check_type(json_t *schema, json_t *value, const char *where)
{
    json_t *type = json_object_get(schema, "type");
    bool good = !type || (json_is_string(type) && is_type(value, json_string_value(type)));

    for (size_t i = 0; json_is_array(type) && i < json_array_size(type); i++)
        good = good || is_type(value, json_string_value(json_array_get(type, i)));
    if (!good)
        fail_msg("%s: wrong type", where);
}

static inline void check_text(json_t *schema, json_t *value, const char *where)
{
    json_t *pattern = json_object_get(schema, "pattern"), *words = json_object_get(schema, "enum");
    bool good = !words;
    regex_t regex;

    for (size_t i = 0; i < json_array_size(words); i++)
        good = good || json_equal(json_array_get(words, i), value);
    if (pattern && json_is_string(value)) {
        assert_int_equal(regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB), 0);
        good = good && regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
        regfree(&regex);
    }
    if (!good)
        fail_msg("%s: not as the schema says", where);
}

/* The parts of JSON schema that ours uses. */
static inline void check_schema(json_t *schema, json_t *value, const char *where)
{
    json_t *properties = json_object_get(schema, "properties"), *item;
    const char *key;
    size_t i;

    check_type(schema, value, where);
    check_text(schema, value, where);
    json_array_foreach(json_object_get(schema, "required"), i, item)
    {
        if (!json_object_get(value, json_string_value(item)))
            fail_msg("%s: %s is missing", where, json_string_value(item));
    }
    if (properties) {
        json_object_foreach(value, key, item)
        {
            if (!json_object_get(properties, key))
                fail_msg("%s: %s is not in the schema", where, key);
            check_schema(json_object_get(properties, key), item, key);
        }
    }
    if (json_object_get(schema, "items"))
        json_array_foreach(value, i, item) check_schema(json_object_get(schema, "items"), item, where);
}

static inline json_t *load_schema_of(const char *name)
{
    char path[512];
    json_t *schema;

    snprintf(path, sizeof(path), "%s/dist/schema/%s.json", source_dir(), name);
    schema = json_load_file(path, 0, NULL);
    if (!schema)
        fail_msg("read %s", path);
    return schema;
}

static inline json_t *load_schema(void)
{
    return load_schema_of("explain");
}

/* An account that is on every system and exempt on none. */
static inline const char *some_user(void)
{
    assert_non_null(getpwnam("nobody"));
    return "nobody";
}

static inline void write_valid(const struct fixture *f)
{
    fixture_write(f, "policy.d/10-a.conf",
                  "policies = ( { name = \"default\"; seccomp = { profile = \"unconfined\"; };\n"
                  "apparmor = { profile = \"unconfined\"; }; }, {\n"
                  "name = \"some\"; inherit = \"default\"; priority = 3; match = { users = [\"nobody\"]; };\n"
                  "cgroup = { pids_max = 77; io = ( { path = \"/\"; rbps = \"1M\"; } ); };\n"
                  "namespaces = { hostname = \"%u\"; }; env = { A = \"%U\"; };\n"
                  "files = { mounts = ( { target = \"/x\"; options = \"noexec,size=1M\"; } ); }; } );");
}

#endif
