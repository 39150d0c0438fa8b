/* proxy_attr.c - attributes and items of Python objects, asked for by JavaScript.
 *
 * The handlers of PyProxy (sdk/js/pyproxy.js) decide which names are Python's
 * and give a number to each that they ask for often; here the number leads to
 * the interned str, without a look at the text.  Names beyond the table's size
 * come as text.
 *
 * An attribute that becomes a proxy is remembered by the proxy it was asked
 * of: `o.f === o.f`, and calling a method in a loop makes one proxy. */
#include "realm/bridge/proxy_py.h"

#include "realm/js/engine.h"
#include "realm/js/text.h"

/* In no public header. */
extern int _PyObject_GetMethod(PyObject *object, PyObject *name, PyObject **ret_method);

enum { NAMES_MAX = 4096 };

static struct {
    PyObject *name; /* interned */
    JSStringRef text;
} names[NAMES_MAX];
static int name_count;

static PyObject *text_of(JSValueRef value)
{
    JSStringRef string = JSValueToStringCopy(engine.context, value, NULL); /* new */
    PyObject *text = string ? bridge_text_to_python(string) : PyErr_NoMemory();

    if (string)
        JSStringRelease(string);
    return text;
}

/* pythonName(text) -> its number, or -1 when there are too many */
static JSValueRef python_name(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *name;

    (void)js, (void)function, (void)self, (void)count;
    if (name_count == NAMES_MAX)
        return engine_number(-1);
    name = text_of(arguments[0]);
    if (!name)
        return bridge_throw(ret_thrown);
    PyUnicode_InternInPlace(&name);
    names[name_count].name = name;
    names[name_count].text = JSValueToStringCopy(js, arguments[0], NULL);
    return engine_number(name_count++);
}
ENGINE_LOCKED(python_name)

/* The name that a number or a text stands for. */
static PyObject *name_of(JSValueRef key, int *ret_number)
{
    double number = JSValueIsNumber(engine.context, key) ? engine_number_of(key) : -1;

    *ret_number = number >= 0 && number < name_count ? (int)number : -1;
    return *ret_number >= 0 ? Py_NewRef(names[*ret_number].name) : text_of(key);
}

static bool makes_proxy(PyObject *object)
{
    return !(object == Py_None || PyUnicode_Check(object) || PyLong_Check(object) ||
             PyFloat_Check(object) || js_proxy_check(object));
}

/* The value of an attribute; take_found is what was found: the function of a method when is_method.
 */
static JSValueRef attribute_value(PyObject *object, JSValueRef holder, PyObject *take_found,
                                  bool is_method, JSStringRef text)
{
    struct py_proxy *p = py_proxy_of_target(holder);
    PyObject *method = is_method ? take_found : NULL, *value = take_found;
    JSValueRef child;

    engine_lock();
    child = py_proxy_remembered(p, text, value, method);
    if (!child) {
        if (is_method)
            value = Py_TYPE(method)->tp_descr_get(method, object, (PyObject *)Py_TYPE(object));
        child = value ? bridge_to_js(value) : NULL;
        /* A JsException may stand for a proxy that is not its own. */
        if (child && value && py_proxy_object(child) == value && p->whole->object)
            py_proxy_remember(p, text, (JSObjectRef)child, method);
        if (is_method)
            Py_XDECREF(value);
    }
    engine_unlock();
    Py_DECREF(take_found);
    return child;
}

/* pythonGet(proxy, name) -> the attribute, or undefined */
static JSValueRef python_get(PyObject *object, size_t count, const JSValueRef *arguments)
{
    int number, is_method;
    PyObject *name = name_of(arguments[1], &number), *found = NULL;
    JSValueRef value;

    (void)count;
    if (!name)
        return NULL;
    is_method = number >= 0 ? _PyObject_GetMethod(object, name, &found) : 0;
    if (number < 0)
        found = PyObject_GetAttr(object, name);
    Py_DECREF(name);
    if (!found) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        return engine.undefined;
    }
    if (number >= 0 && makes_proxy(found))
        return attribute_value(object, arguments[0], found, is_method, names[number].text);
    value = bridge_to_js(found);
    Py_DECREF(found);
    return value;
}
PY_TARGET_NATIVE(python_get)

/* pythonHas(proxy, name) -> bool; false, as in Pyodide, when asking raises */
static JSValueRef python_has(PyObject *object, size_t count, const JSValueRef *arguments)
{
    int number;
    PyObject *name = name_of(arguments[1], &number), *found = NULL;
    int has;

    (void)count;
    if (!name)
        return NULL;
    has = _PyObject_LookupAttr(object, name, &found);
    if (has < 0)
        PyErr_Clear();
    Py_DECREF(name);
    Py_XDECREF(found);
    return JSValueMakeBoolean(engine.context, has > 0);
}
PY_TARGET_NATIVE(python_has)

/* pythonSet(proxy, name, value); pythonSet(proxy, name) deletes */
static JSValueRef python_set(PyObject *object, size_t count, const JSValueRef *arguments)
{
    int number, done = -1;
    PyObject *name = name_of(arguments[1], &number), *value = NULL;

    if (count > 2)
        value = bridge_to_python(arguments[2], NULL);
    if (name && (value || count == 2))
        done = PyObject_SetAttr(object, name, value);
    Py_XDECREF(name);
    Py_XDECREF(value);
    return done < 0 ? NULL : engine.undefined;
}
PY_TARGET_NATIVE(python_set)

/* An array of the str among these items, and of the integers as texts when that is wanted. */
static JSValueRef text_array_of(PyObject *items, bool with_integers)
{
    JSObjectRef array = JSObjectMakeArray(engine.context, 0, NULL, NULL);
    unsigned n = 0;

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(items, i)), *text = NULL;
        JSValueRef value = NULL;
        if (PyUnicode_Check(item))
            text = Py_NewRef(item);
        else if (with_integers && PyLong_CheckExact(item))
            text = PyObject_Str(item);
        value = text ? bridge_to_js(text) : NULL;
        Py_DECREF(item);
        Py_XDECREF(text);
        if (value)
            JSObjectSetPropertyAtIndex(engine.context, array, n++, value, NULL);
        else if (PyErr_Occurred())
            return NULL;
    }
    return array;
}

static JSValueRef text_array(PyObject *items, bool with_integers)
{
    JSValueRef array;

    engine_lock();
    array = text_array_of(items, with_integers);
    engine_unlock();
    return array;
}

/* pythonNames(proxy) -> dir(object) */
static JSValueRef python_names(PyObject *object, size_t count, const JSValueRef *arguments)
{
    PyObject *list = PyObject_Dir(object);
    JSValueRef array = list ? text_array(list, false) : NULL;

    (void)count, (void)arguments;
    Py_XDECREF(list);
    return array;
}
PY_TARGET_NATIVE(python_names)

/* pythonKeys(proxy) -> the keys of a mapping that can be names of properties */
static JSValueRef python_keys(PyObject *object, size_t count, const JSValueRef *arguments)
{
    PyObject *list = PyMapping_Keys(object);
    JSValueRef array = list ? text_array(list, true) : NULL;

    (void)count, (void)arguments;
    Py_XDECREF(list);
    return array;
}
PY_TARGET_NATIVE(python_keys)

/* ---- items ---- */

JSValueRef py_proxy_item(PyObject *item, JSValueRef holder)
{
    if (makes_proxy(item) && (PyMapping_Check(item) || PySequence_Check(item)) &&
        !PyType_Check(item) && py_proxy_of(holder)->kind & PY_JSON)
        return py_proxy_new_kind(item, 0, PY_JSON);
    return bridge_to_js(item);
}

static JSValueRef none(void)
{
    PyErr_Clear();
    return engine.undefined;
}

/* What was found in the holder, for JavaScript; undefined for an IndexError. */
static JSValueRef item_value(PyObject *take_item, JSValueRef holder)
{
    JSValueRef value;

    if (!take_item)
        return PyErr_ExceptionMatches(PyExc_IndexError) ? none() : NULL;
    value = py_proxy_item(take_item, holder);
    Py_DECREF(take_item);
    return value;
}

/* pythonGetItem(proxy, key) -> object[key]; undefined when it is not there */
static JSValueRef python_get_item(PyObject *object, size_t count, const JSValueRef *arguments)
{
    PyObject *key = bridge_to_python(arguments[1], NULL), *item;

    (void)count;
    if (!key)
        return NULL;
    item = PyObject_GetItem(object, key);
    Py_DECREF(key);
    if (!item && PyErr_ExceptionMatches(PyExc_KeyError))
        return none();
    return item_value(item, arguments[0]);
}
PY_NATIVE(python_get_item)

/* pythonAt(proxy, index) -> object[index]; undefined for an IndexError */
static JSValueRef python_at(PyObject *object, size_t count, const JSValueRef *arguments)
{
    double number = engine_number_of(arguments[1]);
    PyObject *item = NULL, *key;
    Py_ssize_t index;

    (void)count;
    if (!(number < (double)PY_SSIZE_T_MAX)) /* which, rounded, is one more than that */
        return engine.undefined;
    index = (Py_ssize_t)number;
    if (PyList_CheckExact(object)) {
        if (index >= PyList_GET_SIZE(object))
            return engine.undefined;
        item = Py_NewRef(PyList_GET_ITEM(object, index));
    } else {
        key = PyLong_FromSsize_t(index);
        if (key)
            item = PyObject_GetItem(object, key);
        Py_XDECREF(key);
    }
    return item_value(item, arguments[0]);
}
PY_TARGET_NATIVE(python_at)

/* pythonSetItem(proxy, key, value); pythonSetItem(proxy, key) deletes */
static JSValueRef python_set_item(PyObject *object, size_t count, const JSValueRef *arguments)
{
    PyObject *key = bridge_to_python(arguments[1], NULL), *value = NULL;
    int done = -1;

    if (count > 2)
        value = bridge_to_python(arguments[2], NULL);
    if (key && value)
        done = PyObject_SetItem(object, key, value);
    else if (key && count == 2)
        done = PyObject_DelItem(object, key);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return done < 0 ? NULL : engine.undefined;
}
PY_NATIVE(python_set_item)

/* pythonContains(proxy, key) -> bool */
static JSValueRef python_contains(PyObject *object, size_t count, const JSValueRef *arguments)
{
    PyObject *key = bridge_to_python(arguments[1], NULL);
    int contains = key ? PySequence_Contains(object, key) : -1;

    (void)count;
    Py_XDECREF(key);
    return contains < 0 ? NULL : JSValueMakeBoolean(engine.context, contains);
}
PY_NATIVE(python_contains)

/* pythonLength(proxy) -> len(object) */
static JSValueRef python_length(PyObject *object, size_t count, const JSValueRef *arguments)
{
    Py_ssize_t n = PyObject_Length(object);

    (void)count, (void)arguments;
    return n < 0 ? NULL : engine_number((double)n);
}
PY_NATIVE(python_length)

void py_proxy_define_attributes(void)
{
    engine_native("pythonName", python_name_locked);
    engine_native("pythonGet", python_get_native);
    engine_native("pythonHas", python_has_native);
    engine_native("pythonSet", python_set_native);
    engine_native("pythonNames", python_names_native);
    engine_native("pythonKeys", python_keys_native);
    engine_native("pythonGetItem", python_get_item_native);
    engine_native("pythonAt", python_at_native);
    engine_native("pythonSetItem", python_set_item_native);
    engine_native("pythonContains", python_contains_native);
    engine_native("pythonLength", python_length_native);
}
