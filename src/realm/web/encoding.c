/* encoding.c - UTF-8 to and from strings for encoding.js and body.js. */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

/* encode(string) -> Uint8Array */
static JSValueRef encode(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct buf bytes = {0};
    size_t len;
    char *data;

    (void)js, (void)function, (void)self, (void)count;
    if (text_append_value(&bytes, arguments[0], ret_thrown) < 0) {
        buf_done(&bytes);
        return *ret_thrown ? engine.undefined
                           : engine_throw(ret_thrown, "RangeError", "out of memory");
    }
    len = buf_len(&bytes);
    data = buf_detach(&bytes);
    return data ? web_take_bytes(data, len) : engine_throw(ret_thrown, "RangeError", "out of memory");
}

/* decode(bytes, isFatal) -> string */
static JSValueRef decode(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span bytes;
    JSValueRef value;

    (void)function, (void)self, (void)count;
    if (!web_bytes(arguments[0], &bytes))
        return engine_throw(ret_thrown, "TypeError", "expected bytes");
    if (JSValueToBoolean(js, arguments[1])) {
        uint16_t *units = mem_alloc(bytes.len * sizeof *units + 1);
        long n;
        if (!units)
            return engine_throw(ret_thrown, "RangeError", "out of memory");
        n = text_decode((const unsigned char *)bytes.data, bytes.len, units, true);
        mem_free(units);
        if (n < 0)
            return engine_throw(ret_thrown, "TypeError", "The encoded data was not valid utf-8.");
    }
    value = text_value(bytes);
    return JSValueIsUndefined(js, value) ? engine_throw(ret_thrown, "RangeError", "out of memory")
                                         : value;
}

/* cutBytes(bytes) -> how many at the end are a character cut in two */
static JSValueRef cut_bytes(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span bytes = {0};

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!web_bytes(arguments[0], &bytes))
        return engine_number(0);
    return engine_number((double)text_cut((const unsigned char *)bytes.data, bytes.len));
}

void web_define_encoding(void)
{
    engine_native("encode", encode);
    engine_native("decode", decode);
    engine_native("cutBytes", cut_bytes);
}
