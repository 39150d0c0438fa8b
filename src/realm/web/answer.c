/* answer.c - the C half of response.js and context.js: heads and bytes to the exchange.
 *
 * The headers of an answer come as the number 1 (only the content type of
 * text), as a string without line breaks (only this content type), as null
 * (none), or as lines "name\nvalue\n...". */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/outcall.h"
#include "realm/socket.h"
#include "realm/web/web.h"
#include "text/status.h"

enum {
    HEADERS_MAX = 256,    /* fields of one answer */
    TEXT_MAX = 64 * 1024, /* ASCII that becomes a string, which crosses faster */
};

static const struct host_pair plain_text = {
    {"content-type", 12},
    {"text/plain;charset=UTF-8", 24},
};

/* What host_response points into while it is built. */
struct draft {
    struct host_response response;
    struct host_pair pairs[HEADERS_MAX];
    struct buf text; /* status text, then the lines */
};

static struct exchange *exchange_of(JSContextRef js, JSValueRef id)
{
    return exchange_find((uint32_t)JSValueToNumber(js, id, NULL));
}

static int split_lines(struct draft *d, struct span lines)
{
    while (lines.len > 0) {
        struct host_pair *pair = &d->pairs[d->response.header_count];
        struct span *parts[2] = {&pair->name, &pair->value};
        if (d->response.header_count == HEADERS_MAX)
            return ERR_LIMIT;
        for (int i = 0; i < 2; i++) {
            const char *end = memchr(lines.data, '\n', lines.len);
            if (!end)
                return ERR_INVALID;
            *parts[i] = (struct span){lines.data, (size_t)(end - lines.data)};
            lines.len -= parts[i]->len + 1;
            lines.data = end + 1;
        }
        d->response.header_count++;
    }
    return 0;
}

/* arguments: id, status, statusText, headers.  draft_done is due whatever comes back. */
static int draft_init(struct draft *d, JSContextRef js, const JSValueRef *arguments,
                      JSValueRef *ret_thrown)
{
    struct host_response *r = &d->response;
    size_t status_len;

    *r = (struct host_response){.status = (uint32_t)JSValueToNumber(js, arguments[1], NULL),
                                .headers = d->pairs};
    buf_init(&d->text);
    if (text_append_value(&d->text, arguments[2], ret_thrown) < 0)
        return ERR_NOMEM;
    status_len = buf_len(&d->text);
    if (JSValueIsNumber(js, arguments[3])) {
        r->headers = &plain_text;
        r->header_count = 1;
    } else if (!JSValueIsNull(js, arguments[3])) {
        struct span lines;
        if (text_append_escaped(&d->text, arguments[3], ret_thrown) < 0)
            return ERR_NOMEM;
        lines = (struct span){buf_data(&d->text) + status_len, buf_len(&d->text) - status_len};
        if (lines.len > 0 && !memchr(lines.data, '\n', lines.len)) {
            d->pairs[0] = (struct host_pair){plain_text.name, lines};
            r->header_count = 1;
        } else if (split_lines(d, lines) < 0) {
            engine_throw(ret_thrown, "RangeError", "a Response may have at most %d headers",
                         HEADERS_MAX);
            return ERR_LIMIT;
        }
    }
    r->status_text = (struct span){buf_data(&d->text), status_len};
    if (buf_len(&d->text) > HOST_HEAD_MAX) {
        engine_throw(ret_thrown, "RangeError",
                     "the headers of a Response may have at most %d bytes together, these have %zu",
                     HOST_HEAD_MAX, buf_len(&d->text));
        return ERR_LIMIT;
    }
    return 0;
}

static void draft_done(struct draft *d)
{
    buf_done(&d->text);
}

static void send_whole(struct exchange *x, struct draft *d, struct span body)
{
    uint32_t stream = x->stream;

    d->response.body_length = (int64_t)body.len;
    exchange_respond(x, &d->response);
    if (body.len == 0)
        return;
    x = exchange_find(stream);
    if (!x)
        return;
    outflow_write_whole(&x->out, body);
}

static bool draft_lines(struct draft *d, struct exchange *x, uint32_t status, struct span lines)
{
    d->response = (struct host_response){.status = status, .headers = d->pairs};
    if (split_lines(d, lines) == 0)
        return true;
    exchange_fail(x, HOST_EXCEPTION, SPAN("an answer's headers are malformed"));
    return false;
}

void web_answer(struct exchange *x, uint32_t status, struct span lines, struct span body)
{
    struct draft d;

    if (draft_lines(&d, x, status, lines))
        send_whole(x, &d, body);
}

void web_begin_answer(struct exchange *x, uint32_t status, struct span lines, int64_t length)
{
    struct draft d;

    if (!draft_lines(&d, x, status, lines))
        return;
    d.response.body_length = length;
    exchange_respond(x, &d.response);
}

static bool is_ascii(struct span s)
{
    unsigned char all = 0;

    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.data[i];
    return all < 0x80;
}

JSValueRef web_body_value(struct span bytes)
{
    return bytes.len <= TEXT_MAX && is_ascii(bytes) ? text_value(bytes) : web_new_bytes(bytes);
}

JSObjectRef web_make_answer(uint32_t status, struct span lines, JSValueRef body, bool is_sent)
{
    static JSObjectRef make;
    JSValueRef arguments[] = {body, engine_number(status), text_value(lines),
                              JSValueMakeBoolean(engine.context, is_sent)};
    JSValueRef made;

    if (!make)
        make = engine_internal("readyAnswer");
    made = engine_run(make, 4, arguments);
    return JSValueIsObject(engine.context, made) ? (JSObjectRef)made : NULL;
}

/* statusText(status) -> the usual words, '' when there are none */
static JSValueRef usual_text(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)count, (void)ret_thrown;
    return text_value(status_text((unsigned)JSValueToNumber(js, arguments[0], NULL)));
}

/* respond(id, status, statusText, headers, string | Uint8Array | null) */
static JSValueRef respond(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x;
    struct draft d;
    struct buf text = {0};
    struct span body = {0};
    int r;

    (void)function, (void)self, (void)count;
    engine_lock();
    x = exchange_of(js, arguments[0]);
    r = draft_init(&d, js, arguments, ret_thrown);
    if (r == 0 && JSValueIsString(js, arguments[4])) {
        r = text_append_value(&text, arguments[4], ret_thrown);
        if (r == 0)
            body = buf_span(&text);
    } else if (r == 0 && !JSValueIsNull(js, arguments[4])) {
        web_bytes(arguments[4], &body);
    }
    if (r == 0 && x)
        send_whole(x, &d, body);
    else if (r == ERR_NOMEM)
        engine_throw(ret_thrown, "RangeError", "out of memory for the response");
    draft_done(&d);
    buf_done(&text);
    engine_unlock();
    return engine.undefined;
}

/* respondStream(id, status, statusText, headers, length or -1): bodyWrite and bodyEnd follow */
static JSValueRef respond_stream(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);
    struct draft d;

    (void)function, (void)self, (void)count;
    if (draft_init(&d, js, arguments, ret_thrown) == 0 && x) {
        d.response.body_length = (int64_t)JSValueToNumber(js, arguments[4], NULL);
        exchange_respond(x, &d.response);
    }
    draft_done(&d);
    return engine.undefined;
}

/* respondRelay(id, status, statusText, headers, source, isDecoded): the body is that of `source`,
 * an incoming one that nobody has touched */
static JSValueRef respond_relay(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);
    struct inflow *source = web_inflow(arguments[4]);
    bool is_decoded = JSValueToBoolean(js, arguments[5]);
    struct draft d;

    (void)function, (void)self, (void)count;
    if (!x)
        return engine.undefined;
    if (!source) {
        exchange_fail(x, HOST_BAD_RESULT,
                      SPAN("the body of this Response is gone: the request that it came with has "
                           "ended"));
        return engine.undefined;
    }
    if (draft_init(&d, js, arguments, ret_thrown) == 0) {
        bool is_same = !is_decoded || !source->unpack;
        d.response.body_length = is_same ? source->length : -1;
        exchange_respond(x, &d.response);
        x = exchange_of(js, arguments[0]);
        source = web_inflow(arguments[4]);
        if (x && source && !x->out.is_over)
            inflow_relay(source, &x->out, is_same ? FLOW_AS_IT_IS : FLOW_DECODED);
        else if (source)
            inflow_drop(source);
    }
    draft_done(&d);
    return engine.undefined;
}

/* respondSocket(id, statusText, headers, listener) -> is it one now?  See realm/socket.h */
static JSValueRef respond_socket(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);
    const JSValueRef head[] = {arguments[0], engine_number(101), arguments[1], arguments[2]};
    bool is_open = false;
    struct draft d;

    (void)function, (void)self, (void)count;
    if (draft_init(&d, js, head, ret_thrown) == 0 && x && !x->is_answered && !x->out.is_over) {
        is_open = socket_open(x, &d.response, (JSObjectRef)arguments[3]) == 0;
        if (!is_open)
            engine_throw(ret_thrown, "RangeError", "out of memory");
    }
    draft_done(&d);
    return JSValueMakeBoolean(js, is_open);
}

/* respondSocketRelay(id, statusText, headers, source) -> is the client of `id` connected to the
 * server that has answered the outcall `source` with 101? */
static JSValueRef respond_socket_relay(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                       size_t count, const JSValueRef *arguments,
                                       JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);
    struct outcall *o = outcall_find((uint32_t)JSValueToNumber(js, arguments[3], NULL));
    const JSValueRef head[] = {arguments[0], engine_number(101), arguments[1], arguments[2]};
    bool is_open = x && !x->is_answered && !x->out.is_over && o && o->in.use == INFLOW_UNTOUCHED;
    struct draft d;

    (void)function, (void)self, (void)count;
    is_open = draft_init(&d, js, head, ret_thrown) == 0 && is_open;
    if (is_open)
        socket_relay(x, &d.response, o);
    draft_done(&d);
    return JSValueMakeBoolean(js, is_open);
}

/* isUpgrade(id) -> does this request ask for a WebSocket? */
static JSValueRef is_upgrade(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return JSValueMakeBoolean(js, x && x->head->is_upgrade);
}

struct outflow *web_outflow(JSValueRef id)
{
    uint32_t stream = (uint32_t)JSValueToNumber(engine.context, id, NULL);
    struct outcall *o;
    struct exchange *x;

    if (stream & HOST_OUTCALL_BIT) {
        o = outcall_find(stream);
        return o ? &o->out : NULL;
    }
    x = exchange_find(stream);
    return x ? &x->out : NULL;
}

/* bodyWrite(id, bytes) -> enum flow_room */
static JSValueRef body_write(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct outflow *f = web_outflow(arguments[0]);
    struct span bytes = {0};

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    web_bytes(arguments[1], &bytes);
    return engine_number(f ? outflow_write(f, bytes) : FLOW_GONE);
}

/* bodyWatch(id, wake): wake() once, when what waited has left or nobody takes any more */
static JSValueRef body_watch(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct outflow *f = web_outflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (f && !f->is_over)
        outflow_wait(f, (JSObjectRef)arguments[1]);
    else
        engine_run((JSObjectRef)arguments[1], 0, NULL);
    return engine.undefined;
}

/* bodyState(id) -> enum flow_room */
static JSValueRef body_state(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct outflow *f = web_outflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number(f ? outflow_room(f) : FLOW_GONE);
}

/* bodyEnd(id) */
static JSValueRef body_end(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct outflow *f = web_outflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (f)
        outflow_finish(f);
    return engine.undefined;
}

/* bodyFail(id, text): the answer's */
static JSValueRef body_fail(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);
    struct buf text = {0};

    (void)function, (void)self, (void)count;
    if (x && text_append_value(&text, arguments[1], ret_thrown) == 0)
        exchange_fail(x, HOST_BODY, buf_span(&text));
    buf_done(&text);
    return engine.undefined;
}

/* hold(id) -> bool, release(id): waitUntil */
static JSValueRef hold(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        exchange_hold(x);
    return JSValueMakeBoolean(js, x != NULL);
}

static JSValueRef release(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        exchange_release(x);
    return engine.undefined;
}

/* onAbort(id, f): f() once nobody waits for the answer any more */
static JSValueRef on_abort(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        exchange_on_abort(x, (JSObjectRef)arguments[1]);
    return engine.undefined;
}

/* passThrough(id): ctx.passThroughOnException() */
static JSValueRef pass_through(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        x->passes_through = true;
    return engine.undefined;
}

/* accepts(id, "gzip") -> does the client of this request take bodies encoded so? */
static JSValueRef accepts(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);
    struct buf coding = {0};
    bool is_accepted = false;

    (void)function, (void)self, (void)count;
    if (x && text_append_value(&coding, arguments[1], ret_thrown) == 0)
        is_accepted = head_accepts(x->head, buf_span(&coding));
    buf_done(&coding);
    return JSValueMakeBoolean(js, is_accepted);
}

void web_define_answer(void)
{
    engine_native("statusText", usual_text);
    engine_native("respond", respond);
    engine_native("respondStream", respond_stream);
    engine_native("respondRelay", respond_relay);
    engine_native("respondSocket", respond_socket);
    engine_native("respondSocketRelay", respond_socket_relay);
    engine_native("isUpgrade", is_upgrade);
    engine_native("bodyWrite", body_write);
    engine_native("bodyWatch", body_watch);
    engine_native("bodyState", body_state);
    engine_native("bodyEnd", body_end);
    engine_native("bodyFail", body_fail);
    engine_native("hold", hold);
    engine_native("release", release);
    engine_native("onAbort", on_abort);
    engine_native("passThrough", pass_through);
    engine_native("accepts", accepts);
}
