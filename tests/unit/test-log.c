/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What reaches a journal, byte by byte: a socket of our own stands for it.
 */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal.h"
#include "log.h"
#include "util.h"

struct fixture {
    char dir[64], path[96];
    int journal; /* what listens */
    char got[16384];
    size_t n;
};

static int set_up(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const union {
        const struct sockaddr_un *un;
        const struct sockaddr *any;
    } address = {.un = &un};
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/cloister-log-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    (void)snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", f->path);
    f->journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    *state = f;
    return f->journal < 0 || bind(f->journal, address.any, sizeof(un)) < 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    cl_close(&f->journal);
    (void)unlink(f->path);
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

static void transfer(struct fixture *f, const struct cl_journal_entry *entry)
{
    cleanup_fd int fd = cl_journal_open(f->path);
    ssize_t n;

    assert_true(fd >= 0);
    assert_int_equal(cl_journal_send(fd, entry), 0);
    n = recv(f->journal, f->got, sizeof(f->got), 0);
    assert_true(n >= 0);
    f->n = (size_t)n;
}

/* The value of a field in what came, read as the journal reads it; NULL: not there. *ret_fields: how many
 * there are. */
static const char *field(const struct fixture *f, const char *name, unsigned *ret_fields)
{
    static char value[CL_JOURNAL_VALUE_MAX + 1];
    const char *found = NULL;
    size_t at = 0;

    for (*ret_fields = 0; at < f->n; ++*ret_fields) {
        const char *end = memchr(f->got + at, '\n', f->n - at);
        size_t length = end ? (size_t)(end - (f->got + at)) : 0;
        uint64_t size;

        assert_true(length > 0 && !memchr(f->got + at, '=', length));
        assert_true(at + length + 1 + sizeof(size) <= f->n);
        memcpy(&size, end + 1, sizeof(size));
        size = le64toh(size);
        assert_true(size <= CL_JOURNAL_VALUE_MAX && at + length + 1 + sizeof(size) + size + 1 <= f->n);
        assert_int_equal(end[1 + sizeof(size) + size], '\n');
        if (length == strlen(name) && memcmp(f->got + at, name, length) == 0) {
            memcpy(value, end + 1 + sizeof(size), size);
            value[size] = '\0';
            found = value;
        }
        at += length + 1 + sizeof(size) + size + 1;
    }
    return found;
}

static void test_fields(void **state)
{
    struct fixture *f = *state;
    struct cl_journal_entry entry = {.n = 0};
    unsigned n;

    cl_journal_put(&entry, "MESSAGE", "open: id=1");
    cl_journal_put(&entry, "CLOISTER_RHOST", "");
    cl_journal_put(&entry, "CLOISTER_TTY", NULL);
    cl_journal_put(&entry, "CLOISTER_USER", "eva");
    transfer(f, &entry);
    assert_string_equal(field(f, "MESSAGE", &n), "open: id=1");
    assert_string_equal(field(f, "CLOISTER_USER", &n), "eva");
    assert_int_equal(n, 2); /* what is empty is no field */
}

static void test_forged(void **state)
{
    struct fixture *f = *state;
    struct cl_journal_entry entry = {.n = 0};
    unsigned n;

    cl_journal_put(&entry, "CLOISTER_USER", "eva\nCLOISTER_ID=forged\n_UID=0\n\033[2J\177\377");
    transfer(f, &entry);
    assert_string_equal(field(f, "CLOISTER_USER", &n),
                        "eva\\x0aCLOISTER_ID=forged\\x0a_UID=0\\x0a\\x1b[2J\\x7f\\xff");
    assert_int_equal(n, 1);
}

static void test_full(void **state)
{
    struct fixture *f = *state;
    struct cl_journal_entry entry = {.n = 0};
    char longest[4 * CL_JOURNAL_VALUE_MAX];
    unsigned n;

    memset(longest, '\n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (int i = 0; i < 20; i++)
        cl_journal_put(&entry, "CLOISTER_USER", longest);
    cl_journal_put(&entry, "CLOISTER_ID", "small");
    transfer(f, &entry);
    assert_string_equal(field(f, "CLOISTER_ID", &n), "small"); /* still had room */
    assert_int_equal(n, 4);                                    /* the others were left out, none was cut */
}

static void test_nobody_listens(void **state)
{
    struct fixture *f = *state;
    struct cl_journal_entry entry = {.n = 0};
    cleanup_fd int fd = cl_journal_open(f->path);

    assert_true(fd >= 0);
    cl_journal_put(&entry, "MESSAGE", "a line");
    cl_close(&f->journal);
    assert_int_equal(cl_journal_send(fd, &entry), -ECONNREFUSED);
    assert_int_equal(cl_journal_open(f->path), -ECONNREFUSED);
    (void)unlink(f->path);
    assert_int_equal(cl_journal_open(f->path), -ENOENT);
}

/* A journal that reads nothing: an answer all the same. */
static void test_hangs(void **state)
{
    struct fixture *f = *state;
    struct cl_journal_entry entry = {.n = 0};
    cleanup_fd int fd = cl_journal_open(f->path);
    int r = 0;

    assert_true(fd >= 0);
    cl_journal_put(&entry, "MESSAGE", "a line");
    for (int i = 0; i < 100000 && r == 0; i++)
        r = cl_journal_send(fd, &entry);
    assert_int_equal(r, -EAGAIN);
}

static void test_message_ids(void **state)
{
    cleanup_free char *manual = NULL;

    assert_int_equal(cl_read_file_at(AT_FDCWD, TEST_MANUAL, &manual), 0);
    for (enum cl_log_event event = CL_LOG_OTHER + 1; event < CL_LOG_EVENT_COUNT; event++) {
        assert_int_equal(strlen(cl_log_message_id(event)), 32);
        assert_int_equal(strspn(cl_log_message_id(event), "0123456789abcdef"), 32);
        assert_non_null(strstr(manual, cl_log_message_id(event)));
        for (enum cl_log_event other = CL_LOG_OTHER + 1; other < event; other++)
            assert_string_not_equal(cl_log_message_id(event), cl_log_message_id(other));
    }
    assert_null(cl_log_message_id(CL_LOG_OTHER));
}

/* Nobody hears, perhaps, but nothing is changed and nothing breaks. */
static void test_errno_is_kept(void **state)
{
    struct cl_error e = {
        .err = EACCES, .stage = "policy", .key = "session.max", .origin = "FILE:3", .text = "t"};
    const struct cl_log_about about = {.event = CL_LOG_REFUSE, .user = "e\nva", .uid = 1000, .error = &e};

    cl_log_init("test-log", false);
    errno = EXDEV;
    cl_log(LOG_DEBUG, "%s", "a line of test-log");
    cl_log_about(LOG_DEBUG, &about, "%s", "another\nline of test-log");
    assert_int_equal(errno, EXDEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_listens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hangs, set_up, tear_down),
        cmocka_unit_test(test_message_ids),
        cmocka_unit_test(test_errno_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
