/* flate.c - the C half of CompressionStream, DecompressionStream and node:zlib.
 *
 * They hold a handle: a JavaScript object whose private data is the coder. */
#include "realm/flate.h"

#include <zlib.h>

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/web/web.h"

static JSClassRef flate_class;

static void finalize(JSObjectRef handle)
{
    flate_free(JSObjectGetPrivate(handle));
}

static struct flate *flate_of(JSValueRef handle)
{
    if (!JSValueIsObjectOfClass(engine.context, handle, flate_class))
        return NULL;
    return JSObjectGetPrivate((JSObjectRef)handle);
}

/* The `len` bytes of a view from `at` on. */
static bool part_of(JSValueRef value, JSValueRef at, JSValueRef len, struct span *ret_part)
{
    double from = engine_number_of(at), many = engine_number_of(len);

    if (!web_bytes(value, ret_part) || !(from >= 0) || !(many >= 0) ||
        from + many > (double)ret_part->len)
        return false;
    *ret_part = (struct span){ret_part->data + (size_t)from, (size_t)many};
    return true;
}

/* flateNew(mode, level, windowBits, memLevel, strategy, dictionary) -> handle */
static JSValueRef flate_make(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate_how how = {
        .mode = (enum flate_mode)engine_number_of(arguments[0]),
        .level = (int)engine_number_of(arguments[1]),
        .window = (int)engine_number_of(arguments[2]),
        .memory = (int)engine_number_of(arguments[3]),
        .strategy = (int)engine_number_of(arguments[4]),
    };
    struct flate *f;

    (void)function, (void)self;
    if (count > 5)
        (void)web_bytes(arguments[5], &how.dictionary);
    f = flate_new(&how);
    if (!f)
        return engine_throw(ret_thrown, "RangeError", "Failed to initialize compression");
    return JSObjectMake(js, flate_class, f);
}

/* flateStep(handle, flush, input, at, length, output, at, length, left) -> status; left: a
 * Uint32Array that gets how much of the output's room and of the input stays. */
static JSValueRef flate_run(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate *f = count > 8 ? flate_of(arguments[0]) : NULL;
    struct span in, out, state;
    uint32_t counts[2];
    size_t left;
    int status;

    (void)js, (void)function, (void)self;
    if (!f || !part_of(arguments[2], arguments[3], arguments[4], &in) ||
        !part_of(arguments[5], arguments[6], arguments[7], &out) ||
        !web_bytes(arguments[8], &state) || state.len < sizeof counts)
        return engine_throw(ret_thrown, "TypeError", "expected a coder and bytes");
    status = flate_step(f, (int)engine_number_of(arguments[1]), &in, (char *)(size_t)out.data,
                        out.len, &left);
    counts[0] = (uint32_t)left;
    counts[1] = (uint32_t)in.len;
    memcpy((char *)(size_t)state.data, counts, sizeof counts);
    return engine_number(status);
}

/* flateTune(handle, level, strategy, output) -> [status, bytes written] */
static JSValueRef flate_retune(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate *f = count > 3 ? flate_of(arguments[0]) : NULL;
    JSValueRef result[2];
    struct span out;
    size_t left;

    (void)function, (void)self;
    if (!f || !web_bytes(arguments[3], &out))
        return engine_throw(ret_thrown, "TypeError", "expected a coder and bytes");
    result[0] = engine_number(flate_tune(f, (int)engine_number_of(arguments[1]),
                                         (int)engine_number_of(arguments[2]),
                                         (char *)(size_t)out.data, out.len, &left));
    result[1] = engine_number((double)(out.len - left));
    return JSObjectMakeArray(js, 2, result, ret_thrown);
}

/* flateSet(handle, brotli's parameter, value) -> boolean */
static JSValueRef flate_adjust(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate *f = count > 2 ? flate_of(arguments[0]) : NULL;

    (void)function, (void)self, (void)ret_thrown;
    return JSValueMakeBoolean(js, f && flate_set(f, (uint32_t)engine_number_of(arguments[1]),
                                                 (uint32_t)engine_number_of(arguments[2])));
}

/* flateReset(handle) -> status */
static JSValueRef flate_restart(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate *f = count > 0 ? flate_of(arguments[0]) : NULL;

    (void)js, (void)function, (void)self, (void)ret_thrown;
    return engine_number(f ? flate_reset(f) : Z_STREAM_ERROR);
}

/* flateMessage(handle) -> string */
static JSValueRef flate_text(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate *f = count > 0 ? flate_of(arguments[0]) : NULL;
    JSStringRef text = JSStringCreateWithUTF8CString(f ? flate_message(f) : "");
    JSValueRef value = JSValueMakeString(js, text);

    (void)function, (void)self, (void)ret_thrown;
    JSStringRelease(text);
    return value;
}

/* flateClose(handle): its memory does not wait for the collector. */
static JSValueRef flate_close(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct flate *f = count > 0 ? flate_of(arguments[0]) : NULL;

    (void)js, (void)function, (void)self, (void)ret_thrown;
    if (f) {
        JSObjectSetPrivate((JSObjectRef)arguments[0], NULL);
        flate_free(f);
    }
    return engine.undefined;
}

/* crc32(bytes, value before) -> value */
static JSValueRef crc_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span bytes;

    (void)js, (void)function, (void)self;
    if (count < 2 || !web_bytes(arguments[0], &bytes))
        return engine_throw(ret_thrown, "TypeError", "expected bytes");
    return engine_number((double)crc32_z((uLong)(uint32_t)engine_number_of(arguments[1]),
                                         (const Bytef *)bytes.data, bytes.len));
}

void web_define_flate(void)
{
    flate_class = engine_class("Flate", finalize);
    engine_native("flateNew", flate_make);
    engine_native("flateStep", flate_run);
    engine_native("flateTune", flate_retune);
    engine_native("flateSet", flate_adjust);
    engine_native("flateReset", flate_restart);
    engine_native("flateMessage", flate_text);
    engine_native("flateClose", flate_close);
    engine_native("crc32", crc_of);
}
