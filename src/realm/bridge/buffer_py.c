/* buffer_py.c - Python's buffers as typed arrays: the kind by the format of the items.
 *
 * One dimension is one typed array, more are arrays of them.  The data is copied, in the order of
 * this machine; "?" becomes an array of booleans, "s" text. */
#include <endian.h>

#include "base/mem.h"
#include "realm/bridge/pack.h"
#include "realm/js/engine.h"
#include "realm/web/web.h"

enum { ITEM_MAX = 8, BOOLS = -1, TEXT = -2 };

struct items {
    const Py_buffer *view;
    int kind; /* a JSTypedArrayType, BOOLS or TEXT */
    bool is_swapped;
};

static int kind_of(char letter, Py_ssize_t size)
{
    static const int signed_kinds[] = {[1] = kJSTypedArrayTypeInt8Array,
                                       [2] = kJSTypedArrayTypeInt16Array,
                                       [4] = kJSTypedArrayTypeInt32Array,
                                       [8] = kJSTypedArrayTypeBigInt64Array};
    static const int unsigned_kinds[] = {[1] = kJSTypedArrayTypeUint8Array,
                                         [2] = kJSTypedArrayTypeUint16Array,
                                         [4] = kJSTypedArrayTypeUint32Array,
                                         [8] = kJSTypedArrayTypeBigUint64Array};

    if (letter == '?')
        return BOOLS;
    if (letter == 's')
        return TEXT;
    if (letter == 'c' || letter == 'p')
        return kJSTypedArrayTypeUint8Array;
    if (size != 1 && size != 2 && size != 4 && size != 8)
        return kJSTypedArrayTypeNone;
    if (strchr("bhilqn", letter))
        return signed_kinds[size];
    if (strchr("BHILQNP", letter))
        return unsigned_kinds[size];
    if (letter == 'f' && size == 4)
        return kJSTypedArrayTypeFloat32Array;
    if (letter == 'd' && size == 8)
        return kJSTypedArrayTypeFloat64Array;
    return kJSTypedArrayTypeNone;
}

static int items_init(struct items *items, const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B", *letter = format;

    items->view = view;
    items->kind = kJSTypedArrayTypeNone;
    if (*letter && strchr("@=<>!", *letter))
        letter++;
    if (*format == '>' || *format == '!')
        items->is_swapped = BYTE_ORDER == LITTLE_ENDIAN;
    else
        items->is_swapped = *format == '<' && BYTE_ORDER == BIG_ENDIAN;
    if (*letter && !letter[1])
        items->kind = kind_of(*letter, view->itemsize);
    if (items->kind != kJSTypedArrayTypeNone)
        return 0;
    PyErr_Format(PyExc_ValueError,
                 "JavaScript has no typed array for a buffer with items of the format '%s'",
                 format);
    return -1;
}

static void free_bytes(void *bytes, void *context)
{
    (void)context;
    mem_free(bytes);
}

static void swap(char *bytes, Py_ssize_t n, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < n; i++, bytes += size)
        for (Py_ssize_t k = 0; k < size / 2; k++) {
            char one = bytes[k];
            bytes[k] = bytes[size - 1 - k];
            bytes[size - 1 - k] = one;
        }
}

/* The last dimension: n items from there on, stride bytes apart. */
static JSValueRef row(const struct items *items, const char *from, Py_ssize_t n, Py_ssize_t stride,
                      Py_ssize_t suboffset)
{
    Py_ssize_t size = items->view->itemsize;
    char *bytes = mem_alloc((size_t)(n * size) + 1);
    JSValueRef value = NULL;

    if (!bytes) {
        PyErr_NoMemory();
        return NULL;
    }
    if (stride == size && suboffset < 0)
        memcpy(bytes, from, (size_t)(n * size));
    else
        for (Py_ssize_t i = 0; i < n; i++) {
            const char *item = from + i * stride;
            if (suboffset >= 0)
                item = *(const char *const *)item + suboffset;
            memcpy(bytes + i * size, item, (size_t)size);
        }
    if (items->is_swapped)
        swap(bytes, n, size);
    if (items->kind >= 0) {
        value = JSObjectMakeTypedArrayWithBytesNoCopy(engine.context, (JSTypedArrayType)items->kind,
                                                      bytes, (size_t)(n * size), free_bytes, NULL,
                                                      NULL);
        if (!value)
            PyErr_NoMemory();
        return value;
    }
    if (items->kind == TEXT) {
        PyObject *text = PyUnicode_DecodeUTF8(bytes, n * size, "replace");
        value = text ? bridge_to_js(text) : NULL;
        Py_XDECREF(text);
    } else {
        JSObjectRef array = JSObjectMakeArray(engine.context, 0, NULL, NULL);
        for (Py_ssize_t i = 0; i < n; i++)
            JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)i,
                                       JSValueMakeBoolean(engine.context, bytes[i * size] != 0),
                                       NULL);
        value = array;
    }
    mem_free(bytes);
    return value;
}

static JSValueRef dimension(const struct items *items, const char *from, int at)
{
    const Py_buffer *view = items->view;
    Py_ssize_t n = view->shape[at], stride = view->strides[at],
               suboffset = view->suboffsets ? view->suboffsets[at] : -1;
    JSObjectRef array;

    if (at == view->ndim - 1)
        return row(items, from, n, stride, suboffset);
    array = JSObjectMakeArray(engine.context, 0, NULL, NULL);
    for (Py_ssize_t i = 0; i < n; i++) {
        const char *part = from + i * stride;
        JSValueRef value;
        if (suboffset >= 0)
            part = *(const char *const *)part + suboffset;
        value = dimension(items, part, at + 1);
        if (!value)
            return NULL;
        JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)i, value, NULL);
    }
    return array;
}

JSValueRef bridge_buffer_to_js(PyObject *object)
{
    JSValueRef value = NULL;
    struct items items;
    PyObject *memory;
    Py_buffer view;

    if (PyBytes_CheckExact(object)) {
        value = web_new_bytes(
            (struct span){PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object)});
        if (value != engine.undefined)
            return value;
        PyErr_NoMemory();
        return NULL;
    }
    memory = PyMemoryView_FromObject(object); /* new: has strides whatever the object says */
    if (!memory)
        return NULL;
    if (PyObject_GetBuffer(memory, &view, PyBUF_FULL_RO) == 0) {
        if (items_init(&items, &view) == 0)
            value = view.ndim ? dimension(&items, view.buf, 0)
                              : row(&items, view.buf, 1, view.itemsize, -1);
        PyBuffer_Release(&view);
    }
    Py_DECREF(memory);
    return value;
}
