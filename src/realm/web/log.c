/* log.c - native.log, native.now and native.fillRandom: console.js, random.js. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

/* log(level, text, id = of the request that runs), log(level, text, undefined, told); level 4:
 * HOST_RAISED */
static JSValueRef log_text(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct buf text = {0}, told = {0};
    int level = (int)JSValueToNumber(js, arguments[0], NULL);

    (void)function, (void)self;
    if (text_append_value(&text, arguments[1], ret_thrown) < 0)
        level = -1;
    else if (count > 3 && text_append_value(&told, arguments[3], ret_thrown) < 0)
        level = -1;
    else if (count > 3)
        exchange_log_told((enum log_level)level, buf_span(&text), buf_span(&told));
    else if (count > 2)
        exchange_log_for((uint32_t)JSValueToNumber(js, arguments[2], NULL), (enum log_level)level,
                         buf_span(&text));
    else
        exchange_log((enum log_level)level, buf_span(&text));
    buf_done(&text);
    buf_done(&told);
    return engine.undefined;
}

/* now() -> milliseconds, with fractions */
static JSValueRef log_now(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)arguments, (void)ret_thrown;
    return engine_number((double)clock_now_us() / 1000);
}

/* fillRandom(Float64Array): numbers in [0, 1) */
static JSValueRef log_random(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    double *pool = JSObjectGetTypedArrayBytesPtr(js, (JSObjectRef)arguments[0], NULL);
    size_t n = JSObjectGetTypedArrayLength(js, (JSObjectRef)arguments[0], NULL);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    for (size_t i = 0; i < n;) {
        uint64_t bits[32];
        size_t some = n - i < 32 ? n - i : 32;
        /* At most 256 bytes come whole, once the kernel's pool is ready. */
        while (getrandom(bits, some * sizeof *bits, 0) < 0)
            if (errno != EINTR)
                abort();
        for (size_t k = 0; k < some; k++)
            pool[i++] = (double)(bits[k] >> 11) * 0x1p-53;
    }
    return engine.undefined;
}

void web_define_log(void)
{
    engine_native("log", log_text);
    engine_native("now", log_now);
    engine_native("fillRandom", log_random);
}
