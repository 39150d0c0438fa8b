/* proxy_py.h - what the files of PyProxy share: proxy_py.c (life), proxy_attr.c (attributes and
 * items), proxy_use.c (calls, iteration), proxy_view.c (buffers).
 *
 * Ownership: PyObject results are new references.  A py_proxy lives as long as its JavaScript
 * object.  Thread: the one that has the engine.  Errors: see value.h. */
#ifndef CORRAL_REALM_BRIDGE_PROXY_PY_H
#define CORRAL_REALM_BRIDGE_PROXY_PY_H

#include "realm/bridge/value.h"

/* What a Python object can do: chooses prototype and handlers, in sdk/js/pyproxy.js. */
enum py_kind {
    PY_CALLABLE = 1,
    PY_LENGTH = 2,
    PY_GET = 4,
    PY_SET = 8,
    PY_HAS = 16,
    PY_ITERABLE = 32,
    PY_ITERATOR = 64,
    PY_GENERATOR = 128,
    PY_ASYNC_ITERABLE = 256,
    PY_ASYNC_ITERATOR = 512,
    PY_ASYNC_GENERATOR = 1024,
    PY_AWAITABLE = 2048,
    PY_BUFFER = 4096,
    PY_SEQUENCE = 8192,
    PY_MUTABLE_SEQUENCE = 16384,
    PY_DICT = 32768, /* its keys are properties, as of newer dates */
    PY_JSON = 65536, /* asJsJson(): its items are properties, and so on inside */
};

struct py_proxy {
    struct py_proxy *next;   /* once let go */
    JSObjectRef target;      /* of the Proxy: has this struct as its private data */
    JSObjectRef proxy;       /* compared only: it may have ended before its target */
    PyObject *object;        /* NULL once destroyed, and in aliases */
    char *words;             /* what a destroyed one says; may be NULL */
    struct py_proxy *whole;  /* itself; of an alias: whose object it shows, which it keeps */
    struct py_proxy *family; /* where attributes are remembered: itself, or of what it is a copy */
    int sharers;             /* of the family, that are not destroyed */
    struct py_proxy *children, *sibling; /* remembered attributes */
    PyObject *method;                    /* of a remembered bound method: the function; or NULL */
    int traits;                          /* enum py_proxy_trait */
    unsigned kind;
    uint32_t stream;                     /* of the request whose code made it, or 0 */
};

/* NULL when it is none. */
struct py_proxy *py_proxy_of(JSValueRef value);
/* Its object, about to be used (its own code may destroy the proxy); or NULL having thrown. */
PyObject *py_proxy_use(const struct py_proxy *p, JSValueRef *ret_thrown);
JSObjectRef py_proxy_new_kind(PyObject *object, int traits, unsigned more_kinds);
/* The result of a native about the proxy in arguments[0]: `ask` returns NULL with an exception. */
typedef JSValueRef (*py_ask_fn)(PyObject *object, size_t count, const JSValueRef *arguments);
JSValueRef py_proxy_ask(py_ask_fn ask, size_t count, const JSValueRef *arguments,
                        JSValueRef *ret_thrown);
#define PY_NATIVE(f)                                                                               \
    static JSValueRef f##_native(JSContextRef js, JSObjectRef function, JSObjectRef self,          \
                                 size_t count, const JSValueRef *arguments,                        \
                                 JSValueRef *ret_thrown)                                           \
    {                                                                                              \
        (void)js, (void)function, (void)self;                                                      \
        return py_proxy_ask(f, count, arguments, ret_thrown);                                      \
    }
/* The same for natives that only the handlers of PyProxy call, always with a target: there is
 * nothing to make sure of, and no lock to take for an answer that is a number. */
JSValueRef py_proxy_ask_target(py_ask_fn ask, size_t count, const JSValueRef *arguments,
                               JSValueRef *ret_thrown);
#define PY_TARGET_NATIVE(f)                                                                        \
    static JSValueRef f##_native(JSContextRef js, JSObjectRef function, JSObjectRef self,          \
                                 size_t count, const JSValueRef *arguments,                        \
                                 JSValueRef *ret_thrown)                                           \
    {                                                                                              \
        (void)js, (void)function, (void)self;                                                      \
        return py_proxy_ask_target(f, count, arguments, ret_thrown);                               \
    }
static inline struct py_proxy *py_proxy_of_target(JSValueRef target)
{
    return JSObjectGetPrivate((JSObjectRef)target);
}
/* Attributes that proxies remember: NULL when there is none of that name that still is it. */
JSObjectRef py_proxy_remembered(struct py_proxy *p, JSStringRef name, PyObject *object,
                                PyObject *method);
void py_proxy_remember(struct py_proxy *p, JSStringRef name, JSObjectRef child, PyObject *method);
/* The array [this, arguments ...] of a bound one. */
JSObjectRef py_proxy_bound(struct py_proxy *p);
/* corral.pyproxy's function of that name; new, NULL with an exception. */
PyObject *py_proxy_helper(const char *name);

/* What is found inside an asJsJson() is seen the same way. */
JSValueRef py_proxy_item(PyObject *item, JSValueRef holder);

/* proxy_use.c */
JSValueRef py_proxy_call(JSContextRef js, JSObjectRef target, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown);

void py_view_turn(void);
void py_proxy_define_attributes(void);
void py_proxy_define_uses(void);
void py_proxy_define_views(void);

#endif
