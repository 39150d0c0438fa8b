/* text_pattern.c - src/text/pattern.c: which addresses a route pattern is for, and which one counts. */
#include "text/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static bool matches(const char *text, bool is_https, const char *host, const char *target)
{
    struct pattern p;
    struct err err = {0};

    if (pattern_parse(span_of(text), &p, &err) < 0) {
        printf("  %s: %s\n", text, err.text);
        test_failed_checks++;
        return false;
    }
    return pattern_matches(&p, is_https, span_of(host), span_of(target));
}

static void matches_hosts(void)
{
    CHECK(matches("example.com/*", false, "example.com", "/"));
    CHECK(matches("EXAMPLE.com/*", true, "example.com", "/x?y"));
    CHECK(!matches("example.com/*", false, "www.example.com", "/"));
    CHECK(!matches("example.com/*", false, "example.org", "/"));
    CHECK(matches("*.example.com/*", false, "www.example.com", "/"));
    CHECK(matches("*.example.com/*", false, "a.b.example.com", "/"));
    CHECK(!matches("*.example.com/*", false, "example.com", "/"));
    CHECK(!matches("*.example.com/*", false, "myexample.com", "/"));
    CHECK(matches("*example.com/*", false, "example.com", "/"));
    CHECK(matches("*example.com/*", false, "www.example.com", "/"));
    CHECK(matches("*example.com/*", false, "myexample.com", "/"));
    CHECK(!matches("*example.com/*", false, "ample.com", "/"));
    CHECK(matches("localhost/*", false, "localhost", "/"));
    CHECK(matches("10.0.0.1/*", false, "10.0.0.1", "/a"));
}

static void matches_schemes(void)
{
    CHECK(matches("https://example.com/*", true, "example.com", "/"));
    CHECK(!matches("https://example.com/*", false, "example.com", "/"));
    CHECK(matches("HTTP://example.com/*", false, "example.com", "/"));
    CHECK(!matches("http://example.com/*", true, "example.com", "/"));
}

static void matches_paths_and_queries(void)
{
    CHECK(matches("example.com", false, "example.com", "/"));
    CHECK(!matches("example.com", false, "example.com", "/a"));
    CHECK(!matches("example.com/", false, "example.com", "/?a"));
    CHECK(matches("example.com/path", false, "example.com", "/path"));
    CHECK(!matches("example.com/path", false, "example.com", "/path?x=1"));
    CHECK(!matches("example.com/path", false, "example.com", "/path/"));
    CHECK(matches("example.com/path*", false, "example.com", "/path?x=1"));
    CHECK(matches("example.com/path*", false, "example.com", "/pathology"));
    CHECK(matches("example.com/path/*", false, "example.com", "/path/"));
    CHECK(!matches("example.com/path/*", false, "example.com", "/path"));
    CHECK(matches("example.com/caf\xc3\xa9/*", false, "example.com", "/caf%C3%A9/1"));
    CHECK(matches("example.com/a b", false, "example.com", "/a%20b"));
}

static void refuses_what_is_no_pattern(void)
{
    static const struct {
        const char *text, *word;
    } CASES[] = {
        {"", "bytes"},
        {"*", "domain"},
        {"*/*", "domain"},
        {"*.com/*", "domain"},
        {"*com/*", "domain"},
        {"*./*", "domain"},
        {"ex*mple.com/*", "nowhere else"},
        {"**.example.com/*", "nowhere else"},
        {"example.com/*/x", "nowhere else"},
        {"example.com/**", "nowhere else"},
        {"example.com/a?b", "query"},
        {"example.com/a#b", "fragment"},
        {"example.com:8080/*", "port"},
        {"ftp://example.com/", "http"},
        {"exa mple.com/", "host name"},
        {"example..com/", "host name"},
        {".example.com/", "host name"},
        {"example.com./", "host name"},
        {"/path", "host name"},
        {"b\xc3\xbc" "cher.example/*", "ASCII"},
    };
    struct pattern p;

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct err err = {0};
        int r = pattern_parse(span_of(CASES[i].text), &p, &err);
        if (r != ERR_INVALID || !strstr(err.text, CASES[i].word)) {
            test_failed_checks++;
            printf("  '%s': %d %s\n", CASES[i].text, r, err.text);
        }
    }
}

static void refuses_what_is_too_long(void)
{
    static char text[PATTERN_MAX + 2];
    struct pattern p;
    struct err err = {0};

    memset(text, 'a', sizeof text - 1);
    CHECK(pattern_parse((struct span){text, PATTERN_MAX + 1}, &p, &err) == ERR_INVALID);
    CHECK(pattern_parse((struct span){text, PATTERN_MAX}, &p, &err) == ERR_INVALID);
    CHECK(pattern_parse((struct span){text, PATTERN_HOST_MAX}, &p, &err) == 0);
    memcpy(text, "a.example/", 10);
    memset(text + 10, 0xff, PATTERN_MAX - 10);
    CHECK(pattern_parse((struct span){text, PATTERN_MAX}, &p, &err) == 0);
    CHECK(p.path_len == 1 + 3 * (PATTERN_MAX - 10));
    CHECK(pattern_parse((struct span){"a.example/\0*", 12}, &p, &err) == ERR_INVALID);
}

/* Each list is in the order that counts. */
static void orders_by_how_specific_they_are(void)
{
    static const char *const LISTS[][4] = {
        {"www.example.com/*", "*.example.com/*"},
        {"example.com/hello/*", "example.com/*"},
        {"a.b.example.com/*", "b.example.com/x/y/z/*"},
        {"https://example.com/*", "example.com/*"},
        {"example.com/a/b", "example.com/a", "example.com/*"},
        {"*example.com/*", "*.example.com/*"},
        {"www.example.com/*", "*example.com/images/*"},
    };

    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++)
        for (int k = 1; k < 4 && LISTS[i][k]; k++) {
            struct pattern a, b;
            struct err err = {0};
            CHECK(pattern_parse(span_of(LISTS[i][k - 1]), &a, &err) == 0);
            CHECK(pattern_parse(span_of(LISTS[i][k]), &b, &err) == 0);
            if (pattern_compare(&a, &b) >= 0 || pattern_compare(&b, &a) <= 0) {
                test_failed_checks++;
                printf("  %s: not before %s\n", LISTS[i][k - 1], LISTS[i][k]);
            }
        }
}

static void folds_the_name_of_a_host(void)
{
    char room[PATTERN_HOST_MAX + 1];
    struct err err = {0};

    CHECK(pattern_host(SPAN("Api.Example.COM"), room, &err) == 0);
    CHECK(strcmp(room, "api.example.com") == 0);
    CHECK(pattern_host(SPAN("*.example.com"), room, &err) == ERR_INVALID);
    CHECK(pattern_host(SPAN("example.com/"), room, &err) == ERR_INVALID);
    CHECK(pattern_host(SPAN(""), room, &err) == ERR_INVALID);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(matches_hosts),
        T(matches_schemes),
        T(matches_paths_and_queries),
        T(refuses_what_is_no_pattern),
        T(refuses_what_is_too_long),
        T(orders_by_how_specific_they_are),
        T(folds_the_name_of_a_host),
        {0},
    };

    return test_main("text_pattern", TESTS, argc, argv);
}
