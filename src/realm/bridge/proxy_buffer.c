/* proxy_buffer.c - what JsProxies of ArrayBuffers and of views on them can do. */
#include "realm/bridge/value.h"

#include "realm/js/engine.h"
#include "realm/web/web.h"

/* The bytes of it, valid while JavaScript does not run; or false with an exception. */
static bool bytes_of(PyObject *self, struct span *ret_bytes)
{
    JSObjectRef object = js_proxy_object(self);

    if (!object)
        return false;
    if (!web_bytes(object, ret_bytes)) {
        PyErr_SetString(PyExc_TypeError, "this object of JavaScript gives no access to its bytes: "
                                         "use the ArrayBuffer in its attribute `buffer`");
        return false;
    }
    return true;
}

static PyObject *to_bytes(PyObject *self, PyObject *unused)
{
    struct span bytes;

    (void)unused;
    if (!bytes_of(self, &bytes))
        return NULL;
    return PyBytes_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.len);
}

/* What the items of a typed array are, in the letters of Python's struct. */
static const char *format_of(JSObjectRef object)
{
    switch (JSValueGetTypedArrayType(engine.context, object, NULL)) {
    case kJSTypedArrayTypeInt8Array:
        return "b";
    case kJSTypedArrayTypeInt16Array:
        return "h";
    case kJSTypedArrayTypeUint16Array:
        return "H";
    case kJSTypedArrayTypeInt32Array:
        return "i";
    case kJSTypedArrayTypeUint32Array:
        return "I";
    case kJSTypedArrayTypeFloat32Array:
        return "f";
    case kJSTypedArrayTypeFloat64Array:
        return "d";
    case kJSTypedArrayTypeBigInt64Array:
        return "q";
    case kJSTypedArrayTypeBigUint64Array:
        return "Q";
    default:
        return "B";
    }
}

/* A copy; its items are those of the typed array. */
static PyObject *to_memoryview(PyObject *self, PyObject *unused)
{
    PyObject *bytes = to_bytes(self, unused), *array = NULL, *view = NULL, *whole = NULL;

    if (bytes)
        array = PyByteArray_FromObject(bytes);
    if (array)
        view = PyMemoryView_FromObject(array);
    if (view)
        whole = PyObject_CallMethod(view, "cast", "s", format_of(js_proxy_object(self)));
    Py_XDECREF(bytes);
    Py_XDECREF(array);
    Py_XDECREF(view);
    return whole;
}

static PyObject *to_string(PyObject *self, PyObject *arguments)
{
    const char *encoding = "utf-8";
    PyObject *bytes, *text;

    if (!PyArg_ParseTuple(arguments, "|s", &encoding))
        return NULL;
    bytes = to_bytes(self, NULL);
    if (!bytes)
        return NULL;
    text = PyUnicode_FromEncodedObject(bytes, encoding, "strict");
    Py_DECREF(bytes);
    return text;
}

/* assign(bytes-like): overwrite the JavaScript buffer */
static PyObject *assign(PyObject *self, PyObject *source)
{
    struct span bytes;
    Py_buffer from;

    if (!bytes_of(self, &bytes) || PyObject_GetBuffer(source, &from, PyBUF_SIMPLE) < 0)
        return NULL;
    if ((size_t)from.len != bytes.len) {
        PyErr_Format(PyExc_ValueError, "cannot assign %zd bytes to a buffer of %zu", from.len,
                     bytes.len);
        PyBuffer_Release(&from);
        return NULL;
    }
    memcpy((char *)bytes.data, from.buf, bytes.len);
    PyBuffer_Release(&from);
    Py_RETURN_NONE;
}

/* assign_to(bytes-like): the other way */
static PyObject *assign_to(PyObject *self, PyObject *target)
{
    struct span bytes;
    Py_buffer to;

    if (!bytes_of(self, &bytes) || PyObject_GetBuffer(target, &to, PyBUF_WRITABLE) < 0)
        return NULL;
    if ((size_t)to.len != bytes.len) {
        PyErr_Format(PyExc_ValueError, "cannot assign a buffer of %zu bytes to one of %zd",
                     bytes.len, to.len);
        PyBuffer_Release(&to);
        return NULL;
    }
    memcpy(to.buf, bytes.data, bytes.len);
    PyBuffer_Release(&to);
    Py_RETURN_NONE;
}

/* to_file(file), into_file(file): write it all */
static PyObject *to_file(PyObject *self, PyObject *file)
{
    PyObject *bytes = to_bytes(self, NULL), *done = NULL;

    if (bytes)
        done = PyObject_CallMethod(file, "write", "O", bytes);
    Py_XDECREF(bytes);
    Py_XDECREF(done);
    return done ? Py_NewRef(Py_None) : NULL;
}

/* from_file(file): read as much as fits */
static PyObject *from_file(PyObject *self, PyObject *file)
{
    struct span bytes;
    PyObject *read, *done = NULL;

    if (!bytes_of(self, &bytes))
        return NULL;
    read = PyObject_CallMethod(file, "read", "n", (Py_ssize_t)bytes.len);
    if (!read)
        return NULL;
    if (!PyBytes_Check(read) || (size_t)PyBytes_GET_SIZE(read) != bytes.len)
        PyErr_Format(PyExc_ValueError, "the file has not the %zu bytes of the buffer", bytes.len);
    else
        done = assign(self, read);
    Py_DECREF(read);
    return done;
}

PyMethodDef js_buffer_methods[] = {
    {"to_bytes", to_bytes, METH_NOARGS, NULL},
    {"to_memoryview", to_memoryview, METH_NOARGS, NULL},
    {"to_string", to_string, METH_VARARGS, NULL},
    {"assign", assign, METH_O, NULL},
    {"assign_to", assign_to, METH_O, NULL},
    {"to_file", to_file, METH_O, NULL},
    {"into_file", to_file, METH_O, NULL},
    {"from_file", from_file, METH_O, NULL},
    {0},
};
