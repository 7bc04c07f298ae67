/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * select: how long it takes to load 1,000 policies that name 2,000 groups, and to choose the policy of a user
 * who is in 2,000 groups, of which the policies name none but that of the very last one. Prints medians in
 * milliseconds.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "configuration.h"
#include "util.h"

#define POLICIES 1000
#define GROUPS   2000
#define ROUNDS   101

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void write_policies(const char *dir)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof(path), "%s/policy.d", dir);
    if (mkdir(path, 0755) < 0)
        die(path);
    snprintf(path, sizeof(path), "%s/policy.d/10-all.conf", dir);
    out = fopen(path, "w");
    if (!out)
        die(path);
    fprintf(out, "policies = ( { name = \"default\"; }");
    for (int i = 0; i < POLICIES; i++)
        fprintf(out,
                ",\n{ name = \"p%d\"; inherit = \"default\"; priority = %d; "
                "match = { groups = [\"course-%04d\", \"course-%04d\"]; }; }",
                i, i % 7, 2 * i, 2 * i + 1);
    fprintf(out, " );\n");
    if (fclose(out) != 0)
        die(path);
}

static void remove_policies(const char *dir)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/policy.d/10-all.conf", dir);
    unlink(path);
    snprintf(path, sizeof(path), "%s/policy.d", dir);
    rmdir(path);
    rmdir(dir);
}

/* The names of all groups but one are other ones of the same length. */
static void make_user(struct cl_user *user)
{
    static char name[] = "eva";
    static gid_t gids[GROUPS];
    static char names[GROUPS][32];
    static char *pointers[GROUPS + 1];

    for (size_t i = 0; i < GROUPS; i++) {
        gids[i] = (gid_t)(1000 + i);
        snprintf(names[i], sizeof(names[i]), i == GROUPS - 1 ? "course-%04zu" : "corpus-%04zu", i);
        pointers[i] = names[i];
    }
    *user = (struct cl_user){.name = name,
                             .uid = 1000,
                             .gid = 1000,
                             .group = names[0],
                             .groups = gids,
                             .group_names = pointers,
                             .n_groups = GROUPS};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *times, size_t n)
{
    qsort(times, n, sizeof(*times), compare);
    return times[n / 2];
}

int main(void)
{
    char dir[] = "/tmp/cloister-bench-XXXXXX";
    double load[ROUNDS], choose[ROUNDS];
    struct cl_user user;

    make_user(&user);
    if (!mkdtemp(dir))
        die(dir);
    write_policies(dir);
    for (size_t i = 0; i < ROUNDS; i++) {
        struct cl_problems problems = {0};
        struct cl_selection selection = {0};
        cleanup_config struct cl_config *config = NULL;
        double start = now_ms(), loaded;

        if (cl_config_load(dir, true, &config, &problems) < 0)
            die("load");
        loaded = now_ms();
        if (cl_config_select(config, &user, "sshd", &selection) < 0 || !selection.policy ||
            strcmp(selection.policy->name, "p999") != 0)
            die("select");
        choose[i] = now_ms() - loaded;
        load[i] = loaded - start;
        cl_selection_clear(&selection);
        cl_problems_clear(&problems);
    }
    remove_policies(dir);
    printf("policy_load_ms %.3f\npolicy_select_ms %.3f\n", median(load, ROUNDS), median(choose, ROUNDS));
    return 0;
}
