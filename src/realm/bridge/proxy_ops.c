/* proxy_ops.c - what JsProxies of the various kinds can do: call, iterate, index, await.
 *
 * The rules of JavaScript's half (what `in` means for a Map, which iterator an
 * object gives) are in sdk/js/bridge.js; here is Python's half. */
#include "realm/bridge/pack.h"
#include "realm/bridge/value.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/web/web.h"

enum { ARGUMENTS_MAX = 64 };
#define METHOD(f) ((PyCFunction)(void (*)(void))(f))

/* Functions of sdk/js/bridge.js, by name; looked up once. */
#define INTERNALS(X)                                                                               \
    X(asyncIterator)                                                                               \
    X(awaitFor) X(contains) X(deleteItem) X(getItem) X(idOf) X(iterator) X(kindOf) X(length)       \
        X(objectEntries) X(objectKeys) X(objectValues) X(setItem) X(slice) X(step) X(truth)        \
            X(typeOf) X(viewContains) X(viewDelete) X(viewGet) X(viewIterator) X(viewLength)       \
                X(viewSet) X(END)
#define DECLARE(name) static JSObjectRef name;
INTERNALS(DECLARE)

static JSClassRef waiter_class;

void js_proxy_ops_open(void)
{
#define LOOK_UP(name) name = engine_internal(#name);
    INTERNALS(LOOK_UP)
}

/* function(object of self), as a Python object */
static PyObject *ask(JSObjectRef function, PyObject *self)
{
    JSValueRef object = js_proxy_object(self), thrown = NULL, value;

    if (!object)
        return NULL;
    value = engine_call(function, 1, &object, &thrown);
    return thrown ? bridge_raise(thrown) : bridge_to_python(value, NULL);
}

/* function(object of self, key[, item]); NULL with an exception */
static JSValueRef ask_with(JSObjectRef function, PyObject *self, PyObject *key, PyObject *item)
{
    JSValueRef arguments[3] = {0}, thrown = NULL, value;

    arguments[0] = js_proxy_object(self);
    if (arguments[0])
        arguments[1] = bridge_to_js(key);
    if (arguments[1] && item)
        arguments[2] = bridge_to_js(item);
    if (!arguments[0] || !arguments[1] || (item && !arguments[2]))
        return NULL;
    value = engine_call(function, item ? 3 : 2, arguments, &thrown);
    if (thrown)
        bridge_raise(thrown);
    return thrown ? NULL : value;
}

/* ---- calls ---- */

/* The keyword arguments become one object behind the others. */
static JSObjectRef options_of(PyObject *const *values, PyObject *names)
{
    JSObjectRef options = JSObjectMake(engine.context, NULL, NULL);

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        JSValueRef value = bridge_to_js(values[i]);
        JSStringRef name = value ? bridge_name(PyTuple_GET_ITEM(names, i)) : NULL; /* new */
        if (!name)
            return NULL;
        JSObjectSetProperty(engine.context, options, name, value, kJSPropertyAttributeNone, NULL);
        JSStringRelease(name);
    }
    return options;
}

static PyObject *call(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names,
                      bool is_new)
{
    JSValueRef values[ARGUMENTS_MAX + 1], thrown = NULL, result;
    JSObjectRef object = js_proxy_object(self);
    size_t n = (size_t)count;

    if (!object)
        return NULL;
    if (count > ARGUMENTS_MAX)
        return PyErr_Format(PyExc_TypeError,
                            "a JavaScript function takes at most %d arguments here", ARGUMENTS_MAX);
    for (size_t i = 0; i < n; i++) {
        values[i] = bridge_to_js(arguments[i]);
        if (!values[i])
            return NULL;
    }
    if (names && PyTuple_GET_SIZE(names) > 0) {
        values[n] = options_of(arguments + n, names);
        if (!values[n++])
            return NULL;
    }
    if (Py_EnterRecursiveCall(" in a call to JavaScript"))
        return NULL;
    if (is_new)
        result = JSObjectCallAsConstructor(engine.context, object, n, values, &thrown);
    else
        result =
            JSObjectCallAsFunction(engine.context, object, js_proxy_self(self), n, values, &thrown);
    Py_LeaveRecursiveCall();
    if (thrown)
        return bridge_raise(thrown);
    return bridge_to_python(result, NULL);
}

PyObject *js_proxy_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                              PyObject *names)
{
    return call(self, arguments, PyVectorcall_NARGS(count), names, false);
}

static PyObject *method_new(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                            PyObject *names)
{
    return call(self, arguments, count, names, true);
}

/* ---- containers ---- */

Py_ssize_t js_proxy_length(PyObject *self)
{
    PyObject *number = ask(js_proxy_is_view(self) ? viewLength : length, self);
    Py_ssize_t n = number ? PyLong_AsSsize_t(number) : -1;

    Py_XDECREF(number);
    if (n < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "the length of this object of JavaScript is negative");
    return n < 0 ? -1 : n;
}

int js_proxy_truth(PyObject *self)
{
    JSValueRef object = js_proxy_object(self);

    return object ? JSValueToBoolean(engine.context, engine_run(truth, 1, &object)) : -1;
}

int js_proxy_contains(PyObject *self, PyObject *key)
{
    JSValueRef value = ask_with(js_proxy_is_view(self) ? viewContains : contains, self, key, NULL);

    return value ? JSValueToBoolean(engine.context, value) : -1;
}

static bool is_sequence(PyObject *self)
{
    JSObjectRef object = js_proxy_object(self);

    return object &&
           (JSValueIsArray(engine.context, object) ||
            JSValueGetTypedArrayType(engine.context, object, NULL) != kJSTypedArrayTypeNone);
}

/* Part of an array, as a new one. */
static PyObject *slice_of(PyObject *self, PyObject *part)
{
    JSValueRef arguments[4], thrown = NULL, value;
    Py_ssize_t start, stop, step_by, count;

    if (PySlice_Unpack(part, &start, &stop, &step_by) < 0)
        return NULL;
    count = js_proxy_length(self);
    if (count < 0)
        return NULL;
    count = PySlice_AdjustIndices(count, &start, &stop, step_by);
    arguments[0] = js_proxy_object(self);
    arguments[1] = engine_number((double)start);
    arguments[2] = engine_number((double)step_by);
    arguments[3] = engine_number((double)count);
    value = engine_call(slice, 4, arguments, &thrown);
    return thrown ? bridge_raise(thrown) : bridge_to_python(value, NULL);
}

/* The index that key means on this array: from the end when negative; -1 with IndexError. */
static Py_ssize_t index_of(PyObject *self, PyObject *key)
{
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError), n;

    if (index == -1 && PyErr_Occurred())
        return -1;
    n = js_proxy_length(self);
    if (index < 0)
        index += n;
    if (index >= 0 && index < n)
        return index;
    PyErr_SetString(PyExc_IndexError, "JavaScript array index out of range");
    return -1;
}

static PyObject *subscript(PyObject *self, PyObject *key)
{
    JSValueRef found, thrown = NULL, value;

    if (is_sequence(self)) {
        Py_ssize_t index;
        if (PySlice_Check(key))
            return js_proxy_inherit(self, slice_of(self, key));
        index = index_of(self, key);
        if (index < 0)
            return NULL;
        value = JSObjectGetPropertyAtIndex(engine.context, js_proxy_object(self), (unsigned)index,
                                           &thrown);
        return thrown ? bridge_raise(thrown)
                      : js_proxy_inherit(self, bridge_to_python(value, NULL));
    }
    found = ask_with(js_proxy_is_view(self) ? viewGet : getItem, self, key, NULL);
    if (!found)
        return NULL;
    if (JSValueIsUndefined(engine.context, found)) {
        PyErr_SetObject(PyExc_KeyError, key);
        return NULL;
    }
    value = JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)found, 0, NULL);
    return js_proxy_inherit(self, bridge_to_python(value, self));
}

/* a[1:3] = items, del a[1:3] */
static int set_slice(PyObject *self, PyObject *part, PyObject *items)
{
    PyObject *function = interp_sdk("corral.kinds", "set_slice"), *done = NULL;

    if (function)
        done = PyObject_CallFunctionObjArgs(function, self, part, items, NULL);
    Py_XDECREF(function);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int set_subscript(PyObject *self, PyObject *key, PyObject *item)
{
    bool is_view = js_proxy_is_view(self);
    PyObject *index = NULL;
    JSValueRef done;

    if (is_sequence(self)) {
        if (PySlice_Check(key))
            return set_slice(self, key, item);
        Py_ssize_t i = index_of(self, key);
        if (i < 0)
            return -1;
        index = PyLong_FromSsize_t(i);
        if (!index)
            return -1;
        key = index;
    }
    done = item ? ask_with(is_view ? viewSet : setItem, self, key, item)
                : ask_with(is_view ? viewDelete : deleteItem, self, key, NULL);
    if (done && !item && !JSValueToBoolean(engine.context, done)) {
        PyErr_SetObject(PyExc_KeyError, key);
        done = NULL;
    }
    Py_XDECREF(index);
    return done ? 0 : -1;
}

PyMappingMethods js_proxy_mapping = {
    .mp_subscript = subscript,
    .mp_ass_subscript = set_subscript,
};

/* ---- iteration and waiting ---- */

PyObject *js_proxy_iter(PyObject *self)
{
    if (Py_TYPE(self)->tp_iternext && Py_TYPE(self)->tp_iternext != _PyObject_NextNotImplemented)
        return Py_NewRef(self);
    return ask(js_proxy_is_view(self) ? viewIterator : iterator, self);
}

PyObject *js_proxy_next(PyObject *self)
{
    JSValueRef object = js_proxy_object(self), thrown = NULL, value;

    if (!object)
        return NULL;
    value = engine_call(step, 1, &object, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    return value == END ? NULL : bridge_to_python(value, NULL);
}

PyObject *js_proxy_aiter(PyObject *self)
{
    static PyObject *iterate;
    PyObject *js_iterator, *result;

    if (!iterate) {
        PyObject *module = PyImport_ImportModule("corral.bridge");
        iterate = module ? PyObject_GetAttrString(module, "iterate") : NULL;
        Py_XDECREF(module);
        if (!iterate)
            return NULL;
    }
    js_iterator = ask(asyncIterator, self);
    result = js_iterator ? PyObject_CallOneArg(iterate, js_iterator) : NULL;
    Py_XDECREF(js_iterator);
    return result;
}

/* Promises are hashable, other proxies are not (as in Pyodide 0.26): asyncio.gather asks. */
Py_hash_t js_proxy_hash(PyObject *self)
{
    PyObject *number = ask(idOf, self);
    Py_hash_t hash = number ? PyObject_Hash(number) : -1;

    Py_XDECREF(number);
    return hash;
}

/* A waiter is a JavaScript object that holds the asyncio future a promise will
 * settle; its finalizer only matters for promises that never do. */
static void waiter_finalize(JSObjectRef waiter)
{
    PyObject *future = JSObjectGetPrivate(waiter);

    if (future)
        loop_let_go(future);
}

PyObject *js_proxy_await(PyObject *self)
{
    JSValueRef arguments[2], thrown = NULL;
    PyObject *future, *iterator_of;

    arguments[0] = js_proxy_object(self);
    future = arguments[0] ? loop_new_future() : NULL;
    if (!future)
        return NULL;
    arguments[1] = JSObjectMake(engine.context, waiter_class, Py_NewRef(future));
    engine_call(awaitFor, 2, arguments, &thrown);
    if (thrown) {
        Py_DECREF(future);
        return bridge_raise(thrown);
    }
    iterator_of = Py_TYPE(future)->tp_as_async->am_await(future);
    Py_DECREF(future);
    return iterator_of;
}

/* settle(waiter, value, isError) */
static JSValueRef settle(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    JSObjectRef waiter = (JSObjectRef)arguments[0];
    PyObject *future = JSObjectGetPrivate(waiter), *value, *done;
    bool is_error = JSValueToBoolean(js, arguments[2]);

    (void)function, (void)self, (void)count;
    if (!future)
        return engine.undefined;
    JSObjectSetPrivate(waiter, NULL);
    value = is_error ? bridge_exception(arguments[1]) : bridge_to_python(arguments[1], NULL);
    if (!value) { /* it cannot be converted: that is the outcome, then */
        PyObject *type, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
        Py_XDECREF(type);
        Py_XDECREF(traceback);
        is_error = true;
    }
    done = loop_settle(future, value, is_error);
    Py_DECREF(value);
    Py_DECREF(future);
    Py_XDECREF(done);
    return done ? engine.undefined : bridge_throw(ret_thrown);
}

void js_proxy_ops_define(void)
{
    waiter_class = engine_class("PythonWaiter", waiter_finalize);
    engine_native("settle", settle);
}

/* ---- methods ---- */

static PyObject *object_entries(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ask(objectEntries, self);
}

static PyObject *object_keys(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ask(objectKeys, self);
}

static PyObject *object_values(PyObject *self, PyObject *unused)
{
    (void)unused;
    return ask(objectValues, self);
}

/* ---- of what create_proxy made ---- */

static PyObject *destroy(PyObject *self, PyObject *unused)
{
    JSObjectRef object = js_proxy_object(self);

    (void)unused;
    if (!object || py_proxy_destroy(object) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *unwrap(PyObject *self, PyObject *unused)
{
    JSObjectRef object = js_proxy_object(self);

    (void)unused;
    return object ? py_proxy_unwrap(object) : NULL;
}

static PyObject *get_typeof(PyObject *self, void *unused)
{
    (void)unused;
    return ask(typeOf, self);
}

static PyObject *get_id(PyObject *self, void *unused)
{
    (void)unused;
    return ask(idOf, self);
}

static PyObject *get_kind(PyObject *self, void *unused)
{
    (void)unused;
    return ask(kindOf, self);
}

PyMethodDef js_proxy_methods[] = {
    {"to_py", METHOD(bridge_method_to_py), METH_FASTCALL | METH_KEYWORDS, NULL},
    {"object_entries", object_entries, METH_NOARGS, NULL},
    {"object_keys", object_keys, METH_NOARGS, NULL},
    {"object_values", object_values, METH_NOARGS, NULL},
    {0},
};
PyMethodDef js_callable_methods[] = {
    {"new", METHOD(method_new), METH_FASTCALL | METH_KEYWORDS, NULL},
    {0},
};
PyMethodDef js_double_methods[] = {
    {"destroy", destroy, METH_NOARGS, NULL},
    {"unwrap", unwrap, METH_NOARGS, NULL},
    {"new", METHOD(method_new), METH_FASTCALL | METH_KEYWORDS, NULL},
    {0},
};
PyMethodDef js_once_methods[] = {
    {"destroy", destroy, METH_NOARGS, NULL},
    {"new", METHOD(method_new), METH_FASTCALL | METH_KEYWORDS, NULL},
    {0},
};
PyGetSetDef js_proxy_getset[] = {
    {"typeof", get_typeof, NULL, NULL, NULL},
    {"js_id", get_id, NULL, NULL, NULL},
    {"_kind", get_kind, NULL, NULL, NULL},
    {0},
};
