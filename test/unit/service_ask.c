/* service_ask.c - src/service/ask.c: what leaves of what an instance asks. */
#include "service/ask.h"

#include <string.h>

#include "base/buf.h"
#include "test.h"

static struct buf arguments, headers;
static uint32_t header_count;
static struct outcall_head head;

static void clear(const char *method)
{
    buf_done(&arguments);
    buf_done(&headers);
    buf_init(&arguments);
    buf_init(&headers);
    header_count = 0;
    head = (struct outcall_head){.method = span_of(method)};
}

static void argue(const char *name, const char *value)
{
    CHECK(pairs_add(&arguments, span_of(name), span_of(value)) == 0);
    head.arguments = (struct pairs){buf_span(&arguments), head.arguments.count + 1};
}

static void say(const char *name, const char *value)
{
    CHECK(pairs_add(&headers, span_of(name), span_of(value)) == 0);
    head.headers = (struct pairs){buf_span(&headers), ++header_count};
}

/* Lines, each with '|' behind it; or what is wrong. */
static const char *lines(void)
{
    static char text[1000];
    struct curl_slist *fields = NULL;
    struct err err = {0};
    struct ask ask;

    text[0] = 0;
    if (ask_read(&head, &ask, &err) < 0 ||
        ask_fields(&ask, &head, head.body_length == 0, &fields, &err) < 0)
        snprintf(text, sizeof text, "error: %s", err.text);
    for (struct curl_slist *l = fields; l && text[0] != 'e'; l = l->next)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", l->data);
    curl_slist_free_all(fields);
    return text;
}

static void fetch_writes_what_belongs_to_the_connection_itself(void)
{
    clear(ASK_FETCH);
    argue("method", "POST");
    argue("url", "http://a.test/");
    say("host", "evil");
    say("content-length", "9");
    say("x", "1");
    say("te", "x");
    CHECK(strcmp(lines(), "x: 1|Accept:|Expect:|Content-Length: 0|") == 0);
}

static void an_exchange_leaves_as_it_was_written(void)
{
    clear(ASK_EXACT);
    argue("method", "POST");
    argue("url", "http://a.test/");
    say("Host", "other");
    say("X-A", "1");
    say("Accept", "y");
    say("x-a", "2");
    say("Empty", "");
    say("Content-Length", "0");
    say("Connection", "Keep-Alive");
    CHECK(strcmp(lines(), "Host: other|X-A: 1|Accept: y|x-a: 2|Empty;|Content-Length: 0|"
                          "Connection: Keep-Alive|Expect:|") == 0);
    clear(ASK_EXACT);
    argue("url", "https://a.test/");
    head.body_length = -1;
    say("Transfer-Encoding", "chunked");
    say("Expect", "100-continue");
    CHECK(strcmp(lines(), "Transfer-Encoding: chunked|Expect: 100-continue|Accept:|") == 0);
}

static void an_exchange_stays_one_request(void)
{
    static const char *const GONE[][2] = {
        {"Transfer-Encoding", "chunked"}, /* there is no body */
        {"transfer-encoding", "gzip, chunked"},
        {"Connection", "upgrade, keep-alive"},
        {"Upgrade", "websocket"},
        {"TE", "trailers"},
        {"Proxy-Connection", "x"},
        {"Keep-Alive", "timeout=5"},
        {"CF-Connecting-IP", "9.9.9.9"},
        {"Expect", "100-continue"},
    };
    static const char *const WRONG[][2] = {
        {"Content-Length", "1"},
        {"content-length", "0, 0"},
        {"Content-Length", "-1"},
        {"Content-Length", ""},
        {"A b", "1"},
        {"A", "1\r\nB: 2"},
        {"", "1"},
    };

    for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++) {
        clear(ASK_EXACT);
        argue("url", "http://a.test/");
        say(GONE[i][0], GONE[i][1]);
        CHECK(strcmp(lines(), "Accept:|Expect:|") == 0);
    }
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        clear(ASK_EXACT);
        argue("url", "http://a.test/");
        say(WRONG[i][0], WRONG[i][1]);
        CHECK(strncmp(lines(), "error: ", 7) == 0);
    }
    clear(ASK_EXACT);
    argue("url", "http://a.test/");
    head.body_length = -1;
    say("Transfer-Encoding", "chunked");
    say("Content-Length", "5");
    CHECK(strncmp(lines(), "error: ", 7) == 0);
}

static void arguments_are_checked(void)
{
    static const char *const URLS[] = {"",          "http://",     "file:///x",
                                       "httpx://a", "http://a b/", "HTTP://a/"};
    struct err err = {0};
    struct ask ask;

    for (size_t i = 0; i < sizeof URLS / sizeof *URLS; i++) {
        clear(ASK_EXACT);
        argue("url", URLS[i]);
        CHECK(ask_read(&head, &ask, &err) == ERR_INVALID);
    }
    clear(ASK_EXACT);
    argue("url", "http://a/");
    argue("method", "CONNECT");
    CHECK(ask_read(&head, &ask, &err) == ERR_INVALID);
}

static void only_an_exchange_says_how(void)
{
    struct err err = {0};
    struct ask ask;

    clear(ASK_FETCH);
    argue("url", "https://a.test/");
    argue("connect_ms", "1");
    argue("http2", "0");
    CHECK(ask_read(&head, &ask, &err) == 0 && ask.is_h2 && ask.connect_ms == 0 && !ask.is_exact);
    clear(ASK_EXACT);
    argue("url", "https://a.test/");
    CHECK(ask_read(&head, &ask, &err) == 0 && !ask.is_h2 && ask.is_exact);
    argue("connect_ms", "999999999999");
    argue("http2", "1");
    CHECK(ask_read(&head, &ask, &err) == 0 && ask.is_h2 && ask.connect_ms > 1000);
    argue("connect_ms", "0");
    CHECK(ask_read(&head, &ask, &err) == 0 && ask.connect_ms == 1);
    clear("");
}

static void proxies_are_addresses(void)
{
    static const char *const WRONG[] = {"socks5://a:1", "a:1", "http://u:p@a:1", "http://a b:1"};
    struct err err = {0};
    struct ask ask;

    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        clear(ASK_EXACT);
        argue("url", "http://a/");
        argue("proxy", WRONG[i]);
        CHECK(ask_read(&head, &ask, &err) == ERR_INVALID);
    }
    clear(ASK_EXACT);
    argue("url", "http://a/");
    argue("proxy", "http://127.0.0.1:1");
    CHECK(ask_read(&head, &ask, &err) == 0 && span_is(ask.proxy, "http://127.0.0.1:1"));
    argue("proxy_authorization", "Basic x\r\nA: b");
    CHECK(ask_read(&head, &ask, &err) == ERR_INVALID);
    clear(ASK_FETCH);
    argue("url", "http://a/");
    argue("proxy", "http://127.0.0.1:1");
    CHECK(ask_read(&head, &ask, &err) == 0 && ask.proxy.len == 0);
    clear("");
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(fetch_writes_what_belongs_to_the_connection_itself),
        T(an_exchange_leaves_as_it_was_written),
        T(an_exchange_stays_one_request),
        T(arguments_are_checked),
        T(only_an_exchange_says_how),
        T(proxies_are_addresses),
        {0},
    };

    return test_main("service_ask", TESTS, argc, argv);
}
