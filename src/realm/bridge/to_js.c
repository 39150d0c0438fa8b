/* to_js.c - to_js(): lists, dicts and sets of Python become those of JavaScript.
 *
 * What is in them is written as words (pack.h), of which build() in sdk/js/pack.js makes the
 * structure in one call.  Converters are asked step by step, in sdk/python/corral/convert.py: it
 * takes over when one has to be asked, or at once for an eager one.
 *
 * Ints, floats and text are the commonest and cost a few nanoseconds each.  Only containers that
 * are held more than once are remembered: those alone can come again. */
#include "realm/bridge/away.h"
#include "realm/bridge/pack.h"
#include "realm/bridge/proxy.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/py/interp.h"

enum {
    TAKEN = 128, /* values that go to JavaScript in one call */
    TEXTS = 64,  /* remembered within one structure: keys of dicts come again and again */
    ASK = 1,     /* a converter must be asked */
    DICTS_LITERAL_MAPS = 0,
    DICTS_OBJECTS = 1, /* of whichever key */
    FIRST_SEEN = 64,
};
#define SAFE_MAX 9007199254740991.0 /* 2**53 - 1 */

struct seen {
    PyObject *object; /* owned: code of Python may run meanwhile */
    int32_t index;
};

struct packer {
    union word *words;
    size_t count, cap;
    bool is_waiting;         /* the words are those that wait */
    JSValueRef taken[TAKEN]; /* on the stack, where the collector sees them */
    unsigned taken_count;
    int32_t value_count; /* with those that were handed over */
    JSObjectRef values;  /* an array of those; or NULL */
    JSObjectRef proxies; /* an array of what was wrapped; or NULL */
    unsigned proxy_count;
    struct seen *seen; /* by hash of their addresses */
    size_t seen_count, seen_cap;
    struct {
        PyObject *text; /* borrowed: alive as long as nobody changes what holds it */
        int32_t index;
    } texts[TEXTS];
    bool collects, may_wrap, has_default, asks_for_dicts, checks_keys, runs_code;
};

static bool dicts_are_objects; /* from a newer date on */

static union word *waiting;
static bool is_waiting_used;

union word *pack_take(void)
{
    if (!waiting) {
        JSObjectRef array = engine_internal("waitingWords");
        waiting = JSObjectGetTypedArrayBytesPtr(engine.context, array, NULL);
    }
    if (is_waiting_used)
        return NULL;
    is_waiting_used = true;
    return waiting;
}

void pack_give(void)
{
    is_waiting_used = false;
}

PyObject *bridge_set_dicts(PyObject *self, PyObject *are_objects)
{
    (void)self;
    dicts_are_objects = PyObject_IsTrue(are_objects) == 1;
    Py_RETURN_NONE;
}

static PyObject *of_convert(const char *name)
{
    return interp_sdk("corral.convert", name); /* new */
}

static int fail(const char *format, PyObject *object)
{
    PyObject *type = of_convert("ConversionError");

    if (type)
        PyErr_Format(type, format, object);
    Py_XDECREF(type);
    return -1;
}

/* ---- writing words ---- */

static int grow(struct packer *p)
{
    size_t cap = p->cap * 2;
    union word *grown;

    if (cap > PACK_WORDS_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        "to_js(): the structure has more than 100 million values");
        return -1;
    }
    grown =
        p->is_waiting ? mem_alloc(cap * sizeof *grown) : mem_resize(p->words, cap * sizeof *grown);
    if (!grown) {
        PyErr_NoMemory();
        return -1;
    }
    if (p->is_waiting) {
        memcpy(grown, p->words, p->count * sizeof *grown);
        p->is_waiting = false;
        pack_give();
    }
    p->words = grown;
    p->cap = cap;
    return 0;
}

static inline int put_word(struct packer *p, int tag, int32_t arg)
{
    if (p->count == p->cap && grow(p) < 0)
        return -1;
    p->words[p->count].tag = tag;
    p->words[p->count++].arg = arg;
    return 0;
}

static int put_double(struct packer *p, double number)
{
    if (put_word(p, PACK_DOUBLE, 0) < 0 || (p->count == p->cap && grow(p) < 0))
        return -1;
    p->words[p->count++].number = number;
    return 0;
}

static int hand_over(struct packer *p)
{
    static JSObjectRef take_values;
    JSValueRef arguments[TAKEN + 1], thrown = NULL, array;

    if (!take_values)
        take_values = engine_internal("takeValues");
    arguments[0] = p->values ? p->values : engine.undefined;
    memcpy(arguments + 1, p->taken, p->taken_count * sizeof *arguments);
    array = engine_call(take_values, p->taken_count + 1, arguments, &thrown);
    if (thrown) {
        bridge_raise(thrown);
        return -1;
    }
    p->values = (JSObjectRef)array;
    p->taken_count = 0;
    return 0;
}

static int put_value(struct packer *p, JSValueRef value)
{
    if (!value)
        return -1;
    if (p->taken_count == TAKEN && hand_over(p) < 0)
        return -1;
    p->taken[p->taken_count++] = value;
    return put_word(p, PACK_OTHER, p->value_count++);
}

static int put_text(struct packer *p, PyObject *text)
{
    size_t slot = ((uintptr_t)text >> 4) % TEXTS;
    bool is_kept = !p->runs_code && Py_REFCNT(text) > 1;

    if (is_kept && p->texts[slot].text == text)
        return put_word(p, PACK_OTHER, p->texts[slot].index);
    if (is_kept) {
        p->texts[slot].text = text;
        p->texts[slot].index = p->value_count;
    }
    return put_value(p, bridge_to_js(text));
}

static int put_int(struct packer *p, PyObject *number)
{
    int overflow;
    long long n = PyLong_CheckExact(number) ? PyLong_AsLongLongAndOverflow(number, &overflow) : 0;

    if (!PyLong_CheckExact(number) || overflow || n >= (long long)SAFE_MAX ||
        n <= -(long long)SAFE_MAX)
        return put_value(p, bridge_to_js(number));
    if (n == (int32_t)n)
        return put_word(p, PACK_INT, (int32_t)n);
    return put_double(p, (double)n);
}

/* ---- what was seen ---- */

static size_t seen_slot(const struct packer *p, PyObject *object)
{
    size_t slot = ((uintptr_t)object >> 4) * 2654435761u % p->seen_cap;

    while (p->seen[slot].object && p->seen[slot].object != object)
        slot = (slot + 1) % p->seen_cap;
    return slot;
}

static int seen_grow(struct packer *p)
{
    struct packer old = {.seen = p->seen, .seen_cap = p->seen_cap};

    p->seen_cap = old.seen_cap ? old.seen_cap * 2 : FIRST_SEEN;
    p->seen = mem_alloc(p->seen_cap * sizeof *p->seen);
    if (!p->seen) {
        p->seen = old.seen;
        p->seen_cap = old.seen_cap;
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < old.seen_cap; i++)
        if (old.seen[i].object)
            p->seen[seen_slot(p, old.seen[i].object)] = old.seen[i];
    mem_free(old.seen);
    return 0;
}

enum { NEW_ONCE, NEW_SHARED, SEEN_BEFORE };

static int see(struct packer *p, PyObject *object)
{
    size_t slot;

    if (Py_REFCNT(object) == 2) /* its container's, and ours */
        return NEW_ONCE;
    if (p->seen_count * 2 >= p->seen_cap && seen_grow(p) < 0)
        return -1;
    slot = seen_slot(p, object);
    if (p->seen[slot].object)
        return put_word(p, PACK_SEEN, p->seen[slot].index) < 0 ? -1 : SEEN_BEFORE;
    p->seen[slot].object = Py_NewRef(object);
    p->seen[slot].index = (int32_t)p->seen_count++;
    return NEW_SHARED;
}

/* Is it a container that has been converted already, though none is any more at this depth? */
static bool is_seen(const struct packer *p, PyObject *object, int32_t *ret_index)
{
    size_t slot = p->seen_count ? seen_slot(p, object) : 0;

    if (!p->seen_count || !p->seen[slot].object)
        return false;
    *ret_index = p->seen[slot].index;
    return true;
}

/* ---- containers ---- */

static int put(struct packer *p, PyObject *object, int depth);

/* By its own length and items, which a subclass may define. */
static int put_odd_sequence(struct packer *p, PyObject *object, int shared, int depth)
{
    Py_ssize_t n = PySequence_Size(object);
    int r = n < 0 ? -1 : put_word(p, PACK_LIST | shared, (int32_t)n);

    for (Py_ssize_t i = 0; r == 0 && i < n; i++) {
        PyObject *item = PySequence_GetItem(object, i);
        r = item ? put(p, item, depth) : -1;
        Py_XDECREF(item);
    }
    return r;
}

static int put_sequence(struct packer *p, PyObject *object, int depth)
{
    const PySequenceMethods *own = Py_TYPE(object)->tp_as_sequence,
                            *usual = PyList_Check(object) ? PyList_Type.tp_as_sequence
                                                          : PyTuple_Type.tp_as_sequence;
    int is_shared = see(p, object), r, shared;
    Py_ssize_t n;

    if (is_shared < 0 || is_shared == SEEN_BEFORE)
        return is_shared < 0 ? -1 : 0;
    shared = is_shared == NEW_SHARED ? PACK_SHARED : 0;
    if (own->sq_item != usual->sq_item || own->sq_length != usual->sq_length) {
        p->runs_code = true;
        return put_odd_sequence(p, object, shared, depth);
    }
    n = PySequence_Fast_GET_SIZE(object);
    r = put_word(p, PACK_LIST | shared, (int32_t)n);
    for (Py_ssize_t i = 0; r == 0 && i < n; i++) {
        if (i >= PySequence_Fast_GET_SIZE(object)) { /* code of a subclass in it took some away */
            PyErr_SetString(PyExc_IndexError, "list index out of range");
            return -1;
        }
        r = put(p, PySequence_Fast_GET_ITEM(object, i), depth);
    }
    return r;
}

static bool is_key(PyObject *key)
{
    return PyUnicode_Check(key) || PyLong_Check(key) || PyFloat_Check(key) || key == Py_None ||
           bridge_is_null(key);
}

static int put_key(struct packer *p, PyObject *key, const char *kind)
{
    if (PyUnicode_CheckExact(key))
        return put_text(p, key);
    if (is_key(key))
        return put(p, key, 1);
    return fail(kind, key);
}

static int put_pair(struct packer *p, PyObject *key, PyObject *value, int depth)
{
    int r = put_key(p, key, "Cannot use %R as a key for a Javascript Map");

    return r == 0 ? put(p, value, depth) : r;
}

/* By its own items(). */
static int put_odd_dict(struct packer *p, PyObject *object, size_t header, int depth)
{
    PyObject *items = PyObject_CallMethod(object, "items", NULL),
             *iterator = items ? PyObject_GetIter(items) : NULL, *pair;
    int r = iterator ? 0 : -1;

    while (r == 0 && (pair = PyIter_Next(iterator))) {
        PyObject *both = PySequence_Tuple(pair);
        if (both && PyTuple_GET_SIZE(both) == 2)
            r = put_pair(p, PyTuple_GET_ITEM(both, 0), PyTuple_GET_ITEM(both, 1), depth);
        else
            r = -1;
        if (both && PyTuple_GET_SIZE(both) != 2)
            PyErr_SetString(PyExc_ValueError, "items() must give pairs");
        p->words[header].arg++;
        Py_XDECREF(both);
        Py_DECREF(pair);
    }
    if (r == 0 && PyErr_Occurred())
        r = -1;
    Py_XDECREF(items);
    Py_XDECREF(iterator);
    return r;
}

static bool has_own_items(PyTypeObject *type)
{
    static PyObject *items;

    if (type == &PyDict_Type)
        return false;
    if (!items)
        items = PyUnicode_InternFromString("items");
    return _PyType_Lookup(type, items) != _PyType_Lookup(&PyDict_Type, items);
}

static int put_dict(struct packer *p, PyObject *dict, int depth)
{
    int is_shared, r, shared;
    PyObject *key, *value;
    Py_ssize_t at = 0, size;
    size_t header = p->count;

    if (p->asks_for_dicts)
        return ASK;
    is_shared = see(p, dict);
    if (is_shared < 0 || is_shared == SEEN_BEFORE)
        return is_shared < 0 ? -1 : 0;
    shared = is_shared == NEW_SHARED ? PACK_SHARED : 0;
    r = put_word(p, PACK_DICT | shared, 0);
    if (r < 0)
        return r;
    if (has_own_items(Py_TYPE(dict))) {
        p->runs_code = true;
        if (p->checks_keys)
            p->words[header].tag |= PACK_CHECKED;
        return put_odd_dict(p, dict, header, depth);
    }
    size = PyDict_GET_SIZE(dict);
    p->words[header].arg = (int32_t)size;
    while (r == 0 && PyDict_Next(dict, &at, &key, &value)) {
        if (!PyUnicode_CheckExact(key) && p->checks_keys)
            p->words[header].tag |= PACK_CHECKED;
        if (p->runs_code) { /* it may change the dict */
            Py_INCREF(key), Py_INCREF(value);
            r = put_pair(p, key, value, depth);
            Py_DECREF(key), Py_DECREF(value);
        } else {
            r = put_pair(p, key, value, depth);
        }
        if (r == 0 && PyDict_GET_SIZE(dict) != size) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            return -1;
        }
    }
    return r;
}

static int put_set(struct packer *p, PyObject *set)
{
    int is_shared = see(p, set), r;
    size_t header = p->count;
    PyObject *iterator, *key;

    if (is_shared < 0 || is_shared == SEEN_BEFORE)
        return is_shared < 0 ? -1 : 0;
    r = put_word(p, PACK_SET | (is_shared == NEW_SHARED ? PACK_SHARED : 0), 0);
    iterator = r == 0 ? PyObject_GetIter(set) : NULL;
    if (!iterator)
        return -1;
    if (!PySet_CheckExact(set))
        p->runs_code = true;
    while (r == 0 && (key = PyIter_Next(iterator))) {
        p->words[header].arg++;
        r = put_key(p, key, "Cannot use %R as a key for a Javascript Set");
        Py_DECREF(key);
    }
    if (r == 0 && PyErr_Occurred())
        r = -1;
    Py_DECREF(iterator);
    return r;
}

/* ---- values ---- */

/* What has no kind of its own in JavaScript. */
static int put_wrapped(struct packer *p, PyObject *object)
{
    JSObjectRef proxy;

    if (p->has_default)
        return ASK;
    if (!p->may_wrap)
        return fail("No conversion known for x.", NULL);
    p->runs_code = true; /* of objects that end meanwhile: what JavaScript let go */
    proxy = py_proxy_new(object);
    if (!proxy)
        return -1;
    if (p->collects) {
        if (!p->proxies)
            p->proxies = JSObjectMakeArray(engine.context, 0, NULL, NULL);
        JSObjectSetPropertyAtIndex(engine.context, p->proxies, p->proxy_count++, proxy, NULL);
    }
    return put_value(p, proxy);
}

static int put_container(struct packer *p, PyObject *object, int depth)
{
    int r;

    if (!bridge_has_stack()) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded in to_js()");
        return -1;
    }
    Py_INCREF(object); /* code of a subclass may take it out of where it was found */
    if (PyList_Check(object) || PyTuple_Check(object))
        r = put_sequence(p, object, depth);
    else if (PyDict_Check(object))
        r = put_dict(p, object, depth);
    else if (PySet_Check(object))
        r = put_set(p, object);
    else if (PyObject_CheckBuffer(object))
        r = put_value(p, bridge_buffer_to_js(object));
    else
        r = put_wrapped(p, object);
    Py_DECREF(object);
    return r;
}

static int put(struct packer *p, PyObject *object, int depth)
{
    int32_t seen;

    if (PyUnicode_CheckExact(object))
        return put_text(p, object);
    if (PyLong_CheckExact(object))
        return put_int(p, object);
    if (object == Py_None)
        return put_word(p, PACK_UNDEFINED, 0);
    if (PyFloat_Check(object))
        return put_double(p, PyFloat_AS_DOUBLE(object));
    if (PyBool_Check(object))
        return put_word(p, object == Py_True ? PACK_TRUE : PACK_FALSE, 0);
    if (bridge_is_null(object))
        return put_word(p, PACK_NULL, 0);
    if (PyUnicode_Check(object) || PyLong_Check(object) || bridge_is_from_js(object))
        return put_value(p, bridge_to_js(object));
    if (depth == 0)
        return is_seen(p, object, &seen) ? put_word(p, PACK_SEEN, seen) : put_wrapped(p, object);
    return put_container(p, object, depth - 1);
}

/* ---- to_js() ---- */

struct options {
    PyObject *object, *pyproxies, *dict_converter, *default_converter, *eager_converter;
    int depth, create_pyproxies;
};

static void free_words(void *words, void *context)
{
    (void)context;
    mem_free(words);
}

/* The structure, of the words; NULL with an exception. */
static JSValueRef build(struct packer *p, int kind)
{
    static JSObjectRef build_value;
    JSValueRef arguments[3], thrown = NULL, value;
    size_t count = 2;

    if (p->taken_count && hand_over(p) < 0)
        return NULL;
    if (!build_value)
        build_value = engine_internal("buildValue");
    arguments[0] = engine_number(kind);
    arguments[1] = p->values ? p->values : engine.undefined;
    if (!p->is_waiting) {
        arguments[count++] = JSObjectMakeArrayBufferWithBytesNoCopy(
            engine.context, p->words, p->count * sizeof *p->words, free_words, NULL, NULL);
        p->words = NULL; /* the buffer's */
    }
    value = engine_call(build_value, count, arguments, &thrown);
    if (thrown && JSValueIsString(engine.context, thrown)) {
        PyObject *words = bridge_to_python(thrown, NULL);
        if (words)
            fail("%U", words);
        Py_XDECREF(words);
        return NULL;
    }
    if (thrown)
        bridge_raise(thrown);
    return thrown ? NULL : value;
}

static int push_proxies(struct packer *p, PyObject *pyproxies)
{
    static JSObjectRef push_all;
    JSValueRef arguments[2], thrown = NULL;

    if (!p->proxies)
        return 0;
    if (!push_all)
        push_all = engine_internal("pushAll");
    arguments[0] = js_proxy_object(pyproxies);
    arguments[1] = p->proxies;
    engine_call(push_all, 2, arguments, &thrown);
    if (thrown)
        bridge_raise(thrown);
    return thrown ? -1 : 0;
}

static void packer_done(struct packer *p)
{
    for (size_t i = 0; i < p->seen_cap; i++)
        Py_XDECREF(p->seen[i].object);
    mem_free(p->seen);
    if (p->is_waiting)
        pack_give();
    else
        mem_free(p->words);
}

/* Anything but a ConversionError becomes one, as in Pyodide. */
static PyObject *wrap_error(void)
{
    PyObject *wrap, *type, *error, *traceback, *wrapped = NULL;

    PyErr_Fetch(&type, &error, &traceback);
    PyErr_NormalizeException(&type, &error, &traceback);
    wrap = of_convert("failed");
    if (traceback)
        PyException_SetTraceback(error, traceback);
    if (wrap && error)
        wrapped = PyObject_CallOneArg(wrap, error);
    Py_XDECREF(wrap);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(traceback);
    if (wrapped)
        PyErr_SetObject((PyObject *)Py_TYPE(wrapped), wrapped);
    Py_XDECREF(wrapped);
    return NULL;
}

/* What the value is in Python: proxies of Python's objects stay proxies.  Every Proxy of JavaScript
 * would be classified anew, and LiteralMaps are all alike. */
static PyObject *result_of(JSValueRef value, bool is_literal_map)
{
    static int literal_map_kind = -1;

    if (is_literal_map && literal_map_kind < 0)
        literal_map_kind = js_proxy_kind_of(engine_internal("emptyLiteralMap"), false);
    if (is_literal_map)
        return js_proxy_of_kind((JSObjectRef)value, literal_map_kind);
    return py_proxy_check(value) ? js_proxy_new((JSObjectRef)value, NULL)
                                 : bridge_to_python(value, NULL);
}

/* ASK, or 0 or -1 with *ret_result. */
static int convert(const struct options *o, int dicts, PyObject **ret_result)
{
    struct packer p;
    JSValueRef value;
    int r;

    memset(&p, 0, offsetof(struct packer, taken));
    memset(&p.taken_count, 0, sizeof p - offsetof(struct packer, taken_count));
    p.words = pack_take();
    p.is_waiting = p.words != NULL;
    p.cap = p.is_waiting ? PACK_WORDS : 64;
    if (!p.words)
        p.words = mem_alloc(p.cap * sizeof *p.words);
    if (!p.words) {
        PyErr_NoMemory();
        return -1;
    }
    p.collects = o->pyproxies != NULL;
    p.may_wrap = o->create_pyproxies;
    p.has_default = o->default_converter != NULL;
    p.asks_for_dicts = dicts < 0;
    p.checks_keys = dicts == DICTS_OBJECTS && !o->dict_converter;
    r = put(&p, o->object, o->depth);
    *ret_result = NULL;
    if (r == 0 && p.count == 1 && p.words[0].tag == PACK_OTHER) {
        value = p.taken[0]; /* a proxy, a buffer: nothing to build */
        r = push_proxies(&p, o->pyproxies);
        *ret_result = r == 0 ? result_of(value, false) : NULL;
    } else if (r == 0) {
        bool is_dict = (p.words[0].tag & ~(PACK_SHARED | PACK_CHECKED)) == PACK_DICT;
        value = build(&p, dicts);
        if (value && push_proxies(&p, o->pyproxies) == 0)
            *ret_result = result_of(value, is_dict && dicts == DICTS_LITERAL_MAPS);
    }
    packer_done(&p);
    return r;
}

static bool is_from_entries(PyObject *converter)
{
    static JSObjectRef from_entries;

    if (!from_entries)
        from_entries = engine_internal("fromEntries");
    return js_proxy_check(converter) && js_proxy_object(converter) == from_entries;
}

static int check_pyproxies(struct options *o)
{
    JSObjectRef object;

    if (!o->pyproxies)
        return 0;
    object = js_proxy_check(o->pyproxies) ? js_proxy_object(o->pyproxies) : NULL;
    if (object && JSValueIsArray(engine.context, object)) {
        if (!o->create_pyproxies)
            o->pyproxies = NULL;
        return 0;
    }
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "Expected a JsArray for the pyproxies argument");
    return -1;
}

static PyObject *by_steps(const struct options *o)
{
    PyObject *function = of_convert("to_js_by_steps"), *result = NULL;

#define OR_NONE(x) ((x) ? (x) : Py_None)
    if (function)
        result = PyObject_CallFunction(
            function, "OiOOOOO", o->object, o->depth, OR_NONE(o->pyproxies),
            o->create_pyproxies ? Py_True : Py_False, OR_NONE(o->dict_converter),
            OR_NONE(o->default_converter), OR_NONE(o->eager_converter));
    Py_XDECREF(function);
    return result;
}

static int read_option(struct options *o, PyObject *name, PyObject *value)
{
    static const char *const words[] = {"pyproxies", "dict_converter", "default_converter",
                                        "eager_converter"};
    PyObject **const objects[] = {&o->pyproxies, &o->dict_converter, &o->default_converter,
                                  &o->eager_converter};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (PyUnicode_CompareWithASCIIString(name, words[i]) == 0) {
            *objects[i] = value == Py_None ? NULL : value;
            return 0;
        }
    if (PyUnicode_CompareWithASCIIString(name, "create_pyproxies") == 0) {
        o->create_pyproxies = PyObject_IsTrue(value);
        return o->create_pyproxies < 0 ? -1 : 0;
    }
    if (PyUnicode_CompareWithASCIIString(name, "depth") == 0) {
        long depth = PyLong_AsLong(value);
        if (!PyErr_Occurred() && depth != (int)depth)
            PyErr_SetString(PyExc_OverflowError, "to_js(): depth does not fit into 32 bits");
        o->depth = (int)depth;
        return PyErr_Occurred() ? -1 : 0;
    }
    PyErr_Format(PyExc_TypeError, "'%U' is an invalid keyword argument for to_js()", name);
    return -1;
}

static int read_options(struct options *o, PyObject *const *arguments, Py_ssize_t count,
                        PyObject *names)
{
    if (count != 1) {
        PyErr_Format(PyExc_TypeError, "to_js() takes exactly 1 positional argument (%zd given)",
                     count);
        return -1;
    }
    o->object = arguments[0];
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++)
        if (read_option(o, PyTuple_GET_ITEM(names, i), arguments[1 + i]) < 0)
            return -1;
    return 0;
}

const char bridge_to_js_doc[] =
    "to_js(obj, /, *, depth=-1, pyproxies=None, create_pyproxies=True, dict_converter=None, "
    "default_converter=None, eager_converter=None)\n--\n\n"
    "Arrays for lists and tuples, Maps or objects for dicts, Sets for sets, typed arrays for "
    "buffers; "
    "proxies for the rest.\n\n"
    "As pyodide.ffi.to_js.  dict_converter gets an array of pairs, default_converter and "
    "eager_converter "
    "(value, convert, cache).\nRaises ConversionError.";

PyObject *bridge_function_to_js(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                PyObject *names)
{
    struct options o = {.depth = -1, .create_pyproxies = 1};
    PyObject *result;
    int dicts, r;

    if (read_options(&o, arguments, count, names) < 0)
        return NULL;
    if (o.object == Py_None || PyLong_Check(o.object) || PyFloat_Check(o.object) ||
        PyUnicode_Check(o.object) || bridge_is_null(o.object) || bridge_is_from_js(o.object))
        return Py_NewRef(o.object);
    if (!strand_here())
        return away_fast(bridge_function_to_js, self, arguments, count, names);
    if (check_pyproxies(&o) < 0)
        return NULL;
    if (o.eager_converter)
        return by_steps(&o);
    if (!o.dict_converter)
        dicts = dicts_are_objects ? DICTS_OBJECTS : DICTS_LITERAL_MAPS;
    else
        dicts = is_from_entries(o.dict_converter) ? DICTS_OBJECTS : -1;
    engine_lock();
    r = convert(&o, dicts, &result);
    engine_unlock();
    if (r == ASK)
        return by_steps(&o);
    return result ? result : wrap_error();
}
