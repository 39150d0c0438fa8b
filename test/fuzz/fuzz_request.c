/* fuzz_request.c - any bytes as a head, up to what a worker and the access log get of it.
 *
 * A head that head.c lets pass becomes a request of an edge or of a front without a router (the first
 * byte says which, and over what).  No header that the edge alone may say comes from the client, none that speaks of
 * the connection, none that could break a line; the URL has the host of the head and nothing of the
 * connection's; the line for programs is one line of JSON. */
#include <jansson.h>
#include <stdlib.h>

#include "front/access.h"
#include "front/inside.h"
#include "http/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const EDGE[] = {"cf-connecting-ip", "cf-connecting-ipv6", "cf-pseudo-ipv4", "cf-ipcountry",
                                   "cf-ray",           "cf-visitor",         "cf-ew-via",      "cf-worker",
                                   "true-client-ip",   "x-real-ip",          "x-forwarded-for", "x-forwarded-proto"};

static void route(void *self, const struct front_arrival *arrival, struct front_route *ret)
{
    (void)self, (void)arrival, (void)ret;
}

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

/* Which of EDGE it is to who takes '_' for '-'; -1: none. */
static int edge_name(struct span name)
{
    char text[32];

    if (name.len >= sizeof text)
        return -1;
    for (size_t i = 0; i < name.len; i++)
        text[i] = name.data[i] == '_' ? '-' : name.data[i];
    for (int i = 0; i < (int)(sizeof EDGE / sizeof *EDGE); i++)
        if (span_is_nocase((struct span){text, name.len}, EDGE[i]))
            return i;
    return -1;
}

static void check_headers(const struct exchange *ex, bool is_edge)
{
    struct pairs pairs = exchange_headers(ex);
    struct span name, value;
    unsigned seen[sizeof EDGE / sizeof *EDGE] = {0}, count = 0;
    size_t at = 0;

    while (pairs_next(&pairs, &at, &name, &value)) {
        int which = edge_name(name);
        count++;
        MUST(name.len > 0 && token_all(name, TOKEN_NAME) && token_all(value, TOKEN_VALUE));
        MUST(!token_is_hop(name) || (ex->is_upgrade && (span_is_nocase(name, "upgrade") ||
                                                        span_is_nocase(name, "connection"))));
        if (!is_edge || which < 0)
            continue;
        seen[which]++;
        MUST(seen[which] == 1 && !memchr(name.data, '_', name.len));
        if (span_is_nocase(name, "x-forwarded-for") || span_is_nocase(name, "cf-connecting-ip"))
            MUST(span_is(value, ex->connection->address));
    }
    MUST(count == ex->headers_count);
    MUST(!is_edge || (seen[0] == 1 && seen[4] == 1 && seen[10] == 1 && seen[11] == 1));
}

static void check_url(const struct exchange *ex, struct span host)
{
    struct span url = exchange_url(ex), scheme = connection_scheme(ex->connection), said;

    MUST(url.len > scheme.len + 3 && memcmp(url.data, scheme.data, scheme.len) == 0 &&
         memcmp(url.data + scheme.len, "://", 3) == 0);
    for (size_t i = 0; i < url.len; i++)
        MUST(url.data[i] > ' ' && url.data[i] < 0x7f && url.data[i] != '#');
    said = exchange_host(ex);
    MUST(said.len == host.len && memcmp(said.data, host.data, host.len) == 0);
    MUST(exchange_target(ex).len > 0 && exchange_target(ex).data[0] == '/');
    MUST(!memchr(exchange_path(ex).data, '?', exchange_path(ex).len));
    MUST(token_all(exchange_method(ex), TOKEN_NAME));
}

static void check_line(const struct exchange *ex, const char *bytes, size_t len)
{
    const struct visit visit = {
        .ray = {bytes, len < 40 ? len : 40}, /* nobody's, but any bytes */
        .client = span_of(ex->connection->address),
        .method = exchange_method(ex),
        .scheme = connection_scheme(ex->connection),
        .host = exchange_host(ex),
        .target = exchange_target(ex),
        .protocol = SPAN("HTTP/1.1"),
        .outcome = {bytes, len},
        .worker = {bytes + len / 2, len - len / 2},
        .status = 200,
        .cpu_us = -1,
    };
    struct buf line = {0};
    json_t *read;

    for (int with_query = 0; with_query < 2; with_query++) {
        MUST(visit_put(&line, &visit, with_query) == 0);
        MUST(memchr(buf_data(&line), '\n', buf_len(&line)) == buf_data(&line) + buf_len(&line) - 1);
        read = json_loadb(buf_data(&line), buf_len(&line), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        MUST(json_is_object(read));
        MUST(with_query || !strchr(json_string_value(json_object_get(read, "path")), '?'));
        json_decref(read);
        buf_eat(&line, buf_len(&line));
    }
    buf_done(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct front front;
    static struct connection c;
    struct exchange *ex;
    const char *bytes = (const char *)data + 1;
    struct err err;
    bool is_edge;

    if (len < 2)
        return 0;
    len--;
    is_edge = data[0] & 1;
    front = (struct front){.scheme = SPAN("http"), .host = SPAN("localhost"), .date_second = -1};
    front.router.route = is_edge ? route : NULL;
    c = (struct connection){.front = &front, .is_tls = data[0] & 2, .address = "192.0.2.1"};
    ex = exchange_new(&c);
    MUST(ex);
    if (head_scan(&ex->head, bytes, len, 1000, &err) == 1) {
        struct span host = ex->head.host.len > 0 ? head_part(bytes, ex->head.host) : front.host;
        MUST(ex->head.len <= len);
        MUST(exchange_begin(ex, bytes) == 0);
        check_headers(ex, is_edge);
        check_url(ex, host);
        check_line(ex, bytes, len);
        MUST(ex->is_upgrade == (upgrade_of(&ex->head, bytes) == UPGRADE_WEBSOCKET));
        MUST(!ex->is_upgrade || ex->head.framing == HEAD_NO_BODY);
    }
    buf_done(&ex->store);
    free(ex);
    return 0;
}
