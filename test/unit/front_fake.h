/* front_fake.h - herd.h without a herd: calls are recorded, the test answers.
 *
 * Every pool_call appends to fake_calls; a call stays there after its end, so
 * that a test can look at what happened to it.  fake_answer and friends play
 * the instance.  One translation unit includes this. */
#ifndef CORRAL_TEST_FRONT_FAKE_H
#define CORRAL_TEST_FRONT_FAKE_H

#include <stdlib.h>

#include "base/buf.h"
#include "herd/herd.h"

enum { FAKE_CALLS_MAX = 256 };

struct pool {
    int refuse;                     /* what pool_call returns instead */
    size_t window;                  /* of new calls */
    bool is_hung_up;
    void (*on_call)(struct call *call); /* answer at once? (never inside pool_call) */
};

struct call {
    const struct call_events *events;
    void *self;
    struct pool *pool;
    char *method, *url;
    char headers[2048];             /* "name: value\n" */
    int64_t body_length;
    bool is_upgrade;
    struct buf body;
    bool has_body_end;
    size_t window, credited;
    bool is_over;
    int aborted;                    /* reset_reason */
    void *ticket;
    int64_t cpu_us;
};

static struct call *fake_calls[FAKE_CALLS_MAX];
static int fake_count;

static char *fake_copy(struct span s)
{
    char *copy = malloc(s.len + 1);

    memcpy(copy, s.data, s.len);
    copy[s.len] = '\0';
    return copy;
}

int pool_call(struct pool *pool, const struct request *request, bool is_end,
              const struct call_events *events, void *self, struct call **ret_call,
              struct err *err)
{
    struct call *call;
    struct span name, value;
    size_t at = 0, n = 0;

    if (pool->refuse)
        return err_set(err, (enum err_code)pool->refuse, "refused");
    if (fake_count == FAKE_CALLS_MAX)
        abort();
    call = calloc(1, sizeof *call);
    call->events = events;
    call->self = self;
    call->pool = pool;
    call->method = fake_copy(request->method);
    call->url = fake_copy(request->url);
    call->body_length = request->body_length;
    call->is_upgrade = request->is_upgrade;
    call->has_body_end = is_end;
    call->window = pool->window;
    while (pairs_next(&request->headers, &at, &name, &value) && n < sizeof call->headers)
        n += (size_t)snprintf(call->headers + n, sizeof call->headers - n, "%.*s: %.*s\n",
                              SPAN_ARG(name), SPAN_ARG(value));
    fake_calls[fake_count++] = call;
    *ret_call = call;
    return 0;
}

/* Recorded with the method "event", kind and payload as its URL. */
int pool_event(struct pool *pool, const struct event *event, const struct call_events *events,
               void *self, struct call **ret_call, struct err *err)
{
    struct buf url = {0};
    int r;

    if (buf_print(&url, "%.*s %.*s", SPAN_ARG(event->kind), SPAN_ARG(event->payload)) < 0)
        return err_nomem(err);
    r = pool_call(pool, &(struct request){.method = SPAN("event"), .url = buf_span(&url),
                                           .headers = {SPAN(""), 0}}, true,
                  events, self, ret_call, err);
    buf_done(&url);
    return r;
}

void pool_hang_up(struct pool *pool) { pool->is_hung_up = true; }

/* No limits. */
const struct limit_set *pool_limits(const struct pool *pool)
{
    static const struct limit_set NONE;

    (void)pool;
    return &NONE;
}

void pool_limited(struct pool *pool, enum limit limit, struct span text, void *ticket)
{
    (void)pool, (void)limit, (void)text, (void)ticket;
}

void call_set_ticket(struct call *call, void *ticket) { call->ticket = ticket; }

int64_t call_cpu_us(const struct call *call) { return call->cpu_us; }

size_t call_window(const struct call *call) { return call->window; }

void call_body(struct call *call, struct span bytes, bool is_end)
{
    if (call->is_over || bytes.len > call->window || call->has_body_end)
        abort();
    /* A failure that a test has armed happens once. */
    if (buf_append(&call->body, bytes.data, bytes.len) < 0 &&
        buf_append(&call->body, bytes.data, bytes.len) < 0)
        abort();
    call->window -= bytes.len;
    call->has_body_end = is_end;
}

void call_credit(struct call *call, size_t bytes)
{
    if (call->is_over)
        abort();
    call->credited += bytes;
}

void call_abort(struct call *call, enum reset_reason reason)
{
    if (call->is_over)
        abort();
    call->is_over = true;
    call->aborted = (int)reason;
}

static void fake_reset(void)
{
    for (int i = 0; i < fake_count; i++) {
        free(fake_calls[i]->method);
        free(fake_calls[i]->url);
        buf_done(&fake_calls[i]->body);
        free(fake_calls[i]);
    }
    fake_count = 0;
}

/* headers: "name: value\n" lines. */
static void fake_head(struct call *call, unsigned status, const char *headers, int64_t body_length)
{
    struct response head = {.status = status, .body_length = body_length};
    struct buf pairs = {0};

    while (*headers) {
        const char *colon = strchr(headers, ':'), *end = strchr(headers, '\n');
        struct span name = {headers, (size_t)(colon - headers)};
        struct span value = {colon + 2, (size_t)(end - colon - 2)};
        size_t before = pairs.tail;
        if (pairs_add(&pairs, name, value) < 0) {
            pairs.tail = before;
            if (pairs_add(&pairs, name, value) < 0)
                abort();
        }
        head.headers.count++;
        headers = end + 1;
    }
    head.headers.bytes = head.headers.count > 0 ? buf_span(&pairs) : SPAN("");
    if (body_length == 0)
        call->is_over = true;
    call->events->head(call->self, &head);
    buf_done(&pairs);
}

static inline void fake_body(struct call *call, const char *bytes, size_t len, bool is_end)
{
    if (is_end)
        call->is_over = true;
    call->events->body(call->self, (struct span){bytes, len}, is_end);
}

static inline void fake_fail(struct call *call, enum call_failure why, const char *text)
{
    call->is_over = true;
    call->events->failed(call->self, why, span_of(text));
}

static inline void fake_answer(struct call *call, const char *text)
{
    fake_head(call, 200, "Content-Type: text/plain\n", (int64_t)strlen(text));
    if (*text)
        fake_body(call, text, strlen(text), true);
}

static inline void fake_open_window(struct call *call, size_t bytes)
{
    call->window += bytes;
    call->events->writable(call->self);
}

#endif
