/* http_answer.c - src/http/answer.c, status.c and text/date.c: nothing a worker
 * says can break out of its line or change the framing. */
#include "http/answer.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"
#include "text/date.h"
#include "text/status.h"

static const struct span DATE = {"Sun, 06 Nov 1994 08:49:37 GMT", 29};

/* A whole head with two fields; "" when it was refused. */
static const char *head_of(struct answer a, const char *name, const char *value)
{
    static char text[1024];
    struct buf out = {0};

    a.date = DATE;
    text[0] = '\0';
    if (answer_begin(&a, &out) == 0 && answer_field(&a, &out, span_of(name), span_of(value)) == 0 &&
        answer_end(&a, &out) == 0) {
        memcpy(text, buf_data(&out), buf_len(&out));
        text[buf_len(&out)] = '\0';
    }
    buf_done(&out);
    return text;
}

#define DATED "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void frames_by_length_status_and_version(void)
{
    static const struct {
        struct answer answer;
        const char *name, *value, *want;
    } CASES[] = {
        {{.status = 200, .minor = 1, .body_length = 5}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Content-Length: 5\r\n\r\n"},
        {{.status = 200, .minor = 1, .body_length = 0}, "A", "",
         "HTTP/1.1 200 OK\r\nA: \r\n" DATED "Content-Length: 0\r\n\r\n"},
        {{.status = 200, .minor = 1, .body_length = -1}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Transfer-Encoding: chunked\r\n\r\n"},
        {{.status = 200, .minor = 0, .body_length = -1}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Connection: close\r\n\r\n"},
        {{.status = 200, .minor = 0, .body_length = 5}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"},
        {{.status = 200, .minor = 1, .body_length = 5, .connection = ANSWER_CLOSE}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Content-Length: 5\r\nConnection: close\r\n\r\n"},
        {{.status = 204, .minor = 1, .body_length = 5}, "A", "b",
         "HTTP/1.1 204 No Content\r\nA: b\r\n" DATED "\r\n"},
        {{.status = 304, .minor = 1, .body_length = 0}, "Content-Length", "7",
         "HTTP/1.1 304 Not Modified\r\n" DATED "\r\n"},
        {{.status = 200, .minor = 1, .is_head = true, .body_length = 5}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Content-Length: 5\r\n\r\n"},
        {{.status = 200, .minor = 1, .is_head = true, .body_length = 0}, "Content-Length", "123",
         "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 123\r\n\r\n"},
        {{.status = 200, .minor = 1, .is_head = true, .body_length = -1}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "\r\n"},
        {{.status = 599, .minor = 1, .body_length = 1234567890123}, "A", "b",
         "HTTP/1.1 599 \r\nA: b\r\n" DATED "Content-Length: 1234567890123\r\n\r\n"},
        {{.status = 200, .text = {"Fine", 4}, .minor = 1}, "Date", "today",
         "HTTP/1.1 200 Fine\r\nDate: today\r\nContent-Length: 0\r\n\r\n"},
        {{.status = 200, .text = {"a\r\nB: c", 7}, .minor = 1}, "A", "b",
         "HTTP/1.1 200 OK\r\nA: b\r\n" DATED "Content-Length: 0\r\n\r\n"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *got = head_of(CASES[i].answer, CASES[i].name, CASES[i].value);
        CHECK(strcmp(got, CASES[i].want) == 0);
        if (strcmp(got, CASES[i].want) != 0)
            printf("case %zu:\n%s", i, got);
    }
}

static void drops_what_the_worker_says_about_framing(void)
{
    static const char *const NAMES[] = {"Content-Length", "transfer-encoding", "Connection", "TE",
                                        "Keep-Alive", "Upgrade", "Trailer", "Proxy-Connection"};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        CHECK(strcmp(head_of((struct answer){.status = 200, .minor = 1, .body_length = 3}, NAMES[i],
                             "9"),
                     "HTTP/1.1 200 OK\r\n" DATED "Content-Length: 3\r\n\r\n") == 0);
}

static void refuses_what_would_split_the_answer(void)
{
    static const struct {
        struct span name, value;
    } CASES[] = {
        {SPAN("A"), SPAN("b\r\nSet-Cookie: c")}, {SPAN("A"), SPAN("b\nC: d")},
        {SPAN("A"), SPAN("b\r")},                {SPAN("A"), SPAN("b\0c")},
        {SPAN("A"), SPAN("\x1b[0m")},            {SPAN("A"), SPAN("\x7f")},
        {SPAN("A\r\nB"), SPAN("c")},             {SPAN("A:"), SPAN("c")},
        {SPAN("A B"), SPAN("c")},                {SPAN(""), SPAN("c")},
        {SPAN("\xc3\xbc"), SPAN("c")},           {SPAN("Content-Length"), SPAN("5\r\nA: b")},
        {SPAN("Connection"), SPAN("close\r\n\r\nHTTP/1.1 200 OK")},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct answer a = {.status = 200, .minor = 1};
        struct buf out = {0};
        CHECK(answer_begin(&a, &out) == 0);
        CHECK(answer_field(&a, &out, CASES[i].name, CASES[i].value) == ERR_INVALID);
        buf_done(&out);
    }
}

static void writes_chunks(void)
{
    static char big[70000];
    struct buf out = {0};

    CHECK(answer_chunk(&out, SPAN("hello")) == 0 &&
          answer_chunk(&out, SPAN("0123456789abcdef")) == 0);
    CHECK(answer_last_chunk(&out) == 0);
    CHECK(span_is(buf_span(&out), "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"));
    buf_done(&out);
    CHECK(answer_chunk(&out, (struct span){big, sizeof big}) == 0);
    CHECK(buf_len(&out) == 7 + sizeof big + 2 && memcmp(buf_data(&out), "11170\r\n", 7) == 0);
    buf_done(&out);
}

static void fails_cleanly_without_memory(void)
{
    int failures = 0;

    for (long n = 0; n < 50; n++) {
        struct answer a = {.status = 200, .minor = 1, .body_length = 300, .date = DATE};
        static char body[300];
        struct buf out = {0};
        mem_fail_after(n);
        int r = answer_begin(&a, &out);
        for (int i = 0; r == 0 && i < 20; i++)
            r = answer_field(&a, &out, SPAN("X-Some-Header"), SPAN("with a value that takes room"));
        if (r == 0)
            r = answer_end(&a, &out);
        if (r == 0)
            r = answer_chunk(&out, (struct span){body, sizeof body});
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        failures += r < 0;
        buf_done(&out);
        if (r == 0)
            break;
    }
    CHECK(failures > 2 && failures < 50);
}

static void knows_dates_and_words(void)
{
    char date[DATE_LEN];

    date_put(784111777, date);
    CHECK(memcmp(date, "Sun, 06 Nov 1994 08:49:37 GMT", DATE_LEN) == 0);
    date_put(0, date);
    CHECK(memcmp(date, "Thu, 01 Jan 1970 00:00:00 GMT", DATE_LEN) == 0);
    date_put(1709210096, date);
    CHECK(memcmp(date, "Thu, 29 Feb 2024 12:34:56 GMT", DATE_LEN) == 0);
    CHECK(span_is(status_text(200), "OK") &&
          span_is(status_text(511), "Network Authentication Required"));
    CHECK(status_text(199).len == 0 && status_text(299).len == 0 &&
          status_text(4000000000u).len == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"frames_by_length_status_and_version", frames_by_length_status_and_version},
        {"drops_what_the_worker_says_about_framing", drops_what_the_worker_says_about_framing},
        {"refuses_what_would_split_the_answer", refuses_what_would_split_the_answer},
        {"writes_chunks", writes_chunks},
        {"fails_cleanly_without_memory", fails_cleanly_without_memory},
        {"knows_dates_and_words", knows_dates_and_words},
        {0},
    };

    return test_main("http_answer", TESTS, argc, argv);
}
