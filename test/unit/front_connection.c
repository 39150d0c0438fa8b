/* front_connection.c - src/front/connection.c, listener.c, front.c: sockets,
 * bodies, back-pressure, deadlines, draining, missing memory. */
#include <sys/resource.h>

#include "front_client.h"

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
    CHECK(strcmp(fake_calls[0]->headers, "Host: a.b:1\nX-One: 1\nx-one: 2\nCF-Connecting-IP: 127.0.0.1\n") == 0);
    CHECK(fake_calls[0]->has_body_end && fake_calls[0]->body_length == 0);
    fake_head(fake_calls[0], 201, "A: 1\na: 2\nContent-Length: 99\n", 5);
    fake_body(fake_calls[0], "hello", 5, true);
    UNTIL(client_has(&c, "hello"));
    CHECK(client_has(&c, "HTTP/1.1 201 Created\r\nA: 1\r\na: 2\r\nDate: "));
    CHECK(client_has(&c, "GMT\r\nContent-Length: 5\r\n\r\nhello"));
    /* And again on the same connection, with another address given. */
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\ncf-connecting-ip: 1.2.3.4\r\n\r\n");
    UNTIL(fake_count == 2);
    CHECK(strcmp(fake_calls[1]->headers, "Host: a\ncf-connecting-ip: 1.2.3.4\n") == 0);
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
    client_send(&c,
                "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
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
    client_send(&c,
                "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
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
    UNTIL(buf_len(&fake_calls[0]->body) == 4);
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
    int64_t filled_ms;
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
    /* A minute behind the last byte that left: some leave later, when the kernel makes room. */
    filled_ms = now_ms;
    UNTIL_PASSED(front_connections(front) == 0);
    CHECK(now_ms - filled_ms >= 60000);
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

static void keeps_an_answer_that_is_being_taken(void)
{
    static char bytes[64 * 1024];
    struct client c;
    size_t given = 0;

    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", 20 * 1000 * 1000);
    shutdown(c.fd, SHUT_WR);
    /* Slower than gone_ms, yet always moving: time passes as bytes do. */
    for (uint64_t start = uv_hrtime(); given < 15 * 1000 * 1000;) {
        size_t before = buf_len(&c.got);
        if (uv_hrtime() - start > PATIENCE_NS || c.is_closed)
            break;
        if (given - fake_calls[0]->credited + sizeof bytes <= 256 * 1024) {
            fake_body(fake_calls[0], bytes, sizeof bytes, false);
            given += sizeof bytes;
        }
        client_read(&c);
        clock_fake(now_ms += buf_len(&c.got) > before ? 40 : 0);
        turn();
    }
    CHECK(now_ms - 1000000 > 1000);
    CHECK(given >= 15 * 1000 * 1000 && front_connections(front) == 1);
    client_done(&c);
    UNTIL_PASSED(fake_calls[0]->aborted == RESET_CLIENT_GONE);
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
    UNTIL_PASSED(client_read(&idle));
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

static void loses_no_request_that_is_on_its_way(void)
{
    struct client queued, new, kept;
    bool is_drained = false;

    set_up((struct front_config){0});
    new = client_connect();
    kept = client_connect();
    client_send(&kept, GET);
    UNTIL(fake_count == 1 && front_connections(front) == 2);
    fake_answer(fake_calls[0], "kept");
    UNTIL(client_has(&kept, "kept"));
    queued = client_connect();      /* in the listener's queue, its request, too */
    CHECK(send(queued.fd, GET, strlen(GET), 0) == (ssize_t)strlen(GET));
    CHECK(send(kept.fd, GET, strlen(GET), 0) == (ssize_t)strlen(GET));
    front_drain(front, note, &is_drained);
    CHECK(front_connections(front) == 3);
    UNTIL(fake_count == 3);
    client_send(&new, GET);
    UNTIL(fake_count == 4);
    for (int i = 1; i < 4; i++)
        fake_answer(fake_calls[i], "last");
    UNTIL(client_read(&queued) && client_read(&new) && client_read(&kept) && is_drained);
    CHECK(client_has(&queued, "Connection: close\r\n\r\nlast"));
    CHECK(client_has(&new, "Connection: close\r\n\r\nlast"));
    CHECK(client_has(&kept, "Connection: close\r\n\r\nlast"));
    client_done(&queued);
    client_done(&new);
    client_done(&kept);
    tear_down();
}

/* Its first request is answered, and it stays. */
static struct client connect_quiet(void)
{
    struct client c = client_connect();

    client_send(&c, GET);
    UNTIL(fake_count > 0 && !fake_calls[fake_count - 1]->is_over);
    fake_answer(fake_calls[fake_count - 1], "fine");
    UNTIL(client_has(&c, "fine"));
    return c;
}

static void refuses_a_connection_when_all_places_are_busy(void)
{
    struct client a, b;

    set_up((struct front_config){.connections_max = 1});
    a = client_connect();
    client_send(&a, "GET / HT");
    UNTIL(front_connections(front) == 1);
    for (int i = 0; i < 10; i++)
        turn();
    b = client_connect();
    UNTIL(client_read(&b));
    CHECK(client_has(&b, "HTTP/1.1 503 "));
    client_send(&a, "TP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_answer(fake_calls[0], "fine");
    UNTIL(client_has(&a, "fine"));
    client_done(&a);
    client_done(&b);
    tear_down();
}

static void gives_the_place_of_the_longest_silent_to_who_comes(void)
{
    struct client c[3], new, newer;

    set_up((struct front_config){.connections_max = 3});
    for (int i = 0; i < 3; i++)
        c[i] = connect_quiet();
    client_send(&c[0], GET); /* the longest silent is the second now */
    UNTIL(fake_count == 4);
    fake_answer(fake_calls[3], "again");
    UNTIL(client_has(&c[0], "again"));
    new = connect_quiet();
    UNTIL(client_read(&c[1]));
    CHECK(!c[1].is_reset && !client_read(&c[0]) && !client_read(&c[2]));
    newer = connect_quiet();
    UNTIL(client_read(&c[2]));
    CHECK(!client_read(&c[0]) && !client_read(&new));
    CHECK(front_connections(front) == 3);
    for (int i = 0; i < 3; i++)
        client_done(&c[i]);
    client_done(&new);
    client_done(&newer);
    tear_down();
}

/* Connections that never say anything push out themselves. */
static void floods_of_silence_do_not_lock_out(void)
{
    struct client flood[64], c;

    set_up((struct front_config){.connections_max = 8});
    for (int i = 0; i < 64; i++)
        flood[i] = client_connect();
    c = connect_quiet();
    CHECK(front_connections(front) >= 8);
    UNTIL(front_connections(front) == 8);
    for (int i = 0; i < 64; i++)
        client_done(&flood[i]);
    client_done(&c);
    tear_down();
}

static void counts_the_connections_of_an_address(void)
{
    struct client a, b, c;

    set_up((struct front_config){.connections_per_address = 2});
    a = connect_quiet();
    b = connect_quiet();
    c = client_connect();
    UNTIL(client_read(&c));
    CHECK(client_has(&c, "HTTP/1.1 503 "));
    client_done(&c);
    client_done(&a);
    UNTIL(front_connections(front) == 1);
    c = connect_quiet();
    client_done(&b);
    client_done(&c);
    tear_down();
}

/* Descriptors run out: silent clients give theirs; without one the listener rests, and wakes. */
static void goes_on_without_descriptors(void)
{
    struct client quiet, busy, new, last;
    struct rlimit old, low;
    int spare[4];

    set_up((struct front_config){0});
    quiet = connect_quiet();
    busy = client_connect();
    client_send(&busy, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 2);
    new = client_connect();
    last = client_connect();
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    low = old;
    for (int i = 0; i < 4; i++)
        spare[i] = dup(0);
    low.rlim_cur = (rlim_t)spare[0]; /* none is free below it */
    for (int i = 0; i < 4; i++)
        close(spare[i]);
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    client_send(&new, GET);
    UNTIL(client_read(&quiet)); /* it made room */
    UNTIL(fake_count == 3);
    for (int i = 0; i < 50; i++)
        turn();
    client_send(&last, GET);
    for (int i = 0; i < 50; i++)
        turn();
    CHECK(fake_count == 3); /* nobody is silent: it waits */
    fake_answer(fake_calls[1], "slow");
    UNTIL(client_has(&busy, "slow"));
    UNTIL(fake_count == 4); /* now somebody is */
    fake_answer(fake_calls[3], "last");
    UNTIL(client_has(&last, "last"));
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
    client_done(&quiet);
    client_done(&busy);
    client_done(&new);
    client_done(&last);
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
    CHECK(n > 0 &&
          span_is((struct span){text, (size_t)n}, "[corral:inf] GET /a 200 OK (3ms)\n"));
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
        {"closes_what_is_slow", closes_what_is_slow},
        {"closes_a_client_that_does_not_read", closes_a_client_that_does_not_read},
        {"ends_the_call_of_a_client_that_left", ends_the_call_of_a_client_that_left},
        {"keeps_an_answer_that_is_being_taken", keeps_an_answer_that_is_being_taken},
        {"drains", drains},
        {"loses_no_request_that_is_on_its_way", loses_no_request_that_is_on_its_way},
        {"refuses_a_connection_when_all_places_are_busy", refuses_a_connection_when_all_places_are_busy},
        {"gives_the_place_of_the_longest_silent_to_who_comes",
         gives_the_place_of_the_longest_silent_to_who_comes},
        {"floods_of_silence_do_not_lock_out", floods_of_silence_do_not_lock_out},
        {"counts_the_connections_of_an_address", counts_the_connections_of_an_address},
        {"goes_on_without_descriptors", goes_on_without_descriptors},
        {"writes_an_access_log", writes_an_access_log},
        {"survives_every_failed_allocation", survives_every_failed_allocation},
        {"opens_or_fails_cleanly_without_memory", opens_or_fails_cleanly_without_memory},
        {0},
    };

    return front_test_main("front_connection", TESTS, argc, argv);
}
