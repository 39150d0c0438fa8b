/* outcall.c - what the worker's code asks of the node, between JavaScript and the host.
 *
 *   open --reply--> replied --last byte--> closed --body taken or dropped--> freed
 *     |                |                     ^
 *     +-- failed, cancelled, request over ---+
 *
 * Invariants:
 *   1. settle is called once: with the reply, or with why there is none.  Who has an ear instead
 *      hears one end: the last bytes, or why there are none.
 *   2. The host hears nothing of an outcall that is not is_open.
 *   3. It is freed when !is_open, settled, and its reply's body is over. */
#include "realm/outcall.h"

#include <stddef.h>
#include <stdio.h>

#include "base/mem.h"
#include "realm/exchange.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/socket.h"

enum { BUCKETS = 256 };

static struct outcall *buckets[BUCKETS];
static const struct host *host;
static uint32_t last; /* the highest number used */
static unsigned open_count;
static JSObjectRef room_wanted;
static JSObjectRef make_error, body_over;

void outcall_set_host(const struct host *new_host)
{
    host = new_host;
}

struct outcall *outcall_find(uint32_t stream)
{
    struct outcall *o = buckets[stream % BUCKETS];

    while (o && o->stream != stream)
        o = o->next;
    return o;
}

unsigned outcall_room(void)
{
    return HOST_OUTCALLS_MAX - open_count;
}

void outcall_wait_room(JSObjectRef wake)
{
    flow_keep(&room_wanted, wake);
}

/* TypeError with the first line, whose cause are the others. */
static JSValueRef error_of(struct span text)
{
    JSValueRef value = text_value(text);

    if (!make_error)
        make_error = engine_internal("networkError");
    return engine_run(make_error, 1, &value);
}

/* ---- life ---- */

static void check_end(struct outcall *o)
{
    struct outcall **p = &buckets[o->stream % BUCKETS];
    struct exchange *x;
    JSValueRef id;

    if (o->holds > 0 || o->is_open || o->settle || !o->in.is_over)
        return;
    while (*p != o)
        p = &(*p)->next;
    *p = o->next;
    if (!body_over)
        body_over = engine_internal("bodyIsOver");
    x = exchange_find(o->request);
    if (x)
        x->outcalls--;
    socket_free(o->socket);
    inflow_done(&o->in);
    outflow_close(&o->out);
    id = engine_number(o->stream);
    flow_wake(&o->over, 0, NULL);
    if (!o->is_heard)
        engine_run(body_over, 1, &id);
    mem_free(o);
}

static void release(struct outcall *o)
{
    o->holds--;
    check_end(o);
}

void outcall_hold(struct outcall *o)
{
    o->holds++;
}

void outcall_release(struct outcall *o)
{
    release(o);
}

void outcall_detach(struct outcall *o)
{
    struct exchange *x = exchange_find(o->request);

    if (x)
        x->outcalls--;
    o->request = 0;
}

/* The last word was said, by whomever. */
static void set_closed(struct outcall *o)
{
    if (!o->is_open)
        return;
    o->is_open = false;
    open_count--;
    outflow_close(&o->out);
    flow_wake(&room_wanted, 0, NULL);
}

static void settle(struct outcall *o, size_t count, const JSValueRef *arguments)
{
    flow_wake(&o->settle, count, arguments);
}

/* No (more) reply. */
static void fail(struct outcall *o, JSValueRef error)
{
    const struct outcall_ear *ear = o->ear;
    bool is_replied = !o->settle;

    o->holds++;
    set_closed(o);
    settle(o, 1, &error);
    o->ear = NULL;
    if (ear)
        ear->failed(o->ear_self, error);
    else if (is_replied)
        inflow_cut(&o->in, error);
    else
        inflow_drop(&o->in);
    release(o);
}

void outcall_cancel(struct outcall *o, JSValueRef error)
{
    if (o->is_open)
        host->outcall_cancel(host->self, o->stream);
    fail(o, error);
}

/* ---- what the flows ask of the host ---- */

static struct outcall *of_in(struct inflow *f)
{
    return (struct outcall *)(void *)((char *)f - offsetof(struct outcall, in));
}

static struct outcall *of_out(struct outflow *f)
{
    return (struct outcall *)(void *)((char *)f - offsetof(struct outcall, out));
}

static void in_credit(struct inflow *f, size_t bytes)
{
    if (of_in(f)->is_open)
        host->outcall_credit(host->self, f->stream, (uint32_t)bytes);
}

static void in_unwanted(struct inflow *f)
{
    struct outcall *o = of_in(f);

    if (!o->is_open)
        return;
    host->outcall_cancel(host->self, o->stream);
    o->holds++;
    set_closed(o);
    o->holds--;
}

static void in_over(struct inflow *f)
{
    check_end(of_in(f));
}

static void out_send(struct outflow *f, struct span bytes, bool is_end)
{
    if (of_out(f)->is_open)
        host->outcall_body(host->self, f->stream, bytes, is_end);
}

static void out_over(struct outflow *f)
{
    (void)f;
}

static void out_broken(struct outflow *f, struct span text)
{
    char line[256];
    int n = snprintf(line, sizeof line, "Network connection lost.\n%.*s",
                     text.len < 200 ? (int)text.len : 200, text.data);

    outcall_cancel(of_out(f), error_of((struct span){line, (size_t)n}));
}

static void out_room(struct outflow *f)
{
    const struct outcall *o = of_out(f);

    if (o->ear && o->ear->room)
        o->ear->room(o->ear_self);
}

static const struct inflow_ops IN = {in_credit, in_unwanted, in_over};
static const struct outflow_ops OUT = {out_send, out_over, out_broken, out_room};

/* ---- open ---- */

static struct outcall *open_call(struct host_outcall *call, JSValueRef *ret_thrown)
{
    uint32_t stream = HOST_OUTCALL_BIT | (last + 1);
    struct exchange *x = exchange_find(call->request);
    struct err err = {0};
    struct outcall *o;

    if (!host->outcall) {
        engine_throw(ret_thrown, "Error",
                     "Disallowed operation called within global scope. Asynchronous I/O (ex: "
                     "fetch() or connect()) is not allowed within global scope: do it in a "
                     "handler.");
        return NULL;
    }
    if (outcall_room() == 0 || last == ~HOST_OUTCALL_BIT) {
        engine_throw(ret_thrown, "TypeError", "Too many calls are under way at once.");
        return NULL;
    }
    o = mem_alloc(sizeof *o);
    if (!o) {
        engine_throw(ret_thrown, "RangeError", "out of memory");
        return NULL;
    }
    call->request = x ? call->request : 0;
    if (host->outcall(host->self, stream, call, &err) < 0) {
        mem_free(o);
        engine_throw(ret_thrown, "TypeError", "%s", err.text);
        return NULL;
    }
    last++;
    open_count++;
    o->stream = stream;
    o->request = call->request;
    o->is_open = true;
    inflow_init(&o->in, &IN, stream, -1);
    outflow_init(&o->out, &OUT, stream, HOST_WINDOW);
    o->out.is_over = call->body_length == 0;
    o->next = buckets[stream % BUCKETS];
    buckets[stream % BUCKETS] = o;
    if (x)
        x->outcalls++;
    return o;
}

struct outcall *outcall_open(struct host_outcall *call, JSObjectRef on_settle,
                             JSValueRef *ret_thrown)
{
    struct outcall *o = open_call(call, ret_thrown);

    if (o)
        o->settle = (JSObjectRef)engine_keep(on_settle);
    return o;
}

struct outcall *outcall_open_heard(struct host_outcall *call, const struct outcall_ear *ear,
                                   void *self, JSValueRef *ret_thrown)
{
    struct outcall *o = open_call(call, ret_thrown);

    if (!o)
        return NULL;
    o->ear = ear;
    o->ear_self = self;
    o->is_heard = true;
    o->in.is_over = true;
    return o;
}

void outcall_on_over(struct outcall *o, JSObjectRef over)
{
    flow_keep(&o->over, over);
}

/* ---- from the host ---- */

static JSValueRef strings_of(const struct host_pair *pairs, size_t count)
{
    JSObjectRef array = JSObjectMakeArray(engine.context, 0, NULL, NULL);

    for (size_t i = 0; i < count && array; i++) {
        JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)(2 * i),
                                   text_value(pairs[i].name), NULL);
        JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)(2 * i + 1),
                                   text_value(pairs[i].value), NULL);
    }
    return array ? array : engine.undefined;
}

static JSValueRef lines_of(const struct host_pair *pairs, size_t count)
{
    struct buf lines = {0};
    JSValueRef value = engine.undefined;
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = buf_print(&lines, "%.*s\n%.*s\n", SPAN_ARG(pairs[i].name), SPAN_ARG(pairs[i].value));
    if (r == 0)
        value = text_value(buf_span(&lines));
    buf_done(&lines);
    return value;
}

/* How its body is encoded, when we can undo that. */
static enum coding find_coding(const struct realm_reply *reply)
{
    enum coding coding = CODING_NONE;

    for (size_t i = 0; i < reply->header_count; i++) {
        if (!span_is_nocase(reply->headers[i].name, "content-encoding"))
            continue;
        if (coding != CODING_NONE)
            return CODING_NONE; /* one over the other: left as it is */
        coding = coding_of(reply->headers[i].value);
    }
    return coding;
}

static void hear(struct outcall *o, struct span bytes, bool is_end)
{
    const struct outcall_ear *ear = o->ear;

    if (is_end) {
        o->ear = NULL;
        set_closed(o);
    } else if (bytes.len > 0 && o->is_open && !ear->has_credit) {
        host->outcall_credit(host->self, o->stream, (uint32_t)bytes.len);
    }
    ear->bytes(o->ear_self, bytes, is_end);
}

/* Its ear hears it. */
static void hear_reply(struct outcall *o, const struct realm_reply *reply)
{
    o->holds++;
    o->ear->reply(o->ear_self, reply);
    if (o->ear && reply->is_end)
        hear(o, SPAN(""), true);
    release(o);
}

void outcall_reply(struct outcall *o, const struct realm_reply *reply)
{
    enum coding coding = reply->is_end ? CODING_NONE : find_coding(reply);
    JSValueRef arguments[6];

    if (o->ear) {
        hear_reply(o, reply);
        return;
    }
    if (!o->settle)
        return;
    o->holds++;
    o->in.length = reply->is_end ? 0 : reply->body_length;
    if (coding != CODING_NONE) {
        o->in.unpack = unpack_new(coding);
        if (!o->in.unpack) {
            outcall_cancel(o, error_of(SPAN("out of memory")));
            release(o);
            return;
        }
    }
    arguments[0] = engine.undefined;
    arguments[1] = engine_number(reply->status);
    arguments[2] = strings_of(reply->results, reply->result_count);
    arguments[3] = lines_of(reply->headers, reply->header_count);
    arguments[4] = engine_number(reply->is_end ? 0 : o->stream);
    arguments[5] = engine_number((double)o->in.length);
    if (reply->is_end) {
        o->in.has_all = true;
        inflow_finish(&o->in);
        set_closed(o);
    }
    settle(o, 6, arguments);
    release(o);
}

void outcall_body(struct outcall *o, struct span bytes, bool is_end)
{
    o->holds++;
    if (o->ear) {
        hear(o, bytes, is_end);
        release(o);
        return;
    }
    if (is_end)
        set_closed(o);
    inflow_arrive(&o->in, bytes, is_end);
    release(o);
}

void outcall_failed(struct outcall *o, struct span text)
{
    const struct outcall_ear *ear = o->ear;

    if (!ear || !ear->told) {
        fail(o, error_of(text));
        return;
    }
    o->holds++;
    o->ear = NULL;
    set_closed(o);
    ear->told(o->ear_self, text);
    release(o);
}

void outcall_credited(struct outcall *o, uint32_t bytes)
{
    o->holds++;
    if (bytes > 0)
        outflow_credit(&o->out, bytes);
    else if (o->ear && o->ear->connected)
        o->ear->connected(o->ear_self);
    release(o);
}

void outcall_credit(struct outcall *o, size_t bytes)
{
    if (o->is_open && bytes > 0)
        host->outcall_credit(host->self, o->stream, (uint32_t)bytes);
}

void outcall_drop(struct outcall *o)
{
    o->holds++;
    o->ear = NULL;
    if (o->is_open)
        host->outcall_cancel(host->self, o->stream);
    set_closed(o);
    release(o);
}

void outcall_end_of(uint32_t request)
{
    JSValueRef error = NULL;

    for (int i = 0; i < BUCKETS; i++) {
        struct outcall *o = buckets[i];
        while (o) {
            if (o->request != request) {
                o = o->next;
                continue;
            }
            if (!error)
                error = error_of(SPAN("The request that this was fetched for has ended. "
                                      "ctx.waitUntil() keeps it alive."));
            o->holds++;
            o->request = 0;
            outcall_cancel(o, error);
            inflow_drop(&o->in);
            release(o);
            o = buckets[i]; /* others may have gone with it: those it was relayed into */
        }
    }
}
