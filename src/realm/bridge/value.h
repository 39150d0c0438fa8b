/* value.h - values across the border between Python and JavaScript.
 *
 * Python sees a JavaScript object as a JsProxy (proxy_js.c), JavaScript sees a
 * Python object as a PyProxy (proxy_py.c); going back unwraps.  convert.c
 * holds the rules, error.c carries exceptions both ways.
 *
 * Ownership: PyObject results are new references; JSValueRefs live on the
 * stack only, unless engine_keep-ed.  A JsProxy keeps its object; a PyProxy
 * its reference, given back on the loop (bridge_turn), never inside the
 * collector.
 *
 * Errors: NULL with a Python exception set.  Thread: the main one; JsProxies
 * refuse to be used on others, and may be freed there. */
#ifndef CORRAL_REALM_BRIDGE_VALUE_H
#define CORRAL_REALM_BRIDGE_VALUE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>

#include "realm/exchange.h"
#include "realm/strand.h"

/* The singleton jsnull, which is null in JavaScript; whether null becomes it, as of newer dates, or
 * None. */
void bridge_set_null(PyObject *null, bool makes); /* borrowed, kept for ever */

/* JsBigInt, a kind of int, is a BigInt in JavaScript; whether BigInts become one. */
void bridge_set_bigint(PyTypeObject *type, bool makes); /* borrowed, kept for ever */

/* ---- the C stack ----
 * Recursion that goes to and fro between the languages is limited by neither
 * alone (Python counts frames, JavaScriptCore its own part of the stack), so
 * every crossing asks whether enough is left for both to say what is wrong. */
extern _Thread_local const char *bridge_stack_floor;
void bridge_measure_stack(void); /* once on each thread that uses the bridge */
static inline bool bridge_has_stack(void)
{
    return (const char *)__builtin_frame_address(0) > bridge_stack_floor;
}

/* ---- convert.c ---- */
/* owner: the JsProxy that the value was found in, which a function is then bound to; or NULL. */
PyObject *bridge_to_python(JSValueRef value, PyObject *owner);
JSValueRef bridge_to_js(PyObject *object);
bool bridge_is_null(PyObject *object);    /* jsnull */
bool bridge_is_from_js(PyObject *object); /* a JsProxy or a JsException */
PyObject *bridge_text_to_python(JSStringRef text);
PyObject *bridge_units_to_python(const JSChar *units, size_t len);
PyObject *bridge_number_to_python(double number); /* an int when it is whole and below 2**53 */
JSStringRef bridge_text_to_js(PyObject *text);
/* For attribute names, from a cache; release it. */
JSStringRef bridge_name(PyObject *name);
/* The same as a string of JavaScript; valid until the next one is asked for. */
JSValueRef bridge_key(PyObject *name);

PyObject *bridge_null_to_python(void); /* what null becomes */

/* ---- error.c ---- */
void bridge_error_define(void);
/* What JavaScript threw becomes the Python exception; returns NULL. */
PyObject *bridge_raise(JSValueRef thrown);
PyObject *bridge_exception(JSValueRef thrown);    /* the same as an object */
PyObject *bridge_js_exception(JSValueRef thrown); /* a JsException, also of a PythonError */
/* The Python exception that is set becomes what JavaScript throws; returns undefined. */
JSValueRef bridge_throw(JSValueRef *ret_thrown);
JSValueRef bridge_error(PyObject *exception); /* as a value */
PyObject *bridge_js_exception_type(void);     /* borrowed: pyodide.ffi.JsException */
void bridge_set_exception(PyObject *type);    /* borrowed, kept for ever: that */

/* ---- proxy_js.c ---- */
/* How items are found in plain objects. */
enum js_proxy_view { VIEW_OBJECT_MAP, VIEW_HEREDITARY_MAP, VIEW_JSON };
extern PyTypeObject *js_proxy_type;
PyObject *js_proxy_new(JSObjectRef object, PyObject *owner); /* an Error: JsException */
PyObject *js_proxy_plain(JSObjectRef object);                /* a JsProxy whatever it is */
PyObject *js_proxy_symbol(JSValueRef symbol);
PyObject *js_proxy_view(PyObject *proxy, enum js_proxy_view view);
bool js_proxy_is_view(PyObject *proxy);
PyObject *js_proxy_inherit(PyObject *proxy, PyObject *take_found);
/* Objects that are made in JavaScript only when they are first touched. */
PyObject *js_proxy_lazy_request(struct head *head);
PyObject *js_proxy_lazy_context(uint32_t stream);
/* A Response of this status with these headers (bytes "name\nvalue\n...", all valid) and this body:
 * bytes, or an Outlet of so many bytes, -1: as many as it will be. */
PyObject *js_proxy_ready(uint32_t status, PyObject *lines, PyObject *body, int64_t length);
/* Answer x with it, if it is such a Response and nobody has touched it.  May free x. */
bool js_proxy_answer(PyObject *proxy, struct exchange *x);
/* The head of an incoming request that nobody has touched, or NULL; object may be anything. */
const struct head *js_proxy_head(PyObject *object);
static inline bool js_proxy_check(PyObject *object)
{
    return PyObject_TypeCheck(object, js_proxy_type);
}
JSObjectRef js_proxy_object(PyObject *proxy); /* NULL with an exception */
int js_proxy_open(void);
bool bridge_is_main_thread(void); /* or one that stands in for it; else false, with RuntimeError */

JSObjectRef js_proxy_self(PyObject *proxy); /* what it is bound to, or NULL */

/* ---- proxy_ops.c: what JsProxies of the various kinds can do ---- */
void js_proxy_ops_define(void);
void js_proxy_ops_open(void);
PyObject *js_proxy_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                              PyObject *names);
PyObject *js_proxy_iter(PyObject *self);
PyObject *js_proxy_next(PyObject *self);
Py_hash_t js_proxy_hash(PyObject *self);
PyObject *js_proxy_await(PyObject *self);
PyObject *js_proxy_aiter(PyObject *self);
Py_ssize_t js_proxy_length(PyObject *self);
int js_proxy_truth(PyObject *self);
int js_proxy_contains(PyObject *self, PyObject *key);

/* ---- proxy_buffer.c ---- */
extern PyMethodDef js_buffer_methods[];

/* ---- proxy_py.c ---- */
/* Of proxies that were made explicitly: comes back to Python as a proxy, to be destroyed there; is
 * destroyed by its first call; gives `this` as the first argument; gives a promise, as its calls
 * may wait (run_sync); has arguments of its own. */
enum py_proxy_trait {
    PY_PROXY_KEPT = 1,
    PY_PROXY_ONCE = 2,
    PY_PROXY_TAKES_THIS = 4,
    PY_PROXY_PROMISES = 8,
    PY_PROXY_BOUND = 16,
};
JSObjectRef py_proxy_new(PyObject *object);
JSObjectRef py_proxy_new_with(PyObject *object, int traits);
/* borrowed; NULL when it is no PyProxy, or a destroyed one */
PyObject *py_proxy_object(JSValueRef value);
/* Whether it is a PyProxy that Python sees as what is in it: then that (new), or NULL with an
 * exception when it is destroyed.  A kept one is not. */
bool py_proxy_unwrapped(JSValueRef value, PyObject **ret_object);
bool py_proxy_check(JSValueRef value);
/* What create_proxy wrapped: new; or NULL with an exception. */
PyObject *py_proxy_unwrap(JSValueRef proxy);
int py_proxy_destroy(JSValueRef proxy); /* -1 with an exception: one of once is already */
bool py_proxy_is_once(JSValueRef value);
/* From a newer date on: the keys of dicts are properties. */
void py_proxy_open_dicts(bool is_open);
void py_proxy_define(void);
void py_proxy_open(void);
void py_proxy_turn(void);

/* ---- pairs.c ---- */
void bridge_pairs_define(void);

/* ---- functions of the built-in module _corral, added by py/interp.c ---- */
extern PyMethodDef bridge_functions[];

#endif
