/* front_exchange.c - src/front/exchange.c: what becomes of a call that fails, of
 * a worker that lies, and which pool or page a request meets. */
#include "front/inside.h"
#include "front_client.h"

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

static void resets_it_too_when_time_is_up(void)
{
    bool is_drained = false;
    struct client c;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET / HTTP/1.0\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", -1);
    fake_body(fake_calls[0], "part", 4, false);
    UNTIL(client_has(&c, "part"));
    front_drain(front, note, &is_drained);
    pass(31 * 1000);
    UNTIL(client_read(&c));
    CHECK(c.is_reset);
    UNTIL(is_drained);
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

static void keeps_no_large_copy_for_the_next_request(void)
{
    static char value[50 * 1024];
    struct client c;

    memset(value, 'x', sizeof value);
    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    client_send_bytes(&c, value, sizeof value);
    client_send(&c, "\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_answer(fake_calls[0], "large");
    UNTIL(client_has(&c, "large"));
    UNTIL(front->spare);
    CHECK(front->spare->store.cap <= FRONT_STORE_KEPT);
    client_send(&c, GET);
    UNTIL(fake_count == 2);
    fake_answer(fake_calls[1], "small");
    UNTIL(client_has(&c, "small"));
    UNTIL(front->spare);
    CHECK(front->spare->store.cap > 0 && front->spares == 1); /* that one is used again */
    client_done(&c);
    tear_down();
}

static void moves_as_the_drawing_says(void)
{
    static const char *const DRAWN[] = {
        [EXCHANGE_HEAD] = ".R...AB",     [EXCHANGE_READY] = "..WC.AB",
        [EXCHANGE_WAITING] = ".R...AB",  [EXCHANGE_CALLED] = ".R..aAB",
        [EXCHANGE_ANSWERING] = ".....AB", [EXCHANGE_ANSWERED] = ".......",
        [EXCHANGE_BROKEN] = ".......",
    };

    for (int from = EXCHANGE_HEAD; from <= EXCHANGE_BROKEN; from++)
        for (int to = EXCHANGE_HEAD; to <= EXCHANGE_BROKEN; to++)
            CHECK(exchange_may_move((enum exchange_state)from, (enum exchange_state)to) ==
                  (DRAWN[from][to] != '.'));
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"shows_tracebacks_in_development_only", shows_tracebacks_in_development_only},
        {"maps_failures_to_statuses", maps_failures_to_statuses},
        {"sends_a_safe_request_again_when_its_instance_died",
         sends_a_safe_request_again_when_its_instance_died},
        {"does_not_trust_the_worker", does_not_trust_the_worker},
        {"resets_where_only_the_close_would_end_the_answer",
         resets_where_only_the_close_would_end_the_answer},
        {"resets_it_too_when_time_is_up", resets_it_too_when_time_is_up},
        {"says_overloaded_when_the_pool_refuses", says_overloaded_when_the_pool_refuses},
        {"switches_pools_and_pages_for_new_requests", switches_pools_and_pages_for_new_requests},
        {"lets_requests_wait_for_a_pool", lets_requests_wait_for_a_pool},
        {"keeps_no_large_copy_for_the_next_request", keeps_no_large_copy_for_the_next_request},
        {"moves_as_the_drawing_says", moves_as_the_drawing_says},
        {0},
    };

    return front_test_main("front_exchange", TESTS, argc, argv);
}
