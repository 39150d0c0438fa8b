/* proxy_use.c - calling Python objects from JavaScript, going through them, waiting for them,
 * wording them.
 *
 * What is rare or long in C is a function of sdk/python/corral/pyproxy.py, which
 * pythonHelp calls by its name. */
#include "realm/bridge/proxy_py.h"

#include "base/mem.h"
#include "realm/exchange.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/interp.h"
#include "realm/py/sync.h"
#include "realm/web/web.h"

enum { FEW = 8 };

/* ---- calls ---- */

struct call {
    PyObject *few[FEW + 1], **all; /* all[0] is room for vectorcall's own use */
    size_t count;
};

static bool add_argument(struct call *c, JSValueRef value)
{
    PyObject *argument = bridge_to_python(value, NULL);

    if (argument)
        c->all[1 + c->count++] = argument;
    return argument != NULL;
}

static bool add_bound(struct call *c, JSObjectRef bound, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (!add_argument(c, JSObjectGetPropertyAtIndex(engine.context, bound, i, NULL)))
            return false;
    return true;
}

static unsigned length_of(JSObjectRef array)
{
    static JSStringRef length;

    if (!length)
        length = JSStringCreateWithUTF8CString("length");
    return (unsigned)JSValueToNumber(
        engine.context, JSObjectGetProperty(engine.context, array, length, NULL), NULL);
}

/* The engine puts the global object in the place of an undefined `this`. */
static JSValueRef this_of(JSObjectRef self)
{
    return self && self != engine.global ? self : engine.undefined;
}

/* `this` first when it is wanted, then what was bound, then the arguments. */
static bool call_init(struct call *c, struct py_proxy *p, JSObjectRef self, size_t count,
                      const JSValueRef *arguments)
{
    JSObjectRef bound = p->traits & PY_PROXY_BOUND ? py_proxy_bound(p) : NULL;
    unsigned more = bound ? length_of(bound) : 0;
    bool takes_this = p->traits & PY_PROXY_TAKES_THIS;
    JSValueRef first =
        bound ? JSObjectGetPropertyAtIndex(engine.context, bound, 0, NULL) : this_of(self);

    c->count = 0;
    c->all = c->few;
    if (count + more + 1 > FEW) {
        c->all = mem_alloc((count + more + 2) * sizeof *c->all);
        if (!c->all) {
            c->all = c->few;
            PyErr_NoMemory();
            return false;
        }
    }
    if (takes_this && !add_argument(c, first))
        return false;
    if (bound && !add_bound(c, bound, 1, more))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_argument(c, arguments[i]))
            return false;
    return true;
}

static void call_done(struct call *c)
{
    for (size_t i = 0; i < c->count; i++)
        Py_DECREF(c->all[1 + i]);
    if (c->all != c->few)
        mem_free(c->all);
}

static bool is_async(PyObject *function)
{
    if (PyMethod_Check(function))
        function = PyMethod_GET_FUNCTION(function);
    return PyFunction_Check(function) &&
           ((PyCodeObject *)PyFunction_GET_CODE(function))->co_flags & CO_COROUTINE;
}

/* An async function that JavaScript calls runs, whether or not somebody waits for it. */
static JSValueRef result_value(PyObject *function, PyObject *result)
{
    static JSObjectRef start;
    JSValueRef value = bridge_to_js(result);

    if (!value || !PyCoro_CheckExact(result) || !is_async(function))
        return value;
    if (!start)
        start = engine_internal("startAwaitable");
    engine_run(start, 1, &value);
    return value;
}

/* Undefined having thrown, or NULL with an exception. */
static JSValueRef promise(PyObject *function, const struct call *c, JSValueRef *ret_thrown)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)c->count);
    JSValueRef value;

    if (!tuple)
        return NULL;
    for (size_t i = 0; i < c->count; i++)
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, Py_NewRef(c->all[1 + i])); /* steals */
    value = sync_promise(function, tuple, NULL, ret_thrown);
    Py_DECREF(tuple);
    return value;
}

/* What JavaScript calls by itself - for a timer, a promise, an event - belongs to the request that
 * handed it over, as long as that goes on.  NULL when there is none, or code of Python calls. */
static PyObject *enter_request(const struct py_proxy *p)
{
    PyObject *token;

    if (p->stream == 0 || PyThreadState_Get()->cframe->current_frame || interp_stream() != 0 ||
        !exchange_find(p->stream))
        return NULL;
    token = interp_enter_stream(p->stream);
    if (!token)
        PyErr_Clear();
    return token;
}

static JSValueRef call(struct py_proxy *p, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *function = py_proxy_use(p, ret_thrown), *result = NULL, *token;
    int traits = p->traits;
    JSValueRef value = NULL;
    struct call c;

    if (!function)
        return engine.undefined;
    if (Py_EnterRecursiveCall(" in a call from JavaScript")) {
        Py_DECREF(function);
        return bridge_throw(ret_thrown);
    }
    c.all = c.few;
    c.count = 0;
    token = enter_request(p);
    if (!(traits & PY_PROXY_ONCE && py_proxy_destroy(p->target) < 0) &&
        call_init(&c, p, self, count, arguments)) {
        if (traits & PY_PROXY_PROMISES)
            value = promise(function, &c, ret_thrown);
        else
            result = PyObject_Vectorcall(function, c.all + 1,
                                         c.count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    if (result)
        value = result_value(function, result);
    call_done(&c);
    Py_XDECREF(result);
    Py_DECREF(function);
    Py_LeaveRecursiveCall();
    if (!value)
        value = bridge_throw(ret_thrown);
    if (token)
        interp_leave_stream(token);
    return value;
}

JSValueRef py_proxy_call(JSContextRef js, JSObjectRef target, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    ENGINE_CALLED();
    struct py_proxy *p = JSObjectGetPrivate(target);
    JSValueRef value;

    (void)js;
    engine_lock();
    value = call(p, self, count, arguments, ret_thrown);
    engine_unlock();
    return value;
}

static PyObject *list_of(JSValueRef array)
{
    unsigned n = length_of((JSObjectRef)array);
    PyObject *list = PyList_New(n);

    for (unsigned i = 0; list && i < n; i++) {
        PyObject *item = bridge_to_python(
            JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)array, i, NULL), NULL);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item); /* steals */
    }
    return list;
}

static PyObject *dict_of(JSValueRef names, JSValueRef values)
{
    PyObject *name_list = list_of(names), *value_list = name_list ? list_of(values) : NULL,
             *dict = value_list ? PyDict_New() : NULL;

    for (Py_ssize_t i = 0; dict && i < PyList_GET_SIZE(name_list); i++)
        if (PyDict_SetItem(dict, PyList_GET_ITEM(name_list, i), PyList_GET_ITEM(value_list, i)) < 0)
            Py_CLEAR(dict);
    Py_XDECREF(name_list);
    Py_XDECREF(value_list);
    return dict;
}

/* pythonCallWith(proxy, arguments, names, values, isRelaxed, promises): keyword arguments behind
 * the others */
static JSValueRef python_call_with(PyObject *object, size_t count, const JSValueRef *arguments)
{
    bool is_relaxed = JSValueToBoolean(engine.context, arguments[4]),
         promises = JSValueToBoolean(engine.context, arguments[5]);
    PyObject *list = list_of(arguments[1]), *tuple = list ? PyList_AsTuple(list) : NULL,
             *named = tuple ? dict_of(arguments[2], arguments[3]) : NULL, *result = NULL;
    PyObject *helper = NULL;
    JSValueRef value = NULL, thrown = NULL;

    (void)count;
    if (named && is_relaxed) {
        helper = py_proxy_helper("call_relaxed");
        PyObject *whole = helper ? PyTuple_Pack(3, object, tuple, named) : NULL;
        Py_SETREF(tuple, whole);
        Py_CLEAR(named);
        object = helper;
    }
    if (tuple && promises)
        value = sync_promise(object, tuple, named, &thrown);
    else if (tuple && (named || is_relaxed))
        result = PyObject_Call(object, tuple, named);
    if (thrown) {
        bridge_raise(thrown);
        value = NULL;
    }
    if (result)
        value = result_value(object, result);
    Py_XDECREF(list);
    Py_XDECREF(tuple);
    Py_XDECREF(named);
    Py_XDECREF(result);
    Py_XDECREF(helper);
    return value;
}
PY_NATIVE(python_call_with)

/* pythonHelp(proxy, name, more ...) -> corral.pyproxy.name(object, more ...) */
static JSValueRef python_help(PyObject *object, size_t count, const JSValueRef *arguments)
{
    JSStringRef text = JSValueToStringCopy(engine.context, arguments[1], NULL); /* new */
    char name[32];
    PyObject *helper, *tuple, *result = NULL;
    JSValueRef value;

    if (!text)
        return NULL;
    JSStringGetUTF8CString(text, name, sizeof name);
    JSStringRelease(text);
    helper = py_proxy_helper(name);
    tuple = PyTuple_New((Py_ssize_t)count - 1);
    if (tuple)
        PyTuple_SET_ITEM(tuple, 0, Py_NewRef(object));
    for (size_t i = 2; tuple && i < count; i++) {
        PyObject *argument = bridge_to_python(arguments[i], NULL);
        if (!argument)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i - 1, argument); /* steals */
    }
    if (helper && tuple)
        result = PyObject_CallObject(helper, tuple);
    value = result ? bridge_to_js(result) : NULL;
    Py_XDECREF(helper);
    Py_XDECREF(tuple);
    Py_XDECREF(result);
    return value;
}
PY_NATIVE(python_help)

/* pythonThrow(generator, isAsync, error): the exception that error is, into it */
static JSValueRef python_throw(PyObject *generator, size_t count, const JSValueRef *arguments)
{
    bool is_async = JSValueToBoolean(engine.context, arguments[1]);
    PyObject *helper = py_proxy_helper(is_async ? "athrow" : "throw"),
             *exception = helper ? bridge_exception(arguments[2]) : NULL, *result = NULL;
    JSValueRef value;

    (void)count;
    if (exception)
        result = PyObject_CallFunctionObjArgs(helper, generator, exception, NULL);
    value = result ? bridge_to_js(result) : NULL;
    Py_XDECREF(helper);
    Py_XDECREF(exception);
    Py_XDECREF(result);
    return value;
}
PY_NATIVE(python_throw)

/* ---- iteration and waiting ---- */

/* pythonIterator(proxy) -> PyProxy of iter(object), which gives adaptors when this is one */
static JSValueRef python_iterator(PyObject *object, size_t count, const JSValueRef *arguments)
{
    PyObject *iterator = PyObject_GetIter(object);
    JSValueRef value = NULL;

    (void)count;
    if (iterator)
        value = py_proxy_new_kind(iterator, 0, py_proxy_of(arguments[0])->kind & PY_JSON);
    Py_XDECREF(iterator);
    return value;
}
PY_NATIVE(python_iterator)

/* pythonNext(iterator, end) -> the next item, or end */
static JSValueRef python_next(PyObject *iterator, size_t count, const JSValueRef *arguments)
{
    PyObject *item = PyIter_Next(iterator);
    JSValueRef value;

    (void)count;
    if (!item)
        return PyErr_Occurred() ? NULL : arguments[1];
    value = py_proxy_item(item, arguments[0]);
    Py_DECREF(item);
    return value;
}
PY_NATIVE(python_next)

/* pythonSend(iterator, value, step) -> what it yields; or returns, having set step.done */
static JSValueRef python_send(PyObject *iterator, size_t count, const JSValueRef *arguments)
{
    static JSStringRef done;
    PyObject *argument = bridge_to_python(arguments[1], NULL), *item = NULL;
    PySendResult sent = PYGEN_ERROR;
    JSValueRef value = NULL;

    (void)count;
    if (argument)
        sent = PyIter_Send(iterator, argument, &item);
    Py_XDECREF(argument);
    if (sent == PYGEN_RETURN) {
        if (!done)
            done = JSStringCreateWithUTF8CString("done");
        JSObjectSetProperty(engine.context, (JSObjectRef)arguments[2], done,
                            JSValueMakeBoolean(engine.context, true), 0, NULL);
    }
    if (sent != PYGEN_ERROR)
        value = bridge_to_js(item);
    Py_XDECREF(item);
    return value;
}
PY_NATIVE(python_send)

static PyObject *bridge_helper(const char *name)
{
    PyObject *module = PyImport_ImportModule("corral.bridge");
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;

    Py_XDECREF(module);
    return found;
}

/* pythonSteps(proxy) -> PyProxy of the steps of an asynchronous iterable */
static JSValueRef python_steps(PyObject *object, size_t count, const JSValueRef *arguments)
{
    static PyObject *type;
    PyObject *steps;
    JSValueRef value;

    (void)count, (void)arguments;
    if (!type)
        type = bridge_helper("Steps");
    steps = type ? PyObject_CallOneArg(type, object) : NULL;
    value = steps ? py_proxy_new(steps) : NULL;
    Py_XDECREF(steps);
    return value;
}
PY_NATIVE(python_steps)

/* pythonThen(proxy, resolve, reject): run it as a task, settle with what comes of it */
static JSValueRef python_then(PyObject *object, size_t count, const JSValueRef *arguments)
{
    static PyObject *subscribe;
    PyObject *resolve, *reject, *done = NULL;

    (void)count;
    if (!subscribe)
        subscribe = bridge_helper("subscribe");
    resolve = bridge_to_python(arguments[1], NULL);
    reject = bridge_to_python(arguments[2], NULL);
    if (subscribe && resolve && reject)
        done = PyObject_CallFunctionObjArgs(subscribe, object, resolve, reject, NULL);
    Py_XDECREF(resolve);
    Py_XDECREF(reject);
    Py_XDECREF(done);
    return done ? engine.undefined : NULL;
}
PY_NATIVE(python_then)

/* ---- in words ---- */

static JSValueRef text_of(PyObject *text)
{
    JSValueRef value = text ? bridge_to_js(text) : NULL;

    Py_XDECREF(text);
    return value;
}

/* pythonText(proxy) -> str(object) */
static JSValueRef python_text(PyObject *object, size_t count, const JSValueRef *arguments)
{
    (void)count, (void)arguments;
    return text_of(PyObject_Str(object));
}
PY_NATIVE(python_text)

/* pythonType(proxy) -> the name of its type */
static JSValueRef python_type(PyObject *object, size_t count, const JSValueRef *arguments)
{
    (void)count, (void)arguments;
    return text_value(span_of(Py_TYPE(object)->tp_name));
}
PY_NATIVE(python_type)

/* pythonRepr(proxy) -> repr(object) */
static JSValueRef python_repr(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object = Py_XNewRef(py_proxy_object(arguments[0]));
    JSValueRef value;

    (void)js, (void)function, (void)self, (void)count;
    if (!object)
        return text_value(SPAN("[destroyed PyProxy]"));
    value = text_of(PyObject_Repr(object));
    Py_DECREF(object);
    return value ? value : bridge_throw(ret_thrown);
}

/* pythonBytes(value) -> a Uint8Array with a copy of a bytes-like object, else undefined */
static JSValueRef python_bytes(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object = py_proxy_object(arguments[0]);
    Py_buffer view;
    JSValueRef bytes;

    (void)js, (void)function, (void)self, (void)count;
    if (!object || !PyObject_CheckBuffer(object))
        return engine.undefined;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
        return bridge_throw(ret_thrown);
    bytes = web_new_bytes((struct span){view.len ? view.buf : "", (size_t)view.len});
    PyBuffer_Release(&view);
    if (bytes == engine.undefined) /* which would mean that it is no buffer */
        return engine_throw(ret_thrown, "RangeError", "Out of memory");
    return bytes;
}
ENGINE_LOCKED(python_bytes)

/* pythonIsSame(a, b): one object, or one object's method twice (which Python makes anew each time)
 */
static JSValueRef is_same(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *a = Py_XNewRef(py_proxy_object(arguments[0])),
             *b = Py_XNewRef(py_proxy_object(arguments[1]));
    bool is = a && a == b;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!is && a && b && Py_TYPE(a) == Py_TYPE(b) && (PyMethod_Check(a) || PyCFunction_Check(a))) {
        int equal = PyObject_RichCompareBool(a, b, Py_EQ);
        if (equal < 0)
            PyErr_Clear();
        is = equal == 1;
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return JSValueMakeBoolean(js, is);
}

void py_proxy_define_uses(void)
{
    engine_native("pythonIsSame", is_same);
    engine_native("pythonText", python_text_native);
    engine_native("pythonType", python_type_native);
    engine_native("pythonRepr", python_repr);
    engine_native("pythonBytes", python_bytes_locked);
    engine_native("pythonIterator", python_iterator_native);
    engine_native("pythonNext", python_next_native);
    engine_native("pythonSend", python_send_native);
    engine_native("pythonSteps", python_steps_native);
    engine_native("pythonThen", python_then_native);
    engine_native("pythonCallWith", python_call_with_native);
    engine_native("pythonThrow", python_throw_native);
    engine_native("pythonHelp", python_help_native);
}
