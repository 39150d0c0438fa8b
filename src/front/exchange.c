/* exchange.c - one request and the call that answers it.
 *
 *   HEAD --> READY --> CALLED --head--> ANSWERING --end--> ANSWERED
 *    |        | ^ \       | \               |                 ^
 *    |        | |  \      |  +-- crashed, nothing said: READY  |
 *    |        | +-- WAITING                 +--> BROKEN        |
 *    +--------+---------+-- an error, or a page ---------------+
 *
 * 1. Callbacks of the herd write into the connection's buffer, record the
 *    state and wake the connection; they never call the herd or end anything.
 * 2. ex->call is NULL from the terminal callback, or from our call_abort, on.
 * 3. A request is sent again only when its instance died before any answer,
 *    its method is safe, it has no body, and only once.
 * 4. Every byte of the answer's body is credited once, when the socket has
 *    taken it; bytes that are not written (HEAD, 204) count as taken.
 * 5. An upgrade that is answered with 101 is a WebSocket, of which nothing is
 *    known here: its bytes go to the call and come from it as bodies do, under
 *    the same credit, until either side ends.
 * 6. The instance is not trusted: a status, header or length that cannot be
 *    sent ends in 502, or in a cut connection when the head has left.
 *
 * Who calls it: connection.c. */
#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/inside.h"
#include "text/status.h"

#define TO(state) (1u << EXCHANGE_##state)

static const uint8_t MOVES[] = {
    [EXCHANGE_HEAD] = TO(READY) | TO(ANSWERED) | TO(BROKEN),
    [EXCHANGE_READY] = TO(WAITING) | TO(CALLED) | TO(ANSWERED) | TO(BROKEN),
    [EXCHANGE_WAITING] = TO(READY) | TO(ANSWERED) | TO(BROKEN),
    [EXCHANGE_CALLED] = TO(READY) | TO(ANSWERING) | TO(ANSWERED) | TO(BROKEN),
    [EXCHANGE_ANSWERING] = TO(ANSWERED) | TO(BROKEN),
    [EXCHANGE_ANSWERED] = 0,
    [EXCHANGE_BROKEN] = 0,
};

bool exchange_may_move(enum exchange_state from, enum exchange_state to)
{
    return MOVES[from] >> to & 1;
}

static struct front *front_of(const struct exchange *ex) { return ex->connection->front; }

static void wait_for(struct exchange *ex, enum wait kind, int ms)
{
    waits_set(&ex->connection->waits, kind, clock_now_ms() + ms);
}

static void log_access(const struct exchange *ex);

static void move(struct exchange *ex, enum exchange_state to)
{
    struct front *front = front_of(ex);
    struct waits *waits = &ex->connection->waits;

    assert(exchange_may_move(ex->state, to));
    if (ex->state == EXCHANGE_WAITING) {
        front->waiting--;
        waits_clear(waits, WAIT_POOL);
    }
    if (ex->state == EXCHANGE_CALLED)
        waits_clear(waits, WAIT_ANSWER);
    ex->state = to;
    if (to == EXCHANGE_WAITING) {
        front->waiting++;
        wait_for(ex, WAIT_POOL, front->config.timeouts.pool_ms);
    }
    if (to == EXCHANGE_CALLED)
        wait_for(ex, WAIT_ANSWER, front->config.timeouts.answer_ms);
    if (to == EXCHANGE_ANSWERED && front->config.access_log && !ex->is_switched)
        log_access(ex);
}

struct exchange *exchange_new(struct connection *c)
{
    struct front *front = c->front;
    struct exchange *ex = front->spare;

    if (ex) {
        front->spare = ex->next;
        front->spares--;
    } else {
        ex = mem_alloc(sizeof *ex);
        if (!ex)
            return NULL;
    }
    ex->connection = c;
    ex->state = EXCHANGE_HEAD;
    ex->call = NULL;
    ex->is_head = ex->is_safe = ex->is_retried = ex->is_unwanted = false;
    ex->is_upgrade = ex->is_switched = ex->has_sent_end = false;
    ex->is_continue_due = ex->is_keep_alive = false;
    ex->discarded = 0;
    ex->headers_len = ex->headers_count = ex->method_len = ex->url_len = ex->path_at = 0;
    ex->answer.framing = ANSWER_LENGTH;
    ex->body.is_ended = true;
    head_init(&ex->head);
    return ex;
}

void exchange_free(struct exchange *ex)
{
    struct front *front = front_of(ex);

    assert(!ex->call);
    if (ex->state == EXCHANGE_WAITING)
        move(ex, EXCHANGE_BROKEN);
    buf_eat(&ex->store, buf_len(&ex->store));
    if (front->spares == FRONT_SPARES_MAX) {
        buf_done(&ex->store);
        mem_free(ex);
        return;
    }
    ex->next = front->spare;
    front->spare = ex;
    front->spares++;
}

/* ---- the request, copied ---- */

static struct span stored(const struct exchange *ex, size_t at, size_t len)
{
    return (struct span){len > 0 ? buf_data(&ex->store) + at : "", len};
}

static struct span method_of(const struct exchange *ex)
{
    return stored(ex, ex->headers_len, ex->method_len);
}

static struct span url_of(const struct exchange *ex)
{
    return stored(ex, ex->headers_len + ex->method_len, ex->url_len);
}

static struct pairs headers_of(const struct exchange *ex)
{
    return (struct pairs){stored(ex, 0, ex->headers_len), (uint32_t)ex->headers_count};
}

struct span exchange_target(const struct exchange *ex)
{
    struct span url = url_of(ex);

    return (struct span){url.data + ex->path_at, url.len - ex->path_at};
}

/* Workers look at these to know that a client wants a WebSocket. */
static bool is_of_upgrade(const struct exchange *ex, struct span name)
{
    return ex->is_upgrade &&
           (span_is_nocase(name, "upgrade") || span_is_nocase(name, "connection"));
}

/* The client's headers, and who it is; a CF-Connecting-IP of its own is kept, as `wrangler dev` keeps it. */
static int copy_headers(struct exchange *ex, const char *data)
{
    const struct head *head = &ex->head;
    struct span address = span_of(ex->connection->address);
    bool is_known = address.len == 0;

    for (size_t i = 0; i < head->field_count; i++) {
        const struct head_field *f = &head->fields[i];
        if (f->is_hop && !is_of_upgrade(ex, head_part(data, f->name)))
            continue;
        if (pairs_add(&ex->store, head_part(data, f->name), head_part(data, f->value)) < 0)
            return ERR_NOMEM;
        ex->headers_count++;
        is_known |= span_is_nocase(head_part(data, f->name), "cf-connecting-ip");
    }
    if (!is_known) {
        if (pairs_add(&ex->store, SPAN("CF-Connecting-IP"), address) < 0)
            return ERR_NOMEM;
        ex->headers_count++;
    }
    ex->headers_len = buf_len(&ex->store);
    return 0;
}

int exchange_begin(struct exchange *ex, const char *data)
{
    struct front *front = front_of(ex);
    const struct head *head = &ex->head;
    struct span method = head_part(data, head->method);
    size_t host_len = head->host.len > 0 ? head->host.len : front->host.len;
    char *room;

    ex->is_upgrade = upgrade_of(head, data) == UPGRADE_WEBSOCKET;
    /* One growth at most: the copies never need more than this. */
    if (buf_reserve(&ex->store, head->len * 2 + 8u * head->field_count + 256, &room) < 0 ||
        copy_headers(ex, data) < 0 || buf_append(&ex->store, method.data, method.len) < 0 ||
        head_url(head, data, front->scheme, front->host, &ex->store) < 0)
        return ERR_NOMEM;
    ex->method_len = method.len;
    ex->url_len = buf_len(&ex->store) - ex->headers_len - ex->method_len;
    ex->path_at = front->scheme.len + 3 + host_len;
    ex->is_head = span_is(method, "HEAD");
    ex->is_safe = ex->is_head || span_is(method, "GET") || span_is(method, "OPTIONS");
    ex->is_keep_alive = head->is_keep_alive;
    ex->is_continue_due = head->is_expecting;
    ex->started_us = front->config.access_log ? clock_now_us() : 0;
    move(ex, EXCHANGE_READY);
    return 0;
}

static void log_access(const struct exchange *ex)
{
    struct span url = url_of(ex);
    struct span text = ex->answer.text.len > 0 ? ex->answer.text : status_text(ex->status);

    if (url.len == 0)
        return;     /* the request had no head that could be read */
    url = exchange_target(ex);
    log_info("%.*s %.*s %u %.*s (%lldms)", SPAN_ARG(method_of(ex)), SPAN_ARG(url), ex->status,
             SPAN_ARG(text), (long long)((clock_now_us() - ex->started_us) / 1000));
}

/* ---- answers of our own ---- */

/* Fill ex->answer but for the body; decide whether the connection lives on. */
static void prepare_answer(struct exchange *ex, unsigned status, struct span text)
{
    struct front *front = front_of(ex);
    int64_t left = body_left(&ex->body);

    if (front->is_draining || ex->is_continue_due || (ex->is_unwanted && left > FRONT_DISCARD_MAX))
        ex->is_keep_alive = false;
    ex->status = status;
    ex->answer.status = status;
    ex->answer.text = text;
    ex->answer.minor = ex->head.minor;
    ex->answer.is_head = ex->is_head;
    ex->answer.connection = ex->is_keep_alive ? ANSWER_KEEP : ANSWER_CLOSE;
    ex->answer.date = front_date(front);
}

static bool wants_html(const struct exchange *ex)
{
    struct pairs headers = headers_of(ex);
    struct span name, value;
    size_t at = 0;

    while (pairs_next(&headers, &at, &name, &value))
        if (span_is_nocase(name, "accept"))
            return page_is_html_preferred(value);
    return false;
}

/* The request is answered by a page; no call runs. */
static void answer_page(struct exchange *ex, struct page_spec *spec)
{
    assert(!ex->call);
    ex->is_unwanted = true;
    spec->wants_html = wants_html(ex);
    prepare_answer(ex, spec->status, SPAN(""));
    if (page_put(&ex->connection->out, &ex->answer, spec) < 0)
        move(ex, EXCHANGE_BROKEN);
    else
        move(ex, EXCHANGE_ANSWERED);
}

void exchange_answer(struct exchange *ex, unsigned status, struct span type, struct span body)
{
    struct buf *out = &ex->connection->out;
    size_t before = buf_len(out);
    int r;

    assert(!ex->call);
    ex->is_unwanted = true;
    prepare_answer(ex, status, SPAN(""));
    ex->answer.body_length = (int64_t)body.len;
    r = answer_begin(&ex->answer, out);
    if (r == 0)
        r = answer_field(&ex->answer, out, SPAN("Content-Type"), type);
    if (r == 0)
        r = answer_end(&ex->answer, out);
    if (r == 0 && ex->answer.framing == ANSWER_LENGTH)
        r = buf_append(out, body.data, body.len);
    if (r < 0)
        out->tail = out->head + before;
    move(ex, r < 0 ? EXCHANGE_BROKEN : EXCHANGE_ANSWERED);
}

/* ---- events of the call: record, wake ---- */

void exchange_unsendable(struct exchange *ex, const char *what)
{
    struct page_spec spec = {.status = 502, .text = span_of(what)};

    log_warn("%.*s %.*s: %s", SPAN_ARG(method_of(ex)), SPAN_ARG(url_of(ex)), what);
    if (!front_of(ex)->config.show_errors)
        spec.text = status_text(502);
    /* The call still runs: it is aborted at the next tick. */
    ex->is_unwanted = true;
    spec.wants_html = wants_html(ex);
    ex->is_keep_alive = false;
    prepare_answer(ex, 502, SPAN(""));
    if (page_put(&ex->connection->out, &ex->answer, &spec) < 0)
        move(ex, EXCHANGE_BROKEN);
    else
        move(ex, EXCHANGE_ANSWERED);
}

static int put_head(struct exchange *ex, const struct response *response)
{
    struct buf *out = &ex->connection->out;
    struct span name, value;
    size_t at = 0, before = buf_len(out);
    char *room;
    int r;

    r = buf_reserve(out, response->headers.bytes.len + 256 + response->status_text.len, &room);
    if (r == 0)
        r = answer_begin(&ex->answer, out);
    while (r == 0 && pairs_next(&response->headers, &at, &name, &value))
        r = answer_field(&ex->answer, out, name, value);
    if (r == 0)
        r = answer_end(&ex->answer, out);
    if (r < 0)
        out->tail = out->head + before;
    return r;
}

static void on_head(void *self, const struct response *response)
{
    struct exchange *ex = self;
    bool is_end = response->body_length == 0;
    int r;

    if (is_end)
        ex->call = NULL;
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_CALLED)
        return;
    if (response->status > 599 ||
        (response->status < 200 && (response->status != 101 || !ex->is_upgrade))) {
        exchange_unsendable(ex, "the worker's answer has an impossible status");
        return;
    }
    prepare_answer(ex, response->status, response->status_text);
    ex->answer.body_length = response->body_length;
    r = put_head(ex, response);
    if (r == ERR_INVALID) {
        exchange_unsendable(ex, "the worker's answer has a header that cannot be sent");
        return;
    }
    if (ex->answer.connection == ANSWER_CLOSE || response->status == 101)
        ex->is_keep_alive = false;
    ex->is_switched = response->status == 101;
    ex->answer_left = response->body_length;
    move(ex, r < 0 ? EXCHANGE_BROKEN : EXCHANGE_ANSWERING);
    if (ex->is_switched && r == 0 && front_of(ex)->config.access_log)
        log_access(ex);
    if (is_end && r == 0)
        move(ex, EXCHANGE_ANSWERED);
    ex->answer.text = SPAN("");     /* its bytes are the callback's */
}

/* ERR_INVALID: not the length that was announced. */
static int put_body(struct exchange *ex, struct span bytes, bool is_end)
{
    struct buf *out = &ex->connection->out;
    int r = 0;

    switch (ex->answer.framing) {
    case ANSWER_BODILESS:
        return 0;
    case ANSWER_LENGTH:
        ex->answer_left -= (int64_t)bytes.len;
        if (ex->answer_left < 0 || (is_end && ex->answer_left > 0))
            return ERR_INVALID;
        return buf_append(out, bytes.data, bytes.len);
    case ANSWER_CHUNKED:
        if (bytes.len > 0)
            r = answer_chunk(out, bytes);
        if (r == 0 && is_end)
            r = answer_last_chunk(out);
        return r;
    case ANSWER_TO_CLOSE:
    case ANSWER_SWITCHED:
        return buf_append(out, bytes.data, bytes.len);
    }
    return 0;
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct exchange *ex = self;
    int r;

    if (is_end)
        ex->call = NULL;
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_ANSWERING)
        return;
    ex->connection->out_owed += bytes.len;
    r = put_body(ex, bytes, is_end);
    if (r == ERR_INVALID)
        log_warn("%.*s %.*s: the worker's answer is not as long as announced",
                 SPAN_ARG(method_of(ex)), SPAN_ARG(url_of(ex)));
    if (r < 0)
        move(ex, EXCHANGE_BROKEN);
    else if (is_end)
        move(ex, EXCHANGE_ANSWERED);
}

static void on_writable(void *self)
{
    struct exchange *ex = self;

    connection_wake(ex->connection);
}

static void on_unwanted(void *self)
{
    struct exchange *ex = self;

    ex->is_unwanted = true;
    connection_wake(ex->connection);
}

static void log_failure(const struct exchange *ex, enum call_failure why, struct span text)
{
    switch (why) {
    case CALL_CRASHED:
        log_warn("%.*s %.*s: the worker's process ended", SPAN_ARG(method_of(ex)),
                 SPAN_ARG(url_of(ex)));
        return;
    case CALL_CUT:
        log_warn("%.*s %.*s: the worker's answer was cut %.*s", SPAN_ARG(method_of(ex)),
                 SPAN_ARG(url_of(ex)), SPAN_ARG(text));
        return;
    case CALL_EXCEPTION:
    case CALL_BAD_RESULT:   /* the worker's own log has these, with method and URL */
    case CALL_OVERLOADED:
    case CALL_NOT_LOADED:   /* the herd and the command line speak of these */
        return;
    }
}

static void answer_failure(struct exchange *ex, enum call_failure why, struct span text)
{
    struct page_spec spec = {.status = 500, .title = SPAN(""), .text = text};
    struct excerpt excerpt = {0};
    bool is_shown = front_of(ex)->config.show_errors && text.len > 0;

    switch (why) {
    case CALL_OVERLOADED:
        spec.status = 503;
        spec.is_passing = true;
        spec.text = SPAN("the worker is overloaded, try again in a moment");
        is_shown = true;
        break;
    case CALL_CRASHED:
    case CALL_CUT:
        spec.status = 502;
        break;
    case CALL_NOT_LOADED:
        spec.title = SPAN("The worker does not load");
        break;
    case CALL_EXCEPTION:
        spec.title = SPAN("The worker raised an exception");
        break;
    case CALL_BAD_RESULT:
        spec.title = SPAN("The worker's handler gave no Response");
        break;
    }
    if (!is_shown) {
        spec.title = SPAN("");
        spec.text = status_text(spec.status);
    }
    if (spec.text.len > FRONT_TEXT_MAX)
        spec.text.len = FRONT_TEXT_MAX;
    if (is_shown && wants_html(ex) && excerpt_find(front_of(ex), ex->pool, text, &excerpt))
        spec.excerpt = &excerpt;
    answer_page(ex, &spec);
    excerpt_done(&excerpt);
}

void exchange_failed(void *self, enum call_failure why, struct span text)
{
    struct exchange *ex = self;

    ex->call = NULL;
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_CALLED && ex->state != EXCHANGE_ANSWERING)
        return;
    if (why == CALL_CRASHED && ex->state == EXCHANGE_CALLED && ex->is_safe && !ex->is_retried &&
        ex->head.framing == HEAD_NO_BODY) {
        ex->is_retried = true;
        move(ex, EXCHANGE_READY);
        return;
    }
    log_failure(ex, why, text);
    if (ex->state == EXCHANGE_CALLED)
        answer_failure(ex, why, text);
    else
        move(ex, EXCHANGE_BROKEN);
}

static const struct call_events EVENTS = {
    .head = on_head,
    .body = on_body,
    .writable = on_writable,
    .unwanted = on_unwanted,
    .failed = exchange_failed,
};

/* ---- towards the herd ---- */

void exchange_abort(struct exchange *ex, enum reset_reason reason)
{
    struct call *call = ex->call;

    if (!call)
        return;
    ex->call = NULL;
    call_abort(call, reason);
}

static void call_pool(struct exchange *ex, struct pool *pool)
{
    bool is_end = ex->head.framing == HEAD_NO_BODY && !ex->is_upgrade;
    struct request request = {
        .method = method_of(ex),
        .url = url_of(ex),
        .headers = headers_of(ex),
        .body_length = ex->head.body_length,
        .is_upgrade = ex->is_upgrade,
    };
    struct page_spec spec = {.status = 503, .is_passing = true};
    enum trigger trigger = trigger_of(ex);
    struct err err;
    int r;

    ex->pool = pool;
    r = trigger == TRIGGER_NONE ? pool_call(pool, &request, is_end, &EVENTS, ex, &ex->call, &err)
                                : trigger_call(ex, trigger, pool, &err);
    if (r == 0) {
        move(ex, EXCHANGE_CALLED);
        return;
    }
    ex->call = NULL;
    log_debug("%.*s %.*s: %s", SPAN_ARG(request.method), SPAN_ARG(request.url), err.text);
    spec.text = r == ERR_LIMIT ? SPAN("the worker is overloaded, try again in a moment")
                               : SPAN("the worker is not available, try again in a moment");
    answer_page(ex, &spec);
}

static void dispatch(struct exchange *ex)
{
    struct front *front = front_of(ex);
    struct page_spec spec = {.status = 503, .is_passing = true, .text = SPAN("no worker is ready")};

    if (front->pool) {
        call_pool(ex, front->pool);
        return;
    }
    if (front->page.status > 0) {
        spec.status = front->page.status;
        spec.is_passing = false;
        spec.text = (struct span){front->page.plain, front->page.plain_len};
        spec.html = (struct span){front->page.html, front->page.html_len};
        answer_page(ex, &spec);
        return;
    }
    if (front->waiting >= front->config.waiting_max)
        answer_page(ex, &spec);
    else
        move(ex, EXCHANGE_WAITING);
}

void exchange_tick(struct exchange *ex)
{
    struct front *front = front_of(ex);

    if (ex->state == EXCHANGE_WAITING && (front->pool || front->page.status > 0))
        move(ex, EXCHANGE_READY);
    if (ex->state == EXCHANGE_READY)
        dispatch(ex);
    /* An answer that could not be sent leaves its call running. */
    if (ex->state == EXCHANGE_ANSWERED || ex->state == EXCHANGE_BROKEN)
        exchange_abort(ex, RESET_CLIENT_GONE);
}

static bool is_thrown_away(const struct exchange *ex)
{
    return ex->is_unwanted || ex->state == EXCHANGE_ANSWERED;
}

size_t exchange_room(const struct exchange *ex)
{
    if (is_thrown_away(ex))
        return FRONT_READ_MAX;
    return ex->call ? call_window(ex->call) : 0;
}

void exchange_body(struct exchange *ex, struct span bytes, bool is_end)
{
    if (is_thrown_away(ex)) {
        ex->discarded += bytes.len;
        return;
    }
    if (ex->state == EXCHANGE_CALLED)
        wait_for(ex, WAIT_ANSWER, front_of(ex)->config.timeouts.answer_ms);
    call_body(ex->call, bytes, is_end);
}

void exchange_end_bytes(struct exchange *ex)
{
    if (ex->has_sent_end || ex->state != EXCHANGE_ANSWERING || !ex->call)
        return;
    ex->has_sent_end = true;
    call_body(ex->call, SPAN(""), true);
}

void exchange_credit(struct exchange *ex, size_t bytes)
{
    if (!ex->call || bytes == 0)
        return;
    call_credit(ex->call, bytes);
}

void exchange_refuse(struct exchange *ex, unsigned status, struct span text,
                     enum reset_reason reason)
{
    struct page_spec spec = {.status = status, .text = text};

    if (ex->state == EXCHANGE_ANSWERED || ex->state == EXCHANGE_BROKEN)
        return;
    exchange_abort(ex, reason);
    if (status == 503)
        spec.is_passing = true;
    if (ex->state == EXCHANGE_ANSWERING)
        move(ex, EXCHANGE_BROKEN);
    else
        answer_page(ex, &spec);
}

bool exchange_is_answered(const struct exchange *ex) { return ex->state == EXCHANGE_ANSWERED; }
