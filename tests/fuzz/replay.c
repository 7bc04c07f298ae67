/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Runs a fuzz target over the files of its corpus, tests/fuzz/corpus/FUZZ_CORPUS, and over each file cut at every
 * length, without a fuzzer.
 */
#include "config.h"

#include <dirent.h>
#include <string.h>

#include "fuzz.h"

static int replay(int dirfd, const char *name)
{
    cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    cleanup_free char *text = NULL;
    size_t size;

    if (fd < 0 || cl_read_all(fd, 1 << 20, &text, &size) < 0)
        return -1;
    for (size_t cut = 0; cut <= size; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1); /* so that a sanitizer sees reads past the end */

        if (!exact)
            return -1;
        memcpy(exact, text, cut);
        (void)LLVMFuzzerTestOneInput(exact, cut);
        free(exact);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *source = getenv("srcdir") ? getenv("srcdir") : ".";
    char path[512];
    struct dirent *entry;
    int n = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/" FUZZ_CORPUS, source);
    dir = opendir(path);
    if (!dir || LLVMFuzzerInitialize(&argc, &argv) != 0) {
        fprintf(stderr, "open %s\n", path);
        return 1;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay(dirfd(dir), entry->d_name) < 0) {
            fprintf(stderr, "read %s/%s\n", path, entry->d_name);
            return 1;
        }
        n++;
    }
    closedir(dir);
    printf("%d files of the corpus, each at every length\n", n);
    return n > 0 ? 0 : 1;
}
