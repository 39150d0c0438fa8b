/* http_request.c - src/http/head.c, chunked.c, body.c: the table of raw
 * messages, whole, byte by byte and cut at every place; and the limits. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http_session.h"
#include "test.h"

enum { BODY_MAX = 1000 };

struct message {
    const char *name, *outcome;
    size_t outcome_len;
    const char *bytes;
    size_t len;
};

#define MESSAGE(name, outcome, bytes)                                                              \
    {#name, outcome, sizeof(outcome) - 1, bytes, sizeof(bytes) - 1},
#define SOURCE(text)
static const struct message MESSAGES_TABLE[] = {
#include "http_messages.h"
};
#undef MESSAGE
#undef SOURCE

enum { COUNT = sizeof MESSAGES_TABLE / sizeof *MESSAGES_TABLE };

/* Feed in pieces of `step` bytes, the first of `first`. */
static bool comes_out(const struct message *m, size_t first, size_t step, bool is_loud)
{
    struct session s;
    struct span got;
    bool is_same;

    session_init(&s, BODY_MAX);
    for (size_t at = 0, n = first; at < m->len; at += n, n = step) {
        if (n > m->len - at)
            n = m->len - at;
        session_feed(&s, m->bytes + at, n);
    }
    got = session_end(&s);
    /* Each reader must refuse by itself: llhttp is never needed for a message of the table. */
    is_same = got.len == m->outcome_len && memcmp(got.data, m->outcome, got.len) == 0 &&
              strcmp(s.why, "ambiguous request") != 0;
    if (!is_same && is_loud)
        printf("  %s (first %zu, then %zu): want \"%s\", got \"%.*s\" (%s)\n", m->name, first, step,
               m->outcome, SPAN_ARG(got), s.why);
    session_done(&s);
    return is_same;
}

static void every_message_whole(void)
{
    CHECK(COUNT >= 500);
    for (size_t i = 0; i < COUNT; i++)
        CHECK(comes_out(&MESSAGES_TABLE[i], MESSAGES_TABLE[i].len, 1, true));
}

static void every_message_byte_by_byte(void)
{
    for (size_t i = 0; i < COUNT; i++)
        CHECK(comes_out(&MESSAGES_TABLE[i], 1, 1, true));
}

static void every_message_cut_everywhere(void)
{
    for (size_t i = 0; i < COUNT; i++)
        for (size_t cut = 1; cut < MESSAGES_TABLE[i].len; cut++)
            CHECK(comes_out(&MESSAGES_TABLE[i], cut, MESSAGES_TABLE[i].len, true));
}

/* ---- limits ---- */

/* before, n times fill, behind -> the outcome, fed whole and in pieces of 1,000. */
static void check_long(const char *before, char fill, size_t n, const char *behind,
                       const char *outcome, size_t outcome_part)
{
    struct message m = {.name = "long", .outcome = outcome};
    size_t a = strlen(before), b = strlen(behind);
    char *bytes = malloc(a + n + b);
    struct session s;

    memcpy(bytes, before, a);
    memset(bytes + a, fill, n);
    memcpy(bytes + a + n, behind, b);
    m.bytes = bytes;
    m.len = a + n + b;
    for (size_t step = 1000; step <= m.len + 1000; step += m.len) {
        struct span got;
        session_init(&s, BODY_MAX);
        for (size_t at = 0; at < m.len; at += step)
            session_feed(&s, bytes + at, m.len - at < step ? m.len - at : step);
        got = session_end(&s);
        CHECK(got.len >= outcome_part && memcmp(got.data, outcome, outcome_part) == 0);
        session_done(&s);
    }
    free(bytes);
}

static void takes_the_longest_request_line_and_no_longer(void)
{
    size_t rest = strlen("GET / HTTP/1.1");

    check_long("GET /", 'x', HEAD_LINE_MAX - rest, " HTTP/1.1\r\nHost: a\r\n\r\n", "GET /xxx", 8);
    check_long("GET /", 'x', HEAD_LINE_MAX - rest + 1, " HTTP/1.1\r\nHost: a\r\n\r\n", "414", 3);
    check_long("GET /", 'x', 100 * 1000, " HTTP/1.1\r\nHost: a\r\n\r\n", "414", 3);
    check_long("GET /", 'x', HEAD_LINE_MAX + 3, "", "414", 3);
    check_long("", 'G', 100 * 1000, "", "414", 3);
}

static void takes_the_largest_head_and_no_larger(void)
{
    size_t rest = strlen("GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n");

    check_long("GET / HTTP/1.1\r\nHost: a\r\nX: ", 'x', HEAD_BYTES_MAX - rest, "\r\n\r\n",
               "GET / @a", 8);
    check_long("GET / HTTP/1.1\r\nHost: a\r\nX: ", 'x', HEAD_BYTES_MAX - rest + 1, "\r\n\r\n",
               "431", 3);
    check_long("GET / HTTP/1.1\r\nHost: a\r\nX: ", 'x', 200 * 1000, "", "431", 3);
}

static void takes_so_many_headers_and_no_more(void)
{
    for (int n = HEAD_FIELDS_MAX - 1; n <= HEAD_FIELDS_MAX; n++) {
        struct session s;
        session_init(&s, BODY_MAX);
        session_feed(&s, "GET / HTTP/1.1\r\nHost: a\r\n", 25);
        for (int i = 0; i < n; i++)
            session_feed(&s, "A:\r\n", 4);
        session_feed(&s, "\r\n", 2);
        CHECK(span_is(session_end(&s), n < HEAD_FIELDS_MAX ? "GET / @a" : "431"));
        session_done(&s);
    }
}

static void takes_the_largest_body_and_no_larger(void)
{
    check_long("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", 'x', 1000, "",
               "POST / @a =xxx", 14);
    check_long("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 'x', 1001, "", "413",
               3);
    check_long("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", 'x', 1000,
               "\r\n0\r\n\r\n", "POST / @a =xxx", 14);
    check_long("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 'x', 1001,
               "\r\n0\r\n\r\n", "413", 3);
    check_long("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", 'x', 1000,
               "\r\n1\r\nx\r\n0\r\n\r\n", "413", 3);
}

static void takes_so_many_trailers_and_no_more(void)
{
    check_long("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", 'x',
               CHUNKED_TRAILERS_MAX - 7, "\r\n\r\n", "POST / @a", 9);
    check_long("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", 'x',
               CHUNKED_TRAILERS_MAX - 6, "\r\n\r\n", "431", 3);
}

static void marks_what_belongs_to_the_connection(void)
{
    static const char BYTES[] =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nKeep-Alive: 1\r\n"
        "TE: trailers\r\nUpgrade: x\r\nTrailer: y\r\nProxy-Connection: z\r\n"
        "Accept: b\r\nTEA: c\r\n\r\n";
    struct head h;
    struct err err;
    int hops = 0;

    head_init(&h);
    CHECK(head_scan(&h, BYTES, sizeof BYTES - 1, 0, &err) == 1);
    CHECK(h.len == sizeof BYTES - 1 && h.field_count == 9 && h.is_keep_alive);
    for (int i = 0; i < h.field_count; i++)
        hops += h.fields[i].is_hop;
    CHECK(hops == 6 && !h.fields[0].is_hop && !h.fields[7].is_hop && !h.fields[8].is_hop);
}

static void builds_the_url_that_the_worker_sees(void)
{
    static const char BYTES[] = "GET http://A:80?x HTTP/1.1\r\nHost: a:80\r\n\r\n";
    static const char OLD[] = "GET /y HTTP/1.0\r\n\r\n";
    struct buf url = {0};
    struct head h;
    struct err err;

    head_init(&h);
    CHECK(head_scan(&h, BYTES, sizeof BYTES - 1, 0, &err) == 1);
    CHECK(head_url(&h, BYTES, SPAN("https"), SPAN("localhost"), &url) == 0);
    CHECK(span_is(buf_span(&url), "https://a:80/?x"));
    buf_done(&url);
    head_init(&h);
    CHECK(head_scan(&h, OLD, sizeof OLD - 1, 0, &err) == 1);
    mem_fail_after(0);
    CHECK(head_url(&h, OLD, SPAN("http"), SPAN("localhost"), &url) == ERR_NOMEM);
    mem_fail_after(-1);
    CHECK(head_url(&h, OLD, SPAN("http"), SPAN("localhost"), &url) == 0);
    CHECK(span_is(buf_span(&url), "http://localhost/y"));
    buf_done(&url);
}

/* What the strict reader says is changed behind its back: the other one objects. */
static void refuses_when_the_two_readers_differ(void)
{
    static const char CHUNKED[] =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char LENGTH[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    static const char NONE[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    static const struct {
        const char *bytes;
        enum head_framing framing;
        int64_t body_length;
        int minor, cut;
    } CASES[] = {
        {CHUNKED, HEAD_LENGTH, 5, 1, 0}, {CHUNKED, HEAD_NO_BODY, 0, 1, 0},
        {LENGTH, HEAD_CHUNKED, -1, 1, 0}, {LENGTH, HEAD_NO_BODY, 0, 1, 0},
        {LENGTH, HEAD_LENGTH, 6, 1, 0},  {NONE, HEAD_LENGTH, 5, 1, 0},
        {NONE, HEAD_CHUNKED, -1, 1, 0},  {NONE, HEAD_NO_BODY, 0, 0, 0},
        {NONE, HEAD_NO_BODY, 0, 1, 2},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct head h;
        struct body b;
        struct err err;
        head_init(&h);
        CHECK(head_scan(&h, CASES[i].bytes, strlen(CASES[i].bytes), BODY_MAX, &err) == 1);
        CHECK(body_begin(&b, &h, CASES[i].bytes, BODY_MAX, &err) == 0);
        h.framing = CASES[i].framing;
        h.body_length = CASES[i].body_length;
        h.minor = (uint8_t)CASES[i].minor;
        h.len -= (uint32_t)CASES[i].cut;
        CHECK(body_begin(&b, &h, CASES[i].bytes, BODY_MAX, &err) == ERR_INVALID && b.status == 400);
    }
}

/* The table as files, one message each: http_request --corpus FOLDER. */
static int write_corpus(const char *folder)
{
    for (size_t i = 0; i < COUNT; i++) {
        char path[512];
        FILE *f;
        snprintf(path, sizeof path, "%s/%s", folder, MESSAGES_TABLE[i].name);
        f = fopen(path, "wb");
        if (!f ||
            fwrite(MESSAGES_TABLE[i].bytes, 1, MESSAGES_TABLE[i].len, f) != MESSAGES_TABLE[i].len)
            return 1;
        fclose(f);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"every_message_whole", every_message_whole},
        {"every_message_byte_by_byte", every_message_byte_by_byte},
        {"every_message_cut_everywhere", every_message_cut_everywhere},
        {"takes_the_longest_request_line_and_no_longer",
         takes_the_longest_request_line_and_no_longer},
        {"takes_the_largest_head_and_no_larger", takes_the_largest_head_and_no_larger},
        {"takes_so_many_headers_and_no_more", takes_so_many_headers_and_no_more},
        {"takes_the_largest_body_and_no_larger", takes_the_largest_body_and_no_larger},
        {"takes_so_many_trailers_and_no_more", takes_so_many_trailers_and_no_more},
        {"marks_what_belongs_to_the_connection", marks_what_belongs_to_the_connection},
        {"builds_the_url_that_the_worker_sees", builds_the_url_that_the_worker_sees},
        {"refuses_when_the_two_readers_differ", refuses_when_the_two_readers_differ},
        {0},
    };

    if (argc == 3 && strcmp(argv[1], "--corpus") == 0)
        return write_corpus(argv[2]);
    return test_main("http_request", TESTS, argc, argv);
}
