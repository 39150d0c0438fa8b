/* proxy_array.c - proxies of JavaScript arrays as lists of Python, typed arrays and array-likes
 * too.
 *
 * What is said of wrong indices and values is what Pyodide says.  An array may
 * change while Python code runs (conversions call it), so nothing about it is
 * believed across one; JavaScript's own functions check again. */
#include "realm/bridge/proxy.h"

#include "realm/js/engine.h"

enum { REPEATED_MAX = 1 << 26 }; /* items of array * n */

#define METHOD(f) ((PyCFunction)(void (*)(void))(f))
#define INTERNALS(X)                                                                               \
    X(arrayConcat)                                                                                 \
    X(arrayCount)                                                                                  \
    X(arrayDrop)                                                                                   \
    X(arrayExtend)                                                                                 \
    X(arrayHas) X(arrayIndex) X(arrayInsert) X(arrayPush) X(arrayPut) X(arrayRepeat)               \
        X(arrayReplace) X(arrayReverse) X(arrayReversed) X(arraySlice) X(arrayTake) X(setProperty)
#define DECLARE(name) static JSObjectRef name;
INTERNALS(DECLARE)

void js_proxy_array_open(void)
{
#define LOOK_UP(name) name = engine_internal(#name);
    INTERNALS(LOOK_UP)
}

/* function(array, ...), the rest of the arguments in place; NULL with an exception. */
static JSValueRef run(JSObjectRef function, PyObject *self, size_t count, JSValueRef *arguments)
{
    JSValueRef thrown = NULL, value;

    arguments[0] = js_proxy_object(self);
    if (!arguments[0])
        return NULL;
    value = engine_call(function, count, arguments, &thrown);
    if (thrown)
        bridge_raise(thrown);
    return thrown ? NULL : value;
}

/* The same as a statement of Python: None. */
static PyObject *done(JSValueRef value)
{
    return value ? Py_NewRef(Py_None) : NULL;
}

static PyObject *found(PyObject *self, JSValueRef value)
{
    return value ? js_proxy_inherit(self, bridge_to_python(value, NULL)) : NULL;
}

static JSObjectRef counted_array_of(PyObject *iterable, const char *text, Py_ssize_t *ret_count)
{
    PyObject *items = PySequence_Fast(iterable, text);
    JSObjectRef array;

    if (!items || !bridge_is_main_thread()) {
        Py_XDECREF(items);
        return NULL;
    }
    array = JSObjectMakeArray(engine.context, 0, NULL, NULL);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        JSValueRef value = bridge_to_js(PySequence_Fast_GET_ITEM(items, i));
        if (!value) {
            array = NULL;
            break;
        }
        JSObjectSetPropertyAtIndex(engine.context, array, (unsigned)i, value, NULL);
        *ret_count = i + 1;
    }
    Py_DECREF(items);
    return array;
}

JSObjectRef js_array_of(PyObject *iterable, const char *text)
{
    Py_ssize_t count;

    return counted_array_of(iterable, text, &count);
}

/* For JavaScript, on the one thread that may. */
static JSValueRef converted(PyObject *object)
{
    return bridge_is_main_thread() ? bridge_to_js(object) : NULL;
}

/* ---- items ---- */

static PyObject *item_at(PyObject *self, Py_ssize_t index, PyObject *key)
{
    JSValueRef arguments[2], thrown = NULL, value;

    arguments[0] = js_proxy_object(self);
    if (!arguments[0])
        return NULL;
    if (index >= 0 && index < UINT32_MAX) {
        value = JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)arguments[0],
                                           (unsigned)index, &thrown);
        if (thrown)
            return bridge_raise(thrown);
        if (!JSValueIsUndefined(engine.context, value))
            return js_proxy_inherit(self, bridge_to_python(value, NULL));
        arguments[1] = engine_number((double)index); /* undefined, or a hole? */
        value = engine_call(arrayHas, 2, arguments, &thrown);
        if (thrown)
            return bridge_raise(thrown);
        if (JSValueToBoolean(engine.context, value))
            Py_RETURN_NONE;
    }
    PyErr_SetObject(PyExc_IndexError, key);
    return NULL;
}

PyObject *js_array_item(PyObject *self, Py_ssize_t index)
{
    PyObject *key = PyLong_FromSsize_t(index), *item = key ? item_at(self, index, key) : NULL;

    Py_XDECREF(key);
    return item;
}

/* The index that key means: from the end when negative.  -1 with an exception or, when it is
 * before the first, without. */
static Py_ssize_t index_of(PyObject *self, PyObject *key)
{
    Py_ssize_t index, n;

    if (!PyIndex_Check(key)) {
        PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return -1;
    }
    index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index >= 0 || PyErr_Occurred())
        return index;
    n = js_proxy_length(self);
    if (n < 0)
        return -1;
    return index + n < 0 ? -1 : index + n;
}

/* A slice of it: how many items, from where in which steps; -1 with an exception. */
static Py_ssize_t part_of(PyObject *self, PyObject *slice, Py_ssize_t *ret_start,
                          Py_ssize_t *ret_step)
{
    Py_ssize_t stop, n;

    if (PySlice_Unpack(slice, ret_start, &stop, ret_step) < 0)
        return -1;
    n = js_proxy_length(self);
    return n < 0 ? -1 : PySlice_AdjustIndices(n, ret_start, &stop, *ret_step);
}

PyObject *js_array_subscript(PyObject *self, PyObject *key)
{
    JSValueRef arguments[4];
    Py_ssize_t start, step, count;

    if (!PySlice_Check(key)) {
        Py_ssize_t index = index_of(self, key);
        return index < 0 && PyErr_Occurred() ? NULL : item_at(self, index, key);
    }
    count = part_of(self, key, &start, &step);
    if (count < 0)
        return NULL;
    arguments[1] = engine_number((double)start);
    arguments[2] = engine_number((double)step);
    arguments[3] = engine_number((double)count);
    return found(self, run(arraySlice, self, 4, arguments));
}

/* a[slice] = items, del a[slice] */
static int set_part(PyObject *self, PyObject *slice, PyObject *items)
{
    JSValueRef arguments[4];
    PyObject *by = ((PySliceObject *)slice)->step;
    bool is_plain = by == Py_None || (PyLong_CheckExact(by) && PyLong_AsLong(by) == 1);
    Py_ssize_t start, step, count, n = 0;

    if (items) {
        /* In the words of lists. */
        arguments[3] = counted_array_of(items,
                                        is_plain ? "can only assign an iterable"
                                                 : "must assign iterable to extended slice",
                                        &n);
        if (!arguments[3])
            return -1;
    }
    count = part_of(self, slice, &start, &step);
    if (count < 0)
        return -1;
    arguments[1] = engine_number((double)start);
    if (!items) {
        arguments[2] = engine_number((double)step);
        arguments[3] = engine_number((double)count);
        return run(arrayDrop, self, 4, arguments) ? 0 : -1;
    }
    if (step == 1 && !(js_proxy_bits(self) & TYPED_ARRAY)) {
        arguments[2] = engine_number((double)count);
        return run(arrayReplace, self, 4, arguments) ? 0 : -1;
    }
    if (n != count) {
        PyErr_Format(PyExc_ValueError,
                     js_proxy_bits(self) & TYPED_ARRAY
                         ? "a typed array keeps its length: attempt to assign %zd items to %zd"
                         : "attempt to assign sequence of size %zd to extended slice of size %zd",
                     n, count);
        return -1;
    }
    arguments[2] = engine_number((double)step);
    return run(arrayPut, self, 4, arguments) ? 0 : -1;
}

static int set_at(PyObject *self, Py_ssize_t index, PyObject *item)
{
    JSValueRef arguments[3];

    arguments[1] = engine_number((double)index);
    arguments[2] = converted(item);
    return arguments[2] && run(setProperty, self, 3, arguments) ? 0 : -1;
}

static int delete_at(PyObject *self, Py_ssize_t index, PyObject *key)
{
    Py_ssize_t n = js_proxy_length(self);
    JSValueRef arguments[2];

    if (n < 0)
        return -1;
    if (index < 0 || index >= n) {
        PyErr_SetObject(PyExc_IndexError, key);
        return -1;
    }
    arguments[1] = engine_number((double)index);
    return run(arrayTake, self, 2, arguments) ? 0 : -1;
}

int js_array_set_subscript(PyObject *self, PyObject *key, PyObject *item)
{
    Py_ssize_t index;

    if (PySlice_Check(key))
        return set_part(self, key, item);
    index = index_of(self, key);
    if (index < 0) {
        if (!PyErr_Occurred())
            PyErr_SetObject(PyExc_IndexError, key);
        return -1;
    }
    return item ? set_at(self, index, item) : delete_at(self, index, key);
}

int js_typed_array_set_subscript(PyObject *self, PyObject *key, PyObject *item)
{
    if (!item) {
        PyErr_SetString(PyExc_TypeError, "object doesn't support item deletion");
        return -1;
    }
    return js_array_set_subscript(self, key, item);
}

int js_array_set_item(PyObject *self, Py_ssize_t index, PyObject *item)
{
    PyObject *key;
    int r;

    if (item)
        return set_at(self, index, item);
    key = PyLong_FromSsize_t(index);
    r = key ? delete_at(self, index, key) : -1;
    Py_XDECREF(key);
    return r;
}

int js_typed_array_set_item(PyObject *self, Py_ssize_t index, PyObject *item)
{
    if (item)
        return set_at(self, index, item);
    PyErr_SetString(PyExc_TypeError, "object doesn't support item deletion");
    return -1;
}

/* ---- whole arrays ---- */

PyObject *js_array_concat(PyObject *self, PyObject *other)
{
    JSValueRef arguments[2];

    arguments[1] = js_array_of(other, "can only concatenate an iterable to an array of JavaScript");
    return arguments[1] ? found(self, run(arrayConcat, self, 2, arguments)) : NULL;
}

static PyObject *extend(PyObject *self, PyObject *items)
{
    JSValueRef arguments[2];

    arguments[1] = js_array_of(items, "argument must be iterable");
    return arguments[1] ? done(run(arrayExtend, self, 2, arguments)) : NULL;
}

PyObject *js_array_extend(PyObject *self, PyObject *other)
{
    PyObject *none = extend(self, other);

    Py_XDECREF(none);
    return none ? Py_NewRef(self) : NULL;
}

static JSValueRef repeated(PyObject *self, Py_ssize_t times)
{
    Py_ssize_t n = js_proxy_length(self);
    JSValueRef arguments[2];

    if (n < 0)
        return NULL;
    if (n == 0)
        times = 0;
    if (n > 0 && times > REPEATED_MAX / n) {
        PyErr_Format(PyExc_MemoryError, "an array of %zd items %zd times has too many items", n,
                     times);
        return NULL;
    }
    arguments[1] = engine_number((double)times);
    return run(arrayRepeat, self, 2, arguments);
}

PyObject *js_array_repeat(PyObject *self, Py_ssize_t times)
{
    return found(self, repeated(self, times));
}

PyObject *js_array_become_repeated(PyObject *self, Py_ssize_t times)
{
    JSValueRef arguments[4];

    arguments[3] = repeated(self, times);
    if (!arguments[3])
        return NULL;
    arguments[1] = engine_number(0);
    arguments[2] = engine_number(INT_MAX);
    return run(arrayReplace, self, 4, arguments) ? Py_NewRef(self) : NULL;
}

/* ---- methods ---- */

static PyObject *append(PyObject *self, PyObject *item)
{
    JSValueRef arguments[2];

    arguments[1] = converted(item);
    return arguments[1] ? done(run(arrayPush, self, 2, arguments)) : NULL;
}

static PyObject *insert(PyObject *self, PyObject *all)
{
    JSValueRef arguments[3];
    Py_ssize_t index;
    PyObject *item;

    if (!PyArg_ParseTuple(all, "nO:insert", &index, &item))
        return NULL;
    arguments[1] = engine_number((double)index);
    arguments[2] = converted(item);
    return arguments[2] ? done(run(arrayInsert, self, 3, arguments)) : NULL;
}

static PyObject *pop(PyObject *self, PyObject *all)
{
    JSValueRef arguments[2];
    Py_ssize_t index = -1, n;

    if (!PyArg_ParseTuple(all, "|n:pop", &index))
        return NULL;
    n = js_proxy_length(self);
    if (n < 0)
        return NULL;
    if (n == 0)
        return PyErr_Format(PyExc_IndexError, "pop from empty list");
    if (index < 0)
        index += n;
    if (index < 0 || index >= n)
        return PyErr_Format(PyExc_IndexError, "pop index out of range");
    arguments[1] = engine_number((double)index);
    return found(self, run(arrayTake, self, 2, arguments));
}

/* Whether JavaScript's === can tell: of other objects of Python Python's == does. */
static bool is_javascripts(PyObject *object)
{
    return object == Py_None || PyBool_Check(object) || PyLong_Check(object) ||
           PyFloat_Check(object) || PyUnicode_Check(object) || js_proxy_check(object) ||
           (PyExceptionInstance_Check(object) &&
            PyObject_TypeCheck(object, (PyTypeObject *)bridge_js_exception_type())) ||
           bridge_is_null(object);
}

/* Go through the objects of Python in it that are equal to value: the index of the first from start
 * on, or with ret_count how many there are.  -1 for none, -2 with an exception. */
static Py_ssize_t search_python(PyObject *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop,
                                Py_ssize_t *ret_count)
{
    for (Py_ssize_t i = start; i < stop; i++) {
        JSObjectRef array = js_proxy_object(self);
        JSValueRef item =
            array ? JSObjectGetPropertyAtIndex(engine.context, array, (unsigned)i, NULL) : NULL;
        PyObject *object = Py_XNewRef(py_proxy_object(item));
        int equal = object ? PyObject_RichCompareBool(object, value, Py_EQ) : 0;
        Py_XDECREF(object);
        if (!array || equal < 0)
            return -2;
        if (equal && !ret_count)
            return i;
        if (equal)
            ++*ret_count;
    }
    return -1;
}

/* -1 with ValueError, or another exception */
static Py_ssize_t find(PyObject *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    Py_ssize_t n = js_proxy_length(self), index;
    JSValueRef arguments[4], answer;

    if (n < 0)
        return -1;
    if (start < 0)
        start = start + n < 0 ? 0 : start + n;
    if (stop < 0)
        stop = stop + n < 0 ? 0 : stop + n;
    if (stop > n)
        stop = n;
    if (is_javascripts(value)) {
        arguments[1] = converted(value);
        arguments[2] = engine_number((double)start);
        arguments[3] = engine_number((double)stop);
        answer = arguments[1] ? run(arrayIndex, self, 4, arguments) : NULL;
        if (!answer)
            return -1;
        index = (Py_ssize_t)engine_number_of(answer);
    } else {
        index = search_python(self, value, start, stop, NULL);
    }
    if (index == -1)
        PyErr_Format(PyExc_ValueError, "%R is not in list", value);
    return index < 0 ? -1 : index;
}

static PyObject *index_method(PyObject *self, PyObject *all)
{
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX, index;
    PyObject *value;

    if (!PyArg_ParseTuple(all, "O|nn:index", &value, &start, &stop))
        return NULL;
    index = find(self, value, start, stop);
    return index < 0 ? NULL : PyLong_FromSsize_t(index);
}

static PyObject *count_method(PyObject *self, PyObject *value)
{
    JSValueRef arguments[2];
    Py_ssize_t n, count = 0;

    if (is_javascripts(value)) {
        arguments[1] = converted(value);
        return arguments[1] ? found(self, run(arrayCount, self, 2, arguments)) : NULL;
    }
    n = js_proxy_length(self);
    if (n < 0 || search_python(self, value, 0, n, &count) == -2)
        return NULL;
    return PyLong_FromSsize_t(count);
}

static PyObject *remove_method(PyObject *self, PyObject *value)
{
    Py_ssize_t index = find(self, value, 0, PY_SSIZE_T_MAX);
    JSValueRef arguments[2];

    if (index < 0)
        return NULL;
    arguments[1] = engine_number((double)index);
    return done(run(arrayTake, self, 2, arguments));
}

static PyObject *reverse(PyObject *self, PyObject *unused)
{
    JSValueRef arguments[1];

    (void)unused;
    return done(run(arrayReverse, self, 1, arguments));
}

static PyObject *reversed(PyObject *self, PyObject *unused)
{
    JSValueRef arguments[1];

    (void)unused;
    return found(self, run(arrayReversed, self, 1, arguments));
}

PyMethodDef js_array_methods[] = {
    {"append", append, METH_O, "append($self, object, /)\n--\n\nAppend an item to the end."},
    {"extend", extend, METH_O, "extend($self, other, /)\n--\n\nAppend all items of an iterable."},
    {"insert", insert, METH_VARARGS,
     "insert($self, index, value, /)\n--\n\nInsert an item before the index."},
    {"pop", pop, METH_VARARGS,
     "pop($self, index=-1, /)\n--\n\nRemove and return the item at the index, or the last."},
    {"remove", remove_method, METH_O,
     "remove($self, value, /)\n--\n\nRemove the first item that is equal."},
    {"index", index_method, METH_VARARGS,
     "index($self, value, start=0, stop=2147483647, /)\n--\n\nThe first index of an equal item."},
    {"count", count_method, METH_O, "count($self, x, /)\n--\n\nHow many items are equal."},
    {"reverse", reverse, METH_NOARGS, "reverse($self, /)\n--\n\nTurn the order round, in place."},
    {"__reversed__", reversed, METH_NOARGS, "An iterator from the end."},
    {0},
};
PyMethodDef js_typed_array_methods[] = {
    {"index", index_method, METH_VARARGS,
     "index($self, value, start=0, stop=2147483647, /)\n--\n\nThe first index of an equal item."},
    {"count", count_method, METH_O, "count($self, x, /)\n--\n\nHow many items are equal."},
    {"reverse", reverse, METH_NOARGS, "reverse($self, /)\n--\n\nTurn the order round, in place."},
    {"__reversed__", reversed, METH_NOARGS, "An iterator from the end."},
    {0},
};
PyMethodDef js_array_like_methods[] = {
    {"__reversed__", reversed, METH_NOARGS, "An iterator from the end."},
    {0},
};
