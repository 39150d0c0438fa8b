/* front_upgrade.c - WebSockets in src/front: a request that becomes the bytes of its connection. */
#include "front/inside.h"
#include "front_client.h"

#define UPGRADE                                                                                    \
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"     \
    "Keep-Alive: x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static struct client open_one(struct front_config config)
{
    struct client c;

    set_up(config);
    c = client_connect();
    client_send(&c, UPGRADE);
    UNTIL(fake_count == 1);
    return c;
}

static void passes_bytes_both_ways_behind_a_101(void)
{
    struct client c = open_one((struct front_config){0});
    struct call *call = fake_calls[0];

    CHECK(strstr(call->headers, "Upgrade: websocket\n") && !strstr(call->headers, "Keep-Alive"));
    CHECK(strstr(call->headers, "Connection: keep-alive, Upgrade\n"));
    CHECK(!call->has_body_end && call->body_length == 0 && call->is_upgrade);
    client_send(&c, "early");
    for (int i = 0; i < 20; i++)
        turn();
    CHECK(buf_len(&call->body) == 0);       /* nobody knows yet what they are */
    fake_head(call, 101, "Sec-WebSocket-Accept: x\nContent-Length: 5\nConnection: close\n", -1);
    UNTIL(client_has(&c, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nDate: "));
    UNTIL(client_has(&c, "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
    CHECK(!client_has(&c, "Content-Length") && !client_has(&c, "close") && !client_has(&c, "chunked"));
    UNTIL(span_is(buf_span(&call->body), "early"));
    client_send(&c, "GET / HTTP/1.1\r\n\r\n");
    UNTIL(span_is(buf_span(&call->body), "earlyGET / HTTP/1.1\r\n\r\n"));
    fake_body(call, "raw", 3, false);
    UNTIL(client_has(&c, "\r\n\r\nraw"));
    UNTIL(call->credited == 3);
    CHECK(fake_count == 1);
    fake_body(call, "last", 4, true);
    UNTIL(client_has(&c, "rawlast"));
    client_send(&c, "late");
    UNTIL(client_read(&c));     /* it ends the connection */
    client_done(&c);
    tear_down();
}

static void keeps_bytes_back_without_credit(void)
{
    struct client c = open_one((struct front_config){0});
    struct call *call = fake_calls[0];

    call->window = 2;
    fake_head(call, 101, "", -1);
    UNTIL(client_has(&c, "\r\n\r\n"));
    client_send(&c, "abcdef");
    UNTIL(span_is(buf_span(&call->body), "ab"));
    fake_open_window(call, 3);
    UNTIL(span_is(buf_span(&call->body), "abcde"));
    client_done(&c);
    UNTIL_PASSED(call->is_over);
    CHECK(call->aborted == RESET_CLIENT_GONE);
    tear_down();
}

static void tells_the_end_of_the_clients_bytes(void)
{
    struct client c = open_one((struct front_config){0});
    struct call *call = fake_calls[0];

    fake_head(call, 101, "", -1);
    UNTIL(client_has(&c, "\r\n\r\n"));
    client_send(&c, "abc");
    shutdown(c.fd, SHUT_WR);
    UNTIL(call->has_body_end);
    CHECK(span_is(buf_span(&call->body), "abc"));
    fake_body(call, "z", 1, true);
    UNTIL(client_read(&c));
    CHECK(client_has(&c, "\r\n\r\nz"));
    client_done(&c);
    tear_down();
}

static void ends_the_connection_with_the_instance(void)
{
    struct client c = open_one((struct front_config){0});

    fake_head(fake_calls[0], 101, "", -1);
    UNTIL(client_has(&c, "\r\n\r\n"));
    fake_fail(fake_calls[0], CALL_CRASHED, "");
    UNTIL(client_read(&c));
    CHECK(fake_count == 1);
    client_done(&c);
    tear_down();
}

static void lives_long_without_a_byte(void)
{
    struct client c = open_one((struct front_config){0});

    fake_head(fake_calls[0], 101, "", -1);
    UNTIL(client_has(&c, "\r\n\r\n"));
    pass(1000 * 1000 * 1000);
    CHECK(!client_read(&c) && !fake_calls[0]->is_over);
    client_done(&c);
    tear_down();
}

static void goes_on_when_the_worker_answers_otherwise(void)
{
    struct client c = open_one((struct front_config){0});

    fake_answer(fake_calls[0], "no");
    UNTIL(client_has(&c, "\r\n\r\nno"));
    CHECK(client_has(&c, "HTTP/1.1 200 OK") && !client_has(&c, "Upgrade"));
    client_send(&c, GET);
    UNTIL(fake_count == 2);
    CHECK(!fake_calls[1]->is_upgrade && !strstr(fake_calls[1]->headers, "Upgrade"));
    fake_head(fake_calls[1], 101, "", -1);      /* nobody asked */
    UNTIL(client_has(&c, "HTTP/1.1 502 "));
    client_done(&c);
    tear_down();
}

static void refuses_a_handshake_that_is_wrong(void)
{
    static const char *const WRONG[][2] = {
        {"Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
         "HTTP/1.1 426 Upgrade Required\r\n"},
        {"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc\r\n", "HTTP/1.1 400 Bad Request\r\n"},
    };

    for (size_t i = 0; i < 2; i++) {
        struct client c;
        set_up((struct front_config){0});
        c = client_connect();
        client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
        client_send(&c, WRONG[i][0]);
        client_send(&c, "\r\n");
        UNTIL(client_read(&c) || client_has(&c, "\n\n") || client_has(&c, "must be"));
        CHECK(client_has(&c, WRONG[i][1]) && fake_count == 0);
        CHECK(client_has(&c, "Sec-WebSocket-Version: 13\r\n") == (i == 0));
        client_done(&c);
        tear_down();
    }
}

static void a_drain_has_the_worker_close_them(void)
{
    struct client c = open_one((struct front_config){0});
    bool is_drained = false;

    fake_head(fake_calls[0], 101, "", -1);
    UNTIL(client_has(&c, "\r\n\r\n"));
    front_drain(front, note, &is_drained);
    CHECK(pool.is_hung_up && !is_drained);
    fake_body(fake_calls[0], "bye", 3, true);
    UNTIL(client_read(&c));
    CHECK(client_has(&c, "\r\n\r\nbye"));
    client_done(&c);
    UNTIL_PASSED(is_drained);
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"passes_bytes_both_ways_behind_a_101", passes_bytes_both_ways_behind_a_101},
        {"keeps_bytes_back_without_credit", keeps_bytes_back_without_credit},
        {"tells_the_end_of_the_clients_bytes", tells_the_end_of_the_clients_bytes},
        {"ends_the_connection_with_the_instance", ends_the_connection_with_the_instance},
        {"lives_long_without_a_byte", lives_long_without_a_byte},
        {"goes_on_when_the_worker_answers_otherwise", goes_on_when_the_worker_answers_otherwise},
        {"refuses_a_handshake_that_is_wrong", refuses_a_handshake_that_is_wrong},
        {"a_drain_has_the_worker_close_them", a_drain_has_the_worker_close_them},
        {0},
    };

    return front_test_main("front_upgrade", TESTS, argc, argv);
}
