/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Networks and destinations as the configuration writes them.
 */
#include "config.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"
#include "util.h"

static void test_prefixes(void **state)
{
    static const char *const bad[] = {"",           "10.0.0.0/33", "10.0.0.1/8", "10.0.0/8",  "10.0.0.0/",  "10.0.0.0/-1",
                                      "fd00::/129", "fd00::1/64",  "fd00:::/64", "::1%lo",    "10.0.0.0 /8", "/8",
                                      "010.0.0.1",  "10.0.0.0/8/8", "10.0.0.0/0x8"};
    struct cl_prefix p;

    (void)state;
    assert_true(cl_prefix_parse("100.64.0.0/20", &p));
    assert_true(p.family == AF_INET && p.length == 20 && p.address[0] == 100 && p.address[1] == 64);
    assert_true(cl_prefix_parse("10.0.0.5", &p));
    assert_true(p.family == AF_INET && p.length == 32 && p.address[3] == 5);
    assert_true(cl_prefix_parse("fd00:1::/64", &p));
    assert_true(p.family == AF_INET6 && p.length == 64 && p.address[0] == 0xfd && p.address[3] == 1);
    assert_true(cl_prefix_parse("0.0.0.0/0", &p) && p.length == 0);
    assert_true(cl_prefix_parse("::/0", &p) && p.length == 0 && p.family == AF_INET6);
    for (size_t i = 0; i < CL_ARRAY_SIZE(bad); i++)
        if (cl_prefix_parse(bad[i], &p))
            fail_msg("\"%s\" is taken for a network", bad[i]);
}

static void test_destinations(void **state)
{
    static const struct {
        const char *text;
        bool outside;
        int family;
        unsigned length;
        int protocol;
        unsigned first, last;
    } good[] = {
        {"outside", true, 0, 0, 0, 0, 0},
        {"tcp:443", true, 0, 0, IPPROTO_TCP, 443, 443},
        {"udp:53", true, 0, 0, IPPROTO_UDP, 53, 53},
        {"tcp:8000-8010", true, 0, 0, IPPROTO_TCP, 8000, 8010},
        {"10.0.0.5", false, AF_INET, 32, 0, 0, 0},
        {"10.0.0.5:5432", false, AF_INET, 32, 0, 5432, 5432},
        {"10.1.0.0/16", false, AF_INET, 16, 0, 0, 0},
        {"10.1.0.0/16:1-65535", false, AF_INET, 16, 0, 1, 65535},
        {"tcp:10.0.0.5", false, AF_INET, 32, IPPROTO_TCP, 0, 0},
        {"udp:10.0.0.5:53", false, AF_INET, 32, IPPROTO_UDP, 53, 53},
        {"fd00::/64", false, AF_INET6, 64, 0, 0, 0},
        {"fd00::5", false, AF_INET6, 128, 0, 0, 0},
        {"[fd00::5]:5432", false, AF_INET6, 128, 0, 5432, 5432},
        {"tcp:[fd00::/64]:80", false, AF_INET6, 64, IPPROTO_TCP, 80, 80},
        {"tcp:fd00::5", false, AF_INET6, 128, IPPROTO_TCP, 0, 0},
    };
    struct cl_destination d;

    (void)state;
    for (size_t i = 0; i < CL_ARRAY_SIZE(good); i++) {
        if (!cl_destination_parse(good[i].text, &d))
            fail_msg("\"%s\" is refused", good[i].text);
        if (d.outside != good[i].outside || d.to.family != good[i].family || d.to.length != good[i].length ||
            d.protocol != good[i].protocol || d.first != good[i].first || d.last != good[i].last)
            fail_msg("\"%s\" is read as something else", good[i].text);
    }
}

static void test_no_destinations(void **state)
{
    static const char *const bad[] = {
        "",          "Outside",   "443",         "tcp",          "tcp:",          "tcp:0",      "tcp:65536",
        "tcp:2-1",   "tcp:1-",    "tcp:-1",      "tcp:1-2-3",    "icmp:1",        "10.0.0.5:",  "10.0.0.5:0",
        "10.0.0.5:a", "10.0.0.5:1:2", "[10.0.0.5]:1", "[fd00::5",  "[fd00::5]x",    "[fd00::5]:", "[]:1",
        "tcp:udp:1", "10.1.2.3/8", "a.b",        "1.2.3.4; flush ruleset", "1.2.3.4\nflush ruleset", "*",
        "outside ",  "tcp: 80",   "fd00::5%eth0", "tcp:+80",
    };
    char wide[400];
    struct cl_destination d;

    (void)state;
    for (size_t i = 0; i < CL_ARRAY_SIZE(bad); i++)
        if (cl_destination_parse(bad[i], &d))
            fail_msg("\"%s\" is taken for a destination", bad[i]);
    memset(wide, '1', sizeof(wide));
    wide[sizeof(wide) - 1] = '\0';
    assert_false(cl_destination_parse(wide, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_destinations),
        cmocka_unit_test(test_no_destinations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
