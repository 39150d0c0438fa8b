/* proxy_ops.c - what JsProxies of the various kinds can do: call, iterate, index, await.
 *
 * The rules of JavaScript's half (what `in` means for a Map, which iterator an
 * object gives) are in sdk/js/jsproxy.js; here is Python's half. */
#include "realm/bridge/pack.h"
#include "realm/bridge/proxy.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/web/web.h"

enum { ARGUMENTS_FEW = 32, ARGUMENTS_MAX = 4096 };
#define METHOD(f) ((PyCFunction)(void (*)(void))(f))

/* Functions of sdk/js/jsproxy.js, by name; looked up once. */
#define INTERNALS(X)                                                                               \
    X(asyncIterator)                                                                               \
    X(awaitFor)                                                                                    \
    X(deleteItem)                                                                                  \
    X(getItem)                                                                                     \
    X(hasKey)                                                                                      \
    X(idOf)                                                                                        \
    X(includesItem)                                                                                \
    X(isPromise) X(iterator) X(kindOf) X(length) X(mapIterator) X(objectEntries) X(objectKeys)     \
        X(objectValues) X(plainDelete) X(plainGet) X(plainHas) X(plainSet) X(setItem) X(step)      \
            X(stepLater) X(takeOther) X(truth) X(typeOf) X(viewDelete) X(viewGet) X(viewHas)       \
                X(viewIterator) X(viewLength) X(END) X(MISSING) X(OTHER)
#define DECLARE(name) static JSObjectRef name;
INTERNALS(DECLARE)

static JSClassRef waiter_class;

void js_proxy_ops_open(void)
{
#define LOOK_UP(name) name = engine_internal(#name);
    INTERNALS(LOOK_UP)
    js_proxy_array_open();
}

JSValueRef js_proxy_missing(void)
{
    return MISSING;
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

/* The function that Python calls with a None; only until it has called something else. */
static JSObjectRef given_none;

/* wasGivenNone(function): first thing in a function, whether it is Python's None that came as
 * undefined */
static JSValueRef was_given_none(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)count, (void)ret_thrown;
    return JSValueMakeBoolean(js, given_none && arguments[0] == given_none);
}

/* values: room for all and the options; they must be on the stack, where JavaScript's collector
 * sees them. */
static PyObject *call_with(PyObject *self, JSValueRef *values, PyObject *const *arguments, size_t n,
                           PyObject *names, bool is_new)
{
    JSObjectRef object = js_proxy_object(self);
    JSValueRef thrown = NULL, result;
    bool has_none = false;

    if (!object)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        values[i] = bridge_to_js(arguments[i]);
        if (!values[i])
            return NULL;
        has_none |= arguments[i] == Py_None;
    }
    if (names && PyTuple_GET_SIZE(names) > 0) {
        values[n] = options_of(arguments + n, names);
        if (!values[n++])
            return NULL;
    }
    if (Py_EnterRecursiveCall(" in a call to JavaScript"))
        return NULL;
    given_none = has_none ? object : NULL;
    if (is_new)
        result = JSObjectCallAsConstructor(engine.context, object, n, values, &thrown);
    else
        result =
            JSObjectCallAsFunction(engine.context, object, js_proxy_self(self), n, values, &thrown);
    given_none = NULL;
    Py_LeaveRecursiveCall();
    if (thrown)
        return bridge_raise(thrown);
    if (!result) { /* of what is no function, or no class */
        engine_throw(&thrown, "TypeError",
                     is_new ? "this is not a constructor" : "this is not a function");
        return bridge_raise(thrown);
    }
    return bridge_to_python(result, NULL);
}

__attribute__((noinline)) static PyObject *
call_with_many(PyObject *self, PyObject *const *arguments, size_t n, PyObject *names, bool is_new)
{
    JSValueRef values[ARGUMENTS_MAX + 1];

    if (n > ARGUMENTS_MAX)
        return PyErr_Format(PyExc_TypeError,
                            "a JavaScript function takes at most %d arguments here: give it one "
                            "array instead",
                            ARGUMENTS_MAX);
    return call_with(self, values, arguments, n, names, is_new);
}

static PyObject *call(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names,
                      bool is_new)
{
    JSValueRef values[ARGUMENTS_FEW + 1];

    if (count > ARGUMENTS_FEW)
        return call_with_many(self, arguments, (size_t)count, names, is_new);
    return call_with(self, values, arguments, (size_t)count, names, is_new);
}

PyObject *js_proxy_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                              PyObject *names)
{
    return call(self, arguments, PyVectorcall_NARGS(count), names, false);
}

/* A call that bind_sig gave a signature: its rules are in corral/signatures.py. */
PyObject *js_proxy_signed_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                                     PyObject *names)
{
    PyObject *function = interp_sdk("corral.signatures", "call"), *result = NULL;
    Py_ssize_t n = PyVectorcall_NARGS(count), total = n + (names ? PyTuple_GET_SIZE(names) : 0);
    PyObject **all = PyMem_Malloc(((size_t)total + 1) * sizeof *all);

    if (!all)
        PyErr_NoMemory();
    if (function && all) {
        all[0] = self;
        memcpy(all + 1, arguments, (size_t)total * sizeof *all);
        result = PyObject_Vectorcall(function, all, (size_t)n + 1, names);
    }
    PyMem_Free(all);
    Py_XDECREF(function);
    return result;
}

static PyObject *method_new(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                            PyObject *names)
{
    return call(self, arguments, count, names, true);
}

/* ---- containers ---- */

static Py_ssize_t bad_length(JSValueRef value)
{
    double n = JSValueToNumber(engine.context, value, NULL);
    JSStringRef string;
    PyObject *text;

    if (n != n) {
        PyErr_SetString(PyExc_TypeError, "object does not have a valid length");
        return -1;
    }
    string = JSValueToStringCopy(engine.context, value, NULL); /* new */
    text = string ? bridge_text_to_python(string) : PyErr_NoMemory();
    if (string)
        JSStringRelease(string);
    if (text && n < 0)
        PyErr_Format(PyExc_ValueError, "length %U of object is negative", text);
    else if (text)
        PyErr_Format(PyExc_OverflowError, "length %U of object is larger than INT_MAX (%d)", text,
                     INT_MAX);
    Py_XDECREF(text);
    return -1;
}

Py_ssize_t js_proxy_length(PyObject *self)
{
    JSValueRef object = js_proxy_object(self), thrown = NULL, value;
    double n;

    if (!object)
        return -1;
    value = engine_call(js_proxy_is_view(self) ? viewLength : length, 1, &object, &thrown);
    if (thrown) {
        bridge_raise(thrown);
        return -1;
    }
    n = engine_number_of(value);
    return n >= 0 && n <= INT_MAX ? (Py_ssize_t)n : bad_length(value);
}

int js_proxy_truth(PyObject *self)
{
    JSValueRef object = js_proxy_object(self);

    return object ? JSValueToBoolean(engine.context, engine_run(truth, 1, &object)) : -1;
}

int js_proxy_contains(PyObject *self, PyObject *key)
{
    int bits = js_proxy_bits(self);
    JSValueRef value;

    if (bits & OBJECT_MAP && !PyUnicode_Check(key))
        return 0;
    value = ask_with(bits & OBJECT_MAP ? viewHas
                     : bits & HAS      ? hasKey
                     : bits & INCLUDES ? includesItem
                                       : plainHas,
                     self, key, NULL);
    return value ? JSValueToBoolean(engine.context, value) : -1;
}

PyObject *js_proxy_subscript(PyObject *self, PyObject *key)
{
    int bits = js_proxy_bits(self);
    JSValueRef found;

    if (bits & OBJECT_MAP) {
        if (!PyUnicode_Check(key)) {
            PyErr_SetObject(PyExc_KeyError, key);
            return NULL;
        }
        found = ask_with(viewGet, self, key, NULL);
    } else if (bits & GET) {
        found = ask_with(getItem, self, key, NULL);
    } else if (bits & AWAITABLE) {
        return PyErr_Format(PyExc_TypeError,
                            "'pyodide.ffi.JsProxy' object is not subscriptable: it is a promise of "
                            "JavaScript, `await` it first");
    } else {
        found = ask_with(plainGet, self, key, NULL);
    }
    if (!found)
        return NULL;
    if (found == MISSING) {
        PyErr_SetObject(PyExc_KeyError, key);
        return NULL;
    }
    return js_proxy_inherit(self, bridge_to_python(found, self));
}

int js_proxy_set_subscript(PyObject *self, PyObject *key, PyObject *item)
{
    int bits = js_proxy_bits(self);
    bool is_map = bits & SET && !(bits & OBJECT_MAP);
    JSValueRef done;

    if (bits & OBJECT_MAP && !PyUnicode_Check(key)) {
        if (item)
            PyErr_SetString(PyExc_TypeError,
                            "Can only assign keys of type string to JavaScript object map");
        else
            PyErr_SetObject(PyExc_KeyError, key);
        return -1;
    }
    if (item)
        done = ask_with(is_map ? setItem : plainSet, self, key, item);
    else
        done = ask_with(is_map              ? deleteItem
                        : bits & OBJECT_MAP ? viewDelete
                                            : plainDelete,
                        self, key, NULL);
    if (done && !item && !JSValueToBoolean(engine.context, done)) {
        PyErr_SetObject(PyExc_KeyError, key);
        done = NULL;
    }
    return done ? 0 : -1;
}

/* ---- iteration and waiting ---- */

PyObject *js_proxy_iter(PyObject *self)
{
    int bits = js_proxy_bits(self);

    if (bits & ITERATOR)
        return Py_NewRef(self);
    return js_proxy_inherit(self, ask(bits & OBJECT_MAP     ? viewIterator
                                      : (bits & MAP) == MAP ? mapIterator
                                                            : iterator,
                                      self));
}

/* next() gave something that is no item. */
static PyObject *no_item(void)
{
    JSObjectRef taken = (JSObjectRef)engine_run(takeOther, 0, NULL);
    JSValueRef fault = JSObjectGetPropertyAtIndex(engine.context, taken, 0, NULL);
    PyObject *value;

    if (!JSValueIsUndefined(engine.context, fault)) {
        PyObject *text = bridge_to_python(fault, NULL);
        if (text)
            PyErr_SetObject(PyExc_TypeError, text);
        Py_XDECREF(text);
        return NULL;
    }
    value = bridge_to_python(JSObjectGetPropertyAtIndex(engine.context, taken, 1, NULL), NULL);
    if (value)
        _PyGen_SetStopIterationValue(value);
    Py_XDECREF(value);
    return NULL;
}

PyObject *js_proxy_next(PyObject *self)
{
    JSValueRef object = js_proxy_object(self), thrown = NULL, value;

    if (!object)
        return NULL;
    value = engine_call(step, 1, &object, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    if (value == END)
        return NULL;
    if (value == OTHER)
        return no_item();
    return js_proxy_inherit(self, bridge_to_python(value, NULL));
}

PyObject *js_proxy_aiter(PyObject *self)
{
    PyObject *found;

    if (js_proxy_bits(self) & ASYNC_ITERATOR)
        found = Py_NewRef(self);
    else
        found = ask(asyncIterator, self);
    if (found && js_proxy_check(found))
        ((struct js_proxy *)found)->bits |= CLOSES;
    return found;
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

/* A new future, and its waiter. */
static PyObject *new_future(JSValueRef *ret_waiter)
{
    PyObject *future = loop_new_future();

    if (future)
        *ret_waiter = JSObjectMake(engine.context, waiter_class, Py_NewRef(future));
    return future;
}

PyObject *js_proxy_future(PyObject *self)
{
    JSValueRef arguments[2], thrown = NULL;
    PyObject *future;

    arguments[0] = js_proxy_object(self);
    future = arguments[0] ? new_future(&arguments[1]) : NULL;
    if (!future)
        return NULL;
    engine_call(awaitFor, 2, arguments, &thrown);
    if (thrown) {
        Py_DECREF(future);
        if (JSValueToBoolean(engine.context, engine_run(isPromise, 1, arguments)))
            return bridge_raise(thrown);
        return PyErr_Format(PyExc_TypeError, "object %S can't be used in 'await' expression", self);
    }
    return future;
}

PyObject *js_proxy_await(PyObject *self)
{
    PyObject *notes = ((struct js_proxy *)self)->notes, *future, *iterator_of;

    /* Used as a future before (corral/kinds.py)? */
    future = notes ? Py_XNewRef(PyDict_GetItemString(notes, "future")) : NULL;
    if (!future)
        future = js_proxy_future(self);
    if (!future)
        return NULL;
    iterator_of = Py_TYPE(future)->tp_as_async->am_await(future);
    Py_DECREF(future);
    return iterator_of;
}

/* A step of an asynchronous iterator: a future, or NULL. */
static PyObject *step_later(PyObject *self, const char *method, JSValueRef argument,
                            bool is_closing)
{
    JSValueRef arguments[5], thrown = NULL, fault;
    JSStringRef name;
    PyObject *future, *text;

    arguments[0] = js_proxy_object(self);
    if (!arguments[0] || !argument)
        return NULL;
    name = JSStringCreateWithUTF8CString(method); /* new */
    arguments[1] = JSValueMakeString(engine.context, name);
    JSStringRelease(name);
    arguments[2] = argument;
    arguments[3] = JSValueMakeBoolean(engine.context, is_closing);
    future = new_future(&arguments[4]);
    if (!future)
        return NULL;
    fault = engine_call(stepLater, 5, arguments, &thrown);
    if (!thrown && JSValueIsUndefined(engine.context, fault))
        return future;
    Py_DECREF(future);
    if (thrown)
        return bridge_raise(thrown);
    text = bridge_to_python(fault, NULL);
    if (text)
        PyErr_SetObject(PyExc_TypeError, text);
    Py_XDECREF(text);
    return NULL;
}

PyObject *js_proxy_anext(PyObject *self)
{
    return step_later(self, "next", engine.undefined, false);
}

static PyObject *asend(PyObject *self, PyObject *value)
{
    return bridge_is_main_thread() ? step_later(self, "next", bridge_to_js(value), false) : NULL;
}

static PyObject *aclose(PyObject *self, PyObject *unused)
{
    (void)unused;
    return step_later(self, "return", engine.undefined, true);
}

static PyObject *athrow(PyObject *self, PyObject *arguments)
{
    PyObject *function, *exception;

    if (!bridge_is_main_thread())
        return NULL;
    function = interp_sdk("corral.kinds", "exception_of");
    exception = function ? PyObject_CallObject(function, arguments) : NULL;
    Py_XDECREF(function);
    if (!exception)
        return NULL;
    if (PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit)) {
        Py_DECREF(exception);
        return step_later(self, "return", engine.undefined, false);
    }
    Py_SETREF(exception, step_later(self, "throw", bridge_error(exception), false));
    return exception;
}

/* What a waiter is told, as in sdk/js/jsproxy.js. */
enum { VALUE = 0, IS_ERROR = 1, HAS_ENDED = 2, IGNORED_RETURN = 3 };

static PyObject *exception_with(PyObject *type, PyObject *take_value)
{
    PyObject *exception = take_value ? PyObject_CallOneArg(type, take_value) : NULL;

    Py_XDECREF(take_value);
    return exception;
}

/* settle(waiter, value, what) */
static JSValueRef settle(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    JSObjectRef waiter = (JSObjectRef)arguments[0];
    PyObject *future = JSObjectGetPrivate(waiter), *value, *done;
    int what = (int)JSValueToNumber(js, arguments[2], NULL);
    bool is_error = what != VALUE;

    (void)function, (void)self, (void)count;
    if (!future)
        return engine.undefined;
    JSObjectSetPrivate(waiter, NULL);
    value =
        what == IS_ERROR ? bridge_exception(arguments[1]) : bridge_to_python(arguments[1], NULL);
    if (what == HAS_ENDED)
        value = exception_with(PyExc_StopAsyncIteration, value);
    else if (what == IGNORED_RETURN)
        value = exception_with(PyExc_RuntimeError, value);
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
    engine_native("wasGivenNone", was_given_none);
}

/* ---- methods ---- */

static PyObject *view_of(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                         PyObject *names)
{
    int is_hereditary = 0;

    if (count > 0)
        return PyErr_Format(PyExc_TypeError,
                            "as_object_map() takes exactly 0 positional arguments (%zd given)",
                            count);
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "hereditary") != 0)
            return PyErr_Format(PyExc_TypeError,
                                "as_object_map() got an unexpected keyword argument '%U'",
                                PyTuple_GET_ITEM(names, i));
        is_hereditary = PyObject_IsTrue(arguments[i]);
    }
    if (is_hereditary < 0)
        return NULL;
    return js_proxy_view(self, is_hereditary ? VIEW_HEREDITARY_MAP : VIEW_OBJECT_MAP);
}

static PyObject *as_py_json(PyObject *self, PyObject *unused)
{
    (void)unused;
    return js_proxy_view(self, VIEW_JSON);
}

/* The same object with a signature, which corral/signatures.py reads. */
static PyObject *bind_sig(PyObject *self, PyObject *signature)
{
    PyObject *bound = js_proxy_same(self, js_proxy_bits(self) | SIGNED), *notes;

    if (!bound)
        return NULL;
    notes = js_proxy_notes(bound);
    if (!notes || PyDict_SetItemString(notes, "_sig", signature) < 0)
        Py_CLEAR(bound);
    return bound;
}

static PyObject *bind_class(PyObject *self, PyObject *class)
{
    PyObject *signature = PyObject_GetItem((PyObject *)&PyType_Type, class),
             *bound; /* type[class] */

    bound = signature ? bind_sig(self, signature) : NULL;
    Py_XDECREF(signature);
    return bound;
}

static PyObject *to_weakref(PyObject *self, PyObject *unused)
{
    static JSObjectRef new_reference;

    (void)unused;
    if (!new_reference)
        new_reference = engine_internal("newWeakRef");
    return ask(new_reference, self);
}

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

static PyObject *get_signature(PyObject *self, void *unused)
{
    PyObject *notes = ((struct js_proxy *)self)->notes;
    PyObject *signature = notes ? PyDict_GetItemString(notes, "_sig") : NULL;

    (void)unused;
    return Py_NewRef(signature ? signature : Py_None);
}

static PyObject *get_kind(PyObject *self, void *unused)
{
    (void)unused;
    return ask(kindOf, self);
}

PyMethodDef js_proxy_methods[] = {
    {"to_py", METHOD(bridge_method_to_py), METH_FASTCALL | METH_KEYWORDS,
     "to_py($self, /, *, depth=-1, default_converter=None)\n--\n\nPython's dict, list, set and so "
     "on of what is in it."},
    {"object_entries", object_entries, METH_NOARGS,
     "object_entries($self, /)\n--\n\nObject.entries(x)."},
    {"object_keys", object_keys, METH_NOARGS, "object_keys($self, /)\n--\n\nObject.keys(x)."},
    {"object_values", object_values, METH_NOARGS,
     "object_values($self, /)\n--\n\nObject.values(x)."},
    {"bind_sig", bind_sig, METH_O,
     "bind_sig($self, signature, /)\n--\n\nThe same object, converting as a function or class "
     "says."},
    {"bind_class", bind_class, METH_O,
     "bind_class($self, signature, /)\n--\n\nThe same class, its objects bound to a signature."},
    {"to_weakref", to_weakref, METH_NOARGS, "to_weakref($self, /)\n--\n\nA JsWeakRef to it."},
    {0},
};
PyMethodDef js_view_methods[] = {
    {"as_object_map", METHOD(view_of), METH_FASTCALL | METH_KEYWORDS,
     "as_object_map($self, /, *, hereditary=False)\n--\n\nA JsMutableMap of the properties."},
    {0},
};
PyMethodDef js_json_methods[] = {
    {"as_py_json", as_py_json, METH_NOARGS,
     "as_py_json($self, /)\n--\n\nThe object as dicts and lists would be."},
    {0},
};
PyMethodDef js_async_methods[] = {
    {"asend", asend, METH_O, "asend($self, value, /)\n--\n\nAn awaitable of the next item."},
    {0},
};
PyMethodDef js_async_generator_methods[] = {
    {"athrow", athrow, METH_VARARGS, "athrow($self, value, /, *args)\n--\n\nRaise at its yield."},
    {"aclose", aclose, METH_NOARGS, "aclose($self, /)\n--\n\nEnd it at its yield."},
    {0},
};
PyMethodDef js_callable_methods[] = {
    {"new", METHOD(method_new), METH_FASTCALL | METH_KEYWORDS,
     "new($self, /, *args, **kwargs)\n--\n\nnew X(...)."},
    {0},
};
PyMethodDef js_double_methods[] = {
    {"destroy", destroy, METH_NOARGS, "destroy($self, /)\n--\n\nLet go of the Python object."},
    {"unwrap", unwrap, METH_NOARGS, "unwrap($self, /)\n--\n\nThe Python object."},
    {"new", METHOD(method_new), METH_FASTCALL | METH_KEYWORDS,
     "new($self, /, *args, **kwargs)\n--\n\nnew X(...)."},
    {0},
};
PyMethodDef js_once_methods[] = {
    {"destroy", destroy, METH_NOARGS, "destroy($self, /)\n--\n\nLet go of the Python object."},
    {"new", METHOD(method_new), METH_FASTCALL | METH_KEYWORDS,
     "new($self, /, *args, **kwargs)\n--\n\nnew X(...)."},
    {0},
};
PyGetSetDef js_proxy_getset[] = {
    {"typeof", get_typeof, NULL, NULL, NULL},
    {"js_id", get_id, NULL, NULL, NULL},
    {"_kind", get_kind, NULL, NULL, NULL},
    {"_sig", get_signature, NULL, NULL, NULL},
    {0},
};
