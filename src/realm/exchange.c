/* exchange.c - one request and its answer, between the host and either language.
 *
 *   request's body   UNTOUCHED -> READ | COLLECTED | RELAYED      (first to ask wins)
 *                    any -> DROPPED                               (unwanted, aborted)
 *   answer           nothing -> is_answered -> is_finishing -> is_over
 *                    any -> is_over                               (failed, aborted)
 *
 * Invariants:
 *   1. host->done is called once, when is_over and holds == 0, and frees.
 *   2. Bytes given to host->respond_body never exceed what the peer credited.
 *   3. Every byte of a request body is credited once, when it leaves `in` for
 *      its reader (COLLECTED: when it arrives, the gathered whole is bounded
 *      by the process's memory limit).
 *   4. An unread body is given up when nothing runs that could read it: at the
 *      end, or LINGER_MS after the answer when only waitUntil is left.
 *   5. After is_aborted the host hears nothing but log and done.
 *
 * Called by realm.c (from the host), web/ (from JavaScript) and py/. */
#include "realm/exchange.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "realm/js/engine.h"

enum {
    BUCKETS = 1024,
    LINGER_MS = 100,
};

static struct exchange *buckets[BUCKETS];
static size_t alive;
static const struct host *host;
static exchange_current_fn current;

void exchange_set_host(const struct host *new_host)
{
    host = new_host;
}

void exchange_set_current(exchange_current_fn function)
{
    current = function;
}

void exchange_log(enum log_level level, struct span text)
{
    exchange_log_for(current ? current() : 0, level, text);
}

void exchange_log_for(uint32_t stream, enum log_level level, struct span text)
{
    host->log(host->self, stream, level, text);
}

struct head *head_ref(struct head *head)
{
    head->refs++;
    return head;
}

void head_unref(struct head *head)
{
    if (head && --head->refs == 0)
        mem_free(head);
}

static struct span put(char **at, struct span s)
{
    struct span copy = {*at, s.len};

    memcpy(*at, s.len ? s.data : "", s.len);
    *at += s.len;
    return copy;
}

static struct head *head_new(uint32_t stream, const struct realm_request *r)
{
    size_t size = r->method.len + r->url.len;
    struct head *head;
    char *at, *lines;

    for (size_t i = 0; i < r->header_count; i++)
        size += r->headers[i].name.len + r->headers[i].value.len + 2;
    head = mem_alloc(sizeof *head + size + 1);
    if (!head)
        return NULL;
    head->refs = 1;
    head->stream = stream;
    head->body_length = r->body_length;
    at = head->bytes;
    head->method = put(&at, r->method);
    head->url = put(&at, r->url);
    lines = at;
    for (size_t i = 0; i < r->header_count; i++) {
        struct span name = put(&at, r->headers[i].name);
        for (size_t k = 0; k < name.len; k++)
            if (name.data[k] >= 'A' && name.data[k] <= 'Z')
                at[(long)k - (long)name.len] |= 0x20;
        *at++ = '\n';
        put(&at, r->headers[i].value);
        *at++ = '\n';
    }
    head->lines = (struct span){lines, (size_t)(at - lines)};
    return head;
}

struct exchange *exchange_open(uint32_t stream, const struct realm_request *request)
{
    struct exchange *x = mem_alloc(sizeof *x);

    if (x)
        x->head = head_new(stream, request);
    if (!x || !x->head) {
        mem_free(x);
        host->fail(host->self, stream, HOST_EXCEPTION, SPAN("out of memory"));
        host->done(host->self, stream);
        return NULL;
    }
    x->stream = stream;
    x->holds = 1;
    x->credit = HOST_WINDOW;
    x->has_all = request->body_length == 0;
    x->next = buckets[stream % BUCKETS];
    buckets[stream % BUCKETS] = x;
    alive++;
    return x;
}

struct exchange *exchange_find(uint32_t stream)
{
    struct exchange *x = buckets[stream % BUCKETS];

    while (x && x->stream != stream)
        x = x->next;
    return x;
}

size_t exchange_count(void)
{
    return alive;
}

void exchange_drop_body(struct exchange *x)
{
    bool is_news = !x->has_all && !x->is_aborted && x->body != BODY_DROPPED;

    x->body = BODY_DROPPED;
    buf_done(&x->in);
    buf_init(&x->in);
    if (is_news)
        host->request_unwanted(host->self, x->stream);
}

static void exchange_free(struct exchange *x)
{
    struct exchange **p = &buckets[x->stream % BUCKETS];

    while (*p != x)
        p = &(*p)->next;
    *p = x->next;
    alive--;
    timers_remove(&x->linger);
    engine_drop(x->wake_in);
    engine_drop(x->wake_out);
    buf_done(&x->in);
    buf_done(&x->out);
    head_unref(x->head);
    mem_free(x);
}

static void give_up_body(struct timer *timer)
{
    struct exchange *x =
        (struct exchange *)(void *)((char *)timer - offsetof(struct exchange, linger));

    if (x->body == BODY_UNTOUCHED)
        exchange_drop_body(x);
}

/* A kept function is called once, and dropped before: it may ask for another. */
static void wake(JSObjectRef *kept, size_t count, const JSValueRef *arguments)
{
    JSObjectRef function = *kept;

    if (!function)
        return;
    *kept = NULL;
    engine_run(function, count, arguments);
    engine_drop(function);
}

/* The answer or a hold has ended: is that all?  May free x. */
static void check_end(struct exchange *x)
{
    if (!x->is_over)
        return;
    if (x->holds > 0) {
        if (!x->has_all && x->body == BODY_UNTOUCHED && x->linger.place == 0 &&
            timers_add(&x->linger, clock_now_us() + LINGER_MS * 1000, give_up_body) < 0)
            exchange_drop_body(x);
        return;
    }
    if (!x->has_all)
        exchange_drop_body(x);
    x->holds++;     /* code that nothing holds may still wait for the body: it gets an error */
    wake(&x->wake_in, 0, NULL);
    wake(&x->wake_out, 0, NULL);
    x->holds--;
    if (x->holds > 0)
        return;
    host->done(host->self, x->stream);
    exchange_free(x);
}

void exchange_hold(struct exchange *x)
{
    x->holds++;
}

void exchange_release(struct exchange *x)
{
    x->holds--;
    check_end(x);
}

static void set_over(struct exchange *x)
{
    x->is_over = true;
    buf_done(&x->out);
    buf_init(&x->out);
    check_end(x);
}

static void keep(JSObjectRef *kept, JSObjectRef function)
{
    engine_drop(*kept);
    *kept = (JSObjectRef)engine_keep(function);
}

/* ---- the request's body ---- */

/* As buf_span, but never a NULL pointer with an offset. */
static struct span unread(const struct buf *b)
{
    return buf_len(b) > 0 ? buf_span(b) : SPAN("");
}

static void give_credit(struct exchange *x, size_t bytes)
{
    if (bytes > 0 && !x->has_all && !x->is_aborted)
        host->request_credit(host->self, x->stream, (uint32_t)bytes);
}

struct span exchange_peek(const struct exchange *x, size_t max)
{
    struct span all = unread(&x->in);

    if (all.len > max)
        all.len = max;
    return all;
}

void exchange_consumed(struct exchange *x, size_t bytes)
{
    if (bytes > 0)
        buf_eat(&x->in, bytes);
    give_credit(x, bytes);
}

static void free_bytes(void *bytes, void *context)
{
    (void)context;
    mem_free(bytes);
}

static void hand_over(struct exchange *x)
{
    size_t len = buf_len(&x->in);
    char *bytes = buf_detach(&x->in);
    JSValueRef buffer;

    if (!bytes) {
        wake(&x->wake_in, 0, NULL);
        return;
    }
    buffer = JSObjectMakeArrayBufferWithBytesNoCopy(engine.context, bytes, len, free_bytes, NULL,
                                                    NULL);
    wake(&x->wake_in, buffer ? 1 : 0, &buffer);
}

void exchange_collect(struct exchange *x, JSObjectRef take)
{
    keep(&x->wake_in, take);
    if (x->body == BODY_DROPPED) {
        wake(&x->wake_in, 0, NULL);
        return;
    }
    x->body = BODY_COLLECTED;
    if (x->has_all)
        hand_over(x);
    else
        give_credit(x, buf_len(&x->in));
}

void exchange_wait_in(struct exchange *x, JSObjectRef function)
{
    keep(&x->wake_in, function);
}

/* Move what is here into the answer, as far as the peer takes it. */
static void relay(struct exchange *x)
{
    struct span bytes = exchange_peek(x, x->credit);
    bool is_end = x->has_all && bytes.len == buf_len(&x->in);

    if (x->is_over || (bytes.len == 0 && !is_end))
        return;
    x->credit -= (uint32_t)bytes.len;
    host->respond_body(host->self, x->stream, bytes, is_end);
    exchange_consumed(x, bytes.len);
    if (is_end)
        set_over(x);
}

void exchange_arrive(struct exchange *x, struct span bytes, bool is_end)
{
    if (x->has_all || x->body == BODY_DROPPED)
        return;
    if (buf_append(&x->in, bytes.data, bytes.len) < 0) {
        exchange_log_for(x->stream, LOG_ERROR, SPAN("out of memory for a request's body"));
        exchange_drop_body(x);
        wake(&x->wake_in, 0, NULL);
        return;
    }
    x->has_all = is_end;
    switch (x->body) {
    case BODY_UNTOUCHED:
    case BODY_DROPPED:
        break;
    case BODY_READ:
        wake(&x->wake_in, 0, NULL);
        break;
    case BODY_COLLECTED:
        if (is_end)
            hand_over(x);
        else
            give_credit(x, bytes.len);
        break;
    case BODY_RELAYED:
        relay(x);
        break;
    }
}

/* ---- the answer ---- */

void exchange_respond(struct exchange *x, const struct host_response *response)
{
    if (x->is_answered || x->is_over)
        return;
    x->is_answered = true;
    host->respond(host->self, x->stream, response);
    if (response->body_length == 0)
        set_over(x);
}

/* Send of bytes what the credit allows; returns how much.  May end the answer, and so free x. */
static size_t send(struct exchange *x, struct span bytes)
{
    size_t n = bytes.len < x->credit ? bytes.len : x->credit;
    bool is_end = x->is_finishing && n == bytes.len;

    if (n == 0 && !is_end)
        return 0;
    x->credit -= (uint32_t)n;
    host->respond_body(host->self, x->stream, (struct span){bytes.data, n}, is_end);
    x->is_over |= is_end;
    return n;
}

enum exchange_room exchange_write(struct exchange *x, struct span bytes)
{
    size_t sent = 0;

    if (x->is_over || x->is_finishing)
        return EXCHANGE_GONE;
    if (buf_len(&x->out) == 0)
        sent = send(x, bytes);
    if (buf_append(&x->out, bytes.data + sent, bytes.len - sent) < 0) {
        exchange_fail(x, HOST_BODY, SPAN("out of memory"));
        return EXCHANGE_GONE;
    }
    return buf_len(&x->out) > 0 ? EXCHANGE_WAIT : EXCHANGE_MORE;
}

void exchange_send_whole(struct exchange *x, struct span bytes)
{
    size_t sent;

    if (x->is_over)
        return;
    x->is_finishing = true;
    sent = send(x, bytes);
    if (x->is_over) {
        set_over(x);
        return;
    }
    if (buf_append(&x->out, bytes.data + sent, bytes.len - sent) < 0)
        exchange_fail(x, HOST_BODY, SPAN("out of memory"));
}

void exchange_finish(struct exchange *x)
{
    if (x->is_over)
        return;
    x->is_finishing = true;
    if (buf_len(&x->out) == 0)
        send(x, SPAN(""));
    if (x->is_over)
        set_over(x);
}

void exchange_wait_out(struct exchange *x, JSObjectRef function)
{
    keep(&x->wake_out, function);
}

void exchange_relay(struct exchange *x)
{
    x->body = BODY_RELAYED;
    relay(x);
}

void exchange_credit(struct exchange *x, uint32_t bytes)
{
    if (x->is_over)
        return;
    x->credit = x->credit > UINT32_MAX - bytes ? UINT32_MAX : x->credit + bytes;
    if (x->body == BODY_RELAYED) {
        relay(x);
        return;
    }
    if (buf_len(&x->out) > 0)
        buf_eat(&x->out, send(x, unread(&x->out)));
    if (x->is_over)
        set_over(x);
    else if (buf_len(&x->out) == 0)
        wake(&x->wake_out, 0, NULL);
}

/* The one log entry of a failed request.  Of an answer that is cut the node speaks. */
static void log_failure(const struct exchange *x, struct span text)
{
    struct buf line = {0};

    if (buf_print(&line, "%.*s %.*s: ", SPAN_ARG(x->head->method), SPAN_ARG(x->head->url)) < 0 ||
        buf_append(&line, text.data, text.len) < 0)
        exchange_log_for(x->stream, LOG_ERROR, text);
    else
        exchange_log_for(x->stream, LOG_ERROR, buf_span(&line));
    buf_done(&line);
}

void exchange_fail(struct exchange *x, enum host_failure why, struct span text)
{
    if (why != HOST_BODY && (x->is_aborted || !x->is_answered))
        log_failure(x, text);
    if (x->is_over)
        return;
    host->fail(host->self, x->stream, x->is_answered ? HOST_BODY : why, text);
    set_over(x);
}

void exchange_abort(struct exchange *x)
{
    if (x->is_aborted)
        return;
    exchange_hold(x);   /* the calls below may end all that holds it */
    x->is_aborted = true;
    if (!x->has_all && x->body != BODY_DROPPED)
        exchange_drop_body(x);
    x->is_over = true;
    wake(&x->wake_in, 0, NULL);
    wake(&x->wake_out, 0, NULL);
    buf_done(&x->out);
    buf_init(&x->out);
    exchange_release(x);
}
