/* proxy.h - a JsProxy from the inside, for the files proxy_*.c alone.
 *
 * Ownership and thread as in value.h. */
#ifndef CORRAL_REALM_BRIDGE_PROXY_H
#define CORRAL_REALM_BRIDGE_PROXY_H

#include "realm/bridge/value.h"

/* What an object can do: as in sdk/js/jsproxy.js and sdk/python/corral/kinds.py. */
enum {
    CALLABLE = 1,
    AWAITABLE = 2,
    ITERABLE = 4,
    ITERATOR = 8,
    LENGTH = 16,
    ARRAY = 32,
    BUFFER = 64,
    ASYNC_ITERABLE = 128,
    ERROR_OBJECT = 256,
    GET = 512,
    SET = 1024,
    GENERATOR = 2048,
    ASYNC_ITERATOR = 4096,
    ASYNC_GENERATOR = 8192,
    TYPED_ARRAY = 16384,
    DOUBLE = 32768,
    OBJECT_MAP = 65536, /* from here to SYMBOL: not of the object, but of how it is seen */
    HEREDITARY = 131072,
    JSON = 262144,
    SYMBOL = 524288,
    ONCE = 1 << 20, /* what create_once_callable made */
    HAS = 1 << 21,
    INCLUDES = 1 << 22,
    ARRAY_LIKE = 1 << 23,
    SIGNED = 1 << 24,     /* by bind_sig */
    CLOSES = 1 << 25,     /* of an asynchronous loop: when it is left, its iterator ends */
    DISPOSABLE = 1 << 26, /* has Symbol.dispose: `with` */
    ASYNC_DISPOSABLE = 1 << 27,
    STABLE = 1 << 30, /* in an answer of JavaScript: true of all objects of this prototype */

    MAP = GET | LENGTH | ITERABLE,
    SEQUENCE = ARRAY | ARRAY_LIKE | TYPED_ARRAY,
    /* Objects that have one of these are seen as nothing else. */
    NO_VIEW = SEQUENCE | BUFFER | DOUBLE | ONCE | ITERATOR | CALLABLE | ERROR_OBJECT,
    /* Objects that have none of these have their properties as items too. */
    NO_ITEMS =
        NO_VIEW | AWAITABLE | ITERABLE | ASYNC_ITERABLE | ASYNC_ITERATOR | GET | SET | SYMBOL,
};

/* What a Response will be made of, or leaves as it is. */
struct ready {
    uint32_t status;
    bool is_sent;
    PyObject *lines;
    PyObject *body; /* bytes, or what writes them (Outlet of workers/_serve.py); NULL when it is sent */
    int64_t length;
};

struct js_proxy {
    PyObject_HEAD JSValueRef value; /* kept; NULL while lazy */
    PyObject *owner;                /* of a method: the proxy that it is bound to; or NULL */
    struct js_proxy *spare;         /* the method that was last let go, to be used again; or NULL */
    PyObject *notes;                /* what Python code keeps with it: a dict, or NULL */
    vectorcallfunc vectorcall;
    struct head *head; /* lazy request: counted */
    struct ready *ready; /* lazy Response: its own */
    uint32_t stream;   /* lazy context */
    int bits;          /* of its kind */
};

static inline int js_proxy_bits(PyObject *proxy)
{
    return ((struct js_proxy *)proxy)->bits;
}

/* ---- proxy_kind.c ---- */
int js_proxy_kind_open(void);
/* The bits of an object; of a method that was found in another object only the usual ones. */
int js_proxy_kind_of(JSObjectRef object, bool is_method);
PyTypeObject *js_proxy_kind_type(int bits); /* borrowed */

/* ---- proxy_js.c ---- */
PyObject *js_proxy_of_kind(JSObjectRef object, int bits);
/* Another proxy of the same object, and of the same method, of that kind. */
PyObject *js_proxy_same(PyObject *proxy, int bits);
PyObject *js_proxy_str(PyObject *self);
PyObject *js_proxy_getattr(PyObject *self, PyObject *name);
int js_proxy_setattr(PyObject *self, PyObject *name, PyObject *value);
PyObject *js_proxy_compare(PyObject *self, PyObject *other, int operation);
PyObject *js_proxy_descriptor(PyObject *self, PyObject *object, PyObject *type);
PyObject *js_proxy_notes(PyObject *self); /* borrowed; made when there are none */

/* ---- proxy_ops.c ---- */
JSValueRef js_proxy_missing(void); /* what sdk/js says of an item that is not there */
PyObject *js_proxy_subscript(PyObject *self, PyObject *key);
int js_proxy_set_subscript(PyObject *self, PyObject *key, PyObject *item);
PyObject *js_proxy_signed_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                                     PyObject *names);
extern PyMethodDef js_proxy_methods[]; /* of every JsProxy */
extern PyGetSetDef js_proxy_getset[];
extern PyMethodDef js_callable_methods[];
extern PyMethodDef js_double_methods[]; /* of what create_proxy made */
extern PyMethodDef js_once_methods[];   /* create_once_callable */
extern PyMethodDef js_view_methods[];   /* of what as_object_map takes */
extern PyMethodDef js_json_methods[];   /* of what as_py_json takes */
extern PyMethodDef js_async_methods[];
extern PyMethodDef js_async_generator_methods[];
PyObject *js_proxy_future(PyObject *self); /* of a promise */
PyObject *js_proxy_anext(PyObject *self);

/* ---- proxy_array.c ---- */
void js_proxy_array_open(void);
extern PyMethodDef js_array_methods[];
extern PyMethodDef js_typed_array_methods[];
extern PyMethodDef js_array_like_methods[];
PyObject *js_array_subscript(PyObject *self, PyObject *key);
int js_array_set_subscript(PyObject *self, PyObject *key, PyObject *item);
int js_typed_array_set_subscript(PyObject *self, PyObject *key, PyObject *item);
PyObject *js_array_item(PyObject *self, Py_ssize_t index);
int js_array_set_item(PyObject *self, Py_ssize_t index, PyObject *item);
int js_typed_array_set_item(PyObject *self, Py_ssize_t index, PyObject *item);
PyObject *js_array_concat(PyObject *self, PyObject *other);
PyObject *js_array_extend(PyObject *self, PyObject *other);
PyObject *js_array_repeat(PyObject *self, Py_ssize_t times);
PyObject *js_array_become_repeated(PyObject *self, Py_ssize_t times);
/* A new Array of the converted items, or NULL with an exception: TypeError with text if there is
 * nothing to iterate. */
JSObjectRef js_array_of(PyObject *iterable, const char *text);

#endif
