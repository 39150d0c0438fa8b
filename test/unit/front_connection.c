/* front_connection.c - src/front over real loopback sockets, with a herd that
 * the test plays (front_fake.h).  Time is the fake clock; the loop runs until
 * something that the test waits for has happened. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/front.h"
#include "front_fake.h"
#include "test.h"

/* Real time after which a wait counts as failed: the kernel may hold bytes
 * back for some hundred milliseconds, and the machine may be busy. */
static const uint64_t PATIENCE_NS = 20ull * 1000 * 1000 * 1000;

static uv_loop_t loop;
static struct front *front;
static int port;
static struct pool pool;
static int64_t now_ms;
static int log_fd = -1;

/* ---- set-up ---- */

static void set_up(struct front_config config)
{
    struct err err;

    now_ms = 1000000;
    clock_fake(now_ms);
    pool = (struct pool){.window = 256 * 1024};
    config.timeouts.sweep_ms = 1;
    CHECK(uv_loop_init(&loop) == 0);
    CHECK(front_open(&loop, &config, &front, &err) == 0);
    CHECK(front_listen(front, "127.0.0.1", 0, &port, &err) == 0);
    front_set_pool(front, &pool);
}

static void note(void *self) { *(bool *)self = true; }

static void tear_down(void)
{
    bool is_closed = false;

    front_close(front, note, &is_closed);
    CHECK(!is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed);
    CHECK(uv_loop_close(&loop) == 0);
    fake_reset();
    clock_fake(-1);
}

static void turn(void) { uv_run(&loop, UV_RUN_NOWAIT); }

/* Run the loop until cond holds. */
#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t start_ = uv_hrtime();                                                             \
        bool holds_ = false;                                                                       \
        while (!(holds_ = (cond)) && uv_hrtime() - start_ < PATIENCE_NS)                           \
            turn();                                                                                \
        if (!holds_) {                                                                             \
            printf("  %s:%d: never: %s\n", __FILE__, __LINE__, #cond);                            \
            exit(1);    /* what follows relies on it */                                            \
        }                                                                                          \
    } while (0)

/* The same while the fake clock goes on, a millisecond a turn. */
#define UNTIL_PASSED(cond)                                                                         \
    UNTIL((now_ms++, clock_fake(now_ms), cond))

static void pass(int ms)
{
    now_ms += ms;
    clock_fake(now_ms);
    /* The sweep runs on the loop's own clock, every millisecond. */
    for (uint64_t start = uv_hrtime(); uv_hrtime() - start < 4 * 1000 * 1000;)
        turn();
}

/* ---- a client ---- */

struct client {
    int fd;
    bool is_closed, is_reset;
    struct buf got;
};

static struct client client_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(c.fd, (struct sockaddr *)&address, sizeof address) == 0);
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    return c;
}

static void client_done(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    buf_done(&c->got);
    c->fd = -1;
}

static bool client_read(struct client *c)
{
    char *room;
    ssize_t n;

    while (!c->is_closed) {
        if (buf_reserve(&c->got, 4096, &room) < 0 && buf_reserve(&c->got, 4096, &room) < 0)
            abort();
        n = recv(c->fd, room, 4096, 0);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n > 0)
            buf_commit(&c->got, (size_t)n);
        c->is_reset = n < 0;
        c->is_closed = n <= 0;
    }
    return true;
}

static void client_send_bytes(struct client *c, const char *bytes, size_t len)
{
    uint64_t start = uv_hrtime();

    while (len > 0 && uv_hrtime() - start < PATIENCE_NS) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN) {
            break;
        }
        turn();
    }
    CHECK(len == 0);
}

static void client_send(struct client *c, const char *text)
{
    client_send_bytes(c, text, strlen(text));
}

static bool client_has(struct client *c, const char *text)
{
    client_read(c);
    return buf_len(&c->got) > 0 &&
           memmem(buf_data(&c->got), buf_len(&c->got), text, strlen(text)) != NULL;
}

static int client_count(struct client *c, const char *text)
{
    const char *at = buf_data(&c->got), *end = at + buf_len(&c->got);
    int n = 0;

    while (buf_len(&c->got) > 0 && (at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
        at += strlen(text);
        n++;
    }
    return n;
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- requests and answers ---- */

static void gives_the_request_to_the_pool_and_the_answer_to_the_client(void)
{
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET /x?y HTTP/1.1\r\nHost: a.b:1\r\nConnection: keep-alive\r\nX-One: 1\r\n"
                    "Upgrade: h2c\r\nx-one: 2\r\n\r\n");
    UNTIL(fake_count == 1);
    CHECK(strcmp(fake_calls[0]->method, "GET") == 0);
    CHECK(strcmp(fake_calls[0]->url, "http://a.b:1/x?y") == 0);
    CHECK(strcmp(fake_calls[0]->headers, "Host: a.b:1\nX-One: 1\nx-one: 2\n") == 0);
    CHECK(fake_calls[0]->has_body_end && fake_calls[0]->body_length == 0);
    fake_head(fake_calls[0], 201, "A: 1\na: 2\nContent-Length: 99\n", 5);
    fake_body(fake_calls[0], "hello", 5, true);
    UNTIL(client_has(&c, "hello"));
    CHECK(client_has(&c, "HTTP/1.1 201 Created\r\nA: 1\r\na: 2\r\nDate: "));
    CHECK(client_has(&c, "GMT\r\nContent-Length: 5\r\n\r\nhello"));
    /* And again on the same connection. */
    client_send(&c, GET);
    UNTIL(fake_count == 2);
    fake_answer(fake_calls[1], "");
    UNTIL(client_has(&c, "Content-Length: 0\r\n\r\n"));
    CHECK(!c.is_closed && front_connections(front) == 1);
    client_done(&c);
    UNTIL(front_connections(front) == 0);
    tear_down();
}

static void answers_pipelined_requests_one_by_one_in_order(void)
{
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n"
                    "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        UNTIL(fake_count == i + 1);
        for (int n = 0; n < 10; n++)
            turn();
        CHECK(fake_count == i + 1);     /* the next one waits for this answer */
        fake_answer(fake_calls[i], fake_calls[i]->url);
    }
    UNTIL(client_has(&c, "http://a/3"));
    CHECK(span_is(buf_span(&fake_calls[1]->body), "abc"));
    CHECK(strstr(buf_data(&c.got), "/1") < strstr(buf_data(&c.got), "/2"));
    client_done(&c);
    tear_down();
}

static void streams_an_answer_of_unknown_length(void)
{
    struct client c, old;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", -1);
    UNTIL(client_has(&c, "Transfer-Encoding: chunked\r\n\r\n"));
    fake_body(fake_calls[0], "one", 3, false);
    UNTIL(client_has(&c, "3\r\none\r\n"));
    UNTIL(fake_calls[0]->credited == 3);
    fake_body(fake_calls[0], "", 0, true);
    UNTIL(client_has(&c, "0\r\n\r\n"));
    CHECK(!client_read(&c));
    client_done(&c);
    old = client_connect();
    client_send(&old, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    UNTIL(fake_count == 2);
    CHECK(strcmp(fake_calls[1]->url, "http://localhost/") == 0);
    fake_head(fake_calls[1], 200, "", -1);
    fake_body(fake_calls[1], "one", 3, true);
    UNTIL(client_read(&old));
    CHECK(client_has(&old, "Connection: close\r\n\r\none") && !client_has(&old, "chunked"));
    client_done(&old);
    tear_down();
}

static void sends_no_body_for_head_and_204(void)
{
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" GET);
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", 5);
    fake_body(fake_calls[0], "he", 2, false);
    UNTIL(fake_calls[0]->credited == 2);
    fake_body(fake_calls[0], "llo", 3, true);
    UNTIL(fake_count == 2);
    fake_head(fake_calls[1], 204, "", 4);
    fake_body(fake_calls[1], "body", 4, true);
    UNTIL(client_has(&c, "204 No Content"));
    CHECK(client_has(&c, "Content-Length: 5\r\n\r\nHTTP/1.1 204"));
    CHECK(!client_has(&c, "body") && !client_has(&c, "hello"));
    client_done(&c);
    tear_down();
}

static void refuses_and_closes_politely(void)
{
    static char junk[300 * 1024];
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n");
    client_send_bytes(&c, junk, sizeof junk);   /* the answer must survive this */
    UNTIL(client_read(&c));
    CHECK(!c.is_reset && client_has(&c, "HTTP/1.1 413 ") && client_has(&c, "Connection: close"));
    CHECK(fake_count == 0);
    client_done(&c);
    UNTIL(front_connections(front) == 0);
    tear_down();
}

static void answers_a_broken_chunk_and_ends_the_call(void)
{
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    UNTIL(fake_count == 1 && buf_len(&fake_calls[0]->body) == 2);
    client_send(&c, "2;x\r\n");
    UNTIL(client_read(&c));
    CHECK(client_has(&c, "HTTP/1.1 400 ") && fake_calls[0]->aborted != 0);
    client_done(&c);
    tear_down();
}

/* ---- bodies and back-pressure ---- */

static void passes_a_body_as_the_window_opens(void)
{
    static char bytes[300 * 1024];
    struct client c;

    set_up((struct front_config){0});
    pool.window = 0;
    memset(bytes, 'x', sizeof bytes);
    c = client_connect();
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 307200\r\n\r\n");
    client_send_bytes(&c, bytes, 64 * 1024);
    UNTIL(fake_count == 1);
    CHECK(fake_calls[0]->body_length == 307200 && !fake_calls[0]->has_body_end);
    for (int i = 0; i < 100; i++)
        turn();
    CHECK(buf_len(&fake_calls[0]->body) == 0);
    fake_open_window(fake_calls[0], 1000);
    UNTIL(buf_len(&fake_calls[0]->body) == 1000);
    fake_open_window(fake_calls[0], 1000 * 1000);
    client_send_bytes(&c, bytes, sizeof bytes - 64 * 1024);
    UNTIL(fake_calls[0]->has_body_end);
    CHECK(buf_len(&fake_calls[0]->body) == sizeof bytes);
    fake_answer(fake_calls[0], "ok");
    UNTIL(client_has(&c, "\r\n\r\nok"));
    client_done(&c);
    tear_down();
}

static void stops_reading_while_the_worker_takes_nothing(void)
{
    static char bytes[64 * 1024];
    struct client c;
    size_t sent = 0;
    int idle = 0;

    set_up((struct front_config){0});
    pool.window = 0;
    c = client_connect();
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    while (idle < 2000) {
        ssize_t n = send(c.fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        idle = n > 0 ? 0 : idle + 1;
        sent += n > 0 ? (size_t)n : 0;
        turn();
    }
    CHECK(sent < 20 * 1000 * 1000);     /* the kernel's buffers, not ours */
    CHECK(fake_count == 1 && buf_len(&fake_calls[0]->body) == 0);
    client_done(&c);
    tear_down();
}

static void credits_only_what_the_client_takes(void)
{
    static char bytes[64 * 1024];
    struct client c;
    size_t given = 0;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", 100 * 1000 * 1000);
    /* A worker with a window of 256 KiB and a client that reads nothing. */
    for (int i = 0; i < 3000; i++) {
        if (given - fake_calls[0]->credited + sizeof bytes <= 256 * 1024) {
            fake_body(fake_calls[0], bytes, sizeof bytes, false);
            given += sizeof bytes;
        }
        turn();
    }
    CHECK(given < 20 * 1000 * 1000 && given > fake_calls[0]->credited);
    /* The client reads: everything goes on, byte for byte. */
    while (given < 40 * 1000 * 1000 && !c.is_closed) {
        client_read(&c);
        if (given - fake_calls[0]->credited + sizeof bytes <= 256 * 1024) {
            fake_body(fake_calls[0], bytes, sizeof bytes, false);
            given += sizeof bytes;
        }
        turn();
    }
    UNTIL((client_read(&c), fake_calls[0]->credited == given));
    UNTIL((client_read(&c), buf_len(&c.got) > given));
    client_done(&c);
    UNTIL_PASSED(fake_calls[0]->aborted == RESET_CLIENT_GONE);
    tear_down();
}

static void asks_for_the_body_only_when_it_is_wanted(void)
{
    struct client c;

    set_up((struct front_config){0});
    pool.window = 0;
    c = client_connect();
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    UNTIL(fake_count == 1);
    for (int i = 0; i < 100; i++)
        turn();
    CHECK(!client_has(&c, "HTTP"));
    fake_open_window(fake_calls[0], 100);
    UNTIL(client_has(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
    client_send(&c, "hello");
    UNTIL(fake_calls[0]->has_body_end);
    fake_answer(fake_calls[0], "thanks");
    UNTIL(client_has(&c, "thanks"));
    CHECK(client_count(&c, "100 Continue") == 1 && !client_has(&c, "Connection: close"));
    /* An answer before the body was asked for ends the connection. */
    pool.window = 0;
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    UNTIL(fake_count == 2);
    fake_answer(fake_calls[1], "no");
    UNTIL(client_read(&c));
    CHECK(client_count(&c, "100 Continue") == 1 && client_has(&c, "Connection: close\r\n\r\nno"));
    client_done(&c);
    tear_down();
}

static void throws_away_a_body_nobody_reads(void)
{
    static char bytes[100 * 1024];
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    /* Answered early: the rest is read and the connection goes on. */
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 102400\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_calls[0]->events->unwanted(fake_calls[0]->self);
    fake_answer(fake_calls[0], "early");
    UNTIL(client_has(&c, "early"));
    client_send_bytes(&c, bytes, sizeof bytes);
    client_send(&c, GET);
    UNTIL(fake_count == 2);
    fake_answer(fake_calls[1], "next");
    UNTIL(client_has(&c, "next"));
    /* Too much of it: the connection ends, and says so when it can know. */
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    UNTIL(fake_count == 3);
    fake_calls[2]->events->unwanted(fake_calls[2]->self);
    fake_answer(fake_calls[2], "large");
    UNTIL(client_read(&c));
    CHECK(client_has(&c, "Connection: close\r\n\r\nlarge"));
    client_done(&c);
    tear_down();
}

/* ---- failures ---- */

static void shows_tracebacks_in_development_only(void)
{
    static const char TRACE[] = "Traceback (most recent call last):\n  <b>\nValueError: x\n";
    struct client c;

    set_up((struct front_config){.show_errors = true});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_fail(fake_calls[0], CALL_EXCEPTION, TRACE);
    UNTIL(client_has(&c, "ValueError"));
    CHECK(client_has(&c, "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain"));
    CHECK(client_has(&c, "\r\n\r\nPythonError: Traceback (most recent call last):\n  <b>\n"));
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
    UNTIL(fake_count == 2);
    fake_fail(fake_calls[1], CALL_EXCEPTION, TRACE);
    UNTIL(client_has(&c, "</html>"));
    CHECK(client_has(&c, "text/html; charset=utf-8") && client_has(&c, "&lt;b&gt;"));
    CHECK(client_has(&c, "<pre>PythonError: Traceback"));
    client_done(&c);
    tear_down();

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_fail(fake_calls[0], CALL_EXCEPTION, TRACE);
    UNTIL(client_has(&c, "\r\n\r\nInternal Server Error\n"));
    CHECK(!client_has(&c, "Traceback"));
    client_done(&c);
    tear_down();
}

static void maps_failures_to_statuses(void)
{
    static const struct {
        enum call_failure why;
        const char *want;
    } CASES[] = {
        {CALL_OVERLOADED, "HTTP/1.1 503 Service Unavailable"},
        {CALL_NOT_LOADED, "HTTP/1.1 500 "},
        {CALL_BAD_RESULT, "HTTP/1.1 500 "},
        {CALL_CRASHED, "HTTP/1.1 502 "},
    };

    set_up((struct front_config){0});
    for (int i = 0; i < 4; i++) {
        struct client c = client_connect();
        client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        UNTIL(fake_count == i + 1);
        fake_fail(fake_calls[i], CASES[i].why, "text");
        UNTIL(client_has(&c, CASES[i].want));
        CHECK((CASES[i].why == CALL_OVERLOADED) == client_has(&c, "Retry-After: 1\r\n"));
        CHECK(!client_has(&c, "Connection: close"));
        client_done(&c);
    }
    tear_down();
}

static void sends_a_safe_request_again_when_its_instance_died(void)
{
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET /safe HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_fail(fake_calls[0], CALL_CRASHED, "");
    UNTIL(fake_count == 2);
    CHECK(strcmp(fake_calls[1]->url, "http://a/safe") == 0);
    CHECK(strcmp(fake_calls[1]->headers, fake_calls[0]->headers) == 0);
    fake_fail(fake_calls[1], CALL_CRASHED, "");
    UNTIL(client_has(&c, "HTTP/1.1 502 "));
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 3);
    fake_fail(fake_calls[2], CALL_CRASHED, "");
    UNTIL((client_read(&c), client_count(&c, "HTTP/1.1 502 ") == 2));
    client_send(&c, GET);
    UNTIL(fake_count == 4);
    fake_head(fake_calls[3], 200, "", 10);
    fake_fail(fake_calls[3], CALL_CRASHED, "");     /* after its head: no second try */
    UNTIL(client_read(&c));
    CHECK(fake_count == 4);
    client_done(&c);
    tear_down();
}

static void does_not_trust_the_worker(void)
{
    static const struct {
        unsigned status;
        const char *headers;
        int64_t length;
        const char *body, *want;
    } CASES[] = {
        {100, "", 5, "hello", "HTTP/1.1 502 "},
        {600, "", 5, "hello", "HTTP/1.1 502 "},
        {200, "A: b\r\r\rX\n", 5, "hello", "HTTP/1.1 502 "},
        {200, "A B: c\n", 5, "hello", "HTTP/1.1 502 "},
        {200, "", 5, "hello!", "Content-Length: 5\r\n\r\n"},    /* cut, not padded */
        {200, "", 5, "hell", "Content-Length: 5\r\n\r\n"},
    };

    set_up((struct front_config){0});
    for (int i = 0; i < 6; i++) {
        struct client c = client_connect();
        client_send(&c, GET);
        UNTIL(fake_count == i + 1);
        fake_head(fake_calls[i], CASES[i].status, CASES[i].headers, CASES[i].length);
        fake_body(fake_calls[i], CASES[i].body, strlen(CASES[i].body), true);
        UNTIL(client_read(&c));
        CHECK(client_has(&c, CASES[i].want) && !client_has(&c, "hello"));
        client_done(&c);
    }
    tear_down();
}

static void resets_where_only_the_close_would_end_the_answer(void)
{
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET / HTTP/1.0\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", -1);
    fake_body(fake_calls[0], "part", 4, false);
    UNTIL(client_has(&c, "part"));
    fake_fail(fake_calls[0], CALL_CUT, "");
    UNTIL(client_read(&c));
    CHECK(c.is_reset);
    client_done(&c);
    tear_down();
}

static void says_overloaded_when_the_pool_refuses(void)
{
    struct client c;

    set_up((struct front_config){0});
    pool.refuse = ERR_LIMIT;
    c = client_connect();
    client_send(&c, GET);
    UNTIL(client_has(&c, "HTTP/1.1 503 "));
    CHECK(client_has(&c, "Retry-After: 1\r\n"));
    pool.refuse = 0;
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    client_done(&c);
    UNTIL_PASSED(fake_calls[0]->is_over);
    tear_down();
}

/* ---- pools, pages, waiting ---- */

static void switches_pools_and_pages_for_new_requests(void)
{
    struct pool second = {.window = 1000};
    struct client a, b;
    struct err err;

    set_up((struct front_config){0});
    a = client_connect();
    b = client_connect();
    client_send(&a, GET);
    UNTIL(fake_count == 1);
    front_set_pool(front, &second);
    client_send(&b, GET);
    UNTIL(fake_count == 2);
    CHECK(fake_calls[0]->pool == &pool && fake_calls[1]->pool == &second);
    CHECK(front_set_page(front, 500, SPAN("syntax error\n"), SPAN("<p>syntax"), &err) == 0);
    fake_answer(fake_calls[0], "from the first");
    UNTIL(client_has(&a, "from the first"));
    client_send(&a, GET);
    UNTIL(client_has(&a, "\r\n\r\nsyntax error\n"));
    client_send(&a, "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    UNTIL(client_has(&a, "\r\n\r\n<p>syntax"));
    CHECK(fake_count == 2);
    client_done(&a);
    client_done(&b);
    UNTIL_PASSED(fake_calls[1]->is_over);
    tear_down();
}

static void lets_requests_wait_for_a_pool(void)
{
    struct client c[3];

    set_up((struct front_config){.waiting_max = 2, .timeouts = {.pool_ms = 30000}});
    front_set_pool(front, NULL);
    for (int i = 0; i < 3; i++) {
        c[i] = client_connect();
        client_send(&c[i], GET);
        for (int n = 0; n < 100; n++)
            turn();
    }
    UNTIL(client_has(&c[2], "HTTP/1.1 503 "));      /* one too many */
    client_done(&c[1]);                             /* and one that gives up */
    UNTIL_PASSED(front_connections(front) == 2);
    front_set_pool(front, &pool);
    UNTIL(fake_count == 1);
    fake_answer(fake_calls[0], "at last");
    UNTIL(client_has(&c[0], "at last"));
    front_set_pool(front, NULL);
    client_send(&c[0], GET);
    for (int n = 0; n < 100; n++)
        turn();
    pass(29000);
    CHECK(!client_has(&c[0], "503"));
    pass(1001);
    UNTIL(client_has(&c[0], "HTTP/1.1 503 "));
    client_done(&c[0]);
    client_done(&c[2]);
    tear_down();
}

/* ---- time ---- */

static void closes_what_is_slow(void)
{
    struct client head, body, idle, quiet;

    set_up((struct front_config){0});
    head = client_connect();
    body = client_connect();
    idle = client_connect();
    quiet = client_connect();
    client_send(&head, "GET / HTTP/1.1\r\n");
    client_send(&body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123");
    UNTIL(fake_count == 1);
    client_send(&quiet, GET);
    UNTIL(fake_count == 2);
    pass(9000);
    client_send(&head, "Host: a\r\n");      /* does not buy more time */
    client_send(&body, "4");                /* this does */
    pass(1001);
    UNTIL(client_read(&head));
    CHECK(client_has(&head, "HTTP/1.1 408 Request Timeout"));
    CHECK(!client_read(&body) && !client_read(&idle));
    pass(27000);
    CHECK(!client_has(&body, "408"));
    pass(3000);
    UNTIL(client_read(&body));
    CHECK(client_has(&body, "HTTP/1.1 408 ") && fake_calls[0]->aborted != 0);
    pass(20000);
    UNTIL(client_read(&idle));
    CHECK(buf_len(&idle.got) == 0);
    CHECK(!client_read(&quiet));
    pass(41000);
    UNTIL(client_has(&quiet, "HTTP/1.1 504 "));
    CHECK(fake_calls[1]->aborted == RESET_DEADLINE);
    client_done(&head);
    client_done(&body);
    client_done(&idle);
    client_done(&quiet);
    tear_down();
}

static void closes_a_client_that_does_not_read(void)
{
    static char bytes[64 * 1024];
    struct client c;
    int turns = 0;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", -1);
    for (size_t given = 0; turns < 2000; turns++) {
        if (given - fake_calls[0]->credited <= 256 * 1024) {
            fake_body(fake_calls[0], bytes, sizeof bytes, false);
            given += sizeof bytes;
        }
        turn();
    }
    pass(59000);
    CHECK(front_connections(front) == 1);
    pass(1001);
    UNTIL(front_connections(front) == 0);
    CHECK(fake_calls[0]->aborted == RESET_CLIENT_GONE);
    client_done(&c);
    tear_down();
}

static void ends_the_call_of_a_client_that_left(void)
{
    struct client c, half;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    client_done(&c);
    for (int i = 0; i < 100; i++)
        turn();
    pass(251);
    UNTIL(fake_calls[0]->aborted == RESET_CLIENT_GONE);
    UNTIL(front_connections(front) == 0);
    /* Half a close with an answer soon behind it is served. */
    half = client_connect();
    client_send(&half, GET GET);
    shutdown(half.fd, SHUT_WR);
    UNTIL(fake_count == 2);
    fake_answer(fake_calls[1], "one");
    UNTIL(fake_count == 3);
    fake_answer(fake_calls[2], "two");
    UNTIL(client_read(&half));
    CHECK(client_has(&half, "one") && client_has(&half, "two") && !half.is_reset);
    client_done(&half);
    tear_down();
}

static void drains(void)
{
    struct client busy, idle, late;
    bool is_drained = false;

    set_up((struct front_config){0});
    busy = client_connect();
    idle = client_connect();
    late = client_connect();
    client_send(&busy, GET);
    client_send(&late, GET);
    UNTIL(fake_count == 2 && front_connections(front) == 3);
    front_drain(front, note, &is_drained);
    CHECK(!is_drained);
    UNTIL(client_read(&idle));
    CHECK(!is_drained && !client_read(&busy));
    fake_answer(fake_calls[0], "done");
    UNTIL(client_read(&busy));
    CHECK(client_has(&busy, "Connection: close\r\n\r\ndone"));
    CHECK(!is_drained);
    pass(30001);                    /* the deadline cuts the last one */
    UNTIL(is_drained);
    CHECK(client_read(&late) && fake_calls[1]->aborted != 0);
    client_done(&busy);
    client_done(&idle);
    client_done(&late);
    tear_down();
}

static void refuses_a_connection_too_many(void)
{
    struct client a, b;

    set_up((struct front_config){.connections_max = 1});
    a = client_connect();
    UNTIL(front_connections(front) == 1);
    b = client_connect();
    UNTIL(client_read(&b));
    CHECK(client_has(&b, "HTTP/1.1 503 "));
    client_send(&a, GET);
    UNTIL(fake_count == 1);
    fake_answer(fake_calls[0], "fine");
    UNTIL(client_has(&a, "fine"));
    client_done(&a);
    client_done(&b);
    tear_down();
}

static void writes_an_access_log(void)
{
    char text[512];
    struct client c;
    int fds[2];
    ssize_t n;

    CHECK(pipe(fds) == 0);
    set_up((struct front_config){.access_log = true});
    log_set_fd(fds[1]);
    log_set_level(LOG_INFO);
    c = client_connect();
    client_send(&c, "GET /a?b=\\x HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 1);
    clock_fake(now_ms += 3);
    fake_answer(fake_calls[0], "x");
    UNTIL(client_has(&c, "\r\n\r\nx"));
    n = read(fds[0], text, sizeof text);
    CHECK(n > 0 && span_is((struct span){text, (size_t)n}, "[corral:inf] GET /a?b=\\x 200 OK (3ms)\n"));
    log_set_fd(log_fd);
    close(fds[0]);
    close(fds[1]);
    client_done(&c);
    tear_down();
}

/* ---- memory ---- */

static void survives_every_failed_allocation(void)
{
    static const char TWO[] = "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n0\r\n\r\n" GET;
    int whole = 0;

    for (long n = 0; n < 60 && whole < 3; n++) {
        struct client c;
        int answered = 0;
        set_up((struct front_config){0});
        mem_fail_after(n);
        c = client_connect();
        /* Sent in two parts, so that unread bytes are kept as well. */
        send(c.fd, TWO, 70, MSG_NOSIGNAL);
        for (int i = 0; i < 20; i++)
            turn();
        send(c.fd, TWO + 70, sizeof TWO - 71, MSG_NOSIGNAL);
        for (int i = 0; i < 200; i++) {
            turn();
            if (answered < fake_count && !fake_calls[answered]->is_over) {
                fake_head(fake_calls[answered], 200, "Some: header\n", -1);
                fake_body(fake_calls[answered], "some bytes", 10, true);
            }
            answered += answered < fake_count;
        }
        mem_fail_after(-1);
        client_read(&c);
        whole += client_count(&c, "0\r\n\r\n") == 2;
        client_done(&c);
        tear_down();
    }
    CHECK(whole == 3);
}

static void opens_or_fails_cleanly_without_memory(void)
{
    struct front_config config = {0};
    struct err err;
    bool is_closed = false;
    int failures = 0;

    CHECK(uv_loop_init(&loop) == 0);
    for (long n = 0; n < 20; n++) {
        mem_fail_after(n);
        int r = front_open(&loop, &config, &front, &err);
        mem_fail_after(-1);
        if (r == 0)
            break;
        CHECK(r == ERR_NOMEM);
        failures++;
    }
    CHECK(failures == 3);
    mem_fail_after(0);
    CHECK(front_listen(front, "127.0.0.1", 0, &port, &err) == ERR_NOMEM);
    mem_fail_after(-1);
    CHECK(front_listen(front, "localhost", 0, &port, &err) == ERR_INVALID);
    CHECK(front_listen(front, "127.0.0.1", 0, &port, &err) == 0);
    CHECK(front_listen(front, "127.0.0.1", port, &port, &err) == ERR_SYSTEM);
    CHECK(strstr(err.text, "address already in use") != NULL);
    for (int n = 0; n < 2; n++) {
        mem_fail_after(n);
        CHECK(front_set_page(front, 500, SPAN("a"), SPAN("b"), &err) == ERR_NOMEM);
        mem_fail_after(-1);
    }
    front_close(front, note, &is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"gives_the_request_to_the_pool_and_the_answer_to_the_client",
         gives_the_request_to_the_pool_and_the_answer_to_the_client},
        {"answers_pipelined_requests_one_by_one_in_order",
         answers_pipelined_requests_one_by_one_in_order},
        {"streams_an_answer_of_unknown_length", streams_an_answer_of_unknown_length},
        {"sends_no_body_for_head_and_204", sends_no_body_for_head_and_204},
        {"refuses_and_closes_politely", refuses_and_closes_politely},
        {"answers_a_broken_chunk_and_ends_the_call", answers_a_broken_chunk_and_ends_the_call},
        {"passes_a_body_as_the_window_opens", passes_a_body_as_the_window_opens},
        {"stops_reading_while_the_worker_takes_nothing",
         stops_reading_while_the_worker_takes_nothing},
        {"credits_only_what_the_client_takes", credits_only_what_the_client_takes},
        {"asks_for_the_body_only_when_it_is_wanted", asks_for_the_body_only_when_it_is_wanted},
        {"throws_away_a_body_nobody_reads", throws_away_a_body_nobody_reads},
        {"shows_tracebacks_in_development_only", shows_tracebacks_in_development_only},
        {"maps_failures_to_statuses", maps_failures_to_statuses},
        {"sends_a_safe_request_again_when_its_instance_died",
         sends_a_safe_request_again_when_its_instance_died},
        {"does_not_trust_the_worker", does_not_trust_the_worker},
        {"resets_where_only_the_close_would_end_the_answer",
         resets_where_only_the_close_would_end_the_answer},
        {"says_overloaded_when_the_pool_refuses", says_overloaded_when_the_pool_refuses},
        {"switches_pools_and_pages_for_new_requests", switches_pools_and_pages_for_new_requests},
        {"lets_requests_wait_for_a_pool", lets_requests_wait_for_a_pool},
        {"closes_what_is_slow", closes_what_is_slow},
        {"closes_a_client_that_does_not_read", closes_a_client_that_does_not_read},
        {"ends_the_call_of_a_client_that_left", ends_the_call_of_a_client_that_left},
        {"drains", drains},
        {"refuses_a_connection_too_many", refuses_a_connection_too_many},
        {"writes_an_access_log", writes_an_access_log},
        {"survives_every_failed_allocation", survives_every_failed_allocation},
        {"opens_or_fails_cleanly_without_memory", opens_or_fails_cleanly_without_memory},
        {0},
    };
    int r;

    /* What the front logs about the failures played here is not for the reader. */
    log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_set_fd(log_fd);
    r = test_main("front_connection", TESTS, argc, argv);
    close(log_fd);
    return r;
}
