/* web.c - the C functions behind the JavaScript classes of sdk/js: what they share. */
#include "realm/web/web.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

static JSObjectRef deliver, forget_random, allow_random, start_clock;

void web_define(void)
{
    web_define_log();
    web_define_inspect();
    web_define_encoding();
    web_define_timers();
    web_define_request();
    web_define_answer();
    web_define_socket();
    web_define_form();
    web_define_url();
    web_define_outcall();
    web_define_event();
    web_define_decoder();
    web_define_flate();
    web_define_d1();
    web_define_html();
}

void web_boot(void)
{
    web_boot_inspect();
    deliver = engine_internal("deliver");
    forget_random = engine_internal("forgetRandom");
    allow_random = engine_internal("allowRandom");
    start_clock = engine_internal("startClock");
}

void web_load(void)
{
    engine_run(start_clock, 0, NULL);
}

void web_start(void)
{
    engine_run(forget_random, 0, NULL);
    engine_run(allow_random, 0, NULL);
}

enum web_delivery web_deliver(struct exchange *x, JSValueRef value)
{
    uint32_t stream = x->stream;
    JSValueRef arguments[2] = {engine_number(stream), value}, thrown = NULL, result;
    struct buf text = {0};

    result = engine_call(deliver, 2, arguments, &thrown);
    if (result && JSValueIsBoolean(engine.context, result))
        return JSValueToBoolean(engine.context, result) ? WEB_DELIVERED : WEB_NO_RESPONSE;
    x = exchange_find(stream);
    if (x) {
        if (thrown) {
            char *what = engine_describe(thrown);
            exchange_fail(x, HOST_BAD_RESULT, what ? span_of(what) : SPAN("out of memory"));
            mem_free(what);
        } else if (text_append_value(&text, result, &thrown) == 0) {
            exchange_fail(x, HOST_BAD_RESULT, buf_span(&text));
        } else {
            exchange_fail(x, HOST_BAD_RESULT, SPAN("out of memory"));
        }
    }
    buf_done(&text);
    return WEB_REFUSED;
}

bool web_bytes(JSValueRef value, struct span *ret_bytes)
{
    JSContextRef js = engine.context;
    JSTypedArrayType type = JSValueGetTypedArrayType(js, value, NULL);
    JSObjectRef object = (JSObjectRef)value;
    const char *data;

    if (type == kJSTypedArrayTypeNone)
        return false;
    if (type == kJSTypedArrayTypeArrayBuffer) {
        data = JSObjectGetArrayBufferBytesPtr(js, object, NULL);
        *ret_bytes = (struct span){data ? data : "",
                                   JSObjectGetArrayBufferByteLength(js, object, NULL)};
        return true;
    }
    data = JSObjectGetTypedArrayBytesPtr(js, object, NULL);
    if (data)
        data += JSObjectGetTypedArrayByteOffset(js, object, NULL);
    *ret_bytes = (struct span){data ? data : "", JSObjectGetTypedArrayByteLength(js, object, NULL)};
    return true;
}

static void free_bytes(void *bytes, void *context)
{
    (void)context;
    mem_free(bytes);
}

JSValueRef web_take_bytes(char *take_bytes, size_t len)
{
    JSObjectRef array = JSObjectMakeTypedArrayWithBytesNoCopy(
        engine.context, kJSTypedArrayTypeUint8Array, take_bytes, len, free_bytes, NULL, NULL);

    return array ? array : engine.undefined;
}

JSValueRef web_new_bytes(struct span bytes)
{
    char *copy = mem_copy(bytes.data, bytes.len);

    return copy ? web_take_bytes(copy, bytes.len) : engine.undefined;
}
