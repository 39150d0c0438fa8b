/* bridge.c - the life of the bridge, and its functions for sdk/python (module _corral). */
#include "realm/bridge/bridge.h"

#include "realm/bridge/value.h"
#include "realm/js/engine.h"

void bridge_define(void)
{
    py_proxy_define();
    js_proxy_ops_define();
}

int bridge_open(struct err *err)
{
    PyObject *modules, *js;

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
    PyObject *items = PySequence_Fast(iterable, "expected something iterable");
    JSObjectRef array;
    PyObject *proxy;

    (void)self;
    if (!items)
        return NULL;
    array = JSObjectMakeArray(engine.context, 0, NULL, NULL);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        JSValueRef value = bridge_to_js(PySequence_Fast_GET_ITEM(items, i));
        if (!value) {
            Py_DECREF(items);
            return NULL;
        }
        JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)i, value, NULL);
    }
    Py_DECREF(items);
    proxy = js_proxy_new(array, NULL);
    return proxy;
}

/* create_proxy(object) -> JsProxy of a PyProxy: crosses as one and the same object */
static PyObject *create_proxy(PyObject *self, PyObject *object)
{
    JSObjectRef proxy = py_proxy_new(object);

    (void)self;
    return proxy ? js_proxy_new(proxy, NULL) : NULL;
}

/* unwrap(proxy) -> the Python object that create_proxy was given; else proxy itself */
static PyObject *unwrap(PyObject *self, PyObject *proxy)
{
    PyObject *object = NULL;

    (void)self;
    if (js_proxy_check(proxy)) {
        JSObjectRef value = js_proxy_object(proxy);
        if (!value)
            return NULL;
        object = py_proxy_object(value);
    }
    return Py_NewRef(object ? object : proxy);
}

/* js_error(exception) -> what JavaScript code would catch */
static PyObject *js_error(PyObject *self, PyObject *exception)
{
    JSValueRef error;

    (void)self;
    if (!PyExceptionInstance_Check(exception))
        return PyErr_Format(PyExc_TypeError, "expected an exception");
    error = bridge_error(exception);
    if (!JSValueIsObject(engine.context, error))
        return bridge_to_python(error, NULL);
    return js_proxy_new((JSObjectRef)error, NULL);
}

/* internal(name) -> JsProxy of a function of sdk/js */
static PyObject *internal(PyObject *self, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);

    (void)self;
    return text ? js_proxy_new(engine_internal(text), NULL) : NULL;
}

static PyObject *set_null(PyObject *self, PyObject *null)
{
    (void)self;
    bridge_set_null(Py_NewRef(null));
    Py_RETURN_NONE;
}

static PyObject *proxy_type(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return Py_NewRef((PyObject *)js_proxy_type);
}

PyMethodDef bridge_functions[] = {
    {"js_array", js_array, METH_O, NULL},
    {"create_proxy", create_proxy, METH_O, NULL},
    {"unwrap", unwrap, METH_O, NULL},
    {"js_error", js_error, METH_O, NULL},
    {"internal", internal, METH_O, NULL},
    {"set_null", set_null, METH_O, NULL},
    {"proxy_type", proxy_type, METH_NOARGS, NULL},
    {0},
};
