/* pairs.c - names and values out of a Python container, for the constructors of the Web API.
 *
 * Headers.new({"a": "b"}.items()) costs one crossing so, not one for each pair
 * and each of its parts.
 *
 * JavaScript's collector sees values on the stack, not on the heap: the first
 * ones wait there for their array, the rest are put into it one by one. */
#include "realm/bridge/value.h"
#include "realm/js/engine.h"

enum { ON_STACK = 64, NO_PAIRS = 1 };

struct pairs {
    JSValueRef first[ON_STACK];
    JSObjectRef array; /* NULL as long as all are in `first` */
    unsigned count;
};

static int pairs_add(struct pairs *p, PyObject *object)
{
    JSValueRef value = bridge_to_js(object);

    if (!value)
        return -1;
    if (p->count < ON_STACK) {
        p->first[p->count++] = value;
        return 0;
    }
    if (!p->array)
        p->array = JSObjectMakeArray(engine.context, ON_STACK, p->first, NULL);
    JSObjectSetPropertyAtIndex(engine.context, p->array, p->count++, value, NULL);
    return 0;
}

static JSValueRef pairs_array(struct pairs *p)
{
    return p->array ? p->array : JSObjectMakeArray(engine.context, p->count, p->first, NULL);
}

static int add_dict(struct pairs *p, PyObject *dict)
{
    PyObject *copy = PyDict_Copy(dict), *key,
             *value; /* __iter__ and __str__ of ours may change it */
    Py_ssize_t at = 0;
    int r = copy ? 0 : -1;

    while (r == 0 && PyDict_Next(copy, &at, &key, &value)) {
        r = pairs_add(p, key);
        if (r == 0)
            r = pairs_add(p, value);
    }
    Py_XDECREF(copy);
    return r;
}

static int add_pair(struct pairs *p, PyObject *item)
{
    bool is_text = PyUnicode_Check(item) || PyBytes_Check(item);
    PyObject *both =
        is_text ? NULL : PySequence_Tuple(item); /* new; a list could change meanwhile */
    int r = -1;

    if (!both || PyTuple_GET_SIZE(both) != 2) {
        if (!both && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError))
            return -1;
        PyErr_SetString(PyExc_TypeError, "each item must be a pair of name and value");
    } else if (pairs_add(p, PyTuple_GET_ITEM(both, 0)) == 0) {
        r = pairs_add(p, PyTuple_GET_ITEM(both, 1));
    }
    Py_XDECREF(both);
    return r;
}

static int add_iterable(struct pairs *p, PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    int r = iterator ? 0 : -1;

    while (r == 0) {
        item = PyIter_Next(iterator); /* new */
        if (!item) {
            r = PyErr_Occurred() ? -1 : 0;
            break;
        }
        r = add_pair(p, item);
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    return r;
}

static int add_mapping(struct pairs *p, PyObject *object)
{
    PyObject *items = PyMapping_Items(object); /* new; a list */
    int r = items ? add_iterable(p, items) : -1;

    Py_XDECREF(items);
    return r;
}

static bool is_iterable(PyObject *object)
{
    return Py_TYPE(object)->tp_iter && !PyUnicode_Check(object) && !PyObject_CheckBuffer(object);
}

/* pythonPairs(value, withIterables) -> [name, value, name, value ...] of a dict or another mapping
 * of Python, and of an iterable of pairs when asked for; else undefined. */
static JSValueRef python_pairs(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object =
        Py_XNewRef(py_proxy_object(arguments[0])); /* its code may destroy the proxy */
    bool is_wanted = count > 1 && JSValueToBoolean(js, arguments[1]);
    struct pairs p;
    int r;

    p.array = NULL;
    p.count = 0;
    (void)function, (void)self;
    if (!object)
        return engine.undefined;
    if (!bridge_has_stack()) {
        Py_DECREF(object);
        return engine_throw(ret_thrown, "RangeError", "Maximum call stack size exceeded.");
    }
    if (PyDict_CheckExact(object))
        r = add_dict(&p, object);
    else if (is_wanted && (PyDictItems_Check(object) || PyList_CheckExact(object)))
        r = add_iterable(&p, object);
    else if (!PyType_Check(object) && PyObject_HasAttrString(object, "items"))
        r = add_mapping(&p, object);
    else if (is_wanted && is_iterable(object))
        r = add_iterable(&p, object);
    else
        r = NO_PAIRS;
    Py_DECREF(object);
    if (r == NO_PAIRS)
        return engine.undefined;
    return r == 0 ? pairs_array(&p) : bridge_throw(ret_thrown);
}
ENGINE_LOCKED(python_pairs)

void bridge_pairs_define(void)
{
    engine_native("pythonPairs", python_pairs_locked);
}
