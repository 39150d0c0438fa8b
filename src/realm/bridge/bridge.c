/* bridge.c - the life of the bridge, and its functions for sdk/python (module _corral). */
#include "realm/bridge/bridge.h"

#include <pthread.h>

#include "realm/bridge/away.h"
#include "realm/bridge/pack.h"
#include "realm/bridge/proxy.h"
#include "realm/bridge/proxy_py.h"
#include "realm/js/engine.h"

enum {
    STACK_USED_MAX = 4 << 20, /* JavaScriptCore throws by itself after 5 MiB */
    STACK_LEFT_MIN = 1 << 20, /* for both languages to word what happened */
};

_Thread_local const char *bridge_stack_floor;

/* Of the first thread while /proc is there, which the C library needs for it: a fork changes
 * nothing. */
void bridge_measure_stack(void)
{
    const char *top = __builtin_frame_address(0), *floor = top - STACK_USED_MAX;
    pthread_attr_t attributes;
    size_t size, left = STACK_LEFT_MIN;
    void *low;

    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
            if (left > size / 4)
                left = size / 4;
            if ((const char *)low + left > floor)
                floor = (const char *)low + left;
        }
        pthread_attr_destroy(&attributes);
    }
    bridge_stack_floor = floor;
}

void bridge_define(void)
{
    py_proxy_define();
    bridge_pairs_define();
    js_proxy_ops_define();
    bridge_error_define();
}

int bridge_open(struct err *err)
{
    PyObject *modules, *js;

    bridge_measure_stack();
    py_proxy_open();
    js_proxy_ops_open();
    if (js_proxy_open() < 0)
        goto failed;
    js = js_proxy_new(engine.global, NULL);
    modules = PySys_GetObject("modules"); /* borrowed */
    if (!js || !modules || PyDict_SetItemString(modules, "js", js) < 0)
        goto failed;
    Py_DECREF(js);
    return 0;
failed:
    PyErr_Print();
    return err_set(err, ERR_SYSTEM, "start the bridge between Python and JavaScript");
}

/* js_array(iterable) -> JsProxy of a new Array of the converted items */
static PyObject *js_array(PyObject *self, PyObject *iterable)
{
    JSObjectRef array;

    if (!strand_here())
        return away_binary(js_array, self, iterable);
    array = js_array_of(iterable, "expected something iterable");
    return array ? js_proxy_new(array, NULL) : NULL;
}

/* create_proxy(object, traits) -> JsProxy of a PyProxy: one and the same object in JavaScript */
static PyObject *create_proxy(PyObject *self, PyObject *arguments)
{
    PyObject *object;
    JSObjectRef proxy;
    int traits;

    if (!strand_here())
        return away_binary(create_proxy, self, arguments);
    if (!PyArg_ParseTuple(arguments, "Oi", &object, &traits))
        return NULL;
    proxy = py_proxy_new_with(object, traits);
    return proxy ? js_proxy_new(proxy, NULL) : NULL;
}

/* json_proxy(container) -> JsProxy of a PyProxy whose items are properties, and so on inside */
static PyObject *json_proxy(PyObject *self, PyObject *object)
{
    JSObjectRef proxy;

    if (!strand_here())
        return away_binary(json_proxy, self, object);
    proxy = py_proxy_new_kind(object, 0, PY_JSON);
    return proxy ? js_proxy_new(proxy, NULL) : NULL;
}

/* destroy(proxy): JavaScript can use it no more, and the Python object is let go */
static PyObject *destroy(PyObject *self, PyObject *proxy)
{
    JSObjectRef object;

    if (!strand_here())
        return away_binary(destroy, self, proxy);
    if (!js_proxy_check(proxy))
        return PyErr_Format(PyExc_TypeError, "expected a proxy, not %s", Py_TYPE(proxy)->tp_name);
    object = js_proxy_object(proxy);
    if (!object || py_proxy_destroy(object) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* is_destroyed(proxy) -> bool */
static PyObject *is_destroyed(PyObject *self, PyObject *proxy)
{
    JSObjectRef object;

    if (!strand_here())
        return away_binary(is_destroyed, self, proxy);
    object = js_proxy_check(proxy) ? js_proxy_object(proxy) : NULL;
    if (!object)
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_False);
    return PyBool_FromLong(py_proxy_check(object) && !py_proxy_object(object));
}

/* js_error(exception) -> what JavaScript code would catch */
static PyObject *js_error(PyObject *self, PyObject *exception)
{
    JSValueRef error;

    if (!strand_here())
        return away_binary(js_error, self, exception);
    if (!PyExceptionInstance_Check(exception))
        return PyErr_Format(PyExc_TypeError, "expected an exception");
    error = bridge_error(exception);
    if (!JSValueIsObject(engine.context, error))
        return bridge_to_python(error, NULL);
    return js_proxy_plain((JSObjectRef)error);
}

/* internal(name) -> JsProxy of a function of sdk/js */
static PyObject *internal(PyObject *self, PyObject *name)
{
    JSStringRef text;
    JSValueRef value;

    if (!strand_here())
        return away_binary(internal, self, name);
    if (!PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "the name must be a str");
    text = bridge_text_to_js(name); /* new */
    if (!text)
        return NULL;
    value = JSObjectGetProperty(engine.context, engine.internals, text, NULL);
    JSStringRelease(text);
    if (!value || !JSValueIsObject(engine.context, value))
        return PyErr_Format(PyExc_LookupError, "sdk/js defines no internals.%U", name);
    return js_proxy_new((JSObjectRef)value, NULL);
}

/* notes(proxy) -> the dict that Python code keeps with it */
static PyObject *notes_of(PyObject *self, PyObject *proxy)
{
    (void)self;
    if (!js_proxy_check(proxy))
        return PyErr_Format(PyExc_TypeError, "expected a proxy, not %s", Py_TYPE(proxy)->tp_name);
    return Py_XNewRef(js_proxy_notes(proxy));
}

/* future(promise) -> a new future of what it comes to */
static PyObject *future_of(PyObject *self, PyObject *proxy)
{
    (void)self;
    if (!js_proxy_check(proxy))
        return PyErr_Format(PyExc_TypeError, "expected a proxy, not %s", Py_TYPE(proxy)->tp_name);
    return js_proxy_future(proxy);
}

/* unsigned(proxy) -> the same without a signature */
static PyObject *unsigned_of(PyObject *self, PyObject *proxy)
{
    JSObjectRef object;

    if (!strand_here())
        return away_binary(unsigned_of, self, proxy);
    object = js_proxy_check(proxy) ? js_proxy_object(proxy) : NULL;
    if (!object)
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "expected a proxy");
    return js_proxy_same(proxy, js_proxy_bits(proxy) & ~SIGNED);
}

/* set_null(jsnull, makes) */
static PyObject *set_null(PyObject *self, PyObject *arguments)
{
    PyObject *null;
    int makes;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "Op", &null, &makes))
        return NULL;
    bridge_set_null(Py_NewRef(null), makes);
    Py_RETURN_NONE;
}

/* set_bigint(type, makes) */
static PyObject *set_bigint(PyObject *self, PyObject *arguments)
{
    PyTypeObject *type;
    int makes;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "O!p", &PyType_Type, &type, &makes))
        return NULL;
    bridge_set_bigint((PyTypeObject *)Py_NewRef((PyObject *)type), makes);
    Py_RETURN_NONE;
}

/* open_dicts(is_open) */
static PyObject *open_dicts(PyObject *self, PyObject *is_open)
{
    (void)self;
    py_proxy_open_dicts(PyObject_IsTrue(is_open) == 1);
    Py_RETURN_NONE;
}

/* set_exception(JsException) */
static PyObject *set_exception(PyObject *self, PyObject *type)
{
    (void)self;
    if (!PyExceptionClass_Check(type))
        return PyErr_Format(PyExc_TypeError, "expected a type of exceptions");
    bridge_set_exception(Py_NewRef(type));
    Py_RETURN_NONE;
}

static PyObject *proxy_type(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return Py_NewRef((PyObject *)js_proxy_type);
}

/* buffer_to_js(object) -> JsProxy of typed arrays, or None when it is no buffer */
static PyObject *buffer_to_js(PyObject *self, PyObject *object)
{
    JSValueRef value;

    if (!strand_here())
        return away_binary(buffer_to_js, self, object);
    if (!PyObject_CheckBuffer(object))
        Py_RETURN_NONE;
    value = bridge_buffer_to_js(object);
    return value ? bridge_to_python(value, NULL) : NULL;
}

/* is_python(proxy) -> is it a proxy of a Python object, destroyed or not? */
static PyObject *is_python(PyObject *self, PyObject *proxy)
{
    JSObjectRef object;

    if (!strand_here())
        return away_binary(is_python, self, proxy);
    object = js_proxy_check(proxy) ? js_proxy_object(proxy) : NULL;
    if (!object && PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(object && py_proxy_check(object));
}

/* elsewhere(function, *arguments, **named): the call, done by the loop */
static PyObject *elsewhere(PyObject *self, PyObject *arguments, PyObject *named)
{
    PyObject *rest = PyTuple_GetSlice(arguments, 1, PyTuple_GET_SIZE(arguments)), *result = NULL;

    (void)self;
    if (rest && PyTuple_GET_SIZE(arguments) == 0)
        PyErr_SetString(PyExc_TypeError, "elsewhere() wants a function");
    else if (rest)
        result = away_call(PyTuple_GET_ITEM(arguments, 0), rest, named);
    Py_XDECREF(rest);
    return result;
}

PyMethodDef bridge_functions[] = {
    {"elsewhere", (PyCFunction)(void (*)(void))elsewhere, METH_VARARGS | METH_KEYWORDS, NULL},
    {"to_js", (PyCFunction)(void (*)(void))bridge_function_to_js, METH_FASTCALL | METH_KEYWORDS,
     bridge_to_js_doc},
    {"plain_to_py", (PyCFunction)(void (*)(void))bridge_function_plain_to_py, METH_FASTCALL,
     bridge_plain_to_py_doc},
    {"set_dicts", bridge_set_dicts, METH_O, NULL},
    {"buffer_to_js", buffer_to_js, METH_O, NULL},
    {"is_python", is_python, METH_O, NULL},
    {"js_array", js_array, METH_O, NULL},
    {"create_proxy", create_proxy, METH_VARARGS, NULL},
    {"json_proxy", json_proxy, METH_O, NULL},
    {"destroy", destroy, METH_O, NULL},
    {"is_destroyed", is_destroyed, METH_O, NULL},
    {"js_error", js_error, METH_O, NULL},
    {"internal", internal, METH_O, NULL},
    {"notes", notes_of, METH_O, NULL},
    {"future", future_of, METH_O, NULL},
    {"unsigned", unsigned_of, METH_O, NULL},
    {"set_exception", set_exception, METH_O, NULL},
    {"set_null", set_null, METH_VARARGS, NULL},
    {"set_bigint", set_bigint, METH_VARARGS, NULL},
    {"open_dicts", open_dicts, METH_O, NULL},
    {"proxy_type", proxy_type, METH_NOARGS, NULL},
    {0},
};
