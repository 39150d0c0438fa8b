/* Addresses to listen on: what is one, and who can reach it. */
#include "cli/address.h"

#include <string.h>

#include "test.h"

static int is_read(const char *text, enum address_scheme scheme, const char *host, int port,
                   bool is_loopback)
{
    struct address a;
    struct err err = {0};

    return address_parse(text, &a, &err) == 0 && a.scheme == scheme && strcmp(a.host, host) == 0 &&
           a.port == port && address_is_loopback(&a) == is_loopback;
}

static int is_refused(const char *text)
{
    struct address a;
    struct err err = {0};

    return address_parse(text, &a, &err) == ERR_INVALID && err.text[0] && err.hint[0];
}

static void reads_addresses(void)
{
    CHECK(is_read("127.0.0.1:8787", ADDRESS_ANY, "127.0.0.1", 8787, true));
    CHECK(is_read("127.9.9.9:0", ADDRESS_ANY, "127.9.9.9", 0, true));
    CHECK(is_read("0.0.0.0:80", ADDRESS_ANY, "0.0.0.0", 80, false));
    CHECK(is_read("*:65535", ADDRESS_ANY, "*", 65535, false));
    CHECK(is_read("localhost:1", ADDRESS_ANY, "localhost", 1, true));
    CHECK(is_read("[::]:443", ADDRESS_ANY, "::", 443, false));
    CHECK(is_read("[::1]:443", ADDRESS_ANY, "::1", 443, true));
    CHECK(is_read("[::ffff:127.0.0.1]:443", ADDRESS_ANY, "::ffff:127.0.0.1", 443, true));
    CHECK(is_read("[::ffff:192.0.2.1]:443", ADDRESS_ANY, "::ffff:192.0.2.1", 443, false));
    CHECK(is_read("https://[2001:db8::1]:443", ADDRESS_HTTPS, "2001:db8::1", 443, false));
    CHECK(is_read("http://192.0.2.1:080", ADDRESS_HTTP, "192.0.2.1", 80, false));
    CHECK(is_read("redirect://*:80", ADDRESS_REDIRECT, "*", 80, false));
}

static void refuses_what_is_none(void)
{
    static const char *const BAD[] = {
        "",          ":",           ":80",          "8787",          "127.0.0.1",
        "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:1x", "127.0.0.1:-1",  "127.0.0.1:65536",
        "127.0.0.1:123456", "[::1]", "[::1]443",     "[::1:443",      "::1:443",
        "[127.0.0.1]:80", "[]:80",  "example.com:80", "ftp://127.0.0.1:1", "127.0.0.1:80/",
        "[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]:1",
    };

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(is_refused(BAD[i]));
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_addresses", reads_addresses},
        {"refuses_what_is_none", refuses_what_is_none},
        {NULL, NULL},
    };

    return test_main("cli_address", TESTS, argc, argv);
}
