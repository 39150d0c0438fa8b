/* error.c - exceptions across the border.
 *
 * A JavaScript error raised in Python is a pyodide.ffi.JsException that holds
 * it; thrown back it is the same object again.  A Python exception thrown in
 * JavaScript is a PythonError (sdk/js/errors.js) that holds it; caught again
 * in Python it is the same exception again.  Its text is made when somebody
 * reads it: most exceptions are caught, and those of a deep recursion cross
 * the border many times with long tracebacks. */
#include "realm/bridge/value.h"

#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/overtime.h"

static PyObject *attribute_of(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *attribute = NULL;

    if (module) {
        attribute = PyObject_GetAttrString(module, name);
        Py_DECREF(module);
    }
    return attribute;
}

static PyObject *exception_type;

void bridge_set_exception(PyObject *type)
{
    exception_type = type;
}

PyObject *bridge_js_exception_type(void)
{
    PyObject *type = exception_type;

    if (!type) {
        type = exception_type = attribute_of("corral.bridge", "JsException");
        if (!type)
            Py_FatalError("sdk/python/corral/bridge.py defines no JsException");
    }
    return type;
}

/* JsException of(js_error, name, message, stack); the words are of the value as it is in
 * JavaScript, where null is not undefined. */
PyObject *bridge_js_exception(JSValueRef thrown)
{
    static JSObjectRef parts_of;
    static PyObject *make;
    PyObject *error, *parts[3] = {0}, *exception = NULL;
    JSValueRef parts_value;

    if (!parts_of)
        parts_of = engine_internal("errorParts");
    if (!make)
        make = PyObject_GetAttrString(bridge_js_exception_type(), "of");
    if (JSValueIsObject(engine.context, thrown) && !py_proxy_check(thrown))
        error = js_proxy_plain((JSObjectRef)thrown);
    else
        error = bridge_to_python(thrown, NULL);
    parts_value = engine_run(parts_of, 1, &thrown);
    for (unsigned i = 0; i < 3; i++) {
        if (JSValueIsObject(engine.context, parts_value))
            parts[i] = bridge_to_python(
                JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)parts_value, i, NULL),
                NULL);
        else
            parts[i] = PyUnicode_FromString(i == 0 ? "Error" : "");
    }
    if (make && error && parts[0] && parts[1] && parts[2])
        exception = PyObject_CallFunctionObjArgs(make, error, parts[0], parts[1], parts[2], NULL);
    for (unsigned i = 0; i < 3; i++)
        Py_XDECREF(parts[i]);
    Py_XDECREF(error);
    return exception;
}

PyObject *bridge_exception(JSValueRef thrown)
{
    static JSObjectRef python_exception;
    JSValueRef held;
    PyObject *exception;

    if (!python_exception)
        python_exception = engine_internal("pythonException");
    held = engine_run(python_exception, 1, &thrown);
    exception = py_proxy_object(held);
    if (!exception)
        exception = py_proxy_object(thrown); /* reject(exception) of a bare PyProxy */
    if (exception && PyExceptionInstance_Check(exception))
        return Py_NewRef(exception);
    return bridge_js_exception(thrown);
}

PyObject *bridge_raise(JSValueRef thrown)
{
    PyObject *exception, *context;

    if (overtime_has_raised(thrown))
        return NULL;
    exception = bridge_exception(thrown);
    if (!exception)
        return NULL;
    context = PyException_GetContext(exception);
    if (context) /* one of Python's on its way through */
        PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exception)), Py_NewRef(exception),
                      PyException_GetTraceback(exception)); /* steals all three */
    else /* gets the one that is being handled for its context */
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_XDECREF(context);
    Py_DECREF(exception);
    return NULL;
}

static JSValueRef text_of(PyObject *text, const char *otherwise)
{
    JSStringRef string = text ? bridge_text_to_js(text) : NULL;
    JSValueRef value;

    if (!string) {
        PyErr_Clear();
        return text_value(span_of(otherwise));
    }
    value = JSValueMakeString(engine.context, string);
    JSStringRelease(string);
    return value;
}

JSValueRef bridge_error(PyObject *exception)
{
    static JSObjectRef make_error;
    JSValueRef arguments[2];
    PyObject *name;

    if (PyObject_TypeCheck(exception, (PyTypeObject *)bridge_js_exception_type())) {
        PyObject *error = PyObject_GetAttrString(exception, "_js_value");
        JSValueRef value = error ? bridge_to_js(error) : NULL;
        Py_XDECREF(error);
        if (value)
            return value;
        PyErr_Clear();
    }
    if (!make_error)
        make_error = engine_internal("makePythonError");
    name = PyType_GetQualName(Py_TYPE(exception)); /* new */
    arguments[0] = text_of(name, Py_TYPE(exception)->tp_name);
    Py_XDECREF(name);
    arguments[1] = py_proxy_new(exception);
    return engine_run(make_error, 2, arguments);
}

/* pythonTraceback(proxy of an exception) -> its whole text */
static JSValueRef python_traceback(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                   size_t count, const JSValueRef *arguments,
                                   JSValueRef *ret_thrown)
{
    static PyObject *format;
    PyObject *exception = Py_XNewRef(py_proxy_object(arguments[0])), *text = NULL;
    JSValueRef value;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!format)
        format = attribute_of("corral.errors", "format_exception");
    if (format && exception && bridge_has_stack())
        text = PyObject_CallOneArg(format, exception);
    value = text_of(text, "a Python exception that cannot be shown");
    Py_XDECREF(text);
    Py_XDECREF(exception);
    return value;
}

/* pythonSummary(proxy of an exception) -> "ValueError: text" */
static JSValueRef python_summary(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *exception = Py_XNewRef(py_proxy_object(arguments[0])), *words, *text = NULL;
    JSValueRef value;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    words = exception ? PyObject_Str(exception) : NULL;
    if (words)
        text = PyUnicode_FromFormat("%s: %U", Py_TYPE(exception)->tp_name, words);
    value = text_of(text, "a Python exception that cannot be shown");
    Py_XDECREF(words);
    Py_XDECREF(text);
    Py_XDECREF(exception);
    return value;
}

void bridge_error_define(void)
{
    engine_native("pythonSummary", python_summary);
    engine_native("pythonTraceback", python_traceback);
}

JSValueRef bridge_throw(JSValueRef *ret_thrown)
{
    PyObject *type, *exception, *traceback;

    PyErr_Fetch(&type, &exception, &traceback);
    if (!bridge_has_stack()) { /* no room for words */
        Py_XDECREF(type);
        Py_XDECREF(exception);
        Py_XDECREF(traceback);
        return engine_throw(ret_thrown, "RangeError", "Maximum call stack size exceeded.");
    }
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback)
        PyException_SetTraceback(exception, traceback);
    *ret_thrown = bridge_error(exception);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
    return engine.undefined;
}
