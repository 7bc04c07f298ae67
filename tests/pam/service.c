/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * See service.h.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service.h"

char told[512];

static int converse(int n, const struct pam_message **message, struct pam_response **ret, void *data)
{
    for (int i = 0; i < n; i++) {
        bool line = message[i]->msg_style == PAM_TEXT_INFO; /* one of several */
        size_t used = line ? strlen(told) : 0;

        (void)snprintf(told + used, sizeof(told) - used, line ? "%s\n" : "%s", message[i]->msg);
    }
    *ret = calloc((size_t)n, sizeof(**ret));
    return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

void set_answer(enum fake_answer how)
{
    (void)unlink(FAKE_RECORD);
    write_file(FAKE_CONTROL, &how, sizeof(how));
}

struct fake_record get_record(void)
{
    struct fake_record record = {0};
    FILE *f = fopen(FAKE_RECORD, "re");

    if (!f)
        return record;
    assert_int_equal(fread(&record, sizeof(record), 1, f), 1);
    assert_int_equal(fclose(f), 0);
    return record;
}

void write_stack(const char *session_lines)
{
    char text[2048];
    int n = snprintf(text, sizeof(text), "auth required pam_permit.so\nauth required %s\n%s", MODULE,
                     session_lines);

    write_file(TEST_DIR "/" SERVICE, text, (size_t)n);
}

int setup(void **state)
{
    (void)unlink(FAKE_HELPER);
    assert_int_equal(symlink(TEST_DIR "/fake-helper", FAKE_HELPER), 0);
    write_stack("session required " MODULE "\n");
    told[0] = '\0';
    return 0;
}

pam_handle_t *start(const char *user)
{
    static const struct pam_conv conversation = {.conv = converse};
    pam_handle_t *pamh = NULL;

    assert_int_equal(pam_start_confdir(SERVICE, user, &conversation, TEST_DIR, &pamh), PAM_SUCCESS);
    assert_int_equal(pam_set_item(pamh, PAM_RHOST, "client.example"), PAM_SUCCESS);
    assert_int_equal(pam_set_item(pamh, PAM_TTY, "ssh"), PAM_SUCCESS);
    assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
    return pamh;
}

int open_as(pam_handle_t *pamh)
{
    assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
    return pam_open_session(pamh, 0);
}

int open_once(const char *user, enum fake_answer how)
{
    pam_handle_t *pamh;
    int r;

    set_answer(how);
    pamh = start(user);
    r = open_as(pamh);
    assert_int_equal(pam_end(pamh, r), PAM_SUCCESS);
    return r;
}
