/* encoding.c - UTF-8 to and from strings for encoding.js and body.js; other encodings are in
 * decoder.c. */
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
    return data ? web_take_bytes(data, len)
                : engine_throw(ret_thrown, "RangeError", "out of memory");
}

/* decode(bytes, isFatal) -> string, or null when it is ill-formed and isFatal */
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
            return JSValueMakeNull(js);
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

/* As much of the string as fits whole; returns the units read. */
static size_t fill(const JSChar *units, size_t len, char *out, size_t room, size_t *ret_written)
{
    size_t read = 0, written = 0;

    while (read < len) {
        size_t take = read + 1 < len && (units[read] & 0xFC00) == 0xD800 &&
                              (units[read + 1] & 0xFC00) == 0xDC00
                          ? 2
                          : 1;
        char one[4];
        size_t n = text_encode(units + read, take, one);
        if (n > room - written)
            break;
        memcpy(out + written, one, n);
        written += n;
        read += take;
    }
    *ret_written = written;
    return read;
}

/* encodeInto(string, Uint8Array) -> [units read, bytes written] */
static JSValueRef encode_into(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    JSStringRef string;
    JSValueRef result[2];
    struct span room;
    size_t read, written = 0;

    (void)function, (void)self, (void)count;
    if (!web_bytes(arguments[1], &room)) /* instanceof believes the prototype */
        return engine_throw(ret_thrown, "TypeError",
                            "TextEncoder.encodeInto: expected a Uint8Array");
    string = JSValueToStringCopy(js, arguments[0], ret_thrown);
    if (!string)
        return engine.undefined;
    read = fill(JSStringGetCharactersPtr(string), JSStringGetLength(string), (char *)room.data,
                room.len, &written);
    JSStringRelease(string);
    result[0] = engine_number((double)read);
    result[1] = engine_number((double)written);
    return JSObjectMakeArray(js, 2, result, ret_thrown);
}

void web_define_encoding(void)
{
    engine_native("encodeInto", encode_into);
    engine_native("encode", encode);
    engine_native("decode", decode);
    engine_native("cutBytes", cut_bytes);
}
