/* request.c - the C half of request.js and of streams over a request's body.
 *
 * A Request object holds a handle: a JavaScript object whose private data is
 * the counted head.  Its finalizer runs inside the collector and only frees
 * memory of ours. */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/outcall.h"
#include "realm/web/web.h"

enum { CHUNK_MAX = 64 * 1024 }; /* bytes that one read() gives at most */

static JSClassRef head_class;
static JSObjectRef make_request, make_context;

static void head_finalize(JSObjectRef handle)
{
    head_unref(JSObjectGetPrivate(handle));
}

JSValueRef web_head_handle(struct head *head)
{
    return JSObjectMake(engine.context, head_class, head_ref(head));
}

JSObjectRef web_make_request(struct head *head)
{
    JSValueRef handle, made;

    if (!make_request)
        make_request = engine_internal("makeRequest");
    handle = web_head_handle(head);
    made = engine_run(make_request, 1, &handle);
    return JSValueIsObject(engine.context, made) ? (JSObjectRef)made : NULL;
}

JSObjectRef web_make_context(uint32_t stream)
{
    JSValueRef id = engine_number(stream), made;

    if (!make_context)
        make_context = engine_internal("makeContext");
    made = engine_run(make_context, 1, &id);
    return JSValueIsObject(engine.context, made) ? (JSObjectRef)made : NULL;
}

static const struct head *head_of(JSValueRef handle)
{
    return JSObjectGetPrivate((JSObjectRef)handle);
}

struct inflow *web_inflow(JSValueRef id)
{
    uint32_t stream = (uint32_t)JSValueToNumber(engine.context, id, NULL);
    struct outcall *o;
    struct exchange *x;

    if (stream & HOST_OUTCALL_BIT) {
        o = outcall_find(stream);
        return o ? &o->in : NULL;
    }
    x = exchange_find(stream);
    return x ? &x->in : NULL;
}

/* Why a body cannot be read; what f holds may go with it. */
static JSValueRef throw_gone(JSContextRef js, struct inflow *f, JSValueRef id,
                             JSValueRef *ret_thrown)
{
    JSValueRef error = f ? f->error : NULL;

    if (f && f->is_cut)
        inflow_finish(f);
    if (error) {
        *ret_thrown = error;
        return engine.undefined;
    }
    if ((uint32_t)JSValueToNumber(js, id, NULL) & HOST_OUTCALL_BIT)
        return engine_throw(ret_thrown, "TypeError",
                            "The body is gone: the request that it was fetched for has ended.");
    return engine_throw(ret_thrown, "TypeError",
                        "The request's body is gone: the request has ended or was cut off.");
}

/* headMethod(handle), headURL(handle), headLines(handle) -> string */
static JSValueRef head_method(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return text_value(head_of(arguments[0])->method);
}

static JSValueRef head_url(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return web_url_value(head_of(arguments[0])->url);
}

static JSValueRef head_lines(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return text_value(head_of(arguments[0])->lines);
}

/* headRawLines(handle) -> headLines with what is no UTF-8 in it as text_value_escaped says */
static JSValueRef head_raw_lines(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return text_value_escaped(head_of(arguments[0])->lines);
}

/* headStream(handle) -> the stream number */
static JSValueRef head_stream(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number(head_of(arguments[0])->stream);
}

/* currentRequest() -> the number of the stream whose code runs, or 0 */
static JSValueRef current_request(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                  size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)arguments, (void)ret_thrown;
    return engine_number(exchange_current());
}

/* headBody(handle) -> the stream number, or 0 when the request has no body */
static JSValueRef head_body(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct head *head = head_of(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number(head->body_length != 0 ? head->stream : 0);
}

/* bodyPull(id) -> a Uint8Array, null at the end, undefined when it must wait */
static JSValueRef body_pull(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct inflow *f = web_inflow(arguments[0]);
    JSValueRef error = NULL, chunk;
    char *room, *fits;
    size_t max;
    long n;

    (void)function, (void)self, (void)count;
    if (!f || f->use == INFLOW_DROPPED || f->is_cut)
        return throw_gone(js, f, arguments[0], ret_thrown);
    f->use = INFLOW_READ;
    f->is_decoded = f->unpack != NULL;
    max = inflow_room(f, CHUNK_MAX);
    room = mem_alloc(max + 1);
    if (!room)
        return engine_throw(ret_thrown, "RangeError", "out of memory");
    n = inflow_take(f, room, max);
    if (n > 0) {
        fits = (size_t)n < max ? mem_resize(room, (size_t)n) : room;
        chunk = web_take_bytes(fits ? fits : room, (size_t)n);
        return JSValueIsUndefined(js, chunk)
                   ? engine_throw(ret_thrown, "RangeError", "out of memory")
                   : chunk;
    }
    mem_free(room);
    if (n == 0)
        return engine.undefined;
    if (n == ERR_GONE) {
        inflow_finish(f);
        return JSValueMakeNull(js);
    }
    engine_throw(&error, "TypeError", "The body cannot be decoded: it is no valid %s.",
                 unpack_coding(f->unpack) == CODING_GZIP ? "gzip" : "brotli");
    inflow_drop(f);
    *ret_thrown = error;
    return engine.undefined;
}

/* bodyLength(id) -> how many bytes reading this body will give, or -1 */
static JSValueRef body_length(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct inflow *f = web_inflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number(f && !f->unpack ? (double)f->length : -1);
}

/* bodyWait(id, wake): wake() when bodyPull has news */
static JSValueRef body_wait(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct inflow *f = web_inflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (f && f->use != INFLOW_DROPPED && !f->has_all && !f->is_cut)
        inflow_wait(f, (JSObjectRef)arguments[1]);
    else
        engine_run((JSObjectRef)arguments[1], 0, NULL);
    return engine.undefined;
}

/* bodyCollect(id, take): take(ArrayBuffer), or take(undefined, error or undefined) */
static JSValueRef body_collect(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct inflow *f = web_inflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (f)
        inflow_collect(f, (JSObjectRef)arguments[1]);
    else
        engine_run((JSObjectRef)arguments[1], 0, NULL);
    return engine.undefined;
}

/* bodyDrop(id): nobody wants the rest */
static JSValueRef body_drop(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct inflow *f = web_inflow(arguments[0]);

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (f)
        inflow_drop(f);
    return engine.undefined;
}

void web_request_cf(struct span json)
{
    JSValueRef text = text_value(json);

    engine_run(engine_internal("setRequestCf"), 1, &text);
}

void web_define_request(void)
{
    head_class = engine_class("RequestHead", head_finalize);
    engine_native("headMethod", head_method);
    engine_native("headURL", head_url);
    engine_native("headLines", head_lines);
    engine_native("headRawLines", head_raw_lines);
    engine_native("headBody", head_body);
    engine_native("headStream", head_stream);
    engine_native("currentRequest", current_request);
    engine_native("bodyPull", body_pull);
    engine_native("bodyLength", body_length);
    engine_native("bodyWait", body_wait);
    engine_native("bodyCollect", body_collect);
    engine_native("bodyDrop", body_drop);
}
