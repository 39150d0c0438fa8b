/* front_tls.c - src/front/certificates.c, tls.c, socket.c: TLS between clients and a front. */
#include "front/inside.h"
#include "front_secure.h"

static void route_all(void *self, const struct front_arrival *arrival, struct front_route *ret)
{
    *(bool *)self = arrival->is_tls;
    *ret = (struct front_route){.to = FRONT_TO_POOL, .pool = &pool};
}

static bool was_tls;
static const struct front_router ROUTER = {.route = route_all, .self = &was_tls};

static void set_up_secure(struct front_config config)
{
    struct front_certificate list[] = {secure_files("one"), secure_files("two")};
    struct err err;

    set_up(config);
    CHECK(front_listen_as(front, FRONT_HTTPS, "127.0.0.1", 0, &port, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "no certificate is loaded"));
    CHECK(front_reload_tls(front, list, 2, &err) == 0);
    front_share_tls(front, front);
    CHECK(front_listen_as(front, FRONT_HTTPS, "127.0.0.1", 0, &port, &err) == 0);
}

/* ---- certificates ---- */

static void picks_a_certificate_by_name(void)
{
    static const struct {
        const char *host, *want;
    } CASES[] = {
        {NULL, "one"},           {"a.example", "one"},      {"A.EXAMPLE", "one"},
        {"other", "one"},        {"x.b.example", "two"},    {"X.B.Example", "two"},
        {"b.example", "one"},    {"x.y.b.example", "one"},  {"exact.b.example", "one"},
        {"example", "one"},      {".b.example", "one"},
    };

    set_up_secure((struct front_config){0});
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct secure s = secure_connect((struct secure_wish){.host = CASES[i].host});
        CHECK(s.is_shaken && strcmp(secure_peer(&s), CASES[i].want) == 0);
        secure_done(&s);
    }
    tear_down();
}

static void says_which_file_is_wrong(void)
{
    static const struct {
        const char *cert, *key, *want;
    } CASES[] = {
        {"none", "one", "No such file"},
        {"one", "none", "No such file"},
        {"empty", "one", "read the certificate '"},
        {"one", "empty", "read the key '"},
        {"one", "two", "does not belong to the certificate '"},
        {"locked", "locked", "has a password"},
    };
    struct front_certificate list[2] = {secure_files("one")};
    struct secure s, t;
    struct err err;

    secure_make("locked", NULL, "geheim");
    fclose(fopen(secure_path("empty", "crt"), "w"));
    fclose(fopen(secure_path("empty", "key"), "w"));
    set_up_secure((struct front_config){0});
    s = secure_connect((struct secure_wish){.host = "x.b.example"});
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        list[1].cert_file = secure_path(CASES[i].cert, "crt");
        list[1].key_file = secure_path(CASES[i].key, "key");
        CHECK(front_reload_tls(front, list, 2, &err) < 0);
        CHECK(strstr(err.text, CASES[i].want) && strstr(err.text, secure_folder));
    }
    list[1].cert_file = secure_folder;
    CHECK(front_reload_tls(front, list, 2, &err) < 0 && strstr(err.text, "no regular file"));
    CHECK(front_reload_tls(front, list, 0, &err) == ERR_INVALID);
    /* All that was there is there. */
    t = secure_connect((struct secure_wish){.host = "x.b.example"});
    CHECK(strcmp(secure_peer(&t), "two") == 0);
    secure_send(&s, GET);
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    fake_answer(fake_calls[0], "still here");
    SECURE_UNTIL(&s, secure_has(&s, "still here"));
    secure_done(&s);
    secure_done(&t);
    tear_down();
}

static void takes_new_certificates_while_connections_go_on(void)
{
    const char *hosts[] = {"new.example", "*.new.example", NULL};
    struct front_certificate list[] = {secure_files("two"), secure_files("three")};
    struct secure old, new;
    struct err err;

    secure_make("three", NULL, NULL);
    list[1].hosts = hosts;
    set_up_secure((struct front_config){0});
    old = secure_connect((struct secure_wish){.host = "a.example"});
    CHECK(front_reload_tls(front, list, 2, &err) == 0);
    new = secure_connect((struct secure_wish){.host = "a.example"});
    CHECK(strcmp(secure_peer(&new), "two") == 0);
    secure_done(&new);
    new = secure_connect((struct secure_wish){.host = "x.new.example"});
    CHECK(strcmp(secure_peer(&new), "three") == 0);
    secure_done(&new);
    secure_send(&old, GET);
    UNTIL((secure_pump(&old, 0), fake_count == 1));
    fake_answer(fake_calls[0], "old");
    SECURE_UNTIL(&old, secure_has(&old, "old"));
    CHECK(strcmp(secure_peer(&old), "one") == 0);
    secure_done(&old);
    tear_down();
}

/* ---- the handshake ---- */

static void speaks_what_is_safe(void)
{
    struct secure s;

    set_up_secure((struct front_config){0});
    s = secure_connect((struct secure_wish){.version = TLS1_1_VERSION});
    CHECK(!s.is_shaken && s.is_broken);
    secure_done(&s);
    s = secure_connect((struct secure_wish){.version = TLS1_2_VERSION});
    CHECK(s.is_shaken && strcmp(SSL_get_version(s.ssl), "TLSv1.2") == 0);
    secure_done(&s);
    s = secure_connect((struct secure_wish){.alpn = "\x02h2\x08http/1.1"});
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(s.ssl, &chosen, &len);
    CHECK(s.is_shaken && len == 8 && memcmp(chosen, "http/1.1", 8) == 0);
    secure_done(&s);
    s = secure_connect((struct secure_wish){.alpn = "\x02h2"});
    CHECK(s.is_broken && !s.is_shaken);
    secure_done(&s);
    tear_down();
}

static void resumes_sessions(void)
{
    struct secure s;
    SSL_SESSION *session;

    set_up_secure((struct front_config){0});
    s = secure_connect((struct secure_wish){.host = "x.b.example"});
    secure_send(&s, GET);
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    fake_answer(fake_calls[0], "one");
    SECURE_UNTIL(&s, secure_has(&s, "one"));
    session = SSL_get1_session(s.ssl);
    SSL_shutdown(s.ssl);
    secure_done(&s);
    s = secure_connect((struct secure_wish){.host = "x.b.example", .session = session});
    CHECK(s.is_shaken && SSL_session_reused(s.ssl));
    secure_done(&s);
    SSL_SESSION_free(session);
    tear_down();
}

static void ends_a_handshake_that_takes_too_long(void)
{
    struct client c;

    set_up_secure((struct front_config){.timeouts = {.head_ms = 2000}});
    c = client_connect();
    client_send_bytes(&c, "\x16\x03\x01\x02\x00\x01", 6);
    UNTIL(front_connections(front) == 1);
    pass(1900);
    CHECK(front_connections(front) == 1 && !client_read(&c));
    pass(200);
    UNTIL(client_read(&c));
    client_done(&c);
    tear_down();
}

static void tells_a_plain_client_what_it_wants(void)
{
    char garbage[600];
    struct client c;

    set_up_secure((struct front_config){0});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(client_has(&c, "begins with https://"));
    CHECK(client_has(&c, "HTTP/1.1 400 Bad Request\r\n") && client_has(&c, "Connection: close"));
    CHECK(fake_count == 0);
    client_done(&c);
    /* What is neither gets an alert. */
    c = client_connect();
    memset(garbage, 'g', sizeof garbage);
    memcpy(garbage, "\x16\x03\x01\x01", 4);
    client_send_bytes(&c, garbage, sizeof garbage);
    UNTIL(client_read(&c));
    client_done(&c);
    tear_down();
}

/* ---- requests ---- */

static void answers_requests(void)
{
    char headers[2048];
    struct secure s;

    set_up_secure((struct front_config){.router = &ROUTER});
    s = secure_connect((struct secure_wish){.host = "a.example"});
    secure_send(&s, "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\nGET /y HTTP/1.1\r\nHost: b\r\n\r\n");
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    CHECK(was_tls && strcmp(fake_calls[0]->url, "https://a.example/x") == 0);
    snprintf(headers, sizeof headers, "%s", fake_calls[0]->headers);
    CHECK(strstr(headers, "X-Forwarded-Proto: https\nCF-Visitor: {\"scheme\":\"https\"}\n"));
    fake_answer(fake_calls[0], "first");
    UNTIL((secure_pump(&s, 0), fake_count == 2));
    fake_answer(fake_calls[1], "second");
    SECURE_UNTIL(&s, secure_has(&s, "first") && secure_has(&s, "second"));
    secure_send(&s, "GET /z HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
    UNTIL((secure_pump(&s, 0), fake_count == 3));
    fake_answer(fake_calls[2], "third");
    SECURE_UNTIL(&s, s.c.is_closed);
    CHECK(s.is_ended && !s.c.is_reset && secure_has(&s, "third"));
    secure_done(&s);
    tear_down();
}

/* More than all buffers between, with clients and workers that are in no hurry. */
static void keeps_the_pressure_both_ways(void)
{
    enum { BIG = 24 << 20 };
    static char big[64 * 1024];
    struct secure s;
    size_t sent = 0, put = 0;
    struct call *call;

    memset(big, 'x', sizeof big);
    set_up_secure((struct front_config){0});
    pool.window = 0;
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 25165824\r\n\r\n");
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    call = fake_calls[0];
    /* Nobody takes the body: the client's socket fills up. */
    for (int idle = 0; idle < 2000; idle++) {
        while (sent < BIG && BIO_pending(s.out) < 256 * 1024) {
            CHECK(SSL_write(s.ssl, big, sizeof big) == sizeof big);
            sent += sizeof big;
        }
        secure_pump(&s, 0);
        turn();
    }
    CHECK(sent < BIG && buf_len(&call->body) == 0);
    UNTIL((call->window < 100000 ? fake_open_window(call, 100000) : (void)0,
           sent < BIG && BIO_pending(s.out) < 256 * 1024
               ? (SSL_write(s.ssl, big, sizeof big), sent += sizeof big)
               : 0,
           secure_pump(&s, 0), call->has_body_end));
    CHECK(buf_len(&call->body) == BIG);
    /* And back, to a client that reads nothing for a while. */
    fake_head(call, 200, "", BIG);
    while (put - call->credited < 256 * 1024 && put < BIG) {
        fake_body(call, big, sizeof big, false);
        put += sizeof big;
        for (int i = 0; i < 4; i++)
            turn();
    }
    CHECK(put < BIG && put - call->credited <= 256 * 1024);
    while (buf_len(&s.got) < BIG) {
        if (put < BIG && put - call->credited <= 192 * 1024) {
            put += sizeof big;
            fake_body(call, big, sizeof big, put == BIG);
        }
        turn();
        secure_pump(&s, 64 * 1024);
        if (s.c.is_closed)
            break;
    }
    CHECK(buf_len(&s.got) > BIG && !s.is_broken);
    secure_done(&s);
    tear_down();
}

static void cuts_clients_that_take_nothing(void)
{
    static char big[64 * 1024];
    struct secure s;
    struct call *call;
    size_t put = 0;

    set_up_secure((struct front_config){.timeouts = {.write_ms = 1000}});
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, GET);
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    call = fake_calls[0];
    fake_head(call, 200, "", -1);
    while (put - call->credited < 256 * 1024) {
        fake_body(call, big, sizeof big, false);
        put += sizeof big;
        for (int i = 0; i < 4; i++)
            turn();
    }
    pass(500);
    CHECK(!call->is_over);
    UNTIL_PASSED(call->is_over);
    CHECK(call->aborted == RESET_CLIENT_GONE);
    secure_done(&s);
    tear_down();
}

static void hears_when_a_client_ends(void)
{
    struct secure s;

    set_up_secure((struct front_config){0});
    /* close_notify alone, the socket stays: as a half close. */
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    SSL_shutdown(s.ssl);
    UNTIL((secure_pump(&s, 0), fake_calls[0]->is_over));
    secure_done(&s);
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, GET);
    UNTIL((secure_pump(&s, 0), fake_count == 2));
    SSL_shutdown(s.ssl);
    secure_pump(&s, 0);
    for (int i = 0; i < 20; i++)
        turn();
    fake_answer(fake_calls[1], "it is still sent");
    SECURE_UNTIL(&s, s.c.is_closed);
    CHECK(secure_has(&s, "it is still sent") && s.is_ended);
    secure_done(&s);
    /* The socket alone. */
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    UNTIL((secure_pump(&s, 0), fake_count == 3));
    close(s.c.fd);
    s.c.fd = -1;
    UNTIL(fake_calls[2]->is_over);
    secure_done(&s);
    /* Idle for too long: told so. */
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, GET);
    UNTIL((secure_pump(&s, 0), fake_count == 4));
    fake_answer(fake_calls[3], "x");
    SECURE_UNTIL(&s, secure_has(&s, "\r\n\r\nx"));
    pass(61 * 1000);
    SECURE_UNTIL(&s, s.c.is_closed);
    CHECK(s.is_ended && !s.c.is_reset);
    secure_done(&s);
    tear_down();
}

static void carries_websockets(void)
{
    struct secure s;

    set_up_secure((struct front_config){0});
    s = secure_connect((struct secure_wish){0});
    secure_send(&s, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
    UNTIL((secure_pump(&s, 0), fake_count == 1));
    CHECK(fake_calls[0]->is_upgrade);
    fake_head(fake_calls[0], 101, "Upgrade: websocket\n", -1);
    fake_body(fake_calls[0], "hello", 5, false);
    SECURE_UNTIL(&s, secure_has(&s, "hello"));
    secure_send(&s, "bytes");
    UNTIL((secure_pump(&s, 0), buf_len(&fake_calls[0]->body) == 5));
    SSL_shutdown(s.ssl);
    UNTIL((secure_pump(&s, 0), fake_calls[0]->has_body_end));
    fake_body(fake_calls[0], "bye", 3, true);
    SECURE_UNTIL(&s, s.c.is_closed);
    CHECK(secure_has(&s, "bye") && s.is_ended);
    secure_done(&s);
    tear_down();
}

static void drains(void)
{
    struct secure idle, busy;
    bool is_drained = false;

    set_up_secure((struct front_config){0});
    idle = secure_connect((struct secure_wish){0});
    busy = secure_connect((struct secure_wish){0});
    secure_send(&busy, GET);
    UNTIL((secure_pump(&busy, 0), fake_count == 1));
    front_drain(front, note, &is_drained);
    UNTIL_PASSED((secure_pump(&idle, 64 * 1024), idle.c.is_closed));
    CHECK(idle.is_ended && !is_drained);
    fake_answer(fake_calls[0], "last");
    SECURE_UNTIL(&busy, busy.c.is_closed);
    CHECK(secure_has(&busy, "Connection: close\r\n") && secure_has(&busy, "last"));
    UNTIL(is_drained);
    secure_done(&idle);
    secure_done(&busy);
    tear_down();
}

/* ---- the core, without sockets ---- */

static void understands_bytes_in_any_pieces(void)
{
    struct front_certificate list[] = {secure_files("one")};
    struct certificates *set = NULL;
    char room[4096], *bytes;
    struct secure s = secure_begin((struct secure_wish){0});
    struct tls *tls;
    struct err err;
    size_t got = 0;

    CHECK(certificates_load(list, 1, &set, &err) == 0);
    tls = tls_new(set);
    certificates_unref(set);    /* the connection has its own reference */
    CHECK(tls && tls_state(tls) == TLS_SHAKING && tls_version(tls).len == 0);
    CHECK(tls_write(tls, SPAN("too early")) == ERR_GONE);
    for (int i = 0; i < 8 && got == 0; i++) {
        secure_step(&s);
        if (s.is_shaken && i > 0)
            SSL_write(s.ssl, "hello", 5);
        long n = BIO_get_mem_data(s.out, &bytes);
        for (long at = 0; at < n; at++) {
            CHECK(tls_feed(tls, (struct span){bytes + at, 1}) == 0);
            got += tls_read(tls, room + got, 3);
        }
        (void)BIO_reset(s.out);
        struct buf *out = tls_out(tls);
        if (buf_len(out) > 0)
            BIO_write(s.in, buf_data(out), (int)buf_len(out));
        buf_eat(out, buf_len(out));
    }
    while (tls_has_input(tls) && got < 5)
        got += tls_read(tls, room + got, 3);
    CHECK(got == 5 && memcmp(room, "hello", 5) == 0);
    CHECK(tls_state(tls) == TLS_OPEN && span_is(tls_version(tls), "TLSv1.3"));
    CHECK(tls_write(tls, SPAN("hello yourself")) == 0);
    tls_end(tls);
    tls_end(tls);
    CHECK(tls_write(tls, SPAN("too late")) == ERR_GONE);
    BIO_write(s.in, buf_data(tls_out(tls)), (int)buf_len(tls_out(tls)));
    secure_step(&s);
    CHECK(s.is_ended && secure_has(&s, "hello yourself"));
    /* A record that was tampered with. */
    SSL_write(s.ssl, "hello", 5);
    long n = BIO_get_mem_data(s.out, &bytes);
    bytes[n - 1] ^= 1;
    CHECK(tls_feed(tls, (struct span){bytes, (size_t)n}) == 0);
    CHECK(tls_read(tls, room, sizeof room) == 0 && tls_state(tls) == TLS_BROKEN);
    CHECK(strlen(tls_problem(tls)) > 0 && !tls_has_input(tls));
    tls_free(tls);
    tls_free(NULL);
    secure_done(&s);
}

static void survives_every_failed_allocation(void)
{
    struct front_certificate list[] = {secure_files("one"), secure_files("two")};
    struct secure s;
    struct err err;
    int r = ERR_NOMEM;

    for (long n = 0; r < 0 && n < 100; n++) {
        struct certificates *set = NULL;
        mem_fail_after(n);
        r = certificates_load(list, 2, &set, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        certificates_unref(set);
    }
    CHECK(r == 0);
    set_up_secure((struct front_config){0});
    for (long n = 0; n < 30; n++) {
        int before = fake_count;
        s = secure_begin((struct secure_wish){0});
        s.c = client_connect();
        mem_fail_after(n);
        for (int i = 0; i < 200 && !s.is_shaken && !s.c.is_closed; i++) {
            turn();
            secure_pump(&s, 64 * 1024);
        }
        if (s.is_shaken && !s.c.is_closed && !s.is_broken) {
            secure_send(&s, GET);
            for (int i = 0; i < 200 && fake_count == before && !s.c.is_closed; i++) {
                turn();
                secure_pump(&s, 64 * 1024);
            }
        }
        mem_fail_after(-1);
        if (fake_count > before && !fake_calls[before]->is_over)
            fake_answer(fake_calls[before], "done");
        for (int i = 0; i < 20; i++) {
            turn();
            secure_pump(&s, 64 * 1024);
        }
        secure_done(&s);
    }
    UNTIL_PASSED(front_connections(front) == 0);
    tear_down();
}

/* ---- another port ---- */

static void leads_to_https(void)
{
    struct client c;
    struct err err;

    set_up((struct front_config){0});
    CHECK(front_listen_as(front, FRONT_REDIRECT, "127.0.0.1", 0, &port, &err) == 0);
    c = client_connect();
    client_send(&c, "GET /a?b HTTP/1.1\r\nHost: a.example:8080\r\n\r\n");
    UNTIL(client_has(&c, "HTTP/1.1 308 Permanent Redirect\r\n"));
    CHECK(client_has(&c, "\r\nLocation: https://a.example/a?b\r\n") && fake_count == 0);
    client_send(&c, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
    UNTIL(client_has(&c, "\r\nLocation: https://[::1]/\r\n"));
    client_send(&c, "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n");
    UNTIL((client_read(&c), client_count(&c, "\r\nLocation: https://[::1]/\r\n") == 2));
    client_send(&c, "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n");
    UNTIL(client_has(&c, "\r\nLocation: https://b/"));
    client_done(&c);
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"picks_a_certificate_by_name", picks_a_certificate_by_name},
        {"says_which_file_is_wrong", says_which_file_is_wrong},
        {"takes_new_certificates_while_connections_go_on",
         takes_new_certificates_while_connections_go_on},
        {"speaks_what_is_safe", speaks_what_is_safe},
        {"resumes_sessions", resumes_sessions},
        {"ends_a_handshake_that_takes_too_long", ends_a_handshake_that_takes_too_long},
        {"tells_a_plain_client_what_it_wants", tells_a_plain_client_what_it_wants},
        {"answers_requests", answers_requests},
        {"keeps_the_pressure_both_ways", keeps_the_pressure_both_ways},
        {"cuts_clients_that_take_nothing", cuts_clients_that_take_nothing},
        {"hears_when_a_client_ends", hears_when_a_client_ends},
        {"carries_websockets", carries_websockets},
        {"drains", drains},
        {"understands_bytes_in_any_pieces", understands_bytes_in_any_pieces},
        {"survives_every_failed_allocation", survives_every_failed_allocation},
        {"leads_to_https", leads_to_https},
        {0},
    };
    char command[64];
    int r;

    if (!mkdtemp(secure_folder))
        return 1;
    secure_make("one", "DNS:a.example,DNS:exact.b.example", NULL);
    secure_make("two", "DNS:*.b.example,IP:127.0.0.1", NULL);
    r = front_test_main("front_tls", TESTS, argc, argv);
    snprintf(command, sizeof command, "rm -r %s", secure_folder);
    return system(command) == 0 ? r : 1;
}
