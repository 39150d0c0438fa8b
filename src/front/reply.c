/* reply.c - what becomes of a request's call: the answer's head and body, or a page of our own.
 *
 * 1. Callbacks write into the connection's buffer, record the state and wake the connection; they
 *    never call the callee or end anything.
 * 2. The instance is not trusted: a status, header or length that cannot be sent ends in 502, or in
 * a cut connection when the head has left.
 * 3. An upgrade that is answered with 101 is a WebSocket, of which nothing is known here: its bytes
 * go to the callee and come from it as bodies do, under the same credit, until either side ends.
 *
 * Who calls it: the herd and front_locals (EXCHANGE_EVENTS), exchange.c. */
#include <assert.h>

#include "base/log.h"
#include "front/inside.h"
#include "text/status.h"

/* ---- answers of our own ---- */

/* Fill ex->answer but for the body; decide whether the connection lives on. */
static void prepare_answer(struct exchange *ex, unsigned status, struct span text)
{
    struct front *front = ex->connection->front;
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

/* Who develops reads text: JSON is for an edge's clients. */
static enum page_kind wanted_kind(const struct exchange *ex)
{
    struct pairs headers = exchange_headers(ex);
    struct span name, value;
    enum page_kind kind;
    size_t at = 0;

    while (pairs_next(&headers, &at, &name, &value)) {
        if (!span_is_nocase(name, "accept"))
            continue;
        kind = page_kind_of(value);
        return kind == PAGE_JSON && !front_is_edge(ex->connection->front) ? PAGE_PLAIN : kind;
    }
    return PAGE_PLAIN;
}

/* A page in place of the callee's answer. */
static void put_page(struct exchange *ex, struct page_spec *spec)
{
    struct front *front = ex->connection->front;
    char ray[RAY_LEN + 1];
    int r;

    ex->is_unwanted = true;
    if (front_is_edge(front) && ex->ray == 0)
        ex->ray = ray_new(front);
    if (ex->ray > 0) {
        ray_print(ex->ray, ray);
        spec->ray = (struct span){ray, RAY_LEN};
    }
    spec->kind = wanted_kind(ex);
    prepare_answer(ex, spec->status, SPAN(""));
    r = page_put(&ex->connection->out, &ex->answer, spec);
    if (r == 0 && ex->answer.framing == ANSWER_LENGTH)
        ex->record.bytes_out = (uint64_t)ex->answer.body_length;
    exchange_move(ex, r < 0 ? EXCHANGE_BROKEN : EXCHANGE_ANSWERED);
}

void exchange_page(struct exchange *ex, struct page_spec *spec)
{
    assert(!callee_runs(&ex->callee));
    put_page(ex, spec);
}

/* An edge's answers say which request it was, as its log does. */
static int put_ray(struct exchange *ex, struct buf *out)
{
    char ray[RAY_LEN + 1];

    if (ex->ray == 0)
        return 0;
    ray_print(ex->ray, ray);
    return answer_field(&ex->answer, out, SPAN("CF-Ray"), (struct span){ray, RAY_LEN});
}

void exchange_answer(struct exchange *ex, unsigned status, struct span type, struct span body)
{
    struct buf *out = &ex->connection->out;
    size_t before = buf_len(out);
    int r;

    assert(!callee_runs(&ex->callee));
    ex->is_unwanted = true;
    prepare_answer(ex, status, SPAN(""));
    ex->answer.body_length = (int64_t)body.len;
    r = answer_begin(&ex->answer, out);
    if (r == 0)
        r = put_ray(ex, out);
    if (r == 0)
        r = answer_field(&ex->answer, out, SPAN("Content-Type"), type);
    if (r == 0)
        r = answer_end(&ex->answer, out);
    if (r == 0 && ex->answer.framing == ANSWER_LENGTH)
        r = buf_append(out, body.data, body.len);
    if (r < 0)
        out->tail = out->head + before;
    exchange_move(ex, r < 0 ? EXCHANGE_BROKEN : EXCHANGE_ANSWERED);
}

/* ---- events of the call: record, wake ---- */

/* For a stranger: at an edge the words of the code, elsewhere those of the status. */
static void hide(const struct exchange *ex, struct page_spec *spec, unsigned code)
{
    spec->title = SPAN("");
    spec->text = status_text(spec->status);
    if (!front_is_edge(ex->connection->front))
        return;
    spec->code = code;
    page_words(spec);
}

void exchange_unsendable(struct exchange *ex, const char *what)
{
    struct page_spec spec = {.status = 502, .text = span_of(what)};

    log_warn("%.*s %.*s: %s", SPAN_ARG(exchange_method(ex)), SPAN_ARG(exchange_place(ex)), what);
    record_end(ex, FRONT_EXCEPTION, span_of(what));
    if (!ex->connection->front->config.show_errors)
        hide(ex, &spec, 1101);
    /* The call still runs: it is aborted at the next tick. */
    ex->is_keep_alive = false;
    put_page(ex, &spec);
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
    if (r == 0)
        r = put_ray(ex, out);
    while (r == 0 && pairs_next(&response->headers, &at, &name, &value))
        if (ex->ray == 0 || !span_is_nocase(name, "cf-ray"))
            r = answer_field(&ex->answer, out, name, value);
    if (r == 0)
        r = answer_end(&ex->answer, out);
    if (r < 0)
        out->tail = out->head + before;
    return r;
}

/* All of the callee's answer is there. */
static void answered(struct exchange *ex)
{
    record_end(ex, FRONT_OK, SPAN(""));
    exchange_move(ex, EXCHANGE_ANSWERED);
}

static void on_head(void *self, const struct response *response)
{
    struct exchange *ex = self;
    bool is_end = response->body_length == 0;
    int r;

    if (is_end)
        exchange_over(ex);
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_CALLED)
        return;
    if (response->status > 599 ||
        (response->status < 200 && (response->status != 101 || !ex->is_upgrade))) {
        exchange_unsendable(ex, "the worker's answer has an impossible status");
        return;
    }
    prepare_answer(ex, (unsigned)response->status, response->status_text);
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
    exchange_move(ex, r < 0 ? EXCHANGE_BROKEN : EXCHANGE_ANSWERING);
    if (ex->is_switched && r == 0 && ex->connection->front->config.access_log)
        record_say(ex);
    if (is_end && r == 0)
        answered(ex);
    ex->answer.text = SPAN(""); /* its bytes are the callback's */
}

/* ERR_INVALID: not the length that was announced. */
static int put_body(struct exchange *ex, struct span bytes, bool is_end)
{
    struct buf *out = &ex->connection->out;
    int r = 0;

    ex->record.bytes_out += ex->answer.framing == ANSWER_BODILESS ? 0 : bytes.len;
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
        exchange_over(ex);
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_ANSWERING)
        return;
    ex->connection->out_owed += bytes.len;
    r = put_body(ex, bytes, is_end);
    if (r == ERR_INVALID) {
        log_warn("%.*s %.*s: the worker's answer is not as long as announced",
                 SPAN_ARG(exchange_method(ex)), SPAN_ARG(exchange_place(ex)));
        record_end(ex, FRONT_EXCEPTION, SPAN("the worker's answer is not as long as announced"));
    }
    if (r < 0)
        exchange_move(ex, EXCHANGE_BROKEN);
    else if (is_end)
        answered(ex);
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
        log_warn("%.*s %.*s: the worker's process ended", SPAN_ARG(exchange_method(ex)),
                 SPAN_ARG(exchange_place(ex)));
        return;
    case CALL_CUT:
        log_warn("%.*s %.*s: the worker's answer was cut %.*s", SPAN_ARG(exchange_method(ex)),
                 SPAN_ARG(exchange_place(ex)), SPAN_ARG(text));
        return;
    case CALL_EXCEEDED_CPU:
    case CALL_EXCEEDED_MEMORY:
    case CALL_EXCEEDED_OTHER:
        log_warn("%.*s %.*s: %.*s", SPAN_ARG(exchange_method(ex)), SPAN_ARG(exchange_place(ex)),
                 SPAN_ARG(text));
        return;
    case CALL_EXCEPTION:
    case CALL_BAD_RESULT: /* the worker's own log has these, with method and URL */
    case CALL_OVERLOADED:
    case CALL_NOT_STARTED:
    case CALL_NOT_LOADED: /* the herd and the command line speak of these */
        return;
    }
}

/* How each failure is answered: to the owner by title and text, to a stranger by the code's words.
 */
static const struct {
    unsigned status, code;
    const char *title;
} FAILURES[] = {
    [CALL_OVERLOADED] = {503, 0, ""},
    [CALL_NOT_STARTED] = {503, 0, "The worker does not start"},
    [CALL_NOT_LOADED] = {500, 1101, "The worker does not load"},
    [CALL_EXCEPTION] = {500, 1101, "The worker raised an exception"},
    [CALL_BAD_RESULT] = {500, 1101, "The worker's handler gave no Response"},
    [CALL_CRASHED] = {502, 0, ""},
    [CALL_CUT] = {502, 0, ""},
    [CALL_EXCEEDED_CPU] = {503, 1102, "The worker exceeded its resource limits"},
    [CALL_EXCEEDED_MEMORY] = {503, 1102, "The worker exceeded its resource limits"},
    [CALL_EXCEEDED_OTHER] = {503, 1102, "The worker exceeded its resource limits"},
};

static void answer_failure(struct exchange *ex, enum call_failure why, struct span text)
{
    struct page_spec spec = {
        .status = FAILURES[why].status, .title = span_of(FAILURES[why].title), .text = text};
    struct excerpt excerpt = {0};
    bool is_shown = ex->connection->front->config.show_errors && text.len > 0;

    if (why == CALL_OVERLOADED || why == CALL_NOT_STARTED)
        spec.retry_after_s = 1;
    if (why == CALL_OVERLOADED) {
        spec.text = SPAN("the worker is overloaded, try again in a moment");
    } else if (why == CALL_NOT_STARTED && !is_shown) {
        spec.text = SPAN("Its processes end before they can take a request. Whoever runs it finds the "
                         "reason in its log.");
    } else if (!is_shown) {
        hide(ex, &spec, FAILURES[why].code);
    }
    if (spec.text.len > FRONT_TEXT_MAX)
        spec.text.len = FRONT_TEXT_MAX;
    if (is_shown && wanted_kind(ex) == PAGE_HTML &&
        excerpt_find(ex->connection->front, ex->pool, text, &excerpt))
        spec.excerpt = &excerpt;
    exchange_page(ex, &spec);
    excerpt_done(&excerpt);
}

static enum front_ending ending_of(enum call_failure why)
{
    switch (why) {
    case CALL_OVERLOADED:
    case CALL_NOT_STARTED:
    case CALL_CRASHED:
        return FRONT_UNKNOWN;
    case CALL_EXCEEDED_CPU:
        return FRONT_EXCEEDED_CPU;
    case CALL_EXCEEDED_MEMORY:
        return FRONT_EXCEEDED_MEMORY;
    case CALL_EXCEEDED_OTHER:
        return FRONT_EXCEEDED_OTHER;
    case CALL_NOT_LOADED:
        return FRONT_NOT_LOADED;
    case CALL_EXCEPTION:
    case CALL_BAD_RESULT:
    case CALL_CUT:
        return FRONT_EXCEPTION;
    }
    return FRONT_UNKNOWN;
}

void exchange_failed(void *self, enum call_failure why, struct span text)
{
    struct exchange *ex = self;

    exchange_over(ex);
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_CALLED && ex->state != EXCHANGE_ANSWERING)
        return;
    record_end(ex, ending_of(why), text);
    if (why == CALL_CRASHED && ex->state == EXCHANGE_CALLED && ex->is_safe && !ex->is_retried &&
        ex->head.framing == HEAD_NO_BODY) {
        ex->is_retried = true;
        record_finish(ex);
        exchange_move(ex, EXCHANGE_READY);
        return;
    }
    log_failure(ex, why, text);
    if (ex->state == EXCHANGE_CALLED)
        answer_failure(ex, why, text);
    else
        exchange_move(ex, EXCHANGE_BROKEN);
}

const struct call_events EXCHANGE_EVENTS = {
    .head = on_head,
    .body = on_body,
    .writable = on_writable,
    .unwanted = on_unwanted,
    .failed = exchange_failed,
};
