/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes real cells' cgroups with one of the managers and attacks the limits from inside: forks, memory, CPU
 * time, disk reads, while another user and the host must go on. Then changes the policy, reloads systemd,
 * kills what it made, and looks for leftovers. Needs root, cgroup v2 with all controllers, and a disk; prints
 * TAP.
 *
 *   cgroup-probe systemd|cgroupfs PATH [quick]
 *
 * PATH: the disk to limit, or something on it; not the root disk. quick: only the attacks.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup-attacks.h"
#include "log.h"
#include "util.h"

#define UID   61234U /* nobody's */
#define OTHER 61300U /* and what follows */

static enum cl_cgroup_manager manager;
static const char *io_path;
static unsigned io_major, io_minor;
static int deadline_ms = 60000; /* an emulated machine is slow */
static int n_checks, n_failed;

bool check(bool holds, const char *fmt, ...)
{
    va_list args;

    n_checks++;
    n_failed += !holds;
    printf("%s %d - ", holds ? "ok" : "not ok", n_checks);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    return holds;
}

static struct cl_policy policy_unlimited(void)
{
    struct cl_policy policy = {.cgroup = {.when_unavailable = CL_UNAVAILABLE_REFUSE}};
    struct cl_limits *both[] = {&policy.cgroup.user, &policy.cgroup.session};

    for (size_t i = 0; i < 2; i++) {
        both[i]->pids_max = both[i]->memory_max = both[i]->memory_high = both[i]->swap_max = CL_UNLIMITED;
        both[i]->cpu_max = both[i]->cpu_weight = CL_UNLIMITED;
    }
    return policy;
}

/* What the helper does: one open or close of a user at a time. */
static int lock_user(uid_t uid)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/run/cgroup-probe-%u", (unsigned)uid);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        exit(99);
    return fd;
}

static pid_t spawn_init(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static int cell_open(struct cell *cell, uid_t uid, const char *id, const struct cl_policy *policy,
                     struct cl_error *e)
{
    struct cgroup_request request = {.manager = manager, .id = id, .uid = uid, .policy = policy};
    cleanup_fd int lock = -1;
    int r;
    int64_t start;

    *cell = (struct cell){.uid = uid, .init = spawn_init(), .place = {.dir_fd = -1, .procs_fd = -1}};
    lock = lock_user(uid); /* after the fork: the child would hold it as well */
    start = cl_now_ms();
    request.init = cell->init;
    request.deadline_ms = cl_now_ms() + deadline_ms;
    r = cgroup_create(&request, &cell->place, e);
    cell->open_ms = cl_now_ms() - start;
    if (r < 0) {
        kill(cell->init, SIGKILL);
        waitpid(cell->init, NULL, 0);
    }
    return r;
}

static int cell_close(struct cell *cell, struct cl_error *e)
{
    cleanup_fd int lock = lock_user(cell->uid);
    int r = cgroup_remove(manager, cell->place.path, cell->uid, 30000, e);

    waitpid(cell->init, NULL, 0);
    cgroup_place_clear(&cell->place);
    return r;
}

static void check_file(const struct cell *cell, const char *file, const char *want, const char *when)
{
    cleanup_free char *text = NULL;
    int r = cl_read_file_at(cell->place.dir_fd, file, &text);

    check(r == 0 && strcmp(text, want) == 0, "%s: %s is \"%s\" (wanted \"%s\")", when, file,
          r == 0 ? text : "-", want);
}

static void check_limits(const struct cell *cell, const char *when)
{
    char io[128];

    snprintf(io, sizeof(io), "%u:%u rbps=1048576 wbps=max riops=max wiops=500", io_major, io_minor);
    check_file(cell, "../pids.max", "30", when);
    check_file(cell, "../memory.max", "134217728", when);
    check_file(cell, "../memory.high", "max", when);
    check_file(cell, "../memory.swap.max", "0", when);
    check_file(cell, "../cpu.max", "150000 100000", when);
    check_file(cell, "../cpu.weight", "50", when);
    check_file(cell, "../io.max", io, when);
    check_file(cell, "pids.max", "20", when);
    check_file(cell, "memory.max", "67108864", when);
    check_file(cell, "cpu.max", "50000 100000", when);
}

static struct cl_policy policy_limited(struct cl_io_limit *io)
{
    struct cl_policy policy = policy_unlimited();
    struct cl_limits *user = &policy.cgroup.user, *session = &policy.cgroup.session;

    *io = (struct cl_io_limit){strdup(io_path), 1 * MIB, CL_UNLIMITED, CL_UNLIMITED, 500};
    user->pids_max = 30;
    user->memory_max = 128 * MIB;
    user->swap_max = 0;
    user->cpu_max = 150;
    user->cpu_weight = 50;
    user->io = io;
    user->n_io = 1;
    session->pids_max = 20;
    session->memory_max = 64 * MIB;
    session->cpu_max = 50;
    return policy;
}

static bool have_systemd(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

/* What systemd does on its own account must not touch the limits: reload, and units that need or lose
 * controllers. */
static void disturb(void)
{
    if (!have_systemd())
        return;
    check(system("systemctl daemon-reload") == 0, "systemd reloads");
    check(system("systemd-run -q --wait -p IOWeight=50 -p CPUQuota=50% true") == 0,
          "a unit with controllers ends");
    check(system("systemctl set-property --runtime system.slice CPUWeight=90 && "
                 "systemctl set-property --runtime system.slice CPUWeight=") == 0,
          "a slice gets and loses a controller");
}

static bool below_mount(const char *path)
{
    char place[300];

    snprintf(place, sizeof(place), "%s%s", cgroup_mount_point(), path);
    return access(place, F_OK) == 0;
}

static bool user_is_gone(uid_t uid)
{
    char path[200];

    if (manager == CL_MANAGER_SYSTEMD)
        snprintf(path, sizeof(path), "/user.slice/user-%u.slice/user-%u-cloister.slice", (unsigned)uid,
                 (unsigned)uid);
    else
        snprintf(path, sizeof(path), "/cloister/user-%u", (unsigned)uid);
    return !below_mount(path);
}

/* systemd unloads in its own time. */
static bool nothing_is_left(void)
{
    static const char unit_files[] =
        "! ls -d /run/systemd/transient/*cloister* /run/systemd/system.control/*cloister* "
        ">/dev/null 2>&1";
    int pause_ms = 0;
    int64_t until = cl_now_ms() + 5000;
    bool gone;

    do
        gone =
            user_is_gone(UID) && user_is_gone(OTHER) && !below_mount("/cloister") && system(unit_files) == 0;
    while (!gone && cgroup_pause(&pause_ms, until));
    return gone;
}

static void report(const struct cl_error *e)
{
    char line[1200];

    printf("# %s\n", cl_error_format(e, line, sizeof(line)));
}

static void attacks(void)
{
    struct cl_io_limit io;
    struct cl_policy policy = policy_limited(&io), loose = policy_unlimited();
    struct cell first, second, other, third;
    struct cl_error e = {0};

    if (!check(cell_open(&first, UID, "first", &policy, &e) == 0 &&
                   cell_open(&second, UID, "second", &policy, &e) == 0 &&
                   cell_open(&other, OTHER, "other", &policy, &e) == 0,
               "three cells of two users are made")) {
        report(&e);
        return;
    }
    printf("# opened in %" PRId64 ", %" PRId64 " and %" PRId64 " ms\n", first.open_ms, second.open_ms,
           other.open_ms);
    check_limits(&first, "at first");
    check_limits(&second, "in the second");
    attack_pids(&first, &second, &other);
    attack_memory(&first, &second);
    attack_cpu(&first);
    attack_io(&first, io_major, io_minor);
    disturb();
    check_limits(&first, "after systemd was busy");
    check(kill(first.init, 0) == 0 && cgroup_dir_has(first.place.path, first.init) == 0,
          "init is still in it");

    loose.cgroup.user.pids_max = 40;
    check(cell_open(&third, UID, "third", &loose, &e) == 0, "a third cell, under an edited policy");
    check_file(&third, "../pids.max", "40", "edited");
    check_file(&third, "../memory.max", "max", "edited");
    check_file(&third, "../cpu.max", "max 100000", "edited");
    check_file(&third, "../cpu.weight", "100", "edited");
    check_file(&third, "../io.max", "", "edited");
    check_file(&third, "pids.max", "max", "edited");
    check_file(&first, "pids.max", "20", "edited"); /* a session keeps what it began with */

    check(cell_close(&first, &e) == 0 && cell_close(&other, &e) == 0, "two cells are closed");
    check(kill(second.init, 0) == 0 && !user_is_gone(UID) && user_is_gone(OTHER), "the others live");
    check_file(&second, "../pids.max", "40", "after a close");
    check(cell_close(&third, &e) == 0 && cell_close(&second, &e) == 0, "all are closed");
    check(nothing_is_left(), "nothing is left");
    if (e.err)
        report(&e);
    free(io.path);
}

static void refusals(void)
{
    struct cl_policy policy = policy_unlimited();
    struct cl_io_limit io = {strdup("/proc"), 1, CL_UNLIMITED, CL_UNLIMITED, CL_UNLIMITED};
    struct cl_error e = {0};
    struct cell cell;

    policy.cgroup.user.pids_max = 1ULL << 40;
    check(cell_open(&cell, UID, "bad", &policy, &e) < 0 && strcmp(e.key, "cgroup.pids_max") == 0,
          "an impossible pids_max is refused, its key blamed (%s)", e.key);
    report(&e);
    e = (struct cl_error){0};
    policy = policy_unlimited();
    policy.cgroup.session.io = &io;
    policy.cgroup.session.n_io = 1;
    check(cell_open(&cell, UID, "bad", &policy, &e) == -ENODEV && strcmp(e.key, "cgroup.session.io") == 0,
          "a path without a disk is refused (%s)", e.key);
    report(&e);
    check(nothing_is_left(), "nothing is left of either");
    free(io.path);
}

/* systemd is cut short at each step in turn. */
static void deadlines(void)
{
    struct cl_policy policy = policy_unlimited();
    int kept = deadline_ms, late = 0, in_time = 0;

    policy.cgroup.user.pids_max = 100;
    for (deadline_ms = 0; deadline_ms < 800 && in_time < 3; deadline_ms += 25) {
        struct cl_error e = {0};
        struct cell cell;
        int r = cell_open(&cell, UID, "late", &policy, &e);

        late += r == -ETIMEDOUT || r == -EIO;
        in_time += r == 0 && cell_close(&cell, &e) == 0;
        if (r < 0 && r != -ETIMEDOUT)
            report(&e);
    }
    deadline_ms = kept;
    check(in_time == 3, "%d opens that were too late, then some in time", late);
    check(nothing_is_left(), "nothing is left of those");
}

static bool is_known(const char *path, void *arg)
{
    (void)path, (void)arg;
    return false;
}

/* Nobody closes: init dies, and the next sweep cleans. */
static void crash(void)
{
    struct cl_policy policy = policy_unlimited();
    struct cl_error e = {0};
    struct cell cell, busy;

    policy.cgroup.user.pids_max = 100;
    check(cell_open(&cell, UID, "crash", &policy, &e) == 0 && cell_open(&busy, UID, "busy", &policy, &e) == 0,
          "two cells are made");
    kill(cell.init, SIGKILL);
    waitpid(cell.init, NULL, 0);
    check(cgroup_sweep(manager, is_known, NULL, &e) >= 0 && !below_mount(cell.place.path),
          "a dead one is swept");
    check(kill(busy.init, 0) == 0 && below_mount(busy.place.path), "a live one isn't");
    kill(busy.init, SIGKILL);
    waitpid(busy.init, NULL, 0);
    check(cgroup_sweep(manager, is_known, NULL, &e) >= 0 && nothing_is_left(), "nothing is left");
    cgroup_place_clear(&cell.place);
    cgroup_place_clear(&busy.place);
    if (e.err)
        report(&e);
}

static int churn(unsigned n, uid_t uid, unsigned rounds)
{
    struct cl_policy policy = policy_unlimited();

    policy.cgroup.user.pids_max = 500;
    policy.cgroup.session.memory_max = 64 * MIB;
    for (unsigned i = 0; i < rounds; i++) {
        struct cl_error e = {0};
        struct cell cell;
        char id[32];

        snprintf(id, sizeof(id), "p%ur%u", n, i);
        if (cell_open(&cell, uid, id, &policy, &e) < 0 || wait_for(in_cell(&cell, fork_once)) != 0 ||
            cell_close(&cell, &e) < 0) {
            report(&e);
            return 1;
        }
    }
    return 0;
}

static void parallel(unsigned processes, unsigned rounds, bool one_user)
{
    pid_t pid[64];
    unsigned failed = 0;
    int64_t start = cl_now_ms();

    for (unsigned i = 0; i < processes; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            int r = churn(i, one_user ? UID : OTHER + i, rounds);

            fflush(stdout);
            _exit(r);
        }
    }
    for (unsigned i = 0; i < processes; i++)
        failed += wait_for(pid[i]) != 0;
    check(failed == 0, "%u processes, %u opens and closes each, %s: %u failed, %" PRId64 " ms", processes,
          rounds, one_user ? "one user" : "a user each", failed, cl_now_ms() - start);
    check(nothing_is_left(), "nothing is left");
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4 || geteuid() != 0) {
        fprintf(stderr, "usage (as root): cgroup-probe systemd|cgroupfs PATH [quick]\n");
        return 2;
    }
    manager = strcmp(argv[1], "systemd") == 0 ? CL_MANAGER_SYSTEMD : CL_MANAGER_CGROUPFS;
    io_path = argv[2];

    cl_log_init("cgroup-probe", true);
    if (cgroup_device_resolve(io_path, &io_major, &io_minor) < 0) {
        fprintf(stderr, "cgroup-probe: %s is on no disk\n", io_path);
        return 2;
    }
    check(cgroup_manager_resolve(CL_MANAGER_AUTO) ==
              (have_systemd() ? CL_MANAGER_SYSTEMD : CL_MANAGER_CGROUPFS),
          "the right manager is found");
    attacks();
    if (argc == 3) {
        refusals();
        deadlines();
        crash();
        parallel(20, 3, true);
        parallel(10, 3, false);
    }
    if (system("rm -f /run/cgroup-probe-*") != 0)
        return 1;
    printf("1..%d\n", n_checks);
    return n_failed > 0;
}
