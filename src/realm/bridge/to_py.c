/* to_py.c - to_py(): arrays, objects, Maps and Sets of JavaScript become Python's.
 *
 * pack() in sdk/js/pack.js writes what is in them as words (pack.h); here they are read.  With a
 * default_converter sdk/python/corral/convert.py goes step by step instead.
 *
 * plain_to_py() is the same for what is of data alone, with dicts of another class.
 *
 * Keys of objects come again and again: the last ones are kept, found by their characters. */
#include "realm/bridge/pack.h"

#include "realm/js/engine.h"
#include "realm/py/interp.h"

enum { KEYS = 512, KEY_MAX = 24 };

static struct {
    PyObject *text; /* owned */
    JSChar units[KEY_MAX];
    uint8_t len;
} keys[KEYS];

struct unpacker {
    const union word *at, *end;
    const JSChar *text; /* what is left of it */
    size_t text_left;
    JSObjectRef others;
    PyObject *dict_type; /* borrowed: for plain_to_py(); or NULL */
    bool has_other;      /* plain_to_py() has found something that is no data */
    PyObject **seen;     /* owned: an equal key may take one out of the structure again */
    size_t seen_count, seen_cap;
    PyObject *first_seen[16];
};

static PyObject *get(struct unpacker *u);

static PyObject *get_text(struct unpacker *u, size_t len)
{
    const JSChar *units = u->text;

    if (len > u->text_left)
        return PyErr_Format(PyExc_SystemError, "to_py(): the text is too short");
    u->text += len;
    u->text_left -= len;
    return bridge_units_to_python(units, len);
}

static PyObject *get_key(struct unpacker *u)
{
    const JSChar *units = u->text;
    size_t len = (size_t)u->at->arg;
    uint32_t hash = (uint32_t)len;
    PyObject *text;

    if (u->at->tag != PACK_TEXT || len > KEY_MAX || len > u->text_left)
        return get(u);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ units[i]) * 16777619u;
    hash = (hash ^ hash >> 15) % KEYS;
    u->at++;
    if (keys[hash].text && keys[hash].len == len &&
        memcmp(keys[hash].units, units, len * sizeof *units) == 0) {
        u->text += len;
        u->text_left -= len;
        return Py_NewRef(keys[hash].text);
    }
    text = get_text(u, len);
    if (!text)
        return NULL;
    PyUnicode_InternInPlace(&text);
    Py_XSETREF(keys[hash].text, Py_NewRef(text));
    memcpy(keys[hash].units, units, len * sizeof *units);
    keys[hash].len = (uint8_t)len;
    return text;
}

static int see(struct unpacker *u, PyObject *container)
{
    if (u->seen_count == u->seen_cap) {
        size_t cap = u->seen_cap * 4;
        PyObject **grown = PyMem_Malloc(cap * sizeof *grown);
        if (!grown) {
            PyErr_NoMemory();
            return -1;
        }
        memcpy(grown, u->seen, u->seen_count * sizeof *grown);
        if (u->seen != u->first_seen)
            PyMem_Free(u->seen);
        u->seen = grown;
        u->seen_cap = cap;
    }
    u->seen[u->seen_count++] = Py_NewRef(container);
    return 0;
}

static PyObject *get_list(struct unpacker *u, Py_ssize_t n)
{
    PyObject *list = PyList_New(n);

    if (list && see(u, list) < 0)
        Py_CLEAR(list);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        PyObject *item;
        if (u->at < u->end && u->at->tag == PACK_INT)
            item = PyLong_FromLong(u->at++->arg);
        else
            item = get(u);
        if (item)
            PyList_SET_ITEM(list, i, item); /* steals */
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *get_dict(struct unpacker *u, Py_ssize_t n)
{
    PyObject *dict = u->dict_type ? PyObject_CallNoArgs(u->dict_type) : PyDict_New();

    if (dict && see(u, dict) < 0)
        Py_CLEAR(dict);
    for (Py_ssize_t i = 0; dict && i < n; i++) {
        PyObject *key = u->at < u->end ? get_key(u) : NULL, *value = key ? get(u) : NULL;
        if (!value || PyDict_SetItem(dict, key, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *get_set(struct unpacker *u, Py_ssize_t n)
{
    PyObject *set = PySet_New(NULL);

    if (set && see(u, set) < 0)
        Py_CLEAR(set);
    for (Py_ssize_t i = 0; set && i < n; i++) {
        PyObject *item = get(u);
        if (!item || PySet_Add(set, item) < 0)
            Py_CLEAR(set);
        Py_XDECREF(item);
    }
    return set;
}

static PyObject *get_other(struct unpacker *u, unsigned index, bool is_buffer)
{
    JSValueRef value =
        u->others ? JSObjectGetPropertyAtIndex(engine.context, u->others, index, NULL) : NULL;
    PyObject *proxy, *view;

    if (!value)
        return PyErr_Format(PyExc_SystemError, "to_py(): a value is missing");
    proxy = bridge_to_python(value, NULL);
    if (proxy && u->dict_type && bridge_is_from_js(proxy)) {
        u->has_other = true;
        Py_DECREF(proxy);
        return PyErr_Format(PyExc_ValueError, "this is no data");
    }
    if (!proxy || !is_buffer || !js_proxy_check(proxy))
        return proxy;
    view = PyObject_CallMethod(proxy, "to_memoryview", NULL);
    Py_DECREF(proxy);
    return view;
}

/* A container holds the stack; what it holds may be as deep. */
static PyObject *get_container(struct unpacker *u, int tag, int arg)
{
    if (!bridge_has_stack()) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded in to_py()");
        return NULL;
    }
    return tag == PACK_LIST   ? get_list(u, arg)
           : tag == PACK_DICT ? get_dict(u, arg)
                              : get_set(u, arg);
}

static PyObject *get(struct unpacker *u)
{
    int tag, arg;

    if (u->at >= u->end)
        return PyErr_Format(PyExc_SystemError, "to_py(): the words end too early");
    tag = u->at->tag;
    arg = u->at++->arg;
    switch (tag) {
    case PACK_UNDEFINED:
        Py_RETURN_NONE;
    case PACK_NULL:
        return u->dict_type ? Py_NewRef(Py_None) : bridge_null_to_python();
    case PACK_FALSE:
        Py_RETURN_FALSE;
    case PACK_TRUE:
        Py_RETURN_TRUE;
    case PACK_INT:
        return PyLong_FromLong(arg);
    case PACK_DOUBLE:
        return bridge_number_to_python(u->at++->number);
    case PACK_TEXT:
        return get_text(u, (size_t)arg);
    case PACK_OTHER:
    case PACK_BUFFER:
        return get_other(u, (unsigned)arg, tag == PACK_BUFFER);
    case PACK_SEEN:
        if (arg < 0 || (size_t)arg >= u->seen_count)
            return PyErr_Format(PyExc_SystemError, "to_py(): a container is missing");
        return Py_NewRef(u->seen[arg]);
    default:
        return get_container(u, tag, arg);
    }
}

/* packed: what pack() returned. */
static PyObject *unpack(JSValueRef packed, const union word *words, PyObject *dict_type)
{
    struct unpacker u = {.at = words, .dict_type = dict_type};
    JSStringRef text = NULL;
    PyObject *result;

    u.seen = u.first_seen;
    u.seen_cap = sizeof u.first_seen / sizeof *u.first_seen;
    if (JSValueIsNumber(engine.context, packed)) {
        u.end = words + (size_t)engine_number_of(packed);
    } else {
        JSValueRef parts[4];
        for (unsigned i = 0; i < 4; i++)
            parts[i] = JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)packed, i, NULL);
        if (JSValueIsObject(engine.context, parts[2]))
            u.others = (JSObjectRef)parts[2];
        u.at = JSObjectGetTypedArrayBytesPtr(engine.context, (JSObjectRef)parts[3], NULL);
        u.end = u.at + (size_t)engine_number_of(parts[0]);
        text = JSValueToStringCopy(engine.context, parts[1], NULL); /* new */
        if (!text)
            return PyErr_NoMemory();
        u.text_left = JSStringGetLength(text);
        u.text = JSStringGetCharactersPtr(text);
    }
    result = get(&u);
    /* The words are this array's: the collector must find it on the stack until here. */
    __asm__ volatile("" : : "r"(packed) : "memory");
    for (size_t i = 0; i < u.seen_count; i++)
        Py_DECREF(u.seen[i]);
    if (u.seen != u.first_seen)
        PyMem_Free(u.seen);
    if (text)
        JSStringRelease(text);
    if (!u.has_other)
        return result;
    Py_XDECREF(result);
    PyErr_Clear();
    return Py_NewRef(Py_NotImplemented);
}

/* dict_type: NULL for to_py(). */
static PyObject *convert(PyObject *self, int depth, PyObject *dict_type)
{
    static JSObjectRef pack, pack_nested;
    JSValueRef arguments[2], thrown = NULL, packed;
    PyObject *result = NULL;
    union word *words;

    arguments[0] = js_proxy_object(self);
    if (!arguments[0])
        return NULL;
    if (!pack) {
        pack = engine_internal("pack");
        pack_nested = engine_internal("packNested");
    }
    engine_lock();
    arguments[1] = engine_number(depth);
    words = pack_take();
    packed = engine_call(words ? pack : pack_nested, 2, arguments, &thrown);
    if (thrown && dict_type)
        result = Py_NewRef(Py_NotImplemented);
    else if (thrown)
        bridge_raise(thrown);
    else
        result = unpack(packed, words, dict_type);
    if (words)
        pack_give();
    engine_unlock();
    return result;
}

static PyObject *by_steps(PyObject *self, int depth, PyObject *converter)
{
    PyObject *function = interp_sdk("corral.convert", "to_py_by_steps"), *result = NULL;

    if (function)
        result = PyObject_CallFunction(function, "OiO", self, depth, converter);
    Py_XDECREF(function);
    return result;
}

PyObject *bridge_method_to_py(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                              PyObject *names)
{
    PyObject *converter = NULL;
    long depth = -1;

    if (count > 0)
        return PyErr_Format(PyExc_TypeError,
                            "to_py() takes no positional arguments (%zd given): depth=, "
                            "default_converter=",
                            count);
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (PyUnicode_CompareWithASCIIString(name, "depth") == 0)
            depth = PyLong_AsLong(arguments[i]);
        else if (PyUnicode_CompareWithASCIIString(name, "default_converter") == 0)
            converter = arguments[i] == Py_None ? NULL : arguments[i];
        else
            PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for to_py()", name);
        if (PyErr_Occurred())
            return NULL;
    }
    if (depth != (int)depth)
        return PyErr_Format(PyExc_OverflowError, "to_py(): depth does not fit into 32 bits");
    if (depth == 0)
        return Py_NewRef(self);
    return converter ? by_steps(self, (int)depth, converter) : convert(self, (int)depth, NULL);
}

const char bridge_plain_to_py_doc[] =
    "plain_to_py(obj, dict_type, /)\n--\n\n"
    "What a JsProxy of data is - numbers, strings, booleans, arrays, plain objects, Maps, Sets - "
    "in "
    "Python, with objects as dict_type and null as None; NotImplemented of anything else.";

PyObject *bridge_function_plain_to_py(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    if (count != 2 || !js_proxy_check(arguments[0]))
        return PyErr_Format(PyExc_TypeError, "plain_to_py() takes a JsProxy and a type");
    return convert(arguments[0], -1, arguments[1]);
}
