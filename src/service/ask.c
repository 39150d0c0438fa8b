/* ask.c - what an instance asks of the world: the arguments and headers of an outcall to the
 * platform. */
#include "service/ask.h"

#include "base/buf.h"
#include "http/token.h"
#include "service/egress.h"

static bool has_scheme(struct span url, struct span scheme)
{
    return url.len > scheme.len + 1 && memcmp(url.data, scheme.data, scheme.len) == 0;
}

static int check(const struct ask *ask, struct err *err)
{
    if (ask->is_upgrade && !span_is(ask->method, "GET"))
        return err_set(err, ERR_INVALID, "Only a GET can become a WebSocket.");
    if (ask->method.len == 0 || ask->method.len > 64 || !token_all(ask->method, TOKEN_NAME) ||
        span_is_nocase(ask->method, "CONNECT") || span_is_nocase(ask->method, "TRACE") ||
        span_is_nocase(ask->method, "TRACK"))
        return err_set(err, ERR_INVALID, "This method is not allowed.");
    if (ask->url.len > EGRESS_URL_MAX)
        return err_set(err, ERR_LIMIT, "The URL is longer than %d bytes.", EGRESS_URL_MAX);
    if (!token_all(ask->url, TOKEN_TARGET) ||
        (!has_scheme(ask->url, SPAN("http://")) && !has_scheme(ask->url, SPAN("https://"))))
        return err_set(err, ERR_INVALID, "Fetch API cannot load this URL: only http and https.");
    if (ask->proxy.len > 0 &&
        (!token_all(ask->proxy, TOKEN_TARGET) || ask->proxy.len > ASK_PROXY_MAX ||
         memchr(ask->proxy.data, '@', ask->proxy.len) ||
         (!has_scheme(ask->proxy, SPAN("http://")) && !has_scheme(ask->proxy, SPAN("https://")))))
        return err_set(err, ERR_INVALID, "This is no proxy: only http and https.");
    if (!token_all(ask->proxy_authorization, TOKEN_VALUE))
        return err_set(err, ERR_INVALID, "The proxy's header is malformed.");
    return 0;
}

int ask_read(const struct outcall_head *head, struct ask *ret, struct err *err)
{
    struct span name, value;
    int64_t number;
    size_t at = 0;

    *ret = (struct ask){.method = SPAN("GET"), .url = SPAN("")};
    ret->is_exact = span_is(head->method, ASK_EXACT);
    ret->is_upgrade = span_is(head->method, ASK_UPGRADE);
    ret->is_h2 = !ret->is_exact && !ret->is_upgrade;
    while (pairs_next(&head->arguments, &at, &name, &value)) {
        if (span_is(name, "method"))
            ret->method = value;
        else if (span_is(name, "url"))
            ret->url = value;
        else if (ret->is_exact && span_is(name, "http2"))
            ret->is_h2 = span_is(value, "1");
        else if (ret->is_exact && span_is(name, "proxy"))
            ret->proxy = value;
        else if (ret->is_exact && span_is(name, "proxy_authorization"))
            ret->proxy_authorization = value;
        else if (ret->is_exact && span_is(name, "connect_ms") && token_number(value, &number))
            ret->connect_ms = number < 1                       ? 1
                              : number > EGRESS_CONNECT_MAX_MS ? EGRESS_CONNECT_MAX_MS
                                                               : (int)number;
    }
    return check(ret, err);
}

/* Which headers of fetch() do not leave: those of the connection, those that libcurl writes
 * itself, and who the client is, which only a front says. */
static bool is_ours(struct span name)
{
    return token_is_hop(name) || span_is_nocase(name, "host") ||
           span_is_nocase(name, "content-length") || span_is_nocase(name, "expect") ||
           span_is_nocase(name, "cf-connecting-ip");
}

/* Of an exchange: 1: leaves; 0: does not; ERR_INVALID: would make another request of it. */
static int leaves(struct span name, struct span value, int64_t body_length, struct err *err)
{
    int64_t length;

    if (span_is_nocase(name, "content-length")) {
        if (token_number(value, &length) && length == body_length)
            return 1;
        return err_set(err, ERR_INVALID,
                       "The Content-Length of this request is not the length of its body.");
    }
    if (span_is_nocase(name, "transfer-encoding"))
        return body_length == -1 && span_is_nocase(value, "chunked");
    if (span_is_nocase(name, "connection"))
        return span_is_nocase(value, "close") || span_is_nocase(value, "keep-alive");
    if (span_is_nocase(name, "expect"))
        return body_length != 0 && span_is_nocase(value, "100-continue");
    return !token_is_hop(name) && !span_is_nocase(name, "cf-connecting-ip");
}

static int add_line(struct curl_slist **fields, const char *line, struct err *err)
{
    struct curl_slist *more = curl_slist_append(*fields, line);

    if (!more)
        return err_nomem(err);
    *fields = more;
    return 0;
}

static int add_field(struct curl_slist **fields, struct buf *line, struct span name,
                     struct span value, struct err *err)
{
    int r;

    /* libcurl takes "Name;" for a header that is empty. */
    r = buf_print(line, value.len > 0 ? "%.*s: %.*s" : "%.*s;%.*s", SPAN_ARG(name),
                  SPAN_ARG(value));
    r = r < 0 || buf_append(line, "", 1) < 0 ? err_nomem(err)
                                             : add_line(fields, buf_data(line), err);
    buf_eat(line, buf_len(line));
    return r;
}

/* A request of fetch() that could have a body says that it has none. */
static bool is_empty_said(const struct ask *ask)
{
    return !ask->is_exact && (span_is(ask->method, "POST") || span_is(ask->method, "PUT") ||
                              span_is(ask->method, "PATCH"));
}

/* What makes it a handshake, and its body the connection's bytes as they are. */
static int add_upgrade(struct curl_slist **fields, struct err *err)
{
    static const char *const LINES[] = {"Connection: Upgrade", "Upgrade: websocket",
                                        "Sec-WebSocket-Version: 13", "Transfer-Encoding:"};
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof LINES / sizeof *LINES; i++)
        r = add_line(fields, LINES[i], err);
    return r;
}

int ask_fields(const struct ask *ask, const struct outcall_head *head, bool is_end,
               struct curl_slist **fields, struct err *err)
{
    struct buf line = {0};
    struct span name, value;
    bool has_accept = false, has_expect = false;
    size_t at = 0;
    int r = 0;

    while (r == 0 && pairs_next(&head->headers, &at, &name, &value)) {
        if (name.len == 0 || !token_all(name, TOKEN_NAME) || !token_all(value, TOKEN_VALUE)) {
            r = err_set(err, ERR_INVALID, "A header of this request is malformed.");
            break;
        }
        r = ask->is_exact ? leaves(name, value, head->body_length, err) : !is_ours(name);
        if (ask->is_upgrade && span_is_nocase(name, "sec-websocket-version"))
            r = 0;
        if (r <= 0)
            continue;
        has_accept |= span_is_nocase(name, "accept");
        has_expect |= span_is_nocase(name, "expect");
        r = add_field(fields, &line, name, value, err);
    }
    buf_done(&line);
    /* Nor what libcurl would add by itself. */
    if (r == 0 && !has_accept)
        r = add_line(fields, "Accept:", err);
    if (r == 0 && !has_expect)
        r = add_line(fields, "Expect:", err);
    if (r == 0 && is_end && is_empty_said(ask))
        r = add_line(fields, "Content-Length: 0", err);
    if (r == 0 && ask->is_upgrade)
        r = add_upgrade(fields, err);
    return r;
}
