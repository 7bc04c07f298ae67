/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of keys: names, types, ranges and built-in values. Everything that reads or prints the
 * configuration goes through these rows.
 */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "loader.h"
#include "util.h"

#define K          UINT64_C(1024)
#define M          (K * K)
#define G          (K * M)
#define T          (K * G)
#define SIZE_LIMIT SCHEMA_SIZE_MAX
#define PTS_LIMIT  1048576 /* the kernel's NR_UNIX98_PTY_MAX */

#define WORDS(...)       ((const char *const[]){__VA_ARGS__, NULL})
#define AT(member)       .offset = offsetof(struct cl_policy, member)
#define COUNT_AT(member) .count_offset = offsetof(struct cl_policy, member)

static const char *const unavailable_words[] = {
    [CL_UNAVAILABLE_REFUSE] = "refuse", [CL_UNAVAILABLE_CONTINUE] = "continue", NULL};

/* cgroup.io and cgroup.session.io */

#define IO_AT(member) .offset = offsetof(struct cl_io_limit, member)
#define IO_RATE(key, member)                                                                                 \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_SIZE, IO_AT(member), .min = 4 * K, .max = SIZE_LIMIT, .word = "max"      \
    }
#define IO_OPERATIONS(key, member)                                                                           \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_NUMBER, IO_AT(member), .min = 1, .max = 1000000000, .word = "max"        \
    }

static const struct schema_key io_keys[] = {
    {.name = "path",
     .kind = SCHEMA_STRING,
     .flags = SCHEMA_REQUIRED,
     IO_AT(path),
     .check = check_path,
     .allowed = "an absolute path without .."},
    IO_RATE("rbps", rbps),
    IO_RATE("wbps", wbps),
    IO_OPERATIONS("riops", riops),
    IO_OPERATIONS("wiops", wiops),
};

static void io_init(void *record)
{
    struct cl_io_limit *io = record;

    io->rbps = io->wbps = io->riops = io->wiops = CL_UNLIMITED;
}

static bool io_finish(const void *record, const char **ret_why)
{
    const struct cl_io_limit *io = record;

    if (io->rbps != CL_UNLIMITED || io->wbps != CL_UNLIMITED || io->riops != CL_UNLIMITED ||
        io->wiops != CL_UNLIMITED)
        return true;
    *ret_why = "limits nothing; allowed: at least one of rbps, wbps, riops, wiops";
    return false;
}

static const struct schema_record io_record = {.keys = io_keys,
                                               .n_keys = CL_ARRAY_SIZE(io_keys),
                                               .size = sizeof(struct cl_io_limit),
                                               .max = 64,
                                               .init = io_init,
                                               .finish = io_finish,
                                               .unique = offsetof(struct cl_io_limit, path)};

/* files.mounts */

#define MOUNT_AT(member) .offset = offsetof(struct cl_mount, member)

static const struct schema_key mount_keys[] = {
    {.name = "source",
     .kind = SCHEMA_STRING,
     .flags = SCHEMA_EXPANDS,
     MOUNT_AT(source),
     .word = "tmpfs",
     .check = check_path,
     .allowed = "an absolute path of the host without .., or \"tmpfs\""},
    {.name = "target",
     .kind = SCHEMA_STRING,
     .flags = SCHEMA_EXPANDS | SCHEMA_REQUIRED,
     MOUNT_AT(target),
     .check = check_private_path,
     .allowed = "an absolute path without .."},
    {.name = "options",
     .kind = SCHEMA_OPTIONS,
     .allowed = "ro, rw, noexec, exec, bind, rbind, nosuid, nodev, size=, inodes="},
};

static void mount_init(void *record)
{
    struct cl_mount *mount = record;

    mount->size = mount->inodes = CL_UNLIMITED;
}

static bool mount_finish(const void *record, const char **ret_why)
{
    const struct cl_mount *mount = record;

    if (mount->source && (mount->size != CL_UNLIMITED || mount->inodes != CL_UNLIMITED))
        *ret_why = "size= and inodes= are for a tmpfs; this mount has a source";
    else if (!mount->source && mount->recursive)
        *ret_why = "rbind needs a source";
    else
        return true;
    return false;
}

static const struct schema_record mount_record = {.keys = mount_keys,
                                                  .n_keys = CL_ARRAY_SIZE(mount_keys),
                                                  .size = sizeof(struct cl_mount),
                                                  .max = 128,
                                                  .init = mount_init,
                                                  .finish = mount_finish,
                                                  .unique = offsetof(struct cl_mount, target)};

/* The rows of a policy. */

#define YES_OR_NO(key, member, value)                                                                        \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_BOOL, AT(member), .max = 1, .fallback = value                            \
    }
#define ALWAYS(key, member)                                                                                  \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_BOOL, AT(member), .min = 1, .max = 1, .fallback = "true",                \
        .reason = "the cell is made of these"                                                                \
    }
#define WHEN_UNAVAILABLE(key, member)                                                                        \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_ENUM, AT(member), .values = unavailable_words, .fallback = "\"refuse\""  \
    }
#define PIDS(key, member, value)                                                                             \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_NUMBER, AT(member), .min = 4, .max = 4194304, .word = "max",             \
        .fallback = value                                                                                    \
    }
#define MEMORY(key, member, least)                                                                           \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_SIZE, AT(member), .min = least, .max = SIZE_LIMIT, .word = "max",        \
        .fallback = "\"max\""                                                                                \
    }
#define CPU(key, member)                                                                                     \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_PERCENT, AT(member), .min = 1, .max = 100000, .word = "max",             \
        .fallback = "\"max\""                                                                                \
    }
#define WEIGHT(key, member)                                                                                  \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_NUMBER, AT(member), .min = 1, .max = 10000, .word = "default",           \
        .fallback = "\"default\""                                                                            \
    }
#define IO(key, member, count)                                                                               \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_RECORDS, AT(member), COUNT_AT(count), .record = &io_record,              \
        .fallback = "()"                                                                                     \
    }
#define NAMES(key, member, checker, what)                                                                    \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_STRINGS, .flags = SCHEMA_OWN, AT(member), .check = checker,              \
        .allowed = what, .fallback = "[]"                                                                    \
    }
#define CAPABILITIES(key, flag, member, value)                                                               \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_STRINGS, .flags = flag, AT(member), .check = check_capability,           \
        .allowed = "capabilities (CHOWN, ...), \"ALL\", \"NONE\", \"DEFAULT\"", .fallback = value            \
    }
#define SYSCALLS(key, member)                                                                                \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_STRINGS, .flags = SCHEMA_APPENDS, AT(member), .check = check_syscall,    \
        .allowed = "names of system calls", .fallback = "[]"                                                 \
    }
#define PATHS(key, member, checker, value)                                                                   \
    {                                                                                                        \
        .name = key, .kind = SCHEMA_STRINGS, .flags = SCHEMA_EXPANDS, AT(member), .check = checker,          \
        .allowed = "absolute paths without ..", .fallback = value                                            \
    }

const struct schema_key schema_policy[SCHEMA_POLICY_COUNT] = {
    [CL_KEY_NAME] = {.name = "name",
                     .kind = SCHEMA_STRING,
                     .flags = SCHEMA_OWN | SCHEMA_REQUIRED,
                     AT(name),
                     .check = check_policy_name,
                     .allowed = "1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit"},
    [CL_KEY_INHERIT] = {.name = "inherit",
                        .kind = SCHEMA_STRING,
                        .flags = SCHEMA_OWN,
                        AT(inherit),
                        .check = check_policy_name,
                        .allowed = "the name of a policy"},
    [CL_KEY_PRIORITY] = {.name = "priority",
                         .kind = SCHEMA_INTEGER,
                         AT(priority),
                         .min = (uint64_t)-1000000,
                         .max = 1000000,
                         .fallback = "0"},
    [CL_KEY_MATCH_GROUPS] = NAMES("match.groups", match.groups, check_account, "names of groups"),
    [CL_KEY_MATCH_USERS] = NAMES("match.users", match.users, check_account, "names of users"),
    [CL_KEY_MATCH_SERVICES] = NAMES("match.services", match.services, check_service, "names of PAM services"),

    [CL_KEY_MODE] = {.name = "mode",
                     .kind = SCHEMA_ENUM,
                     AT(mode),
                     .values = WORDS([CL_MODE_ENFORCE] = "enforce", [CL_MODE_AUDIT] = "audit"),
                     .fallback = "\"enforce\""},

    [CL_KEY_NAMESPACES_USER] = ALWAYS("namespaces.user", namespaces.user),
    [CL_KEY_NAMESPACES_PID] = ALWAYS("namespaces.pid", namespaces.pid),
    [CL_KEY_NAMESPACES_MOUNT] = ALWAYS("namespaces.mount", namespaces.mount),
    [CL_KEY_NAMESPACES_IPC] = YES_OR_NO("namespaces.ipc", namespaces.ipc, "true"),
    [CL_KEY_NAMESPACES_UTS] = YES_OR_NO("namespaces.uts", namespaces.uts, "true"),
    [CL_KEY_NAMESPACES_NET] = YES_OR_NO("namespaces.net", namespaces.net, "true"),
    [CL_KEY_NAMESPACES_CGROUP] = YES_OR_NO("namespaces.cgroup", namespaces.cgroup, "true"),
    [CL_KEY_NAMESPACES_NESTED] = {.name = "namespaces.nested",
                                  .kind = SCHEMA_NUMBER,
                                  AT(namespaces.nested),
                                  .max = 65536,
                                  .fallback = "0"},
    [CL_KEY_NAMESPACES_HOSTNAME] = {.name = "namespaces.hostname",
                                    .kind = SCHEMA_STRING,
                                    .flags = SCHEMA_EXPANDS_HOST | SCHEMA_MAY_BE_EMPTY,
                                    AT(namespaces.hostname),
                                    .check = check_hostname,
                                    .fallback = "\"\"",
                                    .allowed =
                                        "1 to 64 letters, digits, '-', '_' and '.', or \"\": the host's"},
    [CL_KEY_NAMESPACES_IDENTITY] = {.name = "namespaces.identity",
                                    .kind = SCHEMA_ENUM,
                                    AT(namespaces.identity),
                                    .values = WORDS([CL_IDENTITY_NATURAL] = "natural", [CL_IDENTITY_PLAIN] =
                                                                                           "plain"),
                                    .fallback = "\"natural\""},
    [SCHEMA_NAMESPACES_TIME] = {.name = "namespaces.time",
                                .kind = SCHEMA_BOOL,
                                .flags = SCHEMA_UNSTORED,
                                .fallback = "false",
                                .reason = "a time namespace is not in this release"},
    [CL_KEY_NAMESPACES_SHARE] = {.name = "namespaces.share",
                                 .kind = SCHEMA_ENUM,
                                 AT(namespaces.share),
                                 .values = WORDS([CL_SHARE_LOGIN] = "login", [CL_SHARE_USER] = "user"),
                                 .fallback = "\"login\""},

    [CL_KEY_CGROUP_PIDS_MAX] = PIDS("cgroup.pids_max", cgroup.user.pids_max, "512"),
    [CL_KEY_CGROUP_MEMORY_MAX] = MEMORY("cgroup.memory_max", cgroup.user.memory_max, 4 * M),
    [CL_KEY_CGROUP_MEMORY_HIGH] = MEMORY("cgroup.memory_high", cgroup.user.memory_high, 4 * M),
    [CL_KEY_CGROUP_SWAP_MAX] = MEMORY("cgroup.swap_max", cgroup.user.swap_max, 0),
    [CL_KEY_CGROUP_CPU_MAX] = CPU("cgroup.cpu_max", cgroup.user.cpu_max),
    [CL_KEY_CGROUP_CPU_WEIGHT] = WEIGHT("cgroup.cpu_weight", cgroup.user.cpu_weight),
    [CL_KEY_CGROUP_IO] = IO("cgroup.io", cgroup.user.io, cgroup.user.n_io),
    [CL_KEY_CGROUP_WHEN_UNAVAILABLE] = WHEN_UNAVAILABLE("cgroup.when_unavailable", cgroup.when_unavailable),
    [CL_KEY_CGROUP_SESSION_PIDS_MAX] = PIDS("cgroup.session.pids_max", cgroup.session.pids_max, "\"max\""),
    [CL_KEY_CGROUP_SESSION_MEMORY_MAX] =
        MEMORY("cgroup.session.memory_max", cgroup.session.memory_max, 4 * M),
    [CL_KEY_CGROUP_SESSION_MEMORY_HIGH] =
        MEMORY("cgroup.session.memory_high", cgroup.session.memory_high, 4 * M),
    [CL_KEY_CGROUP_SESSION_SWAP_MAX] = MEMORY("cgroup.session.swap_max", cgroup.session.swap_max, 0),
    [CL_KEY_CGROUP_SESSION_CPU_MAX] = CPU("cgroup.session.cpu_max", cgroup.session.cpu_max),
    [CL_KEY_CGROUP_SESSION_CPU_WEIGHT] = WEIGHT("cgroup.session.cpu_weight", cgroup.session.cpu_weight),
    [CL_KEY_CGROUP_SESSION_IO] = IO("cgroup.session.io", cgroup.session.io, cgroup.session.n_io),

    [CL_KEY_CAPABILITIES_BOUNDING] =
        CAPABILITIES("capabilities.bounding", 0, capabilities.bounding_names, "[\"NONE\"]"),
    [CL_KEY_CAPABILITIES_ADD] = CAPABILITIES("capabilities.add", SCHEMA_APPENDS, capabilities.add, "[]"),
    [CL_KEY_CAPABILITIES_DROP] = CAPABILITIES("capabilities.drop", SCHEMA_APPENDS, capabilities.drop, "[]"),
    [CL_KEY_CAPABILITIES_AMBIENT] = CAPABILITIES("capabilities.ambient", 0, capabilities.ambient_names, "[]"),

    [CL_KEY_SECCOMP_PROFILE] = {.name = "seccomp.profile",
                                .kind = SCHEMA_STRING,
                                AT(seccomp.profile),
                                .check = check_seccomp_profile,
                                .fallback = "\"default\"",
                                .allowed = "\"default\", \"unconfined\" or an absolute path without .."},
    [CL_KEY_SECCOMP_ALLOW] = SYSCALLS("seccomp.allow", seccomp.allow),
    [CL_KEY_SECCOMP_DENY] = SYSCALLS("seccomp.deny", seccomp.deny),
    [CL_KEY_SECCOMP_ACTION] =
        {.name = "seccomp.action",
         .kind = SCHEMA_ENUM,
         AT(seccomp.action),
         .values = WORDS([CL_SECCOMP_ERRNO] = "errno", [CL_SECCOMP_KILL] = "kill", [CL_SECCOMP_LOG] = "log"),
         .fallback = "\"errno\""},
    [CL_KEY_SECCOMP_LOG] = YES_OR_NO("seccomp.log", seccomp.log, "true"),
    [CL_KEY_SECCOMP_WHEN_UNAVAILABLE] =
        WHEN_UNAVAILABLE("seccomp.when_unavailable", seccomp.when_unavailable),
    [CL_KEY_APPARMOR_PROFILE] = {.name = "apparmor.profile",
                                 .kind = SCHEMA_STRING,
                                 AT(apparmor.profile),
                                 .check = check_apparmor_profile,
                                 .fallback = "\"cloister-default\"",
                                 .allowed = "the name of a loaded profile, or \"unconfined\""},
    [CL_KEY_APPARMOR_WHEN_UNAVAILABLE] =
        WHEN_UNAVAILABLE("apparmor.when_unavailable", apparmor.when_unavailable),
    [CL_KEY_NO_NEW_PRIVS] = YES_OR_NO("no_new_privs", no_new_privs, "true"),

    [CL_KEY_FILES_ROOT] = {.name = "files.root",
                           .kind = SCHEMA_STRING,
                           .flags = SCHEMA_EXPANDS,
                           AT(files.root),
                           .check = check_root,
                           .allowed = "an absolute path without ..",
                           .fallback = "\"/\""},
    [CL_KEY_FILES_OVERLAY] = {.name = "files.overlay",
                              .kind = SCHEMA_ENUM,
                              AT(files.overlay),
                              .values = WORDS([CL_OVERLAY_NONE] = "none", [CL_OVERLAY_TMPFS] = "tmpfs"),
                              .later = WORDS("home"),
                              .fallback = "\"none\""},
    [CL_KEY_FILES_HOME] =
        {.name = "files.home",
         .kind = SCHEMA_ENUM,
         AT(files.home),
         .values = WORDS([CL_HOME_BIND] = "bind", [CL_HOME_TMPFS] = "tmpfs", [CL_HOME_READONLY] = "readonly"),
         .fallback = "\"bind\""},
    [CL_KEY_FILES_PRIVATE] = PATHS("files.private", files.private_dirs, check_private_path,
                                   "[\"/tmp\", \"/var/tmp\", \"/dev/shm\", \"/run\"]"),
    [CL_KEY_FILES_TMP_SIZE] = {.name = "files.tmp_size",
                               .kind = SCHEMA_SIZE,
                               AT(files.tmp_size),
                               .min = 64 * K,
                               .max = SIZE_LIMIT,
                               .fallback = "\"256M\""},
    [CL_KEY_FILES_TMP_INODES] = {.name = "files.tmp_inodes",
                                 .kind = SCHEMA_NUMBER,
                                 AT(files.tmp_inodes),
                                 .min = 64,
                                 .max = 1000000000,
                                 .fallback = "100000"},
    [CL_KEY_FILES_HIDE] =
        PATHS("files.hide", files.hide, check_hidden_path,
              "[\"/root\", \"/boot\", \"/var/log\", \"/var/spool/cron\", \"/var/spool/at\", "
              "\"/var/lib/lastlog\", \"/var/lib/wtmpdb\"]"),
    [CL_KEY_FILES_READ_ONLY] = PATHS("files.read_only", files.read_only, check_path, "[]"),
    [CL_KEY_FILES_MOUNTS] = {.name = "files.mounts",
                             .kind = SCHEMA_RECORDS,
                             .flags = SCHEMA_EXPANDS,
                             AT(files.mounts),
                             COUNT_AT(files.n_mounts),
                             .record = &mount_record,
                             .fallback = "()"},
    [CL_KEY_FILES_DEV] = {.name = "files.dev",
                          .kind = SCHEMA_ENUM,
                          AT(files.dev),
                          .values = WORDS([CL_DEV_MINIMAL] = "minimal"),
                          .reason = "another is not in this release",
                          .fallback = "\"minimal\""},
    [CL_KEY_FILES_PTS] = {.name = "files.pts",
                          .kind = SCHEMA_ENUM,
                          AT(files.pts),
                          .values = WORDS([CL_PTS_HOST] = "host", [CL_PTS_PRIVATE] = "private"),
                          .fallback = "\"host\""},
    [CL_KEY_FILES_PTS_MAX] =
        {.name = "files.pts_max", .kind = SCHEMA_NUMBER, AT(files.pts_max), .min = 1, .max = PTS_LIMIT, .fallback = "64"},
    [CL_KEY_FILES_PROC] = {.name = "files.proc",
                           .kind = SCHEMA_ENUM,
                           AT(files.proc),
                           .values = WORDS([CL_PROC_MASKED] = "masked", [CL_PROC_WHOLE] = "whole"),
                           .fallback = "\"masked\""},
    [CL_KEY_FILES_LANDLOCK] = YES_OR_NO("files.landlock", files.landlock, "false"),
    [CL_KEY_FILES_LANDLOCK_WHEN_UNAVAILABLE] =
        WHEN_UNAVAILABLE("files.landlock_when_unavailable", files.landlock_when_unavailable),
    [CL_KEY_NETWORK_MODE] = {.name = "network.mode",
                             .kind = SCHEMA_ENUM,
                             AT(network.mode),
                             .values = WORDS([CL_NETWORK_ISOLATED] = "isolated", [CL_NETWORK_NAT] = "nat",
                                             [CL_NETWORK_HOST] = "host"),
                             .fallback = "\"isolated\""},
    [CL_KEY_NETWORK_ALLOW] = {.name = "network.allow",
                              .kind = SCHEMA_STRINGS,
                              AT(network.allow),
                              .check = check_destination,
                              .allowed = "\"outside\", \"tcp:443\", \"udp:53\", \"10.1.0.0/16\", "
                                         "\"10.0.0.5:5432\", \"[fd00::5]:5432\"",
                              .fallback = "[\"outside\"]"},
    [CL_KEY_NETWORK_DNS] = {.name = "network.dns",
                            .kind = SCHEMA_STRINGS,
                            AT(network.dns),
                            .check = check_dns,
                            .allowed = "addresses, \"host\"",
                            .fallback = "[\"host\"]"},
    [CL_KEY_NETWORK_RATE] = {.name = "network.rate",
                             .kind = SCHEMA_SIZE,
                             AT(network.rate),
                             .min = 64 * K,
                             .max = 64 * G,
                             .word = "max",
                             .allowed = "bits per second",
                             .fallback = "\"max\""},
    [CL_KEY_SESSION_ON_LOGOUT] = {.name = "session.on_logout",
                                  .kind = SCHEMA_ENUM,
                                  AT(session.on_logout),
                                  .values = WORDS([CL_ON_LOGOUT_KILL] = "kill",
                                                  [CL_ON_LOGOUT_LINGER] = "linger",
                                                  [CL_ON_LOGOUT_KEEP] = "keep"),
                                  .fallback = "\"kill\""},
    [CL_KEY_SESSION_GRACE] =
        {.name = "session.grace", .kind = SCHEMA_SECONDS, AT(session.grace), .max = 300, .fallback = "5"},
    [CL_KEY_SESSION_LINGER] = {.name = "session.linger",
                               .kind = SCHEMA_SECONDS,
                               AT(session.linger),
                               .min = 1,
                               .max = 30 * 86400,
                               .fallback = "7200"},
    [CL_KEY_SESSION_IDLE] =
        {.name = "session.idle", .kind = SCHEMA_SECONDS, AT(session.idle), .max = 30 * 86400, .fallback = "0"},
    [CL_KEY_SESSION_MAX] =
        {.name = "session.max", .kind = SCHEMA_NUMBER, AT(session.max), .max = 100000, .fallback = "20"},
    [CL_KEY_ENV] = {.name = "env",
                    .kind = SCHEMA_ENV,
                    .flags = SCHEMA_EXPANDS,
                    AT(env),
                    COUNT_AT(n_env),
                    .fallback = "{}"},
};
static_assert(CL_ARRAY_SIZE(schema_policy) == SCHEMA_POLICY_COUNT, "a row for each key");

/* cloister.conf */

#define SETTING_AT(member) .offset = offsetof(struct cl_settings, member)

static const struct schema_key placement_keys[] = {
    {.name = "service",
     .kind = SCHEMA_STRING,
     .flags = SCHEMA_REQUIRED,
     .offset = offsetof(struct cl_service, name),
     .check = check_service,
     .allowed = "the name of a PAM service"},
    {.name = "at",
     .kind = SCHEMA_ENUM,
     .flags = SCHEMA_REQUIRED,
     .offset = offsetof(struct cl_service, placement),
     .min = CL_PLACEMENT_CREDENTIALS,
     .values = WORDS("credentials", "fork")},
};

static const struct schema_record placement_record = {.keys = placement_keys,
                                                      .n_keys = CL_ARRAY_SIZE(placement_keys),
                                                      .size = sizeof(struct cl_service),
                                                      .max = 256,
                                                      .unique = offsetof(struct cl_service, name)};

const struct schema_key schema_settings[SCHEMA_SETTING_COUNT] = {
    [SCHEMA_SETTING_EXEMPT_USERS] = {.name = "exempt.users",
                                     .kind = SCHEMA_STRINGS,
                                     SETTING_AT(exempt_users),
                                     .check = check_account,
                                     .allowed = "names of users",
                                     .fallback = "[\"root\"]"},
    [SCHEMA_SETTING_EXEMPT_GROUPS] = {.name = "exempt.groups",
                                      .kind = SCHEMA_STRINGS,
                                      SETTING_AT(exempt_groups),
                                      .check = check_account,
                                      .allowed = "names of groups",
                                      .fallback = "[\"sudo\", \"wheel\"]"},
    [SCHEMA_SETTING_CGROUP_MANAGER] = {.name = "cgroup_manager",
                                       .kind = SCHEMA_ENUM,
                                       SETTING_AT(cgroup_manager),
                                       .values =
                                           WORDS([CL_MANAGER_AUTO] = "auto", [CL_MANAGER_SYSTEMD] = "systemd",
                                                 [CL_MANAGER_CGROUPFS] = "cgroupfs"),
                                       .fallback = "\"auto\""},
    [SCHEMA_SETTING_DEADLINE] = {.name = "deadline",
                                 .kind = SCHEMA_SECONDS,
                                 SETTING_AT(deadline),
                                 .min = 1,
                                 .max = 300,
                                 .fallback = "10"},
    [SCHEMA_SETTING_NETWORK_NAME] = {.name = "network.name",
                                     .kind = SCHEMA_STRING,
                                     SETTING_AT(network.name),
                                     .check = check_network_name,
                                     .allowed = "1 to 10 small letters and digits, a letter first",
                                     .fallback = "\"cloister\""},
    [SCHEMA_SETTING_NETWORK_POOL] = {.name = "network.pool",
                                     .kind = SCHEMA_STRING,
                                     SETTING_AT(network.pool),
                                     .check = check_pool,
                                     .allowed = "an IPv4 network of 16 to 29 bits: \"100.64.0.0/20\"",
                                     .fallback = "\"100.64.0.0/20\""},
    [SCHEMA_SETTING_NETWORK_POOL6] = {.name = "network.pool6",
                                      .kind = SCHEMA_STRING,
                                      .flags = SCHEMA_MAY_BE_EMPTY,
                                      SETTING_AT(network.pool6),
                                      .check = check_pool6,
                                      .allowed = "an IPv6 network of 48 to 112 bits: \"fd12:3456:789a::/64\", or \"\"",
                                      .fallback = "\"\""},
    [SCHEMA_SETTING_PLACEMENT] = {.name = "placement",
                                  .kind = SCHEMA_RECORDS,
                                  SETTING_AT(services),
                                  .count_offset = offsetof(struct cl_settings, n_services),
                                  .record = &placement_record,
                                  .fallback = "()"},
};
static_assert(CL_ARRAY_SIZE(schema_settings) == SCHEMA_SETTING_COUNT, "a row for each setting");

const struct schema_key *schema_find(const struct schema_key *rows, size_t n, const char *name,
                                     bool *ret_group)
{
    size_t length = strlen(name);

    *ret_group = false;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(rows[i].name, name, length) != 0)
            continue;
        if (rows[i].name[length] == '\0')
            return &rows[i];
        if (rows[i].name[length] == '.')
            *ret_group = true;
    }
    return NULL;
}
