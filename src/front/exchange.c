/* exchange.c - one request and the call that answers it.
 *
 *   HEAD --> READY --> CALLED --head--> ANSWERING --end--> ANSWERED
 *    |        | ^ \       | \               |                 ^
 *    |        | |  \      |  +-- crashed, nothing said: READY  |
 *    |        | +-- WAITING                 +--> BROKEN        |
 *    +--------+---------+-- an error, or a page ---------------+
 *
 * 1. ex->callee is empty from the terminal callback, or from our abort, on.
 * 2. A request is sent again only when its instance died before any answer,
 *    its method is safe, it has no body, and only once; and once more, at most, for each dispatch
 * when the pool that the router gave takes no call any more.
 * 3. Every byte of the answer's body is credited once, when the socket has
 *    taken it; bytes that are not written (HEAD, 204) count as taken.
 * 4. Each route that the router gave is finished once: record.c.
 *
 * Who calls it: connection.c. */
#include <assert.h>
#include <stdio.h>

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

static void wait_for(struct exchange *ex, enum wait kind, int ms)
{
    waits_set(&ex->connection->waits, kind, clock_now_ms() + ms);
}

/* The worker's own limit may be shorter than the front's. */
static int exchange_answer_ms(const struct exchange *ex)
{
    int most_ms = ex->connection->front->config.timeouts.answer_ms;
    int64_t wall_ms = ex->pool ? pool_limits(ex->pool)->of[LIMIT_WALL] : 0;

    return wall_ms > 0 && wall_ms < most_ms ? (int)wall_ms : most_ms;
}

void exchange_move(struct exchange *ex, enum exchange_state to)
{
    struct front *front = ex->connection->front;
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
        wait_for(ex, WAIT_ANSWER, exchange_answer_ms(ex));
    if (to == EXCHANGE_ANSWERED && front->config.access_log && !ex->is_switched)
        record_say(ex);
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
    ex->callee = (struct callee){0};
    ex->record = (struct record){.cpu_us = -1};
    ex->status = 0;
    ex->ray = 0;
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
    struct front *front = ex->connection->front;

    assert(!callee_runs(&ex->callee));
    record_close(ex);
    if (ex->state == EXCHANGE_WAITING)
        exchange_move(ex, EXCHANGE_BROKEN);
    buf_eat(&ex->store, buf_len(&ex->store));
    if (ex->store.cap > FRONT_STORE_KEPT)
        buf_done(&ex->store); /* a crowd of large heads leaves nothing behind */
    if (front->spares == FRONT_SPARES_MAX) {
        buf_done(&ex->store);
        mem_free(ex);
        return;
    }
    ex->next = front->spare;
    front->spare = ex;
    front->spares++;
}

/* ---- towards the callee ---- */

static void note_cpu(struct exchange *ex)
{
    if (ex->callee.call && ex->record.has_ticket)
        ex->record.cpu_us = call_cpu_us(ex->callee.call);
}

void exchange_abort(struct exchange *ex, enum reset_reason reason)
{
    bool is_running = callee_runs(&ex->callee);

    /* What was aborted before ended for the reason of then. */
    if (reason == RESET_CLIENT_GONE && (ex->state < EXCHANGE_CALLED || is_running) &&
        ex->state < EXCHANGE_ANSWERED)
        record_end(ex, FRONT_CANCELED, SPAN(""));
    if (!is_running)
        return;
    note_cpu(ex);
    callee_abort(&ex->callee, reason);
}

void exchange_over(struct exchange *ex)
{
    note_cpu(ex);
    callee_forget(&ex->callee);
}

static struct request request_of(const struct exchange *ex)
{
    return (struct request){
        .method = exchange_method(ex),
        .url = exchange_url(ex),
        .headers = exchange_headers(ex),
        .body_length = ex->head.body_length,
        .is_upgrade = ex->is_upgrade,
    };
}

static bool is_bodiless(const struct exchange *ex)
{
    return ex->head.framing == HEAD_NO_BODY && !ex->is_upgrade;
}

static bool is_too_large(const struct exchange *ex, int64_t bytes)
{
    int64_t most = ex->pool ? pool_limits(ex->pool)->of[LIMIT_BODY] * 1000 * 1000 : 0;

    return most > 0 && bytes > most;
}

/* 413, as Cloudflare; and the worker's owner hears of it. */
static void refuse_body(struct exchange *ex)
{
    char text[120];
    int n = snprintf(text, sizeof text,
                     "a request was refused: its body has more than %lld MB (limits.body_mb)",
                     (long long)pool_limits(ex->pool)->of[LIMIT_BODY]);

    pool_limited(ex->pool, LIMIT_BODY, (struct span){text, (size_t)n},
                 ex->record.has_ticket ? ex->record.ticket : NULL);
    exchange_refuse(ex, 413, SPAN("the body is too large"), RESET_DEADLINE);
}

/* CALLED, or answered with a page; or an error with err filled. */
static int call_pool(struct exchange *ex, struct pool *pool, struct err *err)
{
    struct request request = request_of(ex);
    enum trigger trigger = trigger_of(ex);
    struct call **call = &ex->callee.call;
    int r;

    ex->pool = pool;
    if (is_too_large(ex, ex->head.body_length)) {
        refuse_body(ex);
        return 0;
    }
    r = trigger == TRIGGER_NONE
            ? pool_call(pool, &request, is_bodiless(ex), &EXCHANGE_EVENTS, ex, call, err)
            : trigger_call(ex, trigger, pool, err);
    if (r < 0) {
        callee_forget(&ex->callee);
        return r;
    }
    if (ex->record.has_ticket && ex->record.ticket)
        call_set_ticket(*call, ex->record.ticket);
    exchange_move(ex, EXCHANGE_CALLED);
    return 0;
}

static int call_local(struct exchange *ex, const struct front_route *route, struct err *err)
{
    struct request request = request_of(ex);
    int r;

    ex->pool = NULL;
    ex->callee.to = route->local;
    r = route->local->call(route->local_self, &request, is_bodiless(ex), &EXCHANGE_EVENTS, ex,
                           &ex->callee.local, err);
    if (r < 0) {
        callee_forget(&ex->callee);
        return r;
    }
    exchange_move(ex, EXCHANGE_CALLED);
    return 0;
}

static void refuse_call(struct exchange *ex, int r, const struct err *err)
{
    struct page_spec spec = {.status = 503, .retry_after_s = 1};

    log_debug("%.*s %.*s: %s", SPAN_ARG(exchange_method(ex)), SPAN_ARG(exchange_place(ex)),
              err->text);
    spec.text = r == ERR_LIMIT ? SPAN("the worker is overloaded, try again in a moment")
                               : SPAN("the worker is not available, try again in a moment");
    exchange_page(ex, &spec);
}

static void ask_router(struct exchange *ex, struct front_route *ret)
{
    struct front *front = ex->connection->front;
    struct request request = request_of(ex);
    struct front_arrival arrival = {
        .request = &request,
        .client = span_of(ex->connection->address),
        .is_tls = ex->connection->is_tls,
    };

    *ret = (struct front_route){.to = FRONT_TO_PAGE, .status = 503};
    front->router.route(front->router.self, &arrival, ret);
    record_route(ex, ret);
}

static void show_route(struct exchange *ex, const struct front_route *route)
{
    struct page_spec spec = {
        .status = route->status,
        .code = route->code,
        .retry_after_s = route->retry_after_s,
        .text = route->plain,
        .html = route->html,
    };

    if (route->plain.len == 0) {
        spec.text = status_text(route->status);
        page_words(&spec);
    }
    record_end(ex, FRONT_OK, SPAN(""));
    exchange_page(ex, &spec);
}

/* Where the router says; once more when that place is about to close. */
static void dispatch_routed(struct exchange *ex)
{
    struct front_route route;
    struct err err;
    int r = 0;

    for (int attempt = 0; attempt < 2; attempt++) {
        ask_router(ex, &route);
        switch (route.to) {
        case FRONT_TO_PAGE:
            show_route(ex, &route);
            return;
        case FRONT_TO_LOCAL:
            r = call_local(ex, &route, &err);
            break;
        case FRONT_TO_POOL:
            r = call_pool(ex, route.pool, &err);
            break;
        }
        if (r == 0)
            return;
        if (r != ERR_GONE || attempt > 0)
            break;
        record_end(ex, FRONT_MOVED, SPAN(""));
        record_finish(ex);
    }
    refuse_call(ex, r, &err);
}

static void dispatch(struct exchange *ex)
{
    struct front *front = ex->connection->front;
    struct page_spec spec = {.status = 503, .retry_after_s = 1, .text = SPAN("no worker is ready")};
    struct err err;
    int r;

    if (front->pool) {
        r = call_pool(ex, front->pool, &err);
        if (r < 0)
            refuse_call(ex, r, &err);
        return;
    }
    if (front->page.status > 0) {
        spec.status = front->page.status;
        spec.retry_after_s = 0;
        spec.text = (struct span){front->page.plain, front->page.plain_len};
        spec.html = (struct span){front->page.html, front->page.html_len};
        exchange_page(ex, &spec);
        return;
    }
    if (front->waiting >= front->config.waiting_max)
        exchange_page(ex, &spec);
    else
        exchange_move(ex, EXCHANGE_WAITING);
}

/* The same address, by https. */
static void redirect(struct exchange *ex)
{
    struct page_spec spec = {.status = 308, .text = SPAN("this site is at https")};
    struct span host = exchange_host(ex), target = exchange_target(ex);
    struct buf location = {0};
    const char *port = NULL;

    for (size_t i = host.len; i > 0 && host.data[i - 1] != ']' && !port; i--)
        if (host.data[i - 1] == ':')
            port = host.data + i - 1;
    if (port)
        host.len = (size_t)(port - host.data);
    if (buf_print(&location, "https://%.*s%.*s", SPAN_ARG(host), SPAN_ARG(target)) == 0)
        spec.location = buf_span(&location);
    else
        spec.status = 503;
    exchange_page(ex, &spec);
    buf_done(&location);
}

void exchange_tick(struct exchange *ex)
{
    struct front *front = ex->connection->front;

    if (ex->state == EXCHANGE_WAITING && (front->pool || front->page.status > 0))
        exchange_move(ex, EXCHANGE_READY);
    if (ex->state == EXCHANGE_READY) {
        if (ex->connection->is_redirect)
            redirect(ex);
        else if (front->router.route)
            dispatch_routed(ex);
        else
            dispatch(ex);
    }
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
    return callee_window(&ex->callee);
}

void exchange_body(struct exchange *ex, struct span bytes, bool is_end)
{
    ex->record.bytes_in += bytes.len;
    if (!is_thrown_away(ex) && callee_runs(&ex->callee) && !ex->is_upgrade &&
        is_too_large(ex, (int64_t)ex->record.bytes_in))
        refuse_body(ex);
    if (is_thrown_away(ex)) {
        ex->discarded += bytes.len;
        return;
    }
    if (ex->state == EXCHANGE_CALLED)
        wait_for(ex, WAIT_ANSWER, exchange_answer_ms(ex));
    callee_body(&ex->callee, bytes, is_end);
}

void exchange_end_bytes(struct exchange *ex)
{
    if (ex->has_sent_end || ex->state != EXCHANGE_ANSWERING || !callee_runs(&ex->callee))
        return;
    ex->has_sent_end = true;
    callee_body(&ex->callee, SPAN(""), true);
}

void exchange_credit(struct exchange *ex, size_t bytes)
{
    if (bytes > 0)
        callee_credit(&ex->callee, bytes);
}

void exchange_refuse(struct exchange *ex, unsigned status, struct span text,
                     enum reset_reason reason)
{
    struct page_spec spec = {.status = status, .text = text};

    if (ex->state == EXCHANGE_ANSWERED || ex->state == EXCHANGE_BROKEN)
        return;
    exchange_abort(ex, reason);
    if (status == 503)
        spec.retry_after_s = 1;
    if (ex->state == EXCHANGE_ANSWERING)
        exchange_move(ex, EXCHANGE_BROKEN);
    else
        exchange_page(ex, &spec);
}

void exchange_late(struct exchange *ex)
{
    int64_t wall_ms = ex->pool ? pool_limits(ex->pool)->of[LIMIT_WALL] : 0;
    char text[120];
    int n;

    if (wall_ms > 0 && wall_ms < ex->connection->front->config.timeouts.answer_ms) {
        n = snprintf(text, sizeof text,
                     "a request got no answer within its %lld ms (limits.wall_ms)",
                     (long long)wall_ms);
        pool_limited(ex->pool, LIMIT_WALL, (struct span){text, (size_t)n},
                     ex->record.has_ticket ? ex->record.ticket : NULL);
    }
    exchange_refuse(ex, 504, SPAN("the worker did not answer in time"), RESET_DEADLINE);
}

bool exchange_is_answered(const struct exchange *ex)
{
    return ex->state == EXCHANGE_ANSWERED;
}
