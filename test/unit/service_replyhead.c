/* service_replyhead.c - src/service/replyhead.c: heads of strange servers, line by line. */
#include "service/replyhead.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

/* Feed lines; the last result. */
static int feed(struct replyhead *h, struct err *err, const char *const *lines)
{
    int r = 0;

    for (; *lines && r == 0; lines++)
        r = replyhead_line(h, span_of(*lines), err);
    return r;
}

static void a_head_comes_line_by_line(void)
{
    static const char *const LINES[] = {"HTTP/1.1 404 Not  Found\r\n",
                                        "Set-Cookie: a=1\r\n",
                                        "SET-COOKIE:b=2 \r\n",
                                        "Connection: close\r\n",
                                        "Empty:\r\n",
                                        "\r\n",
                                        NULL};
    struct replyhead h = {0};
    struct pairs pairs;
    struct span name, value;
    struct err err = {0};
    size_t at = 0;

    CHECK(feed(&h, &err, LINES) == 1);
    CHECK(h.status == 404 && h.count == 3 && h.is_whole);
    CHECK(span_is(buf_span(&h.reason), "Not  Found"));
    pairs = (struct pairs){buf_span(&h.fields), h.count};
    CHECK(pairs_next(&pairs, &at, &name, &value) && span_is(name, "set-cookie"));
    CHECK(span_is(value, "a=1"));
    CHECK(pairs_next(&pairs, &at, &name, &value) && span_is(name, "set-cookie"));
    CHECK(span_is(value, "b=2"));
    CHECK(pairs_next(&pairs, &at, &name, &value) && span_is(name, "empty") && value.len == 0);
    /* Trailers are nobody's. */
    CHECK(replyhead_line(&h, SPAN("Late: x\r\n"), &err) == 0 && h.count == 3);
    replyhead_done(&h);
}

static void an_exact_head_stays_as_it_came(void)
{
    static const char *const LINES[] = {"HTTP/1.1 200 OK", "X-Case: 1", "Connection: close", "",
                                        NULL};
    struct replyhead h = {.is_exact = true};
    struct pairs pairs;
    struct span name, value;
    struct err err = {0};
    size_t at = 0;

    CHECK(feed(&h, &err, LINES) == 1 && h.count == 2);
    pairs = (struct pairs){buf_span(&h.fields), h.count};
    CHECK(pairs_next(&pairs, &at, &name, &value) && span_is(name, "X-Case"));
    CHECK(pairs_next(&pairs, &at, &name, &value) && span_is(name, "Connection"));
    replyhead_done(&h);
}

static void interim_answers_are_forgotten(void)
{
    static const char *const LINES[] = {
        "HTTP/1.1 100 Continue", "a: b", "", "HTTP/2 200 ", "c: d", "", NULL};
    struct replyhead h = {0};
    struct err err = {0};

    CHECK(feed(&h, &err, LINES) == 1);
    CHECK(h.status == 200 && h.count == 1 && buf_len(&h.reason) == 0);
    replyhead_done(&h);
}

static void what_cannot_be_passed_on_is_refused(void)
{
    static const char *const BAD[] = {
        "HTTP/1.1",
        "HTTP/1.1 20",
        "HTTP/1.1 2000 x",
        "HTTP/1.1 0x1 x",
        "HTTP/1.1 600 x",
        "HTTP/1.1 099 x",
        "a: b",
        "",
    };
    static const char *const BAD_FIELDS[] = {"no colon", ": x",      "a b: x",
                                             " a: x",    "a: x\x01", "a: \rx"};

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct replyhead h = {0};
        struct err err = {0};
        CHECK(replyhead_line(&h, span_of(BAD[i]), &err) == ERR_INVALID);
        replyhead_done(&h);
    }
    for (size_t i = 0; i < sizeof BAD_FIELDS / sizeof *BAD_FIELDS; i++) {
        struct replyhead h = {0};
        struct err err = {0};
        CHECK(replyhead_line(&h, SPAN("HTTP/1.1 200 OK"), &err) == 0);
        CHECK(replyhead_line(&h, span_of(BAD_FIELDS[i]), &err) == ERR_INVALID);
        replyhead_done(&h);
    }
}

static void heads_are_bounded(void)
{
    static char big[REPLYHEAD_BYTES_MAX + 8] = "a: ";
    struct replyhead h = {0};
    struct err err = {0};
    int r = 0, n = 0;

    CHECK(replyhead_line(&h, SPAN("HTTP/1.1 200 OK"), &err) == 0);
    for (; r == 0 && n < 1000; n++)
        r = replyhead_line(&h, SPAN("a: b"), &err);
    CHECK(r == ERR_LIMIT && n == REPLYHEAD_FIELDS_MAX + 1);
    replyhead_done(&h);
    h = (struct replyhead){0};
    memset(big + 3, 'x', sizeof big - 3);
    CHECK(replyhead_line(&h, SPAN("HTTP/1.1 200 OK"), &err) == 0);
    CHECK(replyhead_line(&h, (struct span){big, sizeof big}, &err) == ERR_LIMIT);
    CHECK(strstr(err.text, "131072") != NULL);
    replyhead_done(&h);
}

/* All that is not kept here is kept by libcurl. */
static void interim_answers_and_trailers_are_bounded(void)
{
    static const char *const INTERIM[] = {"HTTP/1.1 103 x", "a: b", "", NULL};
    static const char *const HEAD[] = {"HTTP/1.1 200 OK", "", NULL};
    static char long_trailer[60 * 1024] = "a: ";
    struct replyhead h = {0};
    struct err err = {0};
    int r = 0, n = 0;

    for (; r == 0 && n < 10000; n++)
        r = feed(&h, &err, INTERIM);
    CHECK(r == ERR_LIMIT && n == REPLYHEAD_LINES_MAX / 3 + 1);
    replyhead_done(&h);
    h = (struct replyhead){0};
    memset(long_trailer + 3, 'x', sizeof long_trailer - 3);
    CHECK(feed(&h, &err, HEAD) == 1);
    for (r = n = 0; r == 0 && n < 10000; n++)
        r = replyhead_line(&h, (struct span){long_trailer, sizeof long_trailer}, &err);
    CHECK(r == ERR_LIMIT && n == REPLYHEAD_HEARD_MAX / (int)sizeof long_trailer + 1);
    replyhead_done(&h);
}

static void a_length_has_one_meaning(void)
{
    static const char *const GOOD[] = {"5", "5, 5", "0", "9223372036854775807"};
    static const char *const BAD[] = {
        "", "-5", "+5", "0x5", "5, 6", "5,", "5 5", "5.0", "99999999999999999999999"};
    char line[64];

    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        struct replyhead h = {0};
        struct err err = {0};
        snprintf(line, sizeof line, "Content-Length: %s", GOOD[i]);
        CHECK(replyhead_line(&h, SPAN("HTTP/1.1 200 OK"), &err) == 0);
        CHECK(replyhead_line(&h, span_of(line), &err) == 0);
        CHECK(replyhead_line(&h, span_of(line), &err) == 0);
        CHECK(replyhead_line(&h, SPAN("content-length: 7"), &err) == ERR_INVALID);
        replyhead_done(&h);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct replyhead h = {0};
        struct err err = {0};
        snprintf(line, sizeof line, "content-length: %s", BAD[i]);
        CHECK(replyhead_line(&h, SPAN("HTTP/1.1 200 OK"), &err) == 0);
        CHECK(replyhead_line(&h, span_of(line), &err) == ERR_INVALID);
        replyhead_done(&h);
    }
}

static void survives_without_memory(void)
{
    static const char *const LINES[] = {"HTTP/1.1 200 OK", "a: b", "", NULL};

    for (int n = 0;; n++) {
        struct replyhead h = {0};
        struct err err = {0};
        int r;
        mem_fail_after(n);
        r = feed(&h, &err, LINES);
        mem_fail_after(-1);
        replyhead_done(&h);
        CHECK(r == 1 || r == ERR_NOMEM);
        if (r == 1)
            break;
    }
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(a_head_comes_line_by_line),
        T(an_exact_head_stays_as_it_came),
        T(interim_answers_are_forgotten),
        T(what_cannot_be_passed_on_is_refused),
        T(heads_are_bounded),
        T(interim_answers_and_trailers_are_bounded),
        T(a_length_has_one_meaning),
        T(survives_without_memory),
        {0},
    };

    return test_main("service_replyhead", TESTS, argc, argv);
}
