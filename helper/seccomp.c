/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The seccomp layer: reads the policy's profile, has it compiled or finds it in the cache, and hands it out
 * as a sealed memfd. Nothing is loaded into the kernel here: the placement does that last, in the process of
 * the cell.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "seccomp.h"
#include "seccomp_cache.h"
#include "seccomp_compile.h"
#include "seccomp_source.h"
#include "util.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* Part of the cache's inputs: to be raised when the same inputs give another program. */
#define COMPILER_VERSION 2

static bool kernel_has_seccomp(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void write_field(FILE *f, const void *data, size_t size)
{
    uint64_t n = size;

    fwrite(&n, sizeof(n), 1, f);
    if (data)
        fwrite(data, 1, size, f);
}

static void write_names(FILE *f, char *const *names)
{
    uint64_t n = cl_strv_length(names);

    fwrite(&n, sizeof(n), 1, f);
    for (; names && *names; names++)
        write_field(f, *names, strlen(*names));
}

/* All that a program depends on, as bytes: what the cache compares. */
static int cache_inputs(const struct cl_policy *policy, const struct seccomp_source *source, char **ret,
                        size_t *ret_size)
{
    const struct scmp_version *library = seccomp_version();
    const uint64_t numbers[] = {COMPILER_VERSION,       source->host.arch, source->host.bounding,
                                policy->seccomp.action, policy->mode, library->major,    library->minor,
                                library->micro};
    FILE *f = open_memstream(ret, ret_size);
    bool failed;

    if (!f)
        return -ENOMEM;
    write_field(f, numbers, sizeof(numbers));
    write_field(f, source->kernel.release, strlen(source->kernel.release));
    write_names(f, policy->seccomp.allow);
    write_names(f, policy->seccomp.deny);
    write_names(f, seccomp_nested_calls(policy));
    write_field(f, source->text, source->size);
    failed = ferror(f) != 0;
    return fclose(f) != 0 || failed ? -ENOMEM : 0;
}

static int compile_source(const struct cl_policy *policy, const struct seccomp_source *source,
                          struct seccomp_program *ret, char ***ret_unknown, struct cl_error *e)
{
    const struct seccomp_overlay overlay = seccomp_overlay_of(policy);
    cleanup_profile struct seccomp_profile *profile = NULL;
    int r = seccomp_source_parse(source, &profile, e);

    return r < 0 ? r : seccomp_compile(profile, &overlay, source->host.arch, ret, ret_unknown, e);
}

static void log_unknown(const struct seccomp_source *source, char *const *unknown)
{
    for (; unknown && *unknown; unknown++)
        cl_log(LOG_DEBUG, "seccomp profile %s: unknown system call %s left out", source->path, *unknown);
}

/* From the cache or compiled. A cache that fails costs time, never a login. */
static int get_program(const struct cl_policy *policy, const struct seccomp_source *source, const char *cache_dir,
                       struct seccomp_program *ret, struct cl_error *e)
{
    cleanup_free char *inputs = NULL;
    cleanup_strv char **unknown = NULL;
    cleanup_fd int dir = -1;
    size_t size = 0;
    int r, cached = cache_dir ? seccomp_cache_open(cache_dir, &dir) : -ENOENT;

    if (cached == 0)
        cached = cache_inputs(policy, source, &inputs, &size);
    if (cached == 0 && seccomp_cache_get(dir, inputs, size, ret) == 0)
        return 0;
    r = compile_source(policy, source, ret, &unknown, e);
    if (r < 0)
        return r;
    log_unknown(source, unknown);
    if (cached == 0)
        cached = seccomp_cache_put(dir, inputs, size, ret);
    if (cached < 0 && cache_dir)
        cl_log(LOG_WARNING, "seccomp filter not cached in %s: %s", cache_dir, strerror(-cached));
    return 0;
}

static int seal(const struct seccomp_program *program, int *ret_fd, struct cl_error *e)
{
    cleanup_fd int fd = memfd_create("cloister-seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    int r;

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("cloister-seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return cl_fail(e, errno, "memfd_create");
    r = cl_write_all(fd, program->insns, program->n * sizeof(program->insns[0]));
    if (r < 0)
        return cl_fail(e, -r, "write the filter");
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return cl_fail(e, errno, "seal the filter");
    *ret_fd = cl_take_fd(&fd);
    return 0;
}

int seccomp_filter(const struct cl_policy *policy, const char *cache_dir, int *ret_fd, struct cl_error *e)
{
    cleanup_program struct seccomp_program program = {0};
    cleanup_source struct seccomp_source source = {0};
    struct cl_error cause = {0};
    int r;

    if (seccomp_is_unconfined(policy)) {
        *ret_fd = -1;
        return 0;
    }
    if (!kernel_has_seccomp()) {
        if (policy->seccomp.when_unavailable == CL_UNAVAILABLE_REFUSE)
            return cl_policy_fail(policy, CL_KEY_SECCOMP_PROFILE, e, EOPNOTSUPP,
                                  "this kernel has no seccomp");
        cl_log(LOG_WARNING, "policy %s: this kernel has no seccomp, going on without", policy->name);
        *ret_fd = -1;
        return 0;
    }
    r = seccomp_check_deny(policy, e);
    if (r < 0)
        return r;
    r = seccomp_source_read(policy, &source, &cause);
    if (r == 0)
        r = get_program(policy, &source, cache_dir, &program, &cause);
    if (r == 0)
        r = seal(&program, ret_fd, &cause);
    return r < 0 ? cl_policy_fail(policy, CL_KEY_SECCOMP_PROFILE, e, -r, "%s", cause.text) : 0;
}

int seccomp_validate(const struct cl_policy *policy, char ***ret_unknown, struct cl_error *e)
{
    cleanup_program struct seccomp_program program = {0};
    cleanup_source struct seccomp_source source = {0};
    cleanup_strv char **unknown = NULL;
    struct cl_error cause = {0};
    int r = seccomp_is_unconfined(policy) ? 0 : seccomp_check_deny(policy, e);

    if (r < 0)
        return r;
    if (!seccomp_is_unconfined(policy)) {
        r = seccomp_source_read(policy, &source, &cause);
        if (r == 0)
            r = compile_source(policy, &source, &program, &unknown, &cause);
        if (r < 0)
            return cl_policy_fail(policy, CL_KEY_SECCOMP_PROFILE, e, -r, "%s", cause.text);
    }
    if (ret_unknown) {
        *ret_unknown = unknown;
        unknown = NULL;
    }
    return 0;
}
