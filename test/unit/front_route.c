/* front_route.c - a front with a router: where requests go, what is said of them when they are over,
 * what workers are told of their clients. */
#include "front/inside.h"
#include "front_client.h"

/* ---- a router that the test plays ---- */

struct told {
    void *ticket;
    struct front_outcome outcome;
    char text[256];
};

static struct front_route next[8];
static int asked;
static struct told told[64];
static int told_count;
static char hosts[8][64];

static void play_route(void *self, const struct front_arrival *arrival, struct front_route *ret)
{
    struct span url = arrival->request->url;

    CHECK(self == &asked && asked < 8);
    CHECK(span_is(arrival->client, "127.0.0.1"));
    snprintf(hosts[asked], sizeof hosts[asked], "%.*s", SPAN_ARG(url));
    *ret = next[asked++];
}

static void play_finished(void *self, void *ticket, const struct front_outcome *outcome)
{
    struct told *t = &told[told_count++];

    CHECK(self == &asked && told_count < 64);
    t->ticket = ticket;
    t->outcome = *outcome;
    snprintf(t->text, sizeof t->text, "%.*s", SPAN_ARG(outcome->text));
}

/* ---- something in this process ---- */

struct local {
    const struct call_events *events;
    void *self;
    struct buf body;
    bool has_end, is_over;
    size_t window, credited;
    int aborted;
};

static struct local local;
static int local_refuse;

static int play_call(void *self, const struct request *request, bool is_end,
                     const struct call_events *events, void *events_self, struct local **ret_local,
                     struct err *err)
{
    CHECK(self == &local && request->method.len > 0);
    if (local_refuse)
        return err_set(err, (enum err_code)local_refuse, "refused");
    buf_done(&local.body);
    local = (struct local){
        .events = events, .self = events_self, .has_end = is_end, .window = 1 << 20};
    *ret_local = &local;
    return 0;
}

static size_t play_window(const struct local *l) { return l->window; }

static void play_body(struct local *l, struct span bytes, bool is_end)
{
    CHECK(!l->is_over && buf_append(&l->body, bytes.data, bytes.len) == 0);
    l->has_end = is_end;
}

static void play_credit(struct local *l, size_t bytes)
{
    CHECK(!l->is_over);
    l->credited += bytes;
}

static void play_abort(struct local *l, enum reset_reason reason)
{
    CHECK(!l->is_over);
    l->is_over = true;
    l->aborted = (int)reason;
}

static const struct front_local LOCAL = {play_call, play_window, play_body, play_credit, play_abort};

static int tickets[8];

static void set_up_routed(struct front_config config)
{
    static struct front_router router;

    router = (struct front_router){play_route, play_finished, &asked};
    config.router = &router;
    asked = told_count = local_refuse = 0;
    for (int i = 0; i < 8; i++)
        next[i] = (struct front_route){.to = FRONT_TO_POOL, .pool = &pool, .ticket = &tickets[i]};
    set_up(config);
    router = (struct front_router){0};  /* the front has a copy */
    front_set_pool(front, NULL);
}

static void tear_down_routed(void)
{
    tear_down();
    buf_done(&local.body);
    CHECK(told_count == asked);     /* once for each route, whatever happened */
}

/* ---- where requests go ---- */

static void asks_the_router_for_each_request(void)
{
    struct pool other = {.window = 1000};
    struct client c;

    set_up_routed((struct front_config){0});
    next[1].pool = &other;
    next[2] = (struct front_route){
        .to = FRONT_TO_PAGE, .status = 404, .plain = SPAN("nothing here"), .ticket = &tickets[2]};
    c = client_connect();
    client_send(&c, "GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n");
    UNTIL(fake_count == 1);
    CHECK(asked == 1 && strcmp(hosts[0], "http://a.example/1") == 0);
    fake_answer(fake_calls[0], "one");
    UNTIL(client_has(&c, "one"));
    client_send(&c, "GET /2 HTTP/1.1\r\nHost: b.example\r\n\r\n");
    UNTIL(fake_count == 2);
    CHECK(fake_calls[1]->pool == &other);
    fake_answer(fake_calls[1], "two");
    UNTIL(client_has(&c, "two"));
    client_send(&c, GET);
    UNTIL(client_has(&c, "nothing here"));
    CHECK(client_has(&c, "HTTP/1.1 404 Not Found"));
    UNTIL(told_count == 3);
    CHECK(told[0].ticket == &tickets[0] && told[0].outcome.ending == FRONT_OK);
    CHECK(told[0].outcome.status == 200 && told[0].outcome.bytes_out == 3);
    CHECK(told[2].ticket == &tickets[2] && told[2].outcome.status == 404);
    client_done(&c);
    tear_down_routed();
}

static void hands_requests_to_something_in_this_process(void)
{
    struct response head = {.status = 201, .headers = {SPAN(""), 0}, .body_length = -1};
    struct client c;

    set_up_routed((struct front_config){0});
    for (int i = 0; i < 8; i++)
        next[i] = (struct front_route){.to = FRONT_TO_LOCAL, .local = &LOCAL, .local_self = &local};
    c = client_connect();
    client_send(&c, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    UNTIL(buf_len(&local.body) == 3);
    client_send(&c, "lo");
    UNTIL(local.has_end);
    CHECK(memcmp(buf_data(&local.body), "hello", 5) == 0);
    local.events->head(local.self, &head);
    local.events->body(local.self, SPAN("first "), false);
    UNTIL(client_has(&c, "first "));
    UNTIL(local.credited == 6);
    local.is_over = true;
    local.events->body(local.self, SPAN("last"), true);
    UNTIL(client_has(&c, "last") && client_has(&c, "\r\n0\r\n\r\n"));
    UNTIL(told_count == 1);
    CHECK(told[0].outcome.bytes_in == 5 && told[0].outcome.bytes_out == 10);
    CHECK(told[0].outcome.status == 201 && told[0].outcome.cpu_us == -1);
    client_send(&c, GET);
    UNTIL(asked == 2 && !local.is_over);
    client_done(&c);
    UNTIL_PASSED(local.is_over);
    CHECK(local.aborted == RESET_CLIENT_GONE);
    UNTIL(told_count == 2);
    CHECK(told[1].outcome.ending == FRONT_CANCELED && told[1].outcome.status == 0);
    c = client_connect();
    local_refuse = ERR_LIMIT;
    client_send(&c, GET);
    UNTIL(client_has(&c, "HTTP/1.1 503 "));
    CHECK(client_has(&c, "Retry-After: 1\r\n"));
    client_done(&c);
    tear_down_routed();
}

static void routes_once_more_when_a_pool_drains(void)
{
    struct pool old = {.refuse = ERR_GONE};
    struct client c;

    set_up_routed((struct front_config){0});
    next[0].pool = next[2].pool = next[3].pool = &old;
    c = client_connect();
    client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    UNTIL(fake_count == 1);
    CHECK(asked == 2 && told_count == 1);
    CHECK(told[0].ticket == &tickets[0] && told[0].outcome.ending == FRONT_MOVED);
    UNTIL(buf_len(&fake_calls[0]->body) == 2);
    fake_answer(fake_calls[0], "new");
    UNTIL(client_has(&c, "new"));
    client_send(&c, GET);
    UNTIL(client_has(&c, "HTTP/1.1 503 "));
    CHECK(asked == 4);
    UNTIL(told_count == 4);
    CHECK(told[2].outcome.ending == FRONT_MOVED && told[3].outcome.ending == FRONT_UNKNOWN);
    CHECK(told[3].outcome.status == 503);
    client_done(&c);
    tear_down_routed();
}

static void routes_again_when_an_instance_died(void)
{
    struct pool other = {.window = 1000};
    struct client c;

    set_up_routed((struct front_config){0});
    next[1].pool = &other;
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_fail(fake_calls[0], CALL_CRASHED, "");
    CHECK(told_count == 1 && told[0].outcome.ending == FRONT_UNKNOWN);
    CHECK(told[0].outcome.status == 0);
    UNTIL(fake_count == 2);
    CHECK(fake_calls[1]->pool == &other);
    CHECK(strcmp(fake_calls[1]->headers, fake_calls[0]->headers) == 0);
    fake_answer(fake_calls[1], "again");
    UNTIL(client_has(&c, "again"));
    client_done(&c);
    tear_down_routed();
}

/* ---- what is said of them ---- */

static void tells_how_each_request_ended(void)
{
    static const struct {
        enum call_failure why;
        enum front_ending want;
        unsigned status;
    } CASES[] = {
        {CALL_OVERLOADED, FRONT_UNKNOWN, 503},   {CALL_NOT_STARTED, FRONT_UNKNOWN, 503},
        {CALL_NOT_LOADED, FRONT_NOT_LOADED, 500},
        {CALL_EXCEPTION, FRONT_EXCEPTION, 500},  {CALL_BAD_RESULT, FRONT_EXCEPTION, 500},
        {CALL_CRASHED, FRONT_UNKNOWN, 502},      {CALL_EXCEEDED_CPU, FRONT_EXCEEDED_CPU, 503},
        {CALL_EXCEEDED_MEMORY, FRONT_EXCEEDED_MEMORY, 503},
    };
    struct client c;

    set_up_routed((struct front_config){0});
    for (int i = 0; i < 8; i++) {
        c = client_connect();
        client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        UNTIL(fake_count == i + 1);
        CHECK(fake_calls[i]->ticket == &tickets[i]);
        fake_calls[i]->cpu_us = 1000 + i;
        pass(5);
        fake_fail(fake_calls[i], CASES[i].why, "the text");
        UNTIL(told_count == i + 1);
        CHECK(told[i].ticket == &tickets[i] && told[i].outcome.ending == CASES[i].want);
        CHECK(told[i].outcome.status == CASES[i].status);
        CHECK(told[i].outcome.cpu_us == 1000 + i);
        CHECK(strcmp(told[i].text, "the text") == 0);
        CHECK(told[i].outcome.wall_us == 5000 && told[i].outcome.started_ms == now_ms - 5);
        UNTIL(client_has(&c, "HTTP/1.1 50"));
        CHECK(!client_has(&c, "the text"));
        client_done(&c);
    }
    tear_down_routed();
}

static void tells_of_answers_that_are_cut(void)
{
    struct client c, d;
    bool is_drained = false;

    set_up_routed((struct front_config){.timeouts = {.answer_ms = 60000}});
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 200, "", 10);
    fake_body(fake_calls[0], "half", 4, false);
    fake_fail(fake_calls[0], CALL_CUT, "it raised");
    UNTIL(told_count == 1);
    CHECK(told[0].outcome.ending == FRONT_EXCEPTION && strcmp(told[0].text, "it raised") == 0);
    CHECK(told[0].outcome.status == 200 && told[0].outcome.bytes_out == 4);
    UNTIL(client_read(&c));
    client_done(&c);
    c = client_connect();
    client_send(&c, GET);
    UNTIL(fake_count == 2);
    UNTIL_PASSED(client_has(&c, "HTTP/1.1 504 "));
    UNTIL(told_count == 2);
    CHECK(told[1].outcome.ending == FRONT_UNKNOWN && told[1].outcome.status == 504);
    /* One is cut by a drain's end. */
    d = client_connect();
    client_send(&d, GET);
    UNTIL(fake_count == 3);
    front_drain(front, note, &is_drained);
    pass(30001);
    UNTIL(is_drained && told_count == 3);
    CHECK(told[2].outcome.ending == FRONT_UNKNOWN);
    CHECK(fake_calls[2]->aborted == RESET_DEADLINE);
    client_done(&c);
    client_done(&d);
    tear_down_routed();
    /* One runs when everything is closed. */
    set_up_routed((struct front_config){0});
    d = client_connect();
    client_send(&d, GET);
    UNTIL(fake_count == 1);
    tear_down_routed();
    client_done(&d);
    CHECK(told[0].outcome.ending == FRONT_CANCELED);
}

static void tells_of_websockets_when_they_end(void)
{
    struct client c;

    set_up_routed((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_head(fake_calls[0], 101, "Upgrade: websocket\n", -1);
    UNTIL(client_has(&c, "HTTP/1.1 101 "));
    client_send(&c, "abc");
    UNTIL(buf_len(&fake_calls[0]->body) == 3);
    CHECK(told_count == 0);
    fake_body(fake_calls[0], "bye", 3, true);
    UNTIL(told_count == 1);
    CHECK(told[0].outcome.ending == FRONT_OK && told[0].outcome.status == 101);
    CHECK(told[0].outcome.bytes_in == 3 && told[0].outcome.bytes_out == 3);
    client_done(&c);
    tear_down_routed();
}

/* ---- the edge ---- */

static void lets_no_client_say_who_it_is(void)
{
    char ray[17];
    const char *at;
    struct client c;

    set_up_routed((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\ncf-connecting-ip: 1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n"
                    "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nCF-Ray: forged\r\n"
                    "CF-Visitor: {}\r\nCF-IPCountry: XX\r\nTrue-Client-IP: 1.2.3.4\r\nX-Mine: 1\r\n\r\n");
    UNTIL(fake_count == 1);
    at = strstr(fake_calls[0]->headers, "CF-Ray: ");
    CHECK(at && strlen(at) == 8 + 16 + 1);
    snprintf(ray, sizeof ray, "%s", at ? at + 8 : "");
    CHECK(strncmp(fake_calls[0]->headers,
                  "Host: a\nX-Mine: 1\nCF-Connecting-IP: 127.0.0.1\nX-Real-IP: 127.0.0.1\n"
                  "X-Forwarded-For: 127.0.0.1\nX-Forwarded-Proto: http\n"
                  "CF-Visitor: {\"scheme\":\"http\"}\nCF-Ray: ", 145) == 0);
    fake_head(fake_calls[0], 200, "cf-ray: forged\nX-Own: 2\n", 0);
    UNTIL(client_has(&c, "X-Own: 2"));
    CHECK(client_has(&c, ray) && !client_has(&c, "forged"));
    client_done(&c);
    tear_down_routed();
}

/* ---- pages ---- */

static void tells_strangers_a_code_and_an_id(void)
{
    static const struct {
        enum call_failure why;
        const char *status, *code, *text;
    } CASES[] = {
        {CALL_EXCEPTION, "HTTP/1.1 500 ", "\r\n\r\nerror code: 1101\n", "gave no answer"},
        {CALL_BAD_RESULT, "HTTP/1.1 500 ", "\r\n\r\nerror code: 1101\n", "gave no answer"},
        {CALL_NOT_LOADED, "HTTP/1.1 500 ", "\r\n\r\nerror code: 1101\n", "gave no answer"},
        {CALL_EXCEEDED_CPU, "HTTP/1.1 503 ", "\r\n\r\nerror code: 1102\n", "processor time"},
        {CALL_CRASHED, "HTTP/1.1 502 ", "\r\n\r\nIt ended before", "Whoever runs it"},
        {CALL_NOT_STARTED, "HTTP/1.1 503 ", "Retry-After: 1\r\n", "\r\n\r\nIts processes end before"},
    };
    const char *ray;
    char line[64];
    struct client c;

    set_up_routed((struct front_config){0});
    for (int i = 0; i < 6; i++) {
        c = client_connect();
        client_send(&c, "POST / HTTP/1.1\r\nHost: a\r\n\r\n");
        UNTIL(fake_count == i + 1);
        fake_fail(fake_calls[i], CASES[i].why, "Traceback: secret");
        UNTIL(client_has(&c, "Ray ID: ") && client_has(&c, CASES[i].status));
        CHECK(client_has(&c, CASES[i].code) && client_has(&c, CASES[i].text));
        CHECK(!client_has(&c, "secret"));
        /* The id on the page is the one that the head, the worker and the log have. */
        ray = strstr(fake_calls[i]->headers, "CF-Ray: ") + 8;
        snprintf(line, sizeof line, "Ray ID: %.16s\n", ray);
        CHECK(client_has(&c, line));
        snprintf(line, sizeof line, "CF-Ray: %.16s\r\n", ray);
        CHECK(client_has(&c, line));
        client_done(&c);
    }
    c = client_connect();
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    UNTIL(fake_count == 7);
    fake_fail(fake_calls[6], CALL_EXCEPTION, "Traceback: secret");
    UNTIL(client_has(&c, "</html>"));
    CHECK(client_has(&c, "<h1>The worker raised an exception</h1>") && !client_has(&c, "secret"));
    CHECK(client_has(&c, "(error 1101)") && client_has(&c, "<p>Ray ID: "));
    client_done(&c);
    c = client_connect();
    client_send(&c, "GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
    UNTIL(fake_count == 8);
    fake_fail(fake_calls[7], CALL_EXCEPTION, "Traceback: secret");
    UNTIL(client_has(&c, "\"}\n"));
    CHECK(client_has(&c, "\r\nContent-Type: application/problem+json\r\n"));
    CHECK(client_has(&c, "{\"type\":\"about:blank\",\"title\":\"The worker raised an exception\","
                         "\"status\":500,\"detail\":\"It gave no answer"));
    CHECK(client_has(&c, "\"error_code\":1101,\"ray_id\":\"") && !client_has(&c, "secret"));
    client_done(&c);
    c = client_connect();
    client_send(&c, "GARBAGE\r\n\r\n");
    UNTIL(client_has(&c, "HTTP/1.1 400 ") && client_has(&c, "Ray ID: "));
    client_done(&c);
    tear_down_routed();
}

static void has_words_for_a_routers_pages(void)
{
    struct client c;

    set_up_routed((struct front_config){0});
    clock_fake(now_ms = 86400000ll * 3 - 90 * 1000);
    next[0] = (struct front_route){.to = FRONT_TO_PAGE, .status = 404};
    next[1] = (struct front_route){.to = FRONT_TO_PAGE, .status = 429, .code = 1027};
    next[2] = (struct front_route){.to = FRONT_TO_PAGE, .status = 503, .retry_after_s = 7};
    c = client_connect();
    client_send(&c, GET);
    UNTIL(client_has(&c, "No worker answers at this host"));
    CHECK(client_has(&c, "HTTP/1.1 404 Not Found\r\n"));
    client_send(&c, GET);
    UNTIL(client_has(&c, "\r\n\r\nerror code: 1027\n"));
    CHECK(client_has(&c, "HTTP/1.1 429 ") && client_has(&c, "Retry-After: 90\r\n"));
    client_send(&c, GET);
    UNTIL(client_has(&c, "\r\n\r\nService Unavailable\n"));
    CHECK(client_has(&c, "Retry-After: 7\r\n"));
    client_done(&c);
    tear_down_routed();
}

static void gives_no_id_twice(void)
{
    static uint64_t seen[1000];
    char text[17];

    front = calloc(1, sizeof *front);
    for (int i = 0; i < 1000; i++) {
        seen[i] = ray_new(front);
        for (int j = 0; j < i; j++)
            CHECK(seen[i] != seen[j]);
    }
    free(front);
    ray_print(0x0123456789abcdef, text);
    CHECK(strcmp(text, "0123456789abcdef") == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"asks_the_router_for_each_request", asks_the_router_for_each_request},
        {"hands_requests_to_something_in_this_process", hands_requests_to_something_in_this_process},
        {"routes_once_more_when_a_pool_drains", routes_once_more_when_a_pool_drains},
        {"routes_again_when_an_instance_died", routes_again_when_an_instance_died},
        {"tells_how_each_request_ended", tells_how_each_request_ended},
        {"tells_of_answers_that_are_cut", tells_of_answers_that_are_cut},
        {"tells_of_websockets_when_they_end", tells_of_websockets_when_they_end},
        {"lets_no_client_say_who_it_is", lets_no_client_say_who_it_is},
        {"tells_strangers_a_code_and_an_id", tells_strangers_a_code_and_an_id},
        {"has_words_for_a_routers_pages", has_words_for_a_routers_pages},
        {"gives_no_id_twice", gives_no_id_twice},
        {0},
    };

    return front_test_main("front_route", TESTS, argc, argv);
}
