/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The helper's own functions that walk paths and build views, as root, over and over, while someone else (flip) changes what
 * lies on the way.
 *
 *   view-race path TRIES PATH refused            path_open never opens it
 *   view-race path TRIES PATH opened             and here always, the same thing each time
 *   view-race view TRIES USER CONFIG opened [P]  a cell's files are built each time, with the mounts that it has when nobody
 *                                                disturbs; those at P and below may be missing
 *   view-race view TRIES USER CONFIG either P    or refused; what is mounted at P and below is of a folder named "race"
 *   view-race view TRIES USER CONFIG refused     never
 *
 * Prints what went wrong, at most a few times, and last how many tries it were and how they ended. A try that takes longer
 * than the deadline ends the program by SIGALRM.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "path.h"
#include "record.h"
#include "session.h"
#include "util.h"

#define TRY_SECONDS 60
#define SHOWN       5

enum expected { REFUSED, OPENED, EITHER };

struct result {
    unsigned long tries, opened, refused, wrong;
};

static void wrong(struct result *result, const char *what, const char *detail)
{
    if (result->wrong++ < SHOWN)
        (void)printf("WRONG try %lu: %s %s\n", result->tries, what, detail);
}

static enum expected expectation(const char *word)
{
    return strcmp(word, "opened") == 0 ? OPENED : strcmp(word, "either") == 0 ? EITHER : REFUSED;
}

static void count(struct result *result, enum expected expected, int r, const struct cl_error *e)
{
    char line[1200];

    result->tries++;
    if (r == 0)
        result->opened++;
    else
        result->refused++;
    if (expected != EITHER && (expected == OPENED) != (r == 0))
        wrong(result, r == 0 ? "opened" : "refused", r == 0 ? "" : cl_error_format(e, line, sizeof(line)));
}

static int race_path(unsigned long tries, const char *path, enum expected expected, struct result *result)
{
    cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat first = {0}, st;

    while (result->tries < tries) {
        cleanup_fd int fd = -1;
        struct cl_error e = {0};
        int r;

        (void)alarm(TRY_SECONDS);
        r = path_open(root, path, 0, &fd, &e);
        count(result, expected, r, &e);
        if (r < 0 || fstat(fd, &st) < 0)
            continue;
        if (first.st_ino == 0)
            first = st;
        if (st.st_ino != first.st_ino || st.st_dev != first.st_dev)
            wrong(result, "another file than before at", path);
    }
    return 0;
}

/* "POINT ROOT TYPE OPTIONS" of each mount, one a line, but for those at may_miss; *ret_stray: one of these is of a folder of
 * the host's disk that is no race's. */
static char *mounts_of(pid_t pid, const char *may_miss, bool *ret_stray)
{
    char path[64], *text = NULL, *line = NULL;
    size_t size = 0, line_size = 0;
    FILE *in, *out = open_memstream(&text, &size);

    (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
    in = fopen(path, "re");
    while (in && out && getline(&line, &line_size, in) > 0) {
        char root[4096], point[4096], options[512], type[64];
        const char *separator = strstr(line, " - ");

        if (!separator || sscanf(line, "%*s %*s %*s %4095s %4095s %511s", root, point, options) != 3 ||
            sscanf(separator, " - %63s", type) != 1)
            continue;
        if (!may_miss || !path_is_below(point, may_miss))
            (void)fprintf(out, "%s %s %s %s\n", point, root, type, options);
        else if (strcmp(root, "/") != 0 && !strstr(root, "/race/"))
            *ret_stray = true;
    }
    if (in)
        (void)fclose(in);
    if (out)
        (void)fclose(out);
    free(line);
    return text;
}

/* The first line of a that b does not have. */
static const char *difference(const char *a, const char *b)
{
    static char found[4200];

    for (const char *line = a; *line; line += strcspn(line, "\n") + 1) {
        size_t length = strcspn(line, "\n") + 1;

        if (length >= sizeof(found))
            return "a long line";
        memcpy(found, line, length);
        found[length] = '\0';
        if (!strstr(b, found))
            return found;
    }
    return NULL;
}

struct race {
    const char *user, *config, *may_miss;
    char *first; /* the mounts of the first cell */
};

static void compare(struct race *race, const struct session *s, struct result *result)
{
    bool stray = false;
    cleanup_free char *mounts = mounts_of(s->init, race->may_miss, &stray);
    const char *found;

    if (stray)
        wrong(result, "something of the host at", race->may_miss);
    if (!mounts || !*mounts) {
        wrong(result, "no mounts", "");
    } else if (!race->first) {
        race->first = mounts;
        mounts = NULL;
    } else if ((found = difference(mounts, race->first)) != NULL) {
        wrong(result, "a mount too many:", found);
    } else if ((found = difference(race->first, mounts)) != NULL) {
        wrong(result, "a mount is missing:", found);
    }
}

/* The stages of an open that matter for the files, the helper's own. -EPROTO: another one than that of files failed. */
static int build(struct session *s, const struct race *race, struct cl_error *e)
{
    int r = stage_user(s, e);

    if (r == 0)
        r = record_open_dir(&s->run_fd, e);
    if (r == 0)
        r = stage_policy(s, e);
    if (r == 0)
        r = stage_init(s, e);
    if (r == 0)
        r = stage_namespaces(s, e);
    return r < 0 ? -EPROTO : stage_files(s, e);
}

static int race_view(unsigned long tries, struct race *race, enum expected expected, struct result *result)
{
    const struct choice choice = {.config = race->config};
    struct cl_request request = {.version = CL_HANDOFF_VERSION, .verb = CL_VERB_OPEN, .setcred_calls = 1};

    (void)snprintf(request.user, sizeof(request.user), "%s", race->user);
    (void)snprintf(request.service, sizeof(request.service), "sshd");
    while (result->tries < tries) {
        struct cl_error e = {0};
        struct session s;
        int r;

        (void)alarm(TRY_SECONDS);
        if (session_init(&s, &request, -1, &e) < 0)
            return 1;
        s.choice = &choice;
        s.opener = getpid();
        s.opener_fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
        r = build(&s, race, &e);
        count(result, expected, r, &e);
        if (r == -EPROTO)
            wrong(result, "the cell itself:", e.text);
        if (r == 0)
            compare(race, &s, result);
        undo_init(&s);
        session_clear(&s);
    }
    free(race->first);
    return 0;
}

int main(int argc, char **argv)
{
    struct result result = {0};
    unsigned long tries = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    int r;

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 5 && strcmp(argv[1], "path") == 0) {
        r = race_path(tries, argv[3], expectation(argv[4]), &result);
    } else if ((argc == 6 || argc == 7) && strcmp(argv[1], "view") == 0) {
        struct race race = {.user = argv[3], .config = argv[4], .may_miss = argc == 7 ? argv[6] : NULL};

        r = race_view(tries, &race, expectation(argv[5]), &result);
    } else {
        return 2;
    }
    (void)printf("%lu tries: %lu opened, %lu refused, %lu wrong\n", result.tries, result.opened, result.refused,
                 result.wrong);
    return r || result.wrong || result.tries == 0;
}
