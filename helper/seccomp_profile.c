/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Docker/OCI seccomp profiles: JSON becomes a list of rules. What Docker ignores is ignored (unknown keys,
 * comments, null for an empty value, errnoRet beside an action that has none); what it refuses is refused, by
 * the path of the element. includes and excludes are decided here, against the cell's bounding set, this
 * kernel and architecture.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/capability.h>

#include "seccomp_json.h"
#include "seccomp_names.h"
#include "seccomp_profile.h"
#include "util.h"

#define MAX_ERRNO 4095 /* the kernel's */

static int parse_action(const struct js_parse *p, json_t *object, const char *path, const char *key,
                        const char *errno_key, uint32_t *ret)
{
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD}, /* the name is older than the other two */
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    };
    char sub[JS_PATH_SIZE];
    const char *name;
    uint64_t err;
    int r = js_string(p, object, path, key, &name);

    if (r == 0)
        r = js_number(p, object, path, errno_key, EPERM, &err);
    if (r < 0)
        return r;
    if (strcmp(name, "SCMP_ACT_ERRNO") == 0) {
        if (err > MAX_ERRNO)
            return js_bad(p, EINVAL, js_path(sub, path, errno_key), "is not an errno, 0 to %d", MAX_ERRNO);
        *ret = SCMP_ACT_ERRNO((uint32_t)err);
        return 0;
    }
    for (size_t i = 0; i < CL_ARRAY_SIZE(actions); i++)
        if (strcmp(name, actions[i].name) == 0) {
            *ret = actions[i].action;
            return 0;
        }
    if (strcmp(name, "SCMP_ACT_NOTIFY") == 0 || strcmp(name, "SCMP_ACT_TRACE") == 0)
        return js_bad(p, EOPNOTSUPP, js_path(sub, path, key),
                      "%s needs a supervising process and is not supported", name);
    if (*name == '\0')
        return js_bad(p, EINVAL, js_path(sub, path, key), "is missing");
    return js_bad(p, EINVAL, js_path(sub, path, key), "unknown action \"%s\"", name);
}

static int parse_operator(const struct js_parse *p, json_t *object, const char *path, enum scmp_compare *ret)
{
    static const struct {
        const char *name;
        enum scmp_compare op;
    } operators[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    char sub[JS_PATH_SIZE];
    const char *name;
    int r = js_string(p, object, path, "op", &name);

    if (r < 0)
        return r;
    for (size_t i = 0; i < CL_ARRAY_SIZE(operators); i++)
        if (strcmp(name, operators[i].name) == 0) {
            *ret = operators[i].op;
            return 0;
        }
    return js_bad(p, EINVAL, js_path(sub, path, "op"), "unknown operator \"%s\"", name);
}

/* value is what is compared with; for MASKED_EQ value is the mask and valueTwo what is compared with. */
static int parse_arg(const struct js_parse *p, json_t *object, const char *path, struct scmp_arg_cmp *ret)
{
    char sub[JS_PATH_SIZE];
    uint64_t index, value, value_two;
    enum scmp_compare op = SCMP_CMP_EQ;
    int r;

    if (!json_is_object(object))
        return js_bad(p, EINVAL, path, "is not an object");
    r = js_number(p, object, path, "index", 0, &index);
    if (r == 0)
        r = js_number(p, object, path, "value", 0, &value);
    if (r == 0)
        r = js_number(p, object, path, "valueTwo", 0, &value_two);
    if (r == 0)
        r = parse_operator(p, object, path, &op);
    if (r < 0)
        return r;
    if (index > 5)
        return js_bad(p, EINVAL, js_path(sub, path, "index"), "is not 0 to 5");
    *ret = (struct scmp_arg_cmp){
        .arg = (unsigned)index, .op = op, .datum_a = (scmp_datum_t)value, .datum_b = (scmp_datum_t)value_two};
    return 0;
}

static int parse_args(const struct js_parse *p, json_t *call, const char *path, struct seccomp_rule *rule)
{
    json_t *args;
    int r = js_array(p, call, path, "args", &args);

    if (r < 0 || json_array_size(args) == 0)
        return r;
    rule->args = calloc(json_array_size(args), sizeof(rule->args[0]));
    if (!rule->args)
        return cl_fail(p->e, ENOMEM, "load %s", p->name);
    for (size_t i = 0; i < json_array_size(args); i++) {
        char list[JS_PATH_SIZE], sub[JS_PATH_SIZE];

        js_path_item(sub, js_path(list, path, "args"), i);
        r = parse_arg(p, json_array_get(args, i), sub, &rule->args[i]);
        if (r < 0)
            return r;
        rule->n_args++;
    }
    return 0;
}

/* "names", or, in profiles of long ago, "name". */
static int parse_names(const struct js_parse *p, json_t *call, const char *path, char ***ret)
{
    char sub[JS_PATH_SIZE];
    const char *name;
    json_t *names;
    int r = js_string(p, call, path, "name", &name);

    if (r == 0)
        r = js_array(p, call, path, "names", &names);
    if (r < 0)
        return r;
    if (*name != '\0' && json_array_size(names) > 0)
        return js_bad(p, EINVAL, path, "has both \"name\" and \"names\"");
    if (*name != '\0' && cl_strv_add(ret, name) < 0)
        return cl_fail(p->e, ENOMEM, "load %s", p->name);
    for (size_t i = 0; i < json_array_size(names); i++) {
        r = js_string_at(p, names, js_path(sub, path, "names"), i, &name);
        if (r < 0)
            return r;
        if (cl_strv_add(ret, name) < 0)
            return cl_fail(p->e, ENOMEM, "load %s", p->name);
    }
    return 0;
}

static bool has_capability(const struct seccomp_host *host, const char *name)
{
    cap_value_t cap;

    return strncmp(name, "CAP_", 4) == 0 && cap_from_name(name, &cap) == 0 && cap >= 0 && cap < 64 &&
           (host->bounding >> cap & 1);
}

static bool is_arch(const struct seccomp_host *host, const char *name)
{
    const char *native = seccomp_arch_docker_name(host->arch);

    return native && strcmp(native, name) == 0;
}

/* How many of an includes or excludes list hold for the host. */
struct held {
    size_t of, n;
};

static int count_held(const struct js_parse *p, json_t *condition, const char *path, const char *key,
                      bool (*holds)(const struct seccomp_host *host, const char *name), struct held *ret)
{
    char sub[JS_PATH_SIZE];
    const char *name;
    json_t *list;
    int r = js_array(p, condition, path, key, &list);

    *ret = (struct held){.of = json_array_size(list)};
    for (size_t i = 0; r == 0 && i < ret->of; i++) {
        r = js_string_at(p, list, js_path(sub, path, key), i, &name);
        if (r == 0 && holds(p->host, name))
            ret->n++;
    }
    return r;
}

/* minKernel is "MAJOR.MINOR". */
static int kernel_held(const struct js_parse *p, json_t *condition, const char *path, struct held *ret)
{
    char sub[JS_PATH_SIZE];
    const char *text;
    unsigned major, minor;
    int end = 0, r = js_string(p, condition, path, "minKernel", &text);

    *ret = (struct held){0};
    if (r < 0 || *text == '\0')
        return r;
    if (text[strspn(text, "0123456789.")] != '\0' || sscanf(text, "%5u.%5u%n", &major, &minor, &end) != 2 ||
        text[end] != '\0')
        return js_bad(p, EINVAL, js_path(sub, path, "minKernel"), "\"%s\" is not MAJOR.MINOR", text);
    ret->of = 1;
    ret->n =
        p->host->kernel_major > major || (p->host->kernel_major == major && p->host->kernel_minor >= minor);
    return 0;
}

/* Does the entry apply here? One excluded item that holds drops it; all included capabilities, one of the
 * included architectures, and the kernel must hold. */
static int applies(const struct js_parse *p, json_t *call, const char *path, bool *ret)
{
    static const char *const keys[] = {"excludes", "includes"};
    struct held caps[2], arches[2], kernel[2];

    for (size_t i = 0; i < 2; i++) {
        char sub[JS_PATH_SIZE];
        json_t *condition = NULL;
        int r = js_object(p, call, path, keys[i], &condition);

        js_path(sub, path, keys[i]);
        if (r == 0)
            r = count_held(p, condition, sub, "caps", has_capability, &caps[i]);
        if (r == 0)
            r = count_held(p, condition, sub, "arches", is_arch, &arches[i]);
        if (r == 0)
            r = kernel_held(p, condition, sub, &kernel[i]);
        if (r < 0)
            return r;
    }
    *ret = caps[0].n == 0 && arches[0].n == 0 && kernel[0].n == 0 && caps[1].n == caps[1].of &&
           (arches[1].of == 0 || arches[1].n > 0) && kernel[1].n == kernel[1].of;
    return 0;
}

static void rule_clear(struct seccomp_rule *rule)
{
    cl_strv_free(rule->names);
    free(rule->args);
    *rule = (struct seccomp_rule){0};
}

/* The whole entry is checked, also where it does not apply here: a profile is right or wrong as such. */
static int parse_rules(const struct js_parse *p, json_t *root, struct seccomp_profile *profile)
{
    json_t *calls;
    int r = js_array(p, root, "", "syscalls", &calls);

    if (r < 0 || json_array_size(calls) == 0)
        return r;
    profile->rules = calloc(json_array_size(calls), sizeof(profile->rules[0]));
    if (!profile->rules)
        return cl_fail(p->e, ENOMEM, "load %s", p->name);
    for (size_t i = 0; i < json_array_size(calls); i++) {
        struct seccomp_rule *rule = &profile->rules[profile->n_rules];
        json_t *call = json_array_get(calls, i);
        char path[JS_PATH_SIZE];
        bool here = false;

        rule->index = i;
        js_path_item(path, "syscalls", i);
        if (!json_is_object(call))
            return js_bad(p, EINVAL, path, "is not an object");
        r = parse_names(p, call, path, &rule->names);
        if (r == 0)
            r = parse_action(p, call, path, "action", "errnoRet", &rule->action);
        if (r == 0)
            r = parse_args(p, call, path, rule);
        if (r == 0)
            r = applies(p, call, path, &here);
        if (r < 0 || !here)
            rule_clear(rule);
        if (r < 0)
            return r;
        profile->n_rules += here;
    }
    return 0;
}

static int add_arches(const struct js_parse *p, json_t *list, const char *path,
                      struct seccomp_profile *profile)
{
    char sub[JS_PATH_SIZE];
    size_t n = json_array_size(list);
    uint32_t *arches = reallocarray(profile->arches, profile->n_arches + n + 1, sizeof(arches[0]));

    if (!arches)
        return cl_fail(p->e, ENOMEM, "load %s", p->name);
    profile->arches = arches;
    for (size_t i = 0; i < n; i++) {
        const char *name;
        bool known;
        uint32_t arch;
        int r = js_string_at(p, list, path, i, &name);

        if (r < 0)
            return r;
        arch = seccomp_arch_by_name(name, &known);
        js_path_item(sub, path, i);
        if (!known)
            return js_bad(p, EINVAL, sub, "unknown architecture \"%s\"", name);
        if (arch != 0) /* an architecture that libseccomp lacks can't be one that runs here */
            arches[profile->n_arches++] = arch;
    }
    return 0;
}

/* archMap names, for each native architecture, the ones that run beside it. */
static int parse_arch_map(const struct js_parse *p, json_t *map, struct seccomp_profile *profile)
{
    bool found = false;

    for (size_t i = 0; i < json_array_size(map); i++) {
        json_t *entry = json_array_get(map, i), *subs;
        char path[JS_PATH_SIZE], sub[JS_PATH_SIZE];
        const char *name;
        bool known;
        int r;

        js_path_item(path, "archMap", i);
        if (!json_is_object(entry))
            return js_bad(p, EINVAL, path, "is not an object");
        r = js_string(p, entry, path, "architecture", &name);
        if (r == 0)
            r = js_array(p, entry, path, "subArchitectures", &subs);
        if (r < 0)
            return r;
        if (found || seccomp_arch_by_name(name, &known) != p->host->arch)
            continue;
        found = true;
        r = add_arches(p, subs, js_path(sub, path, "subArchitectures"), profile);
        if (r < 0)
            return r;
    }
    return 0;
}

static int parse_arches(const struct js_parse *p, json_t *root, struct seccomp_profile *profile)
{
    json_t *arches, *map;
    int r = js_array(p, root, "", "architectures", &arches);

    if (r == 0)
        r = js_array(p, root, "", "archMap", &map);
    if (r < 0)
        return r;
    if (json_array_size(arches) > 0 && json_array_size(map) > 0)
        return js_bad(p, EINVAL, "archMap", "stands beside \"architectures\": only one of them may be used");
    return json_array_size(map) > 0 ? parse_arch_map(p, map, profile)
                                    : add_arches(p, arches, "architectures", profile);
}

/* The flags change how a filter is loaded, not what it says, and the placement decides that: one thread,
 * logging as the policy says. They are only checked. */
static int check_flags(const struct js_parse *p, json_t *root)
{
    static const char *const known[] = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                                        "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
    json_t *flags;
    int r = js_array(p, root, "", "flags", &flags);

    for (size_t i = 0; r == 0 && i < json_array_size(flags); i++) {
        const char *name;
        bool found = false;

        r = js_string_at(p, flags, "flags", i, &name);
        if (r < 0)
            return r;
        for (size_t k = 0; k < CL_ARRAY_SIZE(known); k++)
            found = found || strcmp(known[k], name) == 0;
        if (!found)
            return js_bad(p, EINVAL, "flags", "unknown flag \"%s\"", name);
    }
    return r;
}

static int parse_root(const struct js_parse *p, json_t *root, struct seccomp_profile *profile)
{
    int r;

    if (!json_is_object(root))
        return cl_fail(p->e, EINVAL, "%s: is not a JSON object", p->name);
    r = parse_action(p, root, "", "defaultAction", "defaultErrnoRet", &profile->default_action);
    if (r == 0)
        r = parse_arches(p, root, profile);
    if (r == 0)
        r = check_flags(p, root);
    return r < 0 ? r : parse_rules(p, root, profile);
}

int seccomp_profile_parse(const char *name, const char *text, size_t size, const struct seccomp_host *host,
                          struct seccomp_profile **ret, struct cl_error *e)
{
    const struct js_parse p = {.name = name, .host = host, .e = e};
    cleanup_profile struct seccomp_profile *profile = calloc(1, sizeof(*profile));
    json_t *root;
    int r;

    if (!profile)
        return cl_fail(e, ENOMEM, "load %s", name);
    r = js_parse(&p, text, size, &root);
    if (r < 0)
        return r;
    r = parse_root(&p, root, profile);
    json_decref(root);
    if (r < 0)
        return r;
    *ret = profile;
    profile = NULL;
    return 0;
}

void seccomp_profile_free(struct seccomp_profile *profile)
{
    if (!profile)
        return;
    for (size_t i = 0; i < profile->n_rules; i++)
        rule_clear(&profile->rules[i]);
    free(profile->rules);
    free(profile->arches);
    free(profile);
}

void seccomp_profile_freep(struct seccomp_profile **profile)
{
    seccomp_profile_free(*profile);
}
