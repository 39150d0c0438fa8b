/* outcall.c - the C half of outcall.js: calls to the node, for fetch and the bindings. */
#include "realm/outcall.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

enum {
    ARGUMENTS_MAX = 16,
    HEADERS_MAX = 256,
};

/* What host_outcall points into while it is built. */
struct draft {
    struct host_outcall call;
    struct host_pair arguments[ARGUMENTS_MAX], headers[HEADERS_MAX];
    struct buf text;
    size_t ends[2 * ARGUMENTS_MAX + 3]; /* of each string in text */
    size_t count;
};

static int add_string(struct draft *d, JSValueRef value, JSValueRef *ret_thrown)
{
    int r = text_append_value(&d->text, value, ret_thrown);

    if (r < 0)
        engine_throw(ret_thrown, "RangeError", "out of memory");
    d->ends[d->count++] = buf_len(&d->text);
    return r;
}

static struct span string_at(const struct draft *d, size_t i)
{
    size_t start = i > 0 ? d->ends[i - 1] : 0;

    return (struct span){buf_data(&d->text) + start, d->ends[i] - start};
}

static int split_headers(struct draft *d, struct span lines, JSValueRef *ret_thrown)
{
    while (lines.len > 0) {
        struct host_pair *pair = &d->headers[d->call.header_count];
        struct span *parts[2] = {&pair->name, &pair->value};
        if (d->call.header_count == HEADERS_MAX) {
            engine_throw(ret_thrown, "TypeError", "A request may have at most %d headers.",
                         HEADERS_MAX);
            return ERR_LIMIT;
        }
        for (int i = 0; i < 2; i++) {
            const char *end = memchr(lines.data, '\n', lines.len);
            size_t n = end ? (size_t)(end - lines.data) : lines.len;
            *parts[i] = (struct span){lines.data, n};
            lines.data += end ? n + 1 : n;
            lines.len -= end ? n + 1 : n;
        }
        d->call.header_count++;
    }
    return 0;
}

/* Not by looking where it ends: behind the end stands what a worker gave Array.prototype. */
static unsigned length_of(JSContextRef js, JSObjectRef list)
{
    JSStringRef name = JSStringCreateWithUTF8CString("length");
    double length = JSValueToNumber(js, JSObjectGetProperty(js, list, name, NULL), NULL);

    JSStringRelease(name);
    return length < 2 * ARGUMENTS_MAX ? (unsigned)length : 2 * ARGUMENTS_MAX;
}

/* binding, method, [name, value, ...], header lines */
static int draft_fill(struct draft *d, JSContextRef js, const JSValueRef *arguments,
                      JSValueRef *ret_thrown)
{
    JSObjectRef list = (JSObjectRef)arguments[2];
    unsigned n = length_of(js, list);

    if (add_string(d, arguments[0], ret_thrown) < 0 || add_string(d, arguments[1], ret_thrown) < 0)
        return ERR_NOMEM;
    for (unsigned i = 0; i < n; i++)
        if (add_string(d, JSObjectGetPropertyAtIndex(js, list, i, NULL), ret_thrown) < 0)
            return ERR_NOMEM;
    if (add_string(d, arguments[3], ret_thrown) < 0)
        return ERR_NOMEM;
    d->call.binding = string_at(d, 0);
    d->call.method = string_at(d, 1);
    d->call.arguments = d->arguments;
    d->call.argument_count = n / 2;
    d->call.headers = d->headers;
    for (size_t i = 0; i < n / 2; i++)
        d->arguments[i] = (struct host_pair){string_at(d, 2 + 2 * i), string_at(d, 3 + 2 * i)};
    return split_headers(d, string_at(d, 2 + n), ret_thrown);
}

/* outcall(request, binding, method, [name, value, ...], headerLines, body, settle, over) -> id.
 * body: null; a string or bytes, which are all of it; or a number, the length
 * (-1: not known) of what bodyWrite, bodyEnd or outcallRelay bring. */
static JSValueRef outcall(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    static struct draft d;
    struct outcall *o = NULL;
    struct buf text = {0};
    struct span body = {0};
    int r;

    (void)function, (void)self, (void)count;
    d.call = (struct host_outcall){.request = (uint32_t)JSValueToNumber(js, arguments[0], NULL)};
    d.count = 0;
    buf_init(&d.text);
    r = draft_fill(&d, js, arguments + 1, ret_thrown);
    if (r == 0 && JSValueIsNumber(js, arguments[5])) {
        d.call.body_length = (int64_t)JSValueToNumber(js, arguments[5], NULL);
    } else if (r == 0 && !JSValueIsNull(js, arguments[5])) {
        if (!web_bytes(arguments[5], &body)) {
            r = text_append_value(&text, arguments[5], ret_thrown);
            body = buf_span(&text);
        }
        d.call.body_length = (int64_t)body.len;
    }
    if (r == 0)
        o = outcall_open(&d.call, (JSObjectRef)arguments[6], ret_thrown);
    if (o && JSValueIsObject(js, arguments[7]))
        outcall_on_over(o, (JSObjectRef)arguments[7]);
    if (o && body.len > 0)
        outflow_write_whole(&o->out, body);
    buf_done(&d.text);
    buf_done(&text);
    return o ? engine_number(o->stream) : engine.undefined;
}

/* outcallRelay(id, source): its body is that of `source`, an incoming one that nobody has touched
 */
static JSValueRef outcall_relay(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct outflow *out = web_outflow(arguments[0]);
    struct inflow *source = web_inflow(arguments[1]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (out && source)
        inflow_relay(source, out, FLOW_DECODED);
    else if (out)
        out->ops->broken(out, SPAN("the body that it is made of is gone"));
    return engine.undefined;
}

/* bodyCoding(id) -> "gzip", "br" or "": what reading this body undoes */
static JSValueRef body_coding(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct inflow *f = web_inflow(arguments[0]);
    enum coding coding = f && f->unpack ? unpack_coding(f->unpack) : CODING_NONE;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return text_value(coding == CODING_GZIP ? SPAN("gzip")
                      : coding == CODING_BR ? SPAN("br")
                                            : SPAN(""));
}

/* bodyForget(id): who could have read it is no more */
static JSValueRef body_forget(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct inflow *f = web_inflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (f && (f->use == INFLOW_UNTOUCHED || f->use == INFLOW_READ))
        inflow_drop(f);
    return engine.undefined;
}

/* outcallCancel(id, error) */
static JSValueRef cancel(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct outcall *o = outcall_find((uint32_t)JSValueToNumber(js, arguments[0], NULL));

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (o)
        outcall_cancel(o, arguments[1]);
    return engine.undefined;
}

/* outcallRoom() -> how many more may be made now */
static JSValueRef room(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)arguments, (void)ret_thrown;
    return engine_number(outcall_room());
}

/* outcallWait(wake): wake() when the next call is over */
static JSValueRef wait(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    outcall_wait_room((JSObjectRef)arguments[0]);
    return engine.undefined;
}

/* currentRequest() -> the stream of the request whose code runs, 0 when not known */
static JSValueRef current(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)arguments, (void)ret_thrown;
    return engine_number(exchange_current());
}

/* requestUrl(stream) -> its URL as it came, undefined when it is over */
static JSValueRef request_url(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_find((uint32_t)JSValueToNumber(js, arguments[0], NULL));

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return x ? text_value(x->head->url) : engine.undefined;
}

/* requestRounds(stream) -> how often its like has come round already */
static JSValueRef request_rounds(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_find((uint32_t)JSValueToNumber(js, arguments[0], NULL));

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number(x ? head_rounds(x->head) : 0);
}

void web_define_outcall(void)
{
    engine_native("requestUrl", request_url);
    engine_native("requestRounds", request_rounds);
    engine_native("outcall", outcall);
    engine_native("outcallRelay", outcall_relay);
    engine_native("outcallCancel", cancel);
    engine_native("outcallRoom", room);
    engine_native("outcallWait", wait);
    engine_native("bodyCoding", body_coding);
    engine_native("bodyForget", body_forget);
    engine_native("currentRequest", current);
}
