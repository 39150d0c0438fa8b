/* api_limits.c - src/api/limits.c: who gave wrong tokens waits, who gave right ones does not. */
#include <stdio.h>

#include "api/limits.h"
#include "base/clock.h"
#include "test.h"

static int64_t now;

static struct limits_keys keys_of(struct limits *l, const char *address, const char *token)
{
    return limits_keys(l, span_of(address), span_of(token));
}

static void at(int64_t ms)
{
    now = ms;
    clock_fake(ms);
}

static void fail_often(struct limits *l, const char *address, int times)
{
    for (int i = 0; i < times; i++) {
        char token[64];
        struct limits_keys keys;
        snprintf(token, sizeof token, "crl_%08dxxxxxxxx", i);
        keys = keys_of(l, address, token);
        limits_bad(l, &keys);
    }
}

static int64_t enter(struct limits *l, const char *address, const char *token)
{
    struct limits_keys keys = keys_of(l, address, token);
    int64_t retry_ms = 0, wait = limits_enter(l, &keys, &retry_ms);

    if (wait > 0)
        limits_waited(l, &keys);
    return wait;
}

static void the_first_failures_are_free(void)
{
    struct limits *l = limits_new();

    at(1000);
    fail_often(l, "192.0.2.1", LIMITS_FREE - 1);
    CHECK(enter(l, "192.0.2.1", "crl_new") == 0);
    fail_often(l, "192.0.2.1", 1);
    CHECK(enter(l, "192.0.2.1", "crl_new") == LIMITS_FIRST_MS);
    CHECK(enter(l, "192.0.2.2", "crl_new") == 0);
    limits_free(l);
}

static void waits_double_up_to_a_bound(void)
{
    struct limits *l = limits_new();
    int64_t before = 0;

    at(1000);
    fail_often(l, "192.0.2.1", LIMITS_FREE);
    for (int i = 0; i < 30; i++) {
        int64_t wait;
        at(now + LIMITS_WAIT_MAX_MS); /* nobody waits any more */
        wait = enter(l, "192.0.2.1", "crl_new");
        CHECK(wait >= before && wait <= LIMITS_WAIT_MAX_MS);
        before = wait;
        fail_often(l, "192.0.2.1", 1);
    }
    CHECK(before == LIMITS_WAIT_MAX_MS);
    limits_free(l);
}

static void tries_wait_behind_one_another(void)
{
    struct limits *l = limits_new();
    struct limits_keys keys = keys_of(l, "192.0.2.1", "crl_new");
    int64_t retry_ms = 0, before = 0;

    at(1000);
    fail_often(l, "192.0.2.1", LIMITS_FREE);
    for (int i = 0; i < LIMITS_WAITING_MAX; i++) {
        int64_t wait = limits_enter(l, &keys, &retry_ms);
        CHECK(wait == before + LIMITS_FIRST_MS);
        before = wait;
    }
    CHECK(limits_enter(l, &keys, &retry_ms) == -1 && retry_ms > before);
    limits_waited(l, &keys);
    CHECK(limits_enter(l, &keys, &retry_ms) > 0);
    limits_free(l);
}

static void a_good_token_does_not_wait(void)
{
    struct limits *l = limits_new();
    struct limits_keys keys = keys_of(l, "192.0.2.1", "crl_good");

    at(1000);
    fail_often(l, "192.0.2.1", 100);
    limits_good(l, &keys);
    CHECK(enter(l, "192.0.2.1", "crl_good") == 0);
    CHECK(enter(l, "192.0.2.1", "crl_gooe") > 0);
    limits_bad(l, &keys); /* it was revoked */
    CHECK(enter(l, "192.0.2.1", "crl_good") > 0);
    limits_free(l);
}

static void one_beginning_from_many_addresses_waits(void)
{
    struct limits *l = limits_new();

    at(1000);
    for (int i = 0; i < LIMITS_FREE; i++) {
        char address[32], token[64];
        struct limits_keys keys;
        snprintf(address, sizeof address, "192.0.2.%d", i);
        snprintf(token, sizeof token, "crl_abcdefgh%d", i);
        keys = keys_of(l, address, token);
        limits_bad(l, &keys);
    }
    CHECK(enter(l, "198.51.100.1", "crl_abcdefghZ") > 0);
    CHECK(enter(l, "198.51.100.1", "crl_abcdefgZ") == 0);
    limits_free(l);
}

static void a_net_of_ipv6_is_one_address(void)
{
    struct limits *l = limits_new();

    at(1000);
    fail_often(l, "2001:db8:1:2:3:4:5:6", LIMITS_FREE);
    CHECK(enter(l, "2001:db8:1:2::9", "crl_new") > 0);
    CHECK(enter(l, "2001:db8:1:3::9", "crl_new") == 0);
    limits_free(l);
}

static void what_was_long_ago_is_forgotten(void)
{
    struct limits *l = limits_new();

    at(1000);
    fail_often(l, "192.0.2.1", LIMITS_FREE);
    at(now + LIMITS_FORGET_MS);
    CHECK(enter(l, "192.0.2.1", "crl_new") == 0);
    limits_free(l);
}

static void many_addresses_do_not_grow_it(void)
{
    struct limits *l = limits_new();

    for (int i = 0; i < 3 * LIMITS_MAX; i++) {
        char address[32];
        struct limits_keys keys;
        snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        keys = keys_of(l, address, "crl_x");
        at(1000 + i);
        limits_bad(l, &keys);
        limits_good(l, &keys);
    }
    CHECK(enter(l, "192.0.2.1", "crl_other") == 0);
    limits_free(l);
}

static const struct test TESTS[] = {
    {"the_first_failures_are_free", the_first_failures_are_free},
    {"waits_double_up_to_a_bound", waits_double_up_to_a_bound},
    {"tries_wait_behind_one_another", tries_wait_behind_one_another},
    {"a_good_token_does_not_wait", a_good_token_does_not_wait},
    {"one_beginning_from_many_addresses_waits", one_beginning_from_many_addresses_waits},
    {"a_net_of_ipv6_is_one_address", a_net_of_ipv6_is_one_address},
    {"what_was_long_ago_is_forgotten", what_was_long_ago_is_forgotten},
    {"many_addresses_do_not_grow_it", many_addresses_do_not_grow_it},
    {0},
};

int main(int argc, char **argv)
{
    int r = test_main("api_limits", TESTS, argc, argv);

    clock_fake(-1);
    return r;
}
