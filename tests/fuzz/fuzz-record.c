/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzing of records: any bytes as a cell's record. What is taken must have all that its readers use, and must
 * be the same once it is written and read again.
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "record.h"

#define ID "abcdef012345"

static void check_equal(const struct record *a, const struct record *b)
{
    MUST(strcmp(a->id, b->id) == 0 && a->live == b->live && a->manager == b->manager);
    MUST(strcmp(a->user, b->user) == 0 && strcmp(a->policy, b->policy) == 0);
    MUST(strcmp(a->service, b->service) == 0 && strcmp(a->rhost, b->rhost) == 0);
    MUST(strcmp(a->tty, b->tty) == 0 && strcmp(a->cgroup, b->cgroup) == 0);
    MUST(a->uid == b->uid && a->since == b->since && a->grace == b->grace);
    MUST(a->opener == b->opener && a->opener_start == b->opener_start);
    MUST(a->init == b->init && a->init_start == b->init_start);
    MUST(a->helper == b->helper && a->helper_start == b->helper_start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_record struct record *record = NULL, *again = NULL;
    struct cl_error e = {0};
    char line[1024];
    int fd;

    (void)fuzz_folder(&fd);
    fuzz_write(fd, "cells/" ID ".json", data, size);
    if (record_load(fd, ID, &record, &e) < 0) {
        MUST(!record && strlen(cl_error_format(&e, line, sizeof(line))) > 0);
        return 0;
    }
    MUST(cl_id_valid(record->id));
    (void)record_in_use(record);
    MUST(record_save(fd, record, &e) == 0);
    MUST(record_load(fd, record->id, &again, &e) == 0);
    check_equal(record, again);
    MUST(record_remove(fd, record->id) == 0);
    return 0;
}

static void remove_folder(void)
{
    int fd;
    const char *path = fuzz_folder(&fd);

    unlinkat(fd, "cells/" ID ".json", 0);
    unlinkat(fd, "cells", AT_REMOVEDIR);
    rmdir(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return fuzz_start("cells", remove_folder);
}
