/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Aligned columns, what a line has no room for, colour, and what no terminal may see; amounts in words.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../ctl/amount.h"
#include "../../ctl/table.h"
#include "util.h"

static const struct table_column columns[] = {{"NAME", false}, {"SIZE", true}, {"NOTE", false}};
static const struct table_column untitled[] = {{NULL, false}, {NULL, false}};

static struct table *sample(void)
{
    struct table *table = table_new(columns, CL_ARRAY_SIZE(columns));

    table_add(table, TABLE_PLAIN, "a");
    table_add(table, TABLE_STRONG, "%d", 12345);
    table_add(table, TABLE_ALARM, "first");
    table_add(table, TABLE_PLAIN, "longer");
    table_add(table, TABLE_PLAIN, "1");
    table_add(table, TABLE_PLAIN, "%s", "");
    return table;
}

static void assert_prints(struct table *table, const struct table_paper *paper, const char *expected)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_true(table_print(table, paper, out));
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
    table_free(table);
}

static void test_aligned(void **state)
{
    const struct table_paper paper = {0};

    assert_prints(sample(), &paper,
                  "NAME     SIZE  NOTE\n"
                  "a       12345  first\n"
                  "longer      1  \n");
}

static void test_untitled(void **state)
{
    const struct table_paper paper = {0};
    struct table *table = table_new(untitled, CL_ARRAY_SIZE(untitled));

    table_add(table, TABLE_PLAIN, "id");
    table_add(table, TABLE_PLAIN, "x");
    table_add(table, TABLE_PLAIN, "service");
    table_add(table, TABLE_PLAIN, "y");
    assert_prints(table, &paper, "id       x\nservice  y\n");
}

static void test_empty(void **state)
{
    const struct table_paper paper = {0};

    assert_prints(table_new(columns, CL_ARRAY_SIZE(columns)), &paper, "NAME  SIZE  NOTE\n");
}

/* What is beyond the paper is not written, and colour does not count. */
static void test_narrow(void **state)
{
    const struct table_paper paper = {.width = 10, .rows = 2, .line_end = "|"};
    const struct table_paper coloured = {.colour = true, .width = 17, .rows = 2};

    assert_prints(sample(), &paper, "NAME     S|a       12|");
    assert_prints(sample(), &coloured,
                  "\033[1mNAME\033[0m     \033[1mSIZE\033[0m  \033[1mNO\033[0m\n"
                  "a       \033[1m12345\033[0m  \033[31mfi\033[0m\n");
}

static void test_escaped(void **state)
{
    const struct table_paper paper = {0};
    struct table *table = table_new(untitled, CL_ARRAY_SIZE(untitled));

    table_add(table, TABLE_PLAIN, "\033[2J\x7f");
    table_add(table, TABLE_PLAIN,
              "a\nb\xc2\x9b"
              "c");
    assert_prints(table, &paper, "\\x1b[2J\\x7f  a\\x0ab\\xc2\\x9bc\n");
}

static void test_many(void **state)
{
    struct table *table = table_new(untitled, CL_ARRAY_SIZE(untitled));
    const struct table_paper paper = {.rows = 1};

    for (int i = 0; i < 1000; i++)
        table_add(table, TABLE_PLAIN, "%d", i);
    assert_prints(table, &paper, "0    1\n");
}

static void test_no_memory(void **state)
{
    const struct table_paper paper = {0};

    table_add(NULL, TABLE_PLAIN, "x");
    assert_false(table_print(NULL, &paper, stdout));
    table_free(NULL);
}

/* Not a terminal: never. */
static void test_colour(void **state)
{
    int out = dup(STDOUT_FILENO);
    FILE *file = tmpfile();

    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_false(table_wants_colour());
    dup2(out, STDOUT_FILENO);
    close(out);
    fclose(file);
}

static void test_amounts(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{0, "0"},
                 {1023, "1023"},
                 {1024, "1.0K"},
                 {1536, "1.5K"},
                 {10239, "9.9K"},
                 {10240, "10K"},
                 {UINT64_C(5) << 30, "5.0G"},
                 {UINT64_MAX, "15E"}};
    char buf[32], small[3];

    for (size_t i = 0; i < CL_ARRAY_SIZE(sizes); i++)
        assert_string_equal(amount_bytes(sizes[i].bytes, buf, sizeof(buf)), sizes[i].text);
    assert_string_equal(amount_bytes(123456, small, sizeof(small)), "12");
    assert_string_equal(amount_age(-5, buf, sizeof(buf)), "0:00");
    assert_string_equal(amount_age(754, buf, sizeof(buf)), "12:34");
    assert_string_equal(amount_age(3 * 3600 + 300, buf, sizeof(buf)), "3h05m");
    assert_string_equal(amount_age(INT64_C(52) * 3600, buf, sizeof(buf)), "2d04h");
    assert_string_equal(amount_cpu(70000, buf, sizeof(buf)), "0.07s");
    assert_string_equal(amount_cpu(UINT64_C(61999999), buf, sizeof(buf)), "1:01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned),   cmocka_unit_test(test_untitled), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_narrow),    cmocka_unit_test(test_escaped),  cmocka_unit_test(test_many),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_colour),   cmocka_unit_test(test_amounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
