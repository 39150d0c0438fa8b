/* request.c - the C half of request.js and of streams over a request's body.
 *
 * A Request object holds a handle: a JavaScript object whose private data is
 * the counted head.  Its finalizer runs inside the collector and only frees
 * memory of ours. */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

enum { CHUNK_MAX = 64 * 1024 }; /* bytes that one read() gives at most */

static JSClassRef head_class;
static JSObjectRef make_request, make_context;

static void head_finalize(JSObjectRef handle)
{
    head_unref(JSObjectGetPrivate(handle));
}

JSObjectRef web_make_request(struct head *head)
{
    JSValueRef handle, made;

    if (!make_request)
        make_request = engine_internal("makeRequest");
    handle = JSObjectMake(engine.context, head_class, head_ref(head));
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

static struct exchange *exchange_of(JSContextRef js, JSValueRef id)
{
    return exchange_find((uint32_t)JSValueToNumber(js, id, NULL));
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
    struct exchange *x = exchange_of(js, arguments[0]);
    struct span bytes;
    JSValueRef chunk;

    (void)function, (void)self, (void)count;
    if (!x || x->body == BODY_DROPPED)
        return engine_throw(ret_thrown, "TypeError",
                            "The request's body is gone: the request has ended or was cut off.");
    x->body = BODY_READ;
    bytes = exchange_peek(x, CHUNK_MAX);
    if (bytes.len == 0)
        return x->has_all ? JSValueMakeNull(js) : engine.undefined;
    chunk = web_new_bytes(bytes);
    if (JSValueIsUndefined(js, chunk))
        return engine_throw(ret_thrown, "RangeError", "out of memory");
    exchange_consumed(x, bytes.len);
    return chunk;
}

/* bodyLength(id) -> how many bytes the body has, or -1 */
static JSValueRef body_length(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number(x ? (double)x->head->body_length : -1);
}

/* bodyWait(id, wake): wake() when bodyPull has news */
static JSValueRef body_wait(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x && x->body != BODY_DROPPED && !x->has_all)
        exchange_wait_in(x, (JSObjectRef)arguments[1]);
    else
        engine_run((JSObjectRef)arguments[1], 0, NULL);
    return engine.undefined;
}

/* bodyCollect(id, take): take(ArrayBuffer), or take() when it was cut off */
static JSValueRef body_collect(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        exchange_collect(x, (JSObjectRef)arguments[1]);
    else
        engine_run((JSObjectRef)arguments[1], 0, NULL);
    return engine.undefined;
}

/* bodyDrop(id): nobody wants the rest */
static JSValueRef body_drop(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct exchange *x = exchange_of(js, arguments[0]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (x)
        exchange_drop_body(x);
    return engine.undefined;
}

void web_define_request(void)
{
    JSClassDefinition definition = kJSClassDefinitionEmpty;

    definition.className = "RequestHead";
    definition.finalize = head_finalize;
    head_class = JSClassCreate(&definition);
    engine_native("headMethod", head_method);
    engine_native("headURL", head_url);
    engine_native("headLines", head_lines);
    engine_native("headBody", head_body);
    engine_native("bodyPull", body_pull);
    engine_native("bodyLength", body_length);
    engine_native("bodyWait", body_wait);
    engine_native("bodyCollect", body_collect);
    engine_native("bodyDrop", body_drop);
}
