/* proxy_buffer.c - what JsProxies of ArrayBuffers and of views on them can do. */
#include "realm/js/engine.h"
#include "realm/bridge/value.h"
#include "realm/web/web.h"

/* A DataView has no kind in the engine's C API: its parts are asked for. */
static bool view_bytes(JSObjectRef object, struct span *ret_bytes)
{
    static JSObjectRef parts_of;
    JSValueRef argument = object, thrown = NULL, parts[3];
    JSObjectRef found;
    struct span all;

    if (!parts_of)
        parts_of = engine_internal("viewParts");
    found = (JSObjectRef)engine_call(parts_of, 1, &argument, &thrown);
    if (thrown || !JSValueIsObject(engine.context, found))
        return false;
    for (unsigned i = 0; i < 3; i++)
        parts[i] = JSObjectGetPropertyAtIndex(engine.context, found, i, NULL);
    if (!web_bytes(parts[0], &all))
        return false;
    *ret_bytes = (struct span){all.data + (size_t)engine_number_of(parts[1]),
                               (size_t)engine_number_of(parts[2])};
    return true;
}

/* The bytes of it, valid while JavaScript does not run; or false with an exception. */
static bool bytes_of(PyObject *self, struct span *ret_bytes)
{
    JSObjectRef object = js_proxy_object(self);

    if (!object)
        return false;
    if (web_bytes(object, ret_bytes) || view_bytes(object, ret_bytes))
        return true;
    PyErr_SetString(PyExc_TypeError, "this object of JavaScript gives no access to its bytes: "
                                     "use the ArrayBuffer in its attribute `buffer`");
    return false;
}

static PyObject *to_bytes(PyObject *self, PyObject *unused)
{
    struct span bytes;

    (void)unused;
    if (!bytes_of(self, &bytes))
        return NULL;
    return PyBytes_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.len);
}

/* What the items of a typed array are, in the letters of Python's struct; NULL when it is none. */
static const char *format_of(JSObjectRef object, Py_ssize_t *ret_size)
{
    static const struct {
        const char *format;
        Py_ssize_t size;
    } formats[] = {
        [kJSTypedArrayTypeInt8Array] = {"b", 1},
        [kJSTypedArrayTypeInt16Array] = {"h", 2},
        [kJSTypedArrayTypeInt32Array] = {"i", 4},
        [kJSTypedArrayTypeUint8Array] = {"B", 1},
        [kJSTypedArrayTypeUint8ClampedArray] = {"B", 1},
        [kJSTypedArrayTypeUint16Array] = {"H", 2},
        [kJSTypedArrayTypeUint32Array] = {"I", 4},
        [kJSTypedArrayTypeFloat32Array] = {"f", 4},
        [kJSTypedArrayTypeFloat64Array] = {"d", 8},
        [kJSTypedArrayTypeBigInt64Array] = {"q", 8},
        [kJSTypedArrayTypeBigUint64Array] = {"Q", 8},
    };
    JSTypedArrayType type = JSValueGetTypedArrayType(engine.context, object, NULL);

    if ((size_t)type >= sizeof formats / sizeof *formats || !formats[type].format)
        return NULL;
    *ret_size = formats[type].size;
    return formats[type].format;
}

/* A copy; its items are those of the typed array. */
static PyObject *to_memoryview(PyObject *self, PyObject *unused)
{
    PyObject *array = NULL, *view = NULL;
    struct span bytes;
    const char *format;
    Py_ssize_t size;

    (void)unused;
    if (!bytes_of(self, &bytes))
        return NULL;
    array = PyByteArray_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.len);
    if (array)
        view = PyMemoryView_FromObject(array);
    Py_XDECREF(array);
    format = view ? format_of(js_proxy_object(self), &size) : NULL;
    if (format && *format != 'B')
        Py_SETREF(view, PyObject_CallMethod(view, "cast", "s", format));
    return view;
}

/* By JavaScript's TextDecoder: its labels, a wrong byte is an error, a byte order mark stays. */
static PyObject *decode(PyObject *self, const char *encoding)
{
    JSValueRef arguments[2], thrown = NULL, text;
    static JSObjectRef decode_text;
    PyObject *label = PyUnicode_FromString(encoding);

    if (!decode_text)
        decode_text = engine_internal("decodeStrictly");
    arguments[0] = js_proxy_object(self);
    arguments[1] = label ? bridge_to_js(label) : NULL;
    Py_XDECREF(label);
    if (!arguments[0] || !arguments[1])
        return NULL;
    text = engine_call(decode_text, 2, arguments, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    if (!JSValueIsUndefined(engine.context, text))
        return bridge_to_python(text, NULL);
    return PyErr_Format(PyExc_ValueError, "Failed to decode Javascript TypedArray as %s", encoding);
}

/* to_string(encoding=None): UTF-8 by itself */
static PyObject *to_string(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"encoding", NULL};
    const char *encoding = NULL;
    struct span bytes;
    PyObject *text;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|z:to_string", words, &encoding))
        return NULL;
    if (encoding)
        return decode(self, encoding);
    if (!bytes_of(self, &bytes))
        return NULL;
    text = PyUnicode_DecodeUTF8(bytes.data, (Py_ssize_t)bytes.len, NULL);
    if (!text && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_ValueError, "Failed to decode Javascript TypedArray as utf8");
    }
    return text;
}

/* Items of a typed array must be as wide as those of the buffer. */
static bool has_same_items(PyObject *self, const Py_buffer *view)
{
    Py_ssize_t size;

    if (!format_of(js_proxy_object(self), &size) || size == view->itemsize)
        return true;
    PyErr_SetString(PyExc_ValueError, "TypedArray and memorybuffer have incompatible formats");
    return false;
}

/* assign(bytes-like): overwrite the JavaScript buffer */
static PyObject *assign(PyObject *self, PyObject *source)
{
    bool is_good = false;
    struct span bytes;
    Py_buffer from;

    if (PyObject_GetBuffer(source, &from, PyBUF_ND | PyBUF_FORMAT) < 0)
        return NULL;
    if (bytes_of(self, &bytes)) {
        if ((size_t)from.len != bytes.len)
            PyErr_Format(PyExc_ValueError,
                         "cannot assign to TypedArray of length %zd from buffer of length %zu",
                         from.len, bytes.len);
        else
            is_good = has_same_items(self, &from);
    }
    if (is_good)
        memmove((char *)bytes.data, from.buf, bytes.len); /* getBuffer() shares memory */
    PyBuffer_Release(&from);
    return is_good ? Py_NewRef(Py_None) : NULL;
}

/* assign_to(bytes-like): the other way */
static PyObject *assign_to(PyObject *self, PyObject *target)
{
    bool is_good = false;
    struct span bytes;
    Py_buffer to;

    if (PyObject_GetBuffer(target, &to, PyBUF_ND | PyBUF_FORMAT | PyBUF_WRITABLE) < 0)
        return NULL;
    if (bytes_of(self, &bytes)) {
        if ((size_t)to.len != bytes.len)
            PyErr_Format(PyExc_ValueError,
                         "cannot assign from TypedArray of length %zu to buffer of length %zd",
                         bytes.len, to.len);
        else
            is_good = has_same_items(self, &to);
    }
    if (is_good)
        memmove(to.buf, bytes.data, bytes.len);
    PyBuffer_Release(&to);
    return is_good ? Py_NewRef(Py_None) : NULL;
}

/* to_file(file), _into_file(file): write it all */
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
    PyObject *read;

    if (!bytes_of(self, &bytes))
        return NULL;
    read = PyObject_CallMethod(file, "read", "n", (Py_ssize_t)bytes.len);
    if (!read)
        return NULL;
    /* Reading ran code, which may have put other bytes in the place of these. */
    if (bytes_of(self, &bytes)) {
        if (PyBytes_Check(read) && (size_t)PyBytes_GET_SIZE(read) == bytes.len)
            memcpy((char *)bytes.data, PyBytes_AS_STRING(read), bytes.len);
        else
            PyErr_Format(PyExc_ValueError, "the file has not the %zu bytes of the buffer",
                         bytes.len);
    }
    Py_DECREF(read);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

PyMethodDef js_buffer_methods[] = {
    {"to_bytes", to_bytes, METH_NOARGS, "to_bytes($self, /)\n--\n\nA copy as bytes."},
    {"to_memoryview", to_memoryview, METH_NOARGS,
     "to_memoryview($self, /)\n--\n\nA copy as a memoryview."},
    {"to_string", (PyCFunction)(void (*)(void))to_string, METH_VARARGS | METH_KEYWORDS,
     "to_string($self, /, encoding=None)\n--\n\nThe text in it."},
    {"assign", assign, METH_O, "assign($self, rhs, /)\n--\n\nCopy a Python buffer into it."},
    {"assign_to", assign_to, METH_O,
     "assign_to($self, to, /)\n--\n\nCopy it into a Python buffer."},
    {"to_file", to_file, METH_O, "to_file($self, file, /)\n--\n\nWrite it to an open file."},
    {"into_file", to_file, METH_O, NULL},
    {"_into_file", to_file, METH_O, NULL},
    {"from_file", from_file, METH_O, "from_file($self, file, /)\n--\n\nFill it from an open file."},
    {0},
};
