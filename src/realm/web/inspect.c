/* inspect.c - what JavaScript does not tell about its own values: inspect.js and clone.js. */
#include <stddef.h>

#include "realm/js/engine.h"
#include "realm/web/web.h"

/* Exported by the library, in no public header.  On 64 bits a JSValueRef that is an object is the
 * address of its cell, whose sixth byte is its type, and the two of promises do not look at the
 * VM.  Weak, as C++ makes no promise to stay; inspect_boot tries them out. */
extern JSValueRef JSObjectGetProxyTarget(JSObjectRef object);
extern unsigned promise_status(const void *promise,
                               void *vm) __asm__("_ZNK3JSC9JSPromise6statusERNS_2VME")
    __attribute__((weak));
extern JSValueRef promise_result(const void *promise,
                                 void *vm) __asm__("_ZNK3JSC9JSPromise6resultERNS_2VME")
    __attribute__((weak));

enum { PENDING, FULFILLED, REJECTED, TYPE = 5 };

static int promise_type = -1; /* -1: promises cannot be looked into here */

static int type_of(JSValueRef object)
{
    return ((const unsigned char *)object)[TYPE];
}

void web_boot_inspect(void)
{
    JSContextRef js = engine.context;
    JSObjectRef resolve = NULL, reject = NULL, pending, done;
    JSValueRef seven = engine_number(7);

    if (!promise_status || !promise_result)
        return;
    pending = JSObjectMakeDeferredPromise(js, &resolve, &reject, NULL);
    done = JSObjectMakeDeferredPromise(js, &resolve, &reject, NULL);
    if (!pending || !done)
        return;
    engine_run(resolve, 1, &seven);
    if (type_of(pending) == type_of(done) && type_of(done) != type_of(engine.internals) &&
        type_of(done) != type_of(resolve) && promise_status(pending, NULL) == PENDING &&
        promise_status(done, NULL) == FULFILLED &&
        JSValueIsStrictEqual(js, promise_result(done, NULL), seven))
        promise_type = type_of(done);
}

/* proxyTarget(value) -> what a Proxy stands for; undefined: it is no Proxy; null: it was revoked */
static JSValueRef proxy_target(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    JSValueRef target;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!JSValueIsObject(js, arguments[0]))
        return engine.undefined;
    target = JSObjectGetProxyTarget((JSObjectRef)arguments[0]);
    return target ? target : engine.undefined;
}

/* promiseState(value) -> [0 pending | 1 fulfilled | 2 rejected, its value], undefined: no promise
 */
static JSValueRef promise_state(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    JSValueRef parts[2] = {engine_number(PENDING), engine.undefined};
    unsigned status;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!JSValueIsObject(js, arguments[0]) || type_of(arguments[0]) != promise_type)
        return engine.undefined;
    status = promise_status(arguments[0], NULL);
    if (status == FULFILLED || status == REJECTED) {
        parts[0] = engine_number(status);
        parts[1] = promise_result(arguments[0], NULL);
    }
    return JSObjectMakeArray(js, 2, parts, NULL);
}

void web_define_inspect(void)
{
    engine_native("proxyTarget", proxy_target);
    engine_native("promiseState", promise_state);
}
