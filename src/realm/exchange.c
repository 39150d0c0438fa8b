/* exchange.c - one request and its answer, between the host and either language.
 *
 *   answer           nothing -> is_answered -> out.is_over
 *                    any -> out.is_over                           (failed, aborted)
 *
 * The bodies themselves are flow.c's.  Invariants:
 *   1. host->done is called once, when out.is_over and holds == 0, and frees.
 *   2. An unread body is given up when nothing runs that could read it: at the
 *      end, or LINGER_MS after the answer when only waitUntil is left.
 *   3. After is_aborted the host hears nothing but log and done.
 *   4. What was called out of the worker for this request ends with it.
 *
 * Called by realm.c (from the host), web/ (from JavaScript) and py/. */
#include "realm/exchange.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/outcall.h"
#include "realm/socket.h"

enum {
    BUCKETS = 1024,
    LINGER_MS = 100,
};

static struct exchange *buckets[BUCKETS];
static size_t alive;
static uint32_t last; /* that was opened */
static void (*ended)(uint32_t stream);
static const struct host *host;
static exchange_current_fn current;

void exchange_set_host(const struct host *new_host)
{
    host = new_host;
}

void exchange_set_ended(void (*function)(uint32_t stream))
{
    ended = function;
}

void exchange_set_current(exchange_current_fn function)
{
    current = function;
}

uint32_t exchange_current(void)
{
    return current ? current() : 0;
}

/* What JavaScript does behind an await belongs to nobody that one could name; but when one request
 * alone is here, it is that one's. */
static uint32_t only_stream(void)
{
    if (alive != 1)
        return 0;
    for (size_t i = 0; i < BUCKETS; i++)
        if (buckets[i])
            return buckets[i]->stream;
    return 0;
}

void exchange_log(enum log_level level, struct span text)
{
    uint32_t stream = exchange_current();

    exchange_log_for(stream ? stream : only_stream(), level, text);
}

void exchange_log_for(uint32_t stream, enum log_level level, struct span text)
{
    host->log(host->self, stream, level, text, SPAN(""));
}

void exchange_log_told(enum log_level level, struct span text, struct span told)
{
    uint32_t stream = exchange_current();

    host->log(host->self, stream ? stream : only_stream(), level, text, told);
}

static unsigned met_outside; /* of requests */

void exchange_met(uint32_t stream, enum limit limit)
{
    struct exchange *x = exchange_find(stream);
    unsigned *met = x ? &x->met : &met_outside, bit = 1u << limit;

    if ((*met & bit) || !host->met)
        return;
    *met |= bit;
    host->met(host->self, x ? stream : 0, limit);
}

void exchange_met_none(void)
{
    met_outside = 0;
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

/* One element of a list: "gzip;q=0.5". */
static bool is_accepted(struct span element, struct span coding)
{
    const char *semicolon = memchr(element.data, ';', element.len);
    struct span name = element, weight = {0};

    if (semicolon) {
        name.len = (size_t)(semicolon - element.data);
        weight = (struct span){semicolon, element.len - name.len};
    }
    while (name.len > 0 && name.data[0] == ' ') {
        name.data++;
        name.len--;
    }
    while (name.len > 0 && name.data[name.len - 1] == ' ')
        name.len--;
    if (name.len != coding.len || strncasecmp(name.data, coding.data, coding.len) != 0)
        return false;
    /* Refused when all digits of q are zeroes. */
    for (size_t i = 0; i < weight.len; i++)
        if (weight.data[i] >= '1' && weight.data[i] <= '9')
            return true;
    return weight.len == 0;
}

/* The next value of the header with this name, which is in lower case; *at begins as the lines. */
static bool next_value(struct span *at, struct span name, struct span *ret_value)
{
    while (at->len > 0) {
        const char *value = memchr(at->data, '\n', at->len), *end = at->data + at->len, *stop;
        bool is_it = (size_t)(end - at->data) > name.len &&
                     memcmp(at->data, name.data, name.len) == 0 && at->data[name.len] == '\n';
        if (!value)
            return false;
        value++;
        stop = memchr(value, '\n', (size_t)(end - value));
        if (!stop)
            return false;
        *at = (struct span){stop + 1, (size_t)(end - stop - 1)};
        *ret_value = (struct span){value, (size_t)(stop - value)};
        if (is_it)
            return true;
    }
    return false;
}

/* The next element of a list with commas. */
static bool next_element(struct span *at, struct span *ret_element)
{
    const char *comma;

    if (!at->data)
        return false;
    comma = memchr(at->data, ',', at->len);
    *ret_element = (struct span){at->data, comma ? (size_t)(comma - at->data) : at->len};
    *at = comma ? (struct span){comma + 1, at->len - ret_element->len - 1} : (struct span){NULL, 0};
    return true;
}

struct span head_value(const struct head *head, struct span name)
{
    struct span lines = head->lines, value;

    return next_value(&lines, name, &value) ? value : SPAN("");
}

bool head_accepts(const struct head *head, struct span coding)
{
    struct span lines = head->lines, value, element;

    while (next_value(&lines, SPAN("accept-encoding"), &value))
        while (next_element(&value, &element))
            if (is_accepted(element, coding))
                return true;
    return false;
}

unsigned head_rounds(const struct head *head)
{
    static const struct span MARK = SPAN("corral; rounds=");
    struct span lines = head->lines, value, e;
    unsigned rounds = 0;

    while (next_value(&lines, SPAN("cdn-loop"), &value))
        while (next_element(&value, &e)) {
            unsigned n = 0;
            while (e.len > 0 && e.data[0] == ' ') {
                e.data++;
                e.len--;
            }
            if (e.len <= MARK.len || memcmp(e.data, MARK.data, MARK.len) != 0)
                continue;
            for (size_t i = MARK.len; i < e.len && e.data[i] >= '0' && e.data[i] <= '9'; i++)
                n = n < HEAD_ROUNDS_MAX ? n * 10 + (unsigned)(e.data[i] - '0') : n;
            if (n > rounds)
                rounds = n;
        }
    return rounds;
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
    head->is_upgrade = r->is_upgrade;
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

/* ---- what the flows ask of the host ---- */

static struct exchange *of_in(struct inflow *f)
{
    return (struct exchange *)(void *)((char *)f - offsetof(struct exchange, in));
}

static struct exchange *of_out(struct outflow *f)
{
    return (struct exchange *)(void *)((char *)f - offsetof(struct exchange, out));
}

static void in_credit(struct inflow *f, size_t bytes)
{
    if (!of_in(f)->is_aborted)
        host->request_credit(host->self, f->stream, (uint32_t)bytes);
}

static void in_unwanted(struct inflow *f)
{
    if (!of_in(f)->is_aborted)
        host->request_unwanted(host->self, f->stream);
}

/* The exchange lives on, with its answer. */
static void in_over(struct inflow *f) { (void)f; }

static void out_send(struct outflow *f, struct span bytes, bool is_end)
{
    host->respond_body(host->self, f->stream, bytes, is_end);
}

static void check_end(struct exchange *x);

static void out_over(struct outflow *f) { check_end(of_out(f)); }

static void out_broken(struct outflow *f, struct span text)
{
    exchange_fail(of_out(f), HOST_BODY, text);
}

static const struct inflow_ops IN = {in_credit, in_unwanted, in_over};
static void tell_writer(struct exchange *x)
{
    if (x->writer)
        x->tell_writer(x);
}

static void out_room(struct outflow *f) { tell_writer(of_out(f)); }

static void close_out(struct exchange *x)
{
    outflow_close(&x->out);
    tell_writer(x);
}

static const struct outflow_ops OUT = {out_send, out_over, out_broken, out_room};

/* ---- life ---- */

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
    inflow_init(&x->in, &IN, stream, request->is_upgrade ? -1 : request->body_length);
    outflow_init(&x->out, &OUT, stream, HOST_WINDOW);
    x->next = buckets[stream % BUCKETS];
    buckets[stream % BUCKETS] = x;
    alive++;
    last = stream > last ? stream : last;
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

uint32_t exchange_first(void)
{
    uint32_t first = 0;

    for (size_t i = 0; i < BUCKETS && alive > 0; i++)
        for (const struct exchange *x = buckets[i]; x; x = x->next)
            if (first == 0 || x->stream < first)
                first = x->stream;
    return first;
}

struct exchange *exchange_pick(bool (*is_it)(const struct exchange *x))
{
    for (size_t i = 0; i < BUCKETS && alive > 0; i++)
        for (struct exchange *x = buckets[i]; x; x = x->next)
            if (is_it(x))
                return x;
    return NULL;
}

uint32_t exchange_last(void)
{
    return last;
}

static struct exchange *find_relayed(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct exchange *x = buckets[i]; x; x = x->next)
            if (x->is_relayed && !x->out.is_over)
                return x;
    return NULL;
}

void exchange_cut_relayed(void)
{
    struct exchange *x;

    while ((x = find_relayed()))
        exchange_fail(x, HOST_BODY, SPAN("the worker is replaced"));
}

static void exchange_free(struct exchange *x)
{
    struct exchange **p = &buckets[x->stream % BUCKETS];

    while (*p != x)
        p = &(*p)->next;
    *p = x->next;
    alive--;
    timers_remove(&x->linger);
    socket_free(x->socket);
    engine_drop(x->on_abort);
    engine_drop(x->event);
    inflow_done(&x->in);
    close_out(x);
    head_unref(x->head);
    mem_free(x);
}

static void give_up_body(struct timer *timer)
{
    struct exchange *x =
        (struct exchange *)(void *)((char *)timer - offsetof(struct exchange, linger));

    if (x->in.use == INFLOW_UNTOUCHED)
        inflow_drop(&x->in);
}

static void answer_event(struct exchange *x)
{
    void (*on_quiet)(struct exchange *) = x->on_quiet;

    x->on_quiet = NULL;
    exchange_hold(x);
    on_quiet(x);
    exchange_release(x);
}

/* The answer or a hold has ended: is that all?  May free x. */
static void check_end(struct exchange *x)
{
    uint32_t stream;

    if (!x->out.is_over) {
        if (x->holds == 0 && x->on_quiet)
            answer_event(x);
        return;
    }
    if (x->holds > 0) {
        if (!x->in.has_all && x->in.use == INFLOW_UNTOUCHED && x->linger.place == 0 &&
            timers_add(&x->linger, clock_now_us() + LINGER_MS * 1000, give_up_body) < 0)
            inflow_drop(&x->in);
        return;
    }
    x->holds++;     /* code that nothing holds may still wait for something: it gets an error */
    if (!x->in.has_all || x->in.to)
        inflow_drop(&x->in);
    flow_wake(&x->in.wake, 0, NULL);
    flow_wake(&x->out.wake, 0, NULL);
    if (x->outcalls > 0)
        outcall_end_of(x->stream);
    x->holds--;
    if (x->holds > 0)
        return;
    stream = x->stream;
    host->done(host->self, stream);
    exchange_free(x);
    if (ended)
        ended(stream);
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

/* ---- the answer ---- */

/* Only behind a 101 would anything come. */
static void refuse_upgrade(struct exchange *x)
{
    if (x->head->is_upgrade && !x->socket)
        x->in.has_all = true;
}

void exchange_respond(struct exchange *x, const struct host_response *response)
{
    if (x->is_answered || x->out.is_over)
        return;
    x->is_answered = true;
    if (response->status != 101)
        refuse_upgrade(x);
    host->respond(host->self, x->stream, response);
    if (response->body_length != 0)
        return;
    x->out.is_over = true;
    check_end(x);
}

/* Of an answer that is cut the node speaks. */
void exchange_log_failure(const struct exchange *x, struct span text)
{
    struct buf line = {0};

    if (buf_print(&line, "%.*s %.*s: ", SPAN_ARG(x->head->method), SPAN_ARG(x->head->url)) < 0 ||
        buf_append(&line, text.data, text.len) < 0)
        exchange_log_for(x->stream, HOST_RAISED, text);
    else
        exchange_log_for(x->stream, HOST_RAISED, buf_span(&line));
    buf_done(&line);
}

static void tell_failure(struct exchange *x, enum host_failure why, struct span text)
{
    host->fail(host->self, x->stream, x->is_answered ? HOST_BODY : why, text);
    exchange_hold(x);
    close_out(x);
    exchange_release(x);
}

/* What both languages raise when there is no more memory. */
static bool is_of_memory(struct span text)
{
    return memmem(text.data, text.len, "\nMemoryError", 12) ||
           memmem(text.data, text.len, "RangeError: Out of memory", 25);
}

void exchange_fail(struct exchange *x, enum host_failure why, struct span text)
{
    if (why == HOST_EXCEPTION && is_of_memory(text))
        exchange_met(x->stream, LIMIT_MEMORY);
    if (why != HOST_BODY && (x->is_aborted || !x->is_answered))
        exchange_log_failure(x, text);
    if (x->out.is_over)
        return;
    refuse_upgrade(x);
    if (x->passes_through && why == HOST_EXCEPTION && !x->is_answered)
        exchange_log_for(x->stream, LOG_WARN,
                         SPAN("passThroughOnException: there is no origin behind this worker to "
                              "pass the request to, so the error is the answer"));
    tell_failure(x, why, text);
}

void exchange_stop(struct exchange *x, struct span text)
{
    if (x->out.is_over)
        return;
    refuse_upgrade(x);
    tell_failure(x, HOST_EXCEPTION, text);
}

void exchange_abort(struct exchange *x)
{
    if (x->is_aborted)
        return;
    exchange_hold(x);   /* the calls below may end all that holds it */
    x->is_aborted = true;
    if (!x->out.is_over)
        close_out(x);
    if (!x->in.has_all)
        inflow_cut(&x->in, NULL);
    socket_abort(x->socket);
    flow_wake(&x->on_abort, 0, NULL);
    exchange_release(x);
}

void exchange_on_abort(struct exchange *x, JSObjectRef function)
{
    flow_keep(&x->on_abort, function);
    if (x->is_aborted)
        flow_wake(&x->on_abort, 0, NULL);
}
