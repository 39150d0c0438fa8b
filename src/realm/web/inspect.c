/* inspect.c - what JavaScript does not tell about its own values: inspect.js and clone.js. */
#include <stddef.h>

#include "realm/js/engine.h"
#include "realm/web/web.h"

/* Exported by the library, in no public header.  On 64 bits a JSValueRef that is an object is the
 * address of its cell, and neither function looks at the VM.  Weak, as C++ has no promise to
 * stay: without them every promise reads as pending. */
extern JSValueRef JSObjectGetProxyTarget(JSObjectRef object);
extern unsigned promise_status(const void *promise,
                               void *vm) __asm__("_ZNK3JSC9JSPromise6statusERNS_2VME")
    __attribute__((weak));
extern JSValueRef promise_result(const void *promise,
                                 void *vm) __asm__("_ZNK3JSC9JSPromise6resultERNS_2VME")
    __attribute__((weak));

enum { PENDING, FULFILLED, REJECTED };

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

/* promiseState(promise) -> [0 pending | 1 fulfilled | 2 rejected, its value].  Only for what
 * Promise.prototype.then accepted: anything else is not a promise's memory. */
static JSValueRef promise_state(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    JSValueRef parts[2] = {engine_number(PENDING), engine.undefined};

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (promise_status && promise_result) {
        unsigned status = promise_status(arguments[0], NULL);
        if (status == FULFILLED || status == REJECTED) {
            parts[0] = engine_number(status);
            parts[1] = promise_result(arguments[0], NULL);
        }
    }
    return JSObjectMakeArray(js, 2, parts, NULL);
}

void web_define_inspect(void)
{
    engine_native("proxyTarget", proxy_target);
    engine_native("promiseState", promise_state);
}
