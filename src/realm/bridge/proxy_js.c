/* proxy_js.c - a JavaScript object as Python sees it: JsProxy, its types and attributes.
 *
 * What Python code asks of a type (callable? awaitable? iterable? has a
 * length?) must be true of JsProxies too, so there is one Python type per
 * combination of abilities, made when first needed, all subclasses of
 * pyodide.ffi.JsProxy.  sdk/js/bridge.js classifies an object; the answer is
 * remembered by the object's prototype, except for plain objects, functions
 * and arrays' likes of Object.prototype, which differ one by one.
 *
 * A lazy proxy (request, ctx) holds what its object will be made from; most
 * handlers never look at ctx, and many never at the request.
 *
 * Attributes: those of the Python type first (new, to_py, js_id ...), then the
 * JavaScript object's properties.  Names with two underscores in front are
 * Python's alone. */
#include "realm/bridge/value.h"

#include <structmember.h>

#include "base/mem.h"
#include "realm/bridge/bridge.h"
#include "realm/js/engine.h"
#include "realm/py/interp.h"
#include "realm/web/web.h"

enum {
    /* As in sdk/js/bridge.js and sdk/python/corral/kinds.py: */
    CALLABLE = 1,
    AWAITABLE = 2,
    ITERABLE = 4,
    ITERATOR = 8,
    LENGTH = 16,
    ARRAY = 32,
    BUFFER = 64,
    ASYNC_ITERABLE = 128,
    ERROR_OBJECT = 256,
    MAP = 512,
    MUTABLE = 1024,
    GENERATOR = 2048,
    ASYNC_ITERATOR = 4096,
    ASYNC_GENERATOR = 8192,
    TYPED_ARRAY = 16384,
    DOUBLE = 32768,
    OBJECT_MAP = 65536,
    HEREDITARY = 131072,
    JSON = 262144,
    SYMBOL = 524288,
    ONCE = 1048576,
    KINDS = 512,      /* types at most, and a power of two; there are about forty in practice */
    PROTOTYPES = 256, /* remembered; further ones are classified each time */
};

struct js_proxy {
    PyObject_HEAD JSValueRef value; /* kept; NULL while lazy */
    PyObject *owner;                /* of a method: the proxy that it is bound to; or NULL */
    struct js_proxy *spare;         /* the method that was last let go, to be used again; or NULL */
    vectorcallfunc vectorcall;
    struct head *head; /* lazy request: counted */
    uint32_t stream;   /* lazy context */
    int bits;          /* of its kind */
    PyObject *dict;    /* what the import system sets: __path__, __spec__ ...; or NULL */
};

PyTypeObject *js_proxy_type;
static struct {
    int bits;
    PyTypeObject *type;
} kinds[KINDS]; /* by hash of their bits */
static size_t kind_count;
static JSObjectRef classify, dir, is_plain;
static JSValueRef object_prototype;
static struct {
    JSValueRef prototype; /* kept */
    bool is_function;     /* functions and other objects may share one */
    int bits;
} known[PROTOTYPES];
static size_t known_count;

/* JSValueRefs that other threads let go: only the main one may touch JavaScript. */
static struct {
    JSValueRef *values;
    size_t count, cap;
} let_go;

bool bridge_is_main_thread(void)
{
    if (strand_here())
        return true;
    PyErr_SetString(PyExc_RuntimeError, "JavaScript objects can only be used on the main thread "
                                        "(from another one use loop.call_soon_threadsafe)");
    return false;
}

static PyObject *proxy_compare(PyObject *self, PyObject *other, int operation);

static int classify_now(JSObjectRef object)
{
    JSValueRef argument = object, thrown = NULL, bits;

    bits = engine_call(classify, 1, &argument, &thrown);
    return thrown ? 0 : (int)JSValueToNumber(engine.context, bits, NULL);
}

static int kind_of(JSObjectRef object)
{
    JSValueRef prototype = JSObjectGetPrototype(engine.context, object);
    bool is_function;
    int bits;

    if (prototype == object_prototype || JSValueIsNull(engine.context, prototype))
        return classify_now(object);
    is_function = JSObjectIsFunction(engine.context, object);
    for (size_t i = 0; i < known_count; i++)
        if (known[i].prototype == prototype && known[i].is_function == is_function)
            return known[i].bits;
    bits = classify_now(object);
    if (known_count < PROTOTYPES) {
        known[known_count].prototype = engine_keep(prototype);
        known[known_count].is_function = is_function;
        known[known_count++].bits = bits;
    }
    return bits;
}

static PyTypeObject *make_type(int bits)
{
    static PyMemberDef members[] = {
        {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct js_proxy, vectorcall), READONLY, NULL},
        {0}};
    PyType_Slot slots[24];
    PyMethodDef *methods = bits & DOUBLE     ? js_double_methods
                           : bits & ONCE     ? js_once_methods
                           : bits & BUFFER   ? js_buffer_methods
                           : bits & CALLABLE ? js_callable_methods
                                             : NULL;
    int n = 0;
    PyType_Spec spec = {.name = "pyodide.ffi.JsProxy", .flags = Py_TPFLAGS_DEFAULT, .slots = slots};
    PyObject *type, *finish, *done = NULL;

    if (bits & CALLABLE) {
        spec.flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        slots[n++] = (PyType_Slot){Py_tp_members, members};
        slots[n++] = (PyType_Slot){Py_tp_call, (void *)PyVectorcall_Call};
    }
    if (bits & AWAITABLE) {
        slots[n++] = (PyType_Slot){Py_am_await, (void *)js_proxy_await};
        slots[n++] = (PyType_Slot){Py_tp_hash, (void *)js_proxy_hash};
        slots[n++] = (PyType_Slot){Py_tp_richcompare, (void *)proxy_compare};
    }
    if (bits & (ITERABLE | ITERATOR | OBJECT_MAP))
        slots[n++] = (PyType_Slot){Py_tp_iter, (void *)js_proxy_iter};
    if (bits & ITERATOR)
        slots[n++] = (PyType_Slot){Py_tp_iternext, (void *)js_proxy_next};
    if (bits & ASYNC_ITERABLE)
        slots[n++] = (PyType_Slot){Py_am_aiter, (void *)js_proxy_aiter};
    if (bits & (LENGTH | OBJECT_MAP))
        slots[n++] = (PyType_Slot){Py_mp_length, (void *)js_proxy_length};
    if (methods)
        slots[n++] = (PyType_Slot){Py_tp_methods, methods};
    slots[n] = (PyType_Slot){0, NULL};
    type = PyType_FromSpecWithBases(&spec, (PyObject *)js_proxy_type);
    finish = type ? interp_sdk("corral.kinds", "finish") : NULL;
    if (finish)
        done = PyObject_CallFunction(finish, "Oi", type, bits);
    if (!done)
        Py_CLEAR(type);
    Py_XDECREF(finish);
    Py_XDECREF(done);
    return (PyTypeObject *)type;
}

static PyTypeObject *type_of_kind(int bits)
{
    size_t slot = ((unsigned)bits * 2654435761u >> 16) % KINDS;

    while (kinds[slot].type && kinds[slot].bits != bits)
        slot = (slot + 1) % KINDS;
    if (kinds[slot].type)
        return kinds[slot].type;
    if (kind_count == KINDS / 2) {
        PyErr_SetString(PyExc_MemoryError, "there are too many kinds of JavaScript objects");
        return NULL;
    }
    kinds[slot].type = make_type(bits);
    kinds[slot].bits = bits;
    kind_count += kinds[slot].type != NULL;
    return kinds[slot].type;
}

static struct js_proxy *proxy_alloc(int bits)
{
    PyTypeObject *type = type_of_kind(bits);
    struct js_proxy *p = type ? PyObject_New(struct js_proxy, type) : NULL;

    if (p) {
        p->bits = bits;
        p->value = NULL;
        p->owner = NULL;
        p->spare = NULL;
        p->vectorcall = js_proxy_vectorcall;
        p->head = NULL;
        p->stream = 0;
        p->dict = NULL;
    }
    return p;
}

static PyObject *proxy_of_kind(JSObjectRef object, int bits)
{
    struct js_proxy *p = proxy_alloc(bits);

    if (p)
        p->value = engine_keep(object);
    return (PyObject *)p;
}

PyObject *js_proxy_new(JSObjectRef object, PyObject *owner)
{
    int bits = kind_of(object);
    PyObject *p;

    if (bits & ERROR_OBJECT)
        return bridge_js_exception(object);
    if (bits & DOUBLE && py_proxy_is_once(object))
        bits = (bits & ~DOUBLE) | ONCE;
    p = proxy_of_kind(object, bits);
    if (p && owner && bits & CALLABLE && ((struct js_proxy *)owner)->value != engine.global)
        ((struct js_proxy *)p)->owner = Py_NewRef(owner);
    return p;
}

PyObject *js_proxy_symbol(JSValueRef symbol)
{
    return proxy_of_kind((JSObjectRef)symbol, SYMBOL);
}

PyObject *js_proxy_plain(JSObjectRef object)
{
    return proxy_of_kind(object, kind_of(object));
}

PyObject *js_proxy_view(PyObject *proxy, enum js_proxy_view view)
{
    static const int bits[] = {[VIEW_OBJECT_MAP] = OBJECT_MAP,
                               [VIEW_HEREDITARY_MAP] = OBJECT_MAP | HEREDITARY,
                               [VIEW_JSON] = OBJECT_MAP | JSON};
    JSObjectRef object = js_proxy_object(proxy);

    if (!object)
        return NULL;
    if (view == VIEW_JSON && JSValueIsArray(engine.context, object))
        return proxy_of_kind(object, kind_of(object) | JSON);
    return proxy_of_kind(object, bits[view]);
}

/* What was found inside a view is seen the same way. */
PyObject *js_proxy_inherit(PyObject *proxy, PyObject *take_found)
{
    int bits = ((struct js_proxy *)proxy)->bits;
    PyObject *seen;

    if (!(bits & (HEREDITARY | JSON)) || !take_found || !js_proxy_check(take_found))
        return take_found;
    if (!JSValueToBoolean(engine.context,
                          engine_run(is_plain, 1, &((struct js_proxy *)take_found)->value)))
        return take_found;
    seen = js_proxy_view(take_found, bits & JSON ? VIEW_JSON : VIEW_HEREDITARY_MAP);
    Py_DECREF(take_found);
    return seen;
}

bool js_proxy_is_view(PyObject *proxy)
{
    return ((struct js_proxy *)proxy)->bits & OBJECT_MAP;
}

PyObject *js_proxy_lazy_request(struct head *head)
{
    struct js_proxy *p = proxy_alloc(0);

    if (p)
        p->head = head_ref(head);
    return (PyObject *)p;
}

PyObject *js_proxy_lazy_context(uint32_t stream)
{
    struct js_proxy *p = proxy_alloc(0);

    if (p)
        p->stream = stream;
    return (PyObject *)p;
}

JSObjectRef js_proxy_object(PyObject *proxy)
{
    struct js_proxy *p = (struct js_proxy *)proxy;

    if (!bridge_is_main_thread())
        return NULL;
    if (!bridge_has_stack()) {
        PyErr_SetString(PyExc_RecursionError,
                        "maximum recursion depth exceeded in a call to JavaScript");
        return NULL;
    }
    if (!p->value) {
        JSObjectRef made = p->head ? web_make_request(p->head) : web_make_context(p->stream);
        if (!made)
            return (JSObjectRef)PyErr_NoMemory();
        p->value = engine_keep(made);
        head_unref(p->head);
        p->head = NULL;
    }
    return (JSObjectRef)p->value;
}

static void let_go_later(JSValueRef value)
{
    if (!value)
        return;
    if (let_go.count == let_go.cap) {
        size_t cap = let_go.cap ? let_go.cap * 2 : 64;
        JSValueRef *grown = mem_resize(let_go.values, cap * sizeof *grown);
        if (!grown)
            return; /* it stays kept for ever, which is safe */
        let_go.values = grown;
        let_go.cap = cap;
    }
    let_go.values[let_go.count++] = value;
}

void bridge_turn(void)
{
    while (let_go.count > 0)
        engine_drop(let_go.values[--let_go.count]);
    py_proxy_turn();
}

static void proxy_free(struct js_proxy *p, bool is_main_thread)
{
    PyTypeObject *type = Py_TYPE(p);

    if (is_main_thread)
        engine_drop(p->value);
    else
        let_go_later(p->value);
    head_unref(p->head);
    Py_XDECREF(p->dict);
    PyObject_Free(p);
    Py_DECREF(type);
}

/* A method is mostly made for one call and then for the next: `o.f()` in a loop.  So its owner
 * keeps the last one, without being kept by it. */
static void proxy_dealloc(PyObject *self)
{
    struct js_proxy *p = (struct js_proxy *)self, *owner = (struct js_proxy *)p->owner;
    bool is_main_thread = strand_here();

    if (p->spare)
        proxy_free(p->spare, is_main_thread);
    p->spare = NULL;
    p->owner = NULL;
    if (owner && is_main_thread && !owner->spare)
        owner->spare = p;
    else
        proxy_free(p, is_main_thread);
    Py_XDECREF(owner);
}

/* The method of self that was let go last, alive again, when it is this function; or NULL. */
static PyObject *method_again(struct js_proxy *self, JSValueRef function)
{
    struct js_proxy *method = self->spare;

    if (!method || method->value != function)
        return NULL;
    self->spare = NULL;
    method->owner = Py_NewRef(self);
    _Py_NewReference((PyObject *)method);
    return (PyObject *)method;
}

/* `from_` and its like, for properties whose name is a word of Python. */
static PyObject *without_underscore(PyObject *name)
{
    static const char *const words[] = {
        "and_",    "as_",   "assert_", "async_",  "await_",  "break_",   "class_",    "continue_",
        "def_",    "del_",  "elif_",   "else_",   "except_", "finally_", "for_",      "from_",
        "global_", "if_",   "import_", "in_",     "is_",     "lambda_",  "nonlocal_", "not_",
        "or_",     "pass_", "raise_",  "return_", "try_",    "while_",   "with_",     "yield_"};
    Py_ssize_t len = PyUnicode_GET_LENGTH(name);

    if (len < 3 || PyUnicode_READ_CHAR(name, len - 1) != '_')
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (PyUnicode_CompareWithASCIIString(name, words[i]) == 0) {
            PyObject *bare = PyUnicode_Substring(name, 0, len - 1);
            PyUnicode_InternInPlace(&bare);
            return bare;
        }
    return NULL;
}

static bool is_dunder(PyObject *name)
{
    return PyUnicode_GET_LENGTH(name) > 2 && PyUnicode_READ_CHAR(name, 0) == '_' &&
           PyUnicode_READ_CHAR(name, 1) == '_';
}

/* Whose properties the attributes are: a symbol itself is no object. */
static JSObjectRef property_holder(PyObject *self)
{
    JSObjectRef object = js_proxy_object(self);

    if (object && ((struct js_proxy *)self)->bits & SYMBOL)
        object = JSValueToObject(engine.context, object, NULL);
    return object;
}

/* The commonest questions about a request, without an object to ask: NULL, nothing set, for others.
 */
static PyObject *head_property(const struct head *head, PyObject *name)
{
    struct span text;

    if (PyUnicode_CompareWithASCIIString(name, "url") == 0)
        text = web_head_url(head);
    else if (PyUnicode_CompareWithASCIIString(name, "method") == 0)
        text = head->method;
    else
        return NULL;
    return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.len, "replace");
}

static PyObject *get_property(PyObject *self, PyObject *name)
{
    const struct head *head = ((struct js_proxy *)self)->head;
    PyObject *result = head && bridge_is_main_thread() ? head_property(head, name) : NULL;
    JSObjectRef object = result ? NULL : property_holder(self);
    JSStringRef text = object ? bridge_name(name) : NULL; /* new */
    JSValueRef thrown = NULL, value;

    if (!text)
        return result;
    value = JSObjectGetProperty(engine.context, object, text, &thrown);
    if (thrown)
        bridge_raise(thrown);
    else if (JSValueIsUndefined(engine.context, value) &&
             !JSObjectHasProperty(engine.context, object, text)) {
        if (object == engine.global) /* sdk/python/corral/hints.py knows this text */
            PyErr_Format(PyExc_AttributeError, "JavaScript has no global '%U'", name);
        else
            PyErr_SetObject(PyExc_AttributeError, name);
    } else {
        result = method_again((struct js_proxy *)self, value);
        if (!result)
            result = bridge_to_python(value, self);
    }
    JSStringRelease(text);
    return result;
}

static PyObject *proxy_getattr(PyObject *self, PyObject *name)
{
    PyObject *bare, *result;

    if (is_dunder(name) || _PyType_Lookup(Py_TYPE(self), name)) {
        /* For the words of `from js import nothing`. */
        if (((struct js_proxy *)self)->value == engine.global &&
            PyUnicode_CompareWithASCIIString(name, "__name__") == 0)
            return PyUnicode_FromString("js");
        return PyObject_GenericGetAttr(self, name);
    }
    bare = without_underscore(name);
    if (!bare)
        return get_property(self, name);
    result = get_property(self, bare);
    Py_DECREF(bare);
    return result;
}

static int proxy_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    JSObjectRef object;
    JSStringRef text;
    JSValueRef thrown = NULL, converted;
    PyObject *bare;

    if (is_dunder(name))
        return PyObject_GenericSetAttr(self, name, value);
    object = property_holder(self);
    if (!object)
        return -1;
    bare = without_underscore(name);
    text = bridge_name(bare ? bare : name); /* new */
    Py_XDECREF(bare);
    if (!text)
        return -1;
    if (!value) {
        JSObjectDeleteProperty(engine.context, object, text, &thrown);
    } else {
        converted = bridge_to_js(value);
        if (converted)
            JSObjectSetProperty(engine.context, object, text, converted, kJSPropertyAttributeNone,
                                &thrown);
    }
    JSStringRelease(text);
    if (thrown)
        bridge_raise(thrown);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *proxy_str(PyObject *self)
{
    static JSObjectRef to_text;
    JSValueRef object = js_proxy_object(self), thrown = NULL, text;

    if (!object)
        return NULL;
    if (!to_text)
        to_text = engine_internal("toText");
    text = engine_call(to_text, 1, &object, &thrown);
    return thrown ? bridge_raise(thrown) : bridge_to_python(text, NULL);
}

static PyObject *proxy_compare(PyObject *self, PyObject *other, int operation)
{
    JSObjectRef a, b;
    bool is_same;

    if ((operation != Py_EQ && operation != Py_NE) || !js_proxy_check(other))
        Py_RETURN_NOTIMPLEMENTED;
    a = js_proxy_object(self);
    b = a ? js_proxy_object(other) : NULL;
    if (!b)
        return NULL;
    is_same = JSValueIsStrictEqual(engine.context, a, b);
    return PyBool_FromLong(is_same == (operation == Py_EQ));
}

static PyObject *proxy_dir(PyObject *self, PyObject *unused)
{
    JSValueRef object = js_proxy_object(self), thrown = NULL, names;
    PyObject *type_names, *list, *all = NULL;

    (void)unused;
    if (!object)
        return NULL;
    names = engine_call(dir, 1, &object, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    type_names = PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__dir__", "O", self);
    list = bridge_to_python(names, NULL);
    if (type_names && list)
        all = PySequence_List(type_names);
    if (all) {
        PyObject *extended = PyObject_CallMethod(all, "extend", "O", list);
        if (!extended)
            Py_CLEAR(all);
        Py_XDECREF(extended);
    }
    Py_XDECREF(type_names);
    Py_XDECREF(list);
    return all;
}

JSObjectRef js_proxy_self(PyObject *proxy)
{
    struct js_proxy *owner = (struct js_proxy *)((struct js_proxy *)proxy)->owner;

    return owner ? (JSObjectRef)owner->value : NULL;
}

static PyMethodDef dir_method[] = {{"__dir__", proxy_dir, METH_NOARGS, NULL}, {0}};

int js_proxy_open(void)
{
    static PyMemberDef members[] = {
        {"__dictoffset__", T_PYSSIZET, offsetof(struct js_proxy, dict), READONLY, NULL}, {0}};
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, (void *)proxy_dealloc},
        {Py_tp_getattro, (void *)proxy_getattr},
        {Py_tp_setattro, (void *)proxy_setattr},
        {Py_tp_repr, (void *)proxy_str},
        {Py_tp_str, (void *)proxy_str},
        {Py_tp_richcompare, (void *)proxy_compare},
        {Py_tp_hash, (void *)PyObject_HashNotImplemented},
        {Py_nb_bool, (void *)js_proxy_truth},
        {Py_sq_contains, (void *)js_proxy_contains},
        {Py_mp_subscript, NULL},
        {Py_mp_ass_subscript, NULL},
        {Py_tp_methods, NULL},
        {Py_tp_getset, NULL},
        {Py_tp_members, members},
        {0, NULL},
    };
    static PyType_Spec spec = {
        .name = "pyodide.ffi.JsProxy",
        .basicsize = sizeof(struct js_proxy),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    PyObject *method;

    object_prototype =
        JSObjectGetPrototype(engine.context, JSObjectMake(engine.context, NULL, NULL));
    engine_keep(object_prototype);
    classify = engine_internal("classify");
    dir = engine_internal("dir");
    is_plain = engine_internal("isPlain");
    slots[9].pfunc = (void *)js_proxy_mapping.mp_subscript;
    slots[10].pfunc = (void *)js_proxy_mapping.mp_ass_subscript;
    slots[11].pfunc = js_proxy_methods;
    slots[12].pfunc = js_proxy_getset;
    js_proxy_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!js_proxy_type)
        return -1;
    method = PyDescr_NewMethod(js_proxy_type, dir_method);
    if (!method || PyObject_SetAttrString((PyObject *)js_proxy_type, "__dir__", method) < 0)
        return -1;
    Py_DECREF(method);
    return 0;
}
