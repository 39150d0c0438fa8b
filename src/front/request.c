/* request.c - a client's request as a worker sees it: copied, with what the front knows added.
 *
 * A front with a router is the edge (route.h): what a client says about itself under the names that
 * only the edge may use is dropped, and said as it is.  Without one a CF-Connecting-IP of the
 * client's own is kept, as `wrangler dev` keeps it.
 *
 * Who calls it: connection.c, exchange.c. */
#include "base/clock.h"
#include "front/inside.h"

static struct span stored(const struct exchange *ex, size_t at, size_t len)
{
    return (struct span){len > 0 ? buf_data(&ex->store) + at : "", len};
}

struct span exchange_method(const struct exchange *ex)
{
    return stored(ex, ex->headers_len, ex->method_len);
}

struct span exchange_url(const struct exchange *ex)
{
    return stored(ex, ex->headers_len + ex->method_len, ex->url_len);
}

struct pairs exchange_headers(const struct exchange *ex)
{
    return (struct pairs){stored(ex, 0, ex->headers_len), (uint32_t)ex->headers_count};
}

struct span exchange_host(const struct exchange *ex)
{
    size_t scheme = connection_scheme(ex->connection).len + 3;

    return ex->url_len == 0 ? SPAN("")
                            : (struct span){exchange_url(ex).data + scheme, ex->path_at - scheme};
}

struct span exchange_target(const struct exchange *ex)
{
    struct span url = exchange_url(ex);

    return (struct span){url.data + ex->path_at, url.len - ex->path_at};
}

static struct span without_query(struct span url)
{
    const char *mark = memchr(url.data, '?', url.len);

    return (struct span){url.data, mark ? (size_t)(mark - url.data) : url.len};
}

struct span exchange_path(const struct exchange *ex)
{
    return without_query(exchange_target(ex));
}

struct span exchange_place(const struct exchange *ex)
{
    return without_query(exchange_url(ex));
}

/* Workers look at these to know that a client wants a WebSocket. */
static bool is_of_upgrade(const struct exchange *ex, struct span name)
{
    return ex->is_upgrade &&
           (span_is_nocase(name, "upgrade") || span_is_nocase(name, "connection"));
}

/* What only the edge may say of a client. */
static const char *const EDGE_NAMES[] = {
    "cf-connecting-ip", "cf-connecting-ipv6", "cf-pseudo-ipv4",  "cf-ipcountry",
    "cf-ray",           "cf-visitor",         "cf-ew-via",       "cf-worker",
    "true-client-ip",   "x-real-ip",          "x-forwarded-for", "x-forwarded-proto",
};

/* CGI's names, which WSGI has inherited, make one of '-' and '_': X_Real_IP would be X-Real-IP
 * there. */
static bool is_name(struct span name, const char *other)
{
    for (size_t i = 0; i < name.len; i++)
        if ((name.data[i] == '_' ? '-' : name.data[i] | 0x20) != (other[i] | 0x20) || !other[i])
            return false;
    return other[name.len] == '\0';
}

static bool is_of_edge(struct span name)
{
    /* c, t or x: most names are done with here. */
    if (name.len < 6 || !strchr("cCtTxX", name.data[0]))
        return false;
    for (size_t i = 0; i < sizeof EDGE_NAMES / sizeof *EDGE_NAMES; i++)
        if (is_name(name, EDGE_NAMES[i]))
            return true;
    return false;
}

static int add(struct exchange *ex, struct span name, struct span value)
{
    if (pairs_add(&ex->store, name, value) < 0)
        return ERR_NOMEM;
    ex->headers_count++;
    return 0;
}

static int add_edge(struct exchange *ex)
{
    const struct connection *c = ex->connection;
    struct span address = span_of(c->address);
    char ray[RAY_LEN + 1];
    int r = 0;

    ray_print(ex->ray, ray);
    if (address.len > 0) {
        r = add(ex, SPAN("CF-Connecting-IP"), address);
        r = r < 0 ? r : add(ex, SPAN("X-Real-IP"), address);
        r = r < 0 ? r : add(ex, SPAN("X-Forwarded-For"), address);
    }
    r = r < 0 ? r : add(ex, SPAN("X-Forwarded-Proto"), connection_scheme(c));
    r = r < 0 ? r
              : add(ex, SPAN("CF-Visitor"),
                    c->is_tls ? SPAN("{\"scheme\":\"https\"}") : SPAN("{\"scheme\":\"http\"}"));
    return r < 0 ? r : add(ex, SPAN("CF-Ray"), (struct span){ray, RAY_LEN});
}

/* The client's headers, and who it is. */
static int copy_headers(struct exchange *ex, const char *data)
{
    const struct head *head = &ex->head;
    struct span address = span_of(ex->connection->address);
    bool is_edge = front_is_edge(ex->connection->front), is_known = address.len == 0;
    struct span name;

    for (size_t i = 0; i < head->field_count; i++) {
        const struct head_field *f = &head->fields[i];
        name = head_part(data, f->name);
        if ((f->is_hop && !is_of_upgrade(ex, name)) || (is_edge && is_of_edge(name)))
            continue;
        if (add(ex, name, head_part(data, f->value)) < 0)
            return ERR_NOMEM;
        is_known |= span_is_nocase(name, "cf-connecting-ip");
    }
    if (is_edge ? add_edge(ex) < 0 : !is_known && add(ex, SPAN("CF-Connecting-IP"), address) < 0)
        return ERR_NOMEM;
    ex->headers_len = buf_len(&ex->store);
    return 0;
}

int exchange_begin(struct exchange *ex, const char *data)
{
    struct front *front = ex->connection->front;
    const struct head *head = &ex->head;
    struct span method = head_part(data, head->method), scheme = connection_scheme(ex->connection);
    size_t host_len = head->host.len > 0 ? head->host.len : front->host.len;
    char *room;

    ex->is_upgrade = upgrade_of(head, data) == UPGRADE_WEBSOCKET;
    if (front_is_edge(front))
        ex->ray = ray_new(front);
    /* One growth at most: the copies never need more than this. */
    if (buf_reserve(&ex->store, head->len * 2 + 8u * head->field_count + 512, &room) < 0 ||
        copy_headers(ex, data) < 0 || buf_append(&ex->store, method.data, method.len) < 0 ||
        head_url(head, data, scheme, front->host, &ex->store) < 0)
        return ERR_NOMEM;
    ex->method_len = method.len;
    ex->url_len = buf_len(&ex->store) - ex->headers_len - ex->method_len;
    ex->path_at = scheme.len + 3 + host_len;
    ex->is_head = span_is(method, "HEAD");
    ex->is_safe = ex->is_head || span_is(method, "GET") || span_is(method, "OPTIONS");
    ex->is_keep_alive = head->is_keep_alive;
    ex->is_continue_due = head->is_expecting;
    if (front->is_timed) {
        ex->started_us = clock_now_us();
        ex->started_ms = clock_wall_ms();
    }
    exchange_move(ex, EXCHANGE_READY);
    return 0;
}
