/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzing of audit records: any bytes as a line of the kernel's. What is taken must be terminated, and have
 * what it needs.
 */
#include "config.h"

#include <string.h>

#include "audit_line.h"
#include "fuzz.h"

#define TERMINATED(text) (memchr(text, '\0', sizeof(text)) != NULL)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct audit_line line, untouched;
    char *text = malloc(size + 1);

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    line = untouched;
    if (audit_line_parse(text, &line) < 0) {
        MUST(memcmp(&line, &untouched, sizeof(line)) == 0);
        free(text);
        return 0;
    }
    MUST(strlen(text) < AUDIT_LINE_MAX && line.seconds >= 0);
    MUST(TERMINATED(line.comm) && TERMINATED(line.verdict) && TERMINATED(line.operation));
    MUST(TERMINATED(line.profile) && TERMINATED(line.name) && TERMINATED(line.mask));
    MUST(TERMINATED(line.capability) && TERMINATED(line.family) && TERMINATED(line.type) &&
         TERMINATED(line.peer));
    MUST(line.kind == AUDIT_LINE_SECCOMP ? !line.verdict[0] && !line.name[0]
                                         : line.uid == 0 && line.syscall == 0);
    free(text);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}
