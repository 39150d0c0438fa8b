/* proxy_view.c - getBuffer(): the memory of a Python object as an ArrayBuffer, without a copy.
 *
 * A view holds Python's buffer, and so the object, until it is released and no
 * ArrayBuffer has its memory any more.  release() takes the memory from the
 * ArrayBuffer (transfer(), in sdk/js/pybuffer.js), so that both come at once;
 * one that the engine pinned keeps it until it is collected, as does one that
 * nobody released.
 *
 * What Python may not write (bytes, which its code objects consist of too)
 * JavaScript gets as a copy: nothing in JavaScript is read-only. */
#include "realm/bridge/proxy_py.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

struct view {
    struct view *next; /* once let go */
    Py_buffer buffer;
    char *copy;  /* of what is read-only; or NULL */
    int holders; /* the handle, the ArrayBuffer */
    bool is_released;
};

static JSClassRef handle_class;
static struct view *let_go;

static void view_release(struct view *v)
{
    if (!v->is_released)
        PyBuffer_Release(&v->buffer);
    v->is_released = true;
}

/* Inside the collector, where Python must not run. */
static void view_drop(struct view *v)
{
    if (v && --v->holders == 0) {
        v->next = let_go;
        let_go = v;
    }
}

void py_view_turn(void)
{
    while (let_go) {
        struct view *v = let_go;
        let_go = v->next;
        view_release(v);
        mem_free(v->copy);
        mem_free(v);
    }
}

static void handle_finalize(JSObjectRef handle)
{
    view_drop(JSObjectGetPrivate(handle));
}

static void memory_end(void *bytes, void *context)
{
    (void)bytes;
    view_drop(context);
}

/* Where the first and behind the last item are, as strides may be negative. */
static void extent(const Py_buffer *b, char **ret_low, char **ret_high)
{
    char *low = b->buf, *high = (char *)b->buf + b->itemsize;

    for (int i = 0; i < b->ndim; i++) {
        Py_ssize_t reach = (b->shape[i] - 1) * b->strides[i];
        if (b->shape[i] == 0) {
            *ret_low = *ret_high = b->buf;
            return;
        }
        *(reach < 0 ? &low : &high) += reach;
    }
    *ret_low = low;
    *ret_high = high;
}

static JSObjectRef numbers(const Py_ssize_t *values, int count)
{
    JSObjectRef array = JSObjectMakeArray(engine.context, 0, NULL, NULL);

    for (int i = 0; i < count; i++)
        JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)i,
                                   engine_number((double)values[i]), NULL);
    return array;
}

/* The ArrayBuffer of the memory between low and high, or undefined when there is none. */
static JSValueRef memory_of(struct view *v, char *low, size_t len)
{
    char *bytes = low;

    if (len == 0)
        return engine.undefined;
    if (v->buffer.readonly) {
        bytes = v->copy = mem_copy(low, len);
        if (!bytes) {
            PyErr_NoMemory();
            return NULL;
        }
    }
    v->holders++;
    return JSObjectMakeArrayBufferWithBytesNoCopy(engine.context, bytes, len, memory_end, v, NULL);
}

/* pythonBuffer(proxy) -> [handle, ArrayBuffer or undefined, bytes before the first item, where the
 * memory is on a scale of 16, readonly, format, itemsize, shape, strides, isC, isFortran] */
static JSValueRef python_buffer(PyObject *object, size_t count, const JSValueRef *arguments)
{
    enum { PARTS = 11 };
    struct view *v = mem_alloc(sizeof *v);
    char *low, *high;
    JSValueRef parts[PARTS];

    (void)count, (void)arguments;
    if (!v) {
        PyErr_NoMemory();
        return NULL;
    }
    if (PyObject_GetBuffer(object, &v->buffer, PyBUF_FULL_RO) < 0) {
        mem_free(v);
        return NULL;
    }
    v->holders = 1;
    parts[0] = JSObjectMake(engine.context, handle_class, v);
    if (v->buffer.suboffsets) {
        PyErr_SetString(PyExc_BufferError, "a buffer with suboffsets has no place in JavaScript: "
                                           "use toJs(), or copy it to a contiguous one");
        view_release(v);
        return NULL;
    }
    extent(&v->buffer, &low, &high);
    parts[1] = memory_of(v, low, (size_t)(high - low));
    if (!parts[1])
        return NULL;
    parts[2] = engine_number((double)((char *)v->buffer.buf - low));
    parts[3] = engine_number((double)((uintptr_t)low % 16));
    parts[4] = JSValueMakeBoolean(engine.context, v->buffer.readonly);
    parts[5] = text_value(span_of(v->buffer.format ? v->buffer.format : "B"));
    parts[6] = engine_number((double)v->buffer.itemsize);
    parts[7] = numbers(v->buffer.shape, v->buffer.ndim);
    parts[8] = numbers(v->buffer.strides, v->buffer.ndim);
    parts[9] = JSValueMakeBoolean(engine.context, PyBuffer_IsContiguous(&v->buffer, 'C'));
    parts[10] = JSValueMakeBoolean(engine.context, PyBuffer_IsContiguous(&v->buffer, 'F'));
    return JSObjectMakeArray(engine.context, PARTS, parts, NULL);
}
PY_NATIVE(python_buffer)

/* pythonRelease(handle): its memory is in no ArrayBuffer that anybody has */
static JSValueRef python_release(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    view_release(JSObjectGetPrivate((JSObjectRef)arguments[0]));
    return engine.undefined;
}

void py_proxy_define_views(void)
{
    handle_class = engine_class("PythonView", handle_finalize);
    engine_native("pythonBuffer", python_buffer_native);
    engine_native("pythonRelease", python_release);
}
