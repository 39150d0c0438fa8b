/* proxy_py.c - a Python object as JavaScript sees it: PyProxy; its life.
 *
 * A Proxy of JavaScript around a target of the C API, whose private data is a
 * struct py_proxy.  What it can do comes from its prototype and its handlers
 * (sdk/js/pyproxy.js), which are chosen by what the object is: enum py_kind.
 * Attributes and items are proxy_attr.c, calls and iteration proxy_use.c,
 * buffers proxy_view.c.
 *
 * Making one from C is cheap because the Proxies are made by JavaScript a
 * batch at a time; they are blank until they get their private data.
 *
 * Aliases (bind, captureThis, asJsJson) share the object of the proxy they
 * come from: destroying one destroys all.  Copies have a reference of their
 * own.  Both remember attributes in one place, the family: while an attribute
 * stays the same object JavaScript gets the same proxy of it, which ends when
 * the last of the family is destroyed.
 *
 * Finalizers run inside JavaScript's collector, where Python must not: they
 * put the struct on a list, which py_proxy_turn empties on the loop, and
 * py_proxy_new, so that code which never comes back to the loop has it too.
 * An alias or copy keeps what it refers to by a private property; structs of
 * one collection may still end in any order, so finalizers follow no pointer.
 *
 * The collector goes by the size of what it knows.  A proxy is a few bytes to
 * it and may hold megabytes of Python, so every proxy reports what it holds. */
#include "realm/bridge/proxy_py.h"

#include "base/mem.h"
#include "realm/bridge/cells.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/interp.h"

enum {
    REPORT = 64 * 1024, /* bytes that are told to the collector together */
    KINDS = 256,        /* of objects at most, and a power of two; about thirty in practice */
    BATCH = 8, /* blank proxies of a kind: those that the collector meets grow old, and end late */
    /* Guesses, in bytes: */
    WEIGHT = 512,
    ITEM_WEIGHT = 64,
    EXCEPTION_WEIGHT = 4096,
};

/* Exported by the library, in no public header. */
extern void JSReportExtraMemoryCost(JSContextRef context, size_t bytes);
extern JSValueRef JSObjectGetProxyTarget(JSObjectRef object);
extern bool JSObjectSetPrivateProperty(JSContextRef context, JSObjectRef object, JSStringRef name,
                                       JSValueRef value);
extern JSValueRef JSObjectGetPrivateProperty(JSContextRef context, JSObjectRef object,
                                             JSStringRef name);

static JSClassRef base_class;
static JSStringRef whole_name, family_name, bound_name;
static JSObjectRef make_kind;
static struct py_proxy *let_go;
static bool dicts_open;

struct blank {
    JSObjectRef proxy, target;
};

static struct kind {
    unsigned bits;
    JSClassRef class;            /* NULL: the slot is free */
    JSObjectRef prototype, wrap; /* kept */
    JSObjectRef blanks;          /* kept: an array of Proxies; those that are taken are undefined */
    struct blank *stock; /* the same: BATCH places, alive as long as they are in the array */
    unsigned next, count;
} kinds[KINDS];
static size_t kind_count;
static struct kind *stocked; /* whose blanks are being made */

/* ---- ends ---- */

static void finalize(JSObjectRef target)
{
    struct py_proxy *p = JSObjectGetPrivate(target);

    if (!p)
        return; /* a blank */
    cells_remove(p->target, p);
    cells_remove(p->proxy, p);
    p->next = let_go;
    let_go = p;
}

void py_proxy_turn(void)
{
    py_view_turn();
    while (let_go) {
        struct py_proxy *p = let_go;
        let_go = p->next;
        Py_XDECREF(p->object);
        Py_XDECREF(p->method);
        mem_free(p->words);
        mem_free(p);
    }
}

struct py_proxy *py_proxy_of(JSValueRef value)
{
    struct py_proxy *p = cells_find(value);

    if (!p || value == p->target) /* getters get the target itself */
        return p;
    return JSObjectGetProxyTarget((JSObjectRef)value) == p->target ? p : NULL;
}

bool py_proxy_check(JSValueRef value)
{
    return py_proxy_of(value) != NULL;
}

PyObject *py_proxy_object(JSValueRef value)
{
    struct py_proxy *p = py_proxy_of(value);

    return p ? p->whole->object : NULL;
}

bool py_proxy_is_once(JSValueRef value)
{
    struct py_proxy *p = py_proxy_of(value);

    return p && p->traits & PY_PROXY_ONCE;
}

static JSValueRef throw_destroyed(const struct py_proxy *p, JSValueRef *ret_thrown)
{
    if (p->traits & PY_PROXY_ONCE)
        return engine_throw(ret_thrown, "Error", "OnceProxy can only be called once");
    return engine_throw(ret_thrown, "Error", "%s",
                        p->whole->words ? p->whole->words : "Object has already been destroyed");
}

PyObject *py_proxy_use(const struct py_proxy *p, JSValueRef *ret_thrown)
{
    if (!p->whole->object)
        throw_destroyed(p, ret_thrown);
    else if (bridge_has_stack())
        return Py_NewRef(p->whole->object);
    else
        engine_throw(ret_thrown, "RangeError", "Maximum call stack size exceeded.");
    return NULL;
}

JSValueRef py_proxy_ask(py_ask_fn ask, size_t count, const JSValueRef *arguments,
                        JSValueRef *ret_thrown)
{
    ENGINE_CALLED();
    JSValueRef value = NULL;
    struct py_proxy *p;
    PyObject *object;

    engine_lock();
    p = count > 0 ? py_proxy_of(arguments[0]) : NULL;
    object = p ? py_proxy_use(p, ret_thrown) : NULL;
    if (object)
        value = ask(object, count, arguments);
    else if (!p)
        engine_throw(ret_thrown, "TypeError", "this is no object of Python");
    if (object && !value)
        bridge_throw(ret_thrown);
    Py_XDECREF(object);
    engine_unlock();
    return value ? value : engine.undefined;
}

JSValueRef py_proxy_ask_target(py_ask_fn ask, size_t count, const JSValueRef *arguments,
                               JSValueRef *ret_thrown)
{
    ENGINE_CALLED();
    PyObject *object = py_proxy_use(py_proxy_of_target(arguments[0]), ret_thrown);
    JSValueRef value;

    if (!object)
        return engine.undefined;
    value = ask(object, count, arguments);
    if (!value)
        bridge_throw(ret_thrown);
    Py_DECREF(object);
    return value ? value : engine.undefined;
}

/* What it held: it can be used no more.  *children: what of its family ends with it is put before
 * these. */
static PyObject *take_out(struct py_proxy *p, const char *message, struct py_proxy **children)
{
    struct py_proxy *whole = p->whole, *family = p->family, **last = &family->children;
    PyObject *object = whole->object;
    char words[512];

    if (!object)
        return NULL;
    snprintf(words, sizeof words, "%s\nThe object was of type \"%s\"", message,
             Py_TYPE(object)->tp_name);
    whole->object = NULL;
    whole->words = mem_strdup(words);
    if (--family->sharers > 0)
        return object;
    while (*last)
        last = &(*last)->sibling;
    *last = *children;
    *children = family->children;
    family->children = NULL;
    return object;
}

/* Children have children, more than the stack has room for (a list of linked objects).  Their
 * objects are let go when all are out: code that runs then may free these structs. */
static void destroy(struct py_proxy *p, const char *message)
{
    struct py_proxy *children = NULL;
    PyObject *object =
        take_out(p, message && *message ? message : "Object has already been destroyed", &children);
    PyObject *objects = children ? PyList_New(0) : NULL;

    while (children) {
        struct py_proxy *child = children;
        PyObject *held;
        children = child->sibling;
        child->sibling = NULL;
        held = take_out(child,
                        "This borrowed attribute proxy was automatically destroyed in the process "
                        "of destroying the proxy it was borrowed from. Try using the 'copy' "
                        "method.",
                        &children);
        if (held && objects && PyList_Append(objects, held) == 0)
            Py_DECREF(held);
        else if (held) /* out of memory: it lives for ever, which is safe */
            PyErr_Clear();
    }
    Py_XDECREF(object);
    Py_XDECREF(objects);
}

PyObject *py_proxy_unwrap(JSValueRef proxy)
{
    struct py_proxy *p = py_proxy_of(proxy);
    JSValueRef thrown = NULL;

    if (!p)
        return PyErr_Format(PyExc_TypeError, "this is no object of Python");
    if (p->whole->object)
        return Py_NewRef(p->whole->object);
    throw_destroyed(p, &thrown);
    return bridge_raise(thrown);
}

bool py_proxy_unwrapped(JSValueRef value, PyObject **ret_object)
{
    struct py_proxy *p = py_proxy_of(value);

    if (!p || p->traits & PY_PROXY_KEPT)
        return false;
    *ret_object = p->whole->object ? Py_NewRef(p->whole->object) : py_proxy_unwrap(value);
    return true;
}

int py_proxy_destroy(JSValueRef proxy)
{
    struct py_proxy *p = py_proxy_of(proxy);
    JSValueRef thrown = NULL;

    if (!p) {
        PyErr_SetString(PyExc_TypeError, "this is no object of Python");
        return -1;
    }
    if (!p->whole->object && p->traits & PY_PROXY_ONCE) {
        engine_throw(&thrown, "Error", "OnceProxy has already been destroyed");
        bridge_raise(thrown);
        return -1;
    }
    destroy(p, NULL);
    return 0;
}

/* pythonDestroy(proxy, message, with_roundtrip): let the object go now, whoever still holds the
 * proxy; nothing for one that is destroyed, or that create_proxy made unless with_roundtrip */
static JSValueRef python_destroy(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct py_proxy *p = count > 0 ? py_proxy_of(arguments[0]) : NULL;
    char text[256] = "";

    (void)function, (void)self;
    if (!p)
        return engine_throw(ret_thrown, "TypeError", "this is no object of Python");
    if (p->traits & PY_PROXY_KEPT && count > 2 && !JSValueToBoolean(js, arguments[2]))
        return engine.undefined;
    if (count > 1 && JSValueIsString(js, arguments[1])) {
        JSStringRef message = JSValueToStringCopy(js, arguments[1], NULL);
        if (message) {
            JSStringGetUTF8CString(message, text, sizeof text);
            JSStringRelease(message);
        }
    }
    destroy(p, text);
    return engine.undefined;
}
ENGINE_LOCKED(python_destroy)

/* ---- beginnings ---- */

static bool is_instance(PyObject *object, const char *name)
{
    PyObject *module = PyImport_ImportModule("collections.abc"), *type = NULL;
    int is = 0;

    if (module)
        type = PyObject_GetAttrString(module, name);
    if (type)
        is = PyObject_IsInstance(object, type);
    Py_XDECREF(module);
    Py_XDECREF(type);
    if (is < 0 || !type)
        PyErr_Clear();
    return is == 1;
}

static bool has_attribute(PyTypeObject *type, const char *name)
{
    PyObject *text = PyUnicode_InternFromString(name);
    bool has = text && _PyType_Lookup(type, text) != NULL; /* borrowed */

    Py_XDECREF(text);
    return has;
}

static unsigned item_kinds(PyObject *object, PyTypeObject *type)
{
    const PySequenceMethods *sequence = type->tp_as_sequence;
    const PyMappingMethods *mapping = type->tp_as_mapping;
    unsigned kind = 0;
    bool is_sequence;

    if ((sequence && sequence->sq_length) || (mapping && mapping->mp_length))
        kind |= PY_LENGTH;
    if ((sequence && sequence->sq_item) || (mapping && mapping->mp_subscript))
        kind |= PY_GET;
    if ((sequence && sequence->sq_ass_item) || (mapping && mapping->mp_ass_subscript))
        kind |= PY_SET;
    if (sequence && sequence->sq_contains)
        kind |= PY_HAS;
    if (PyDict_Check(object)) {
        if (dicts_open)
            kind |= PY_DICT;
        return kind;
    }
    if (PyList_CheckExact(object))
        return kind | PY_SEQUENCE | PY_MUTABLE_SEQUENCE;
    is_sequence = PyBytes_Check(object) || PyByteArray_Check(object) ||
                  PyType_HasFeature(type, Py_TPFLAGS_SEQUENCE);
    if (is_sequence && kind & PY_HAS && kind & PY_GET) {
        kind |= PY_SEQUENCE;
        if (kind & PY_SET && is_instance(object, "MutableSequence"))
            kind |= PY_MUTABLE_SEQUENCE;
    }
    return kind;
}

static unsigned iteration_kinds(PyObject *object, PyTypeObject *type)
{
    const PyAsyncMethods *async = type->tp_as_async;
    unsigned kind = 0;

    if (type->tp_iter || PySequence_Check(object))
        kind |= PY_ITERABLE;
    if (PyIter_Check(object)) {
        kind |= PY_ITERATOR;
        if (PyGen_CheckExact(object) ||
            (has_attribute(type, "throw") && is_instance(object, "Generator")))
            kind |= PY_GENERATOR;
    }
    if (PyGen_CheckExact(object) &&
        ((PyGenObject *)object)->gi_code->co_flags & CO_ITERABLE_COROUTINE)
        kind |= PY_AWAITABLE; /* of types.coroutine */
    if (!async)
        return kind;
    if (async->am_await)
        kind |= PY_AWAITABLE;
    if (async->am_aiter)
        kind |= PY_ASYNC_ITERABLE;
    if (async->am_anext) {
        kind |= PY_ASYNC_ITERATOR;
        if (PyAsyncGen_CheckExact(object) ||
            (has_attribute(type, "athrow") && is_instance(object, "AsyncGenerator")))
            kind |= PY_ASYNC_GENERATOR;
    }
    return kind;
}

static unsigned kinds_of(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    unsigned kind;

    if (PyFunction_Check(object) || PyMethod_Check(object) || PyCFunction_CheckExact(object))
        return PY_CALLABLE;
    kind = item_kinds(object, type) | iteration_kinds(object, type);
    if (PyCallable_Check(object))
        kind |= PY_CALLABLE;
    if (PyObject_CheckBuffer(object))
        kind |= PY_BUFFER;
    if (PyType_Check(object) && has_attribute((PyTypeObject *)object, "__class_getitem__"))
        kind |= PY_GET;
    return kind;
}

/* About how much memory the object keeps alive. */
static size_t weight(PyObject *object)
{
    Py_buffer view;
    size_t bytes;

    if (PyObject_CheckBuffer(object)) {
        if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
            PyErr_Clear();
            return WEIGHT;
        }
        bytes = (size_t)view.len;
        PyBuffer_Release(&view);
        return WEIGHT + bytes;
    }
    if (PyDict_Check(object))
        return WEIGHT + (size_t)PyDict_GET_SIZE(object) * 2 * ITEM_WEIGHT;
    if (PyList_Check(object) || PyTuple_Check(object))
        return WEIGHT + (size_t)Py_SIZE(object) * ITEM_WEIGHT;
    return PyExceptionInstance_Check(object) ? EXCEPTION_WEIGHT : WEIGHT;
}

/* May run the collector, and then what Python does when objects end. */
static void report(PyObject *object)
{
    static size_t unreported;

    unreported += weight(object);
    if (unreported >= REPORT) {
        JSReportExtraMemoryCost(engine.context, unreported);
        unreported = 0;
    }
    if (let_go)
        py_proxy_turn();
}

/* Objects of a class of their own get its prototype when they are made; what this kind can do
 * stands behind that one. */
static bool kind_init(struct kind *kind, unsigned bits)
{
    JSClassDefinition d = kJSClassDefinitionEmpty; /* finalize comes from the parent */
    JSValueRef number = engine_number(bits), made = engine_run(make_kind, 1, &number);
    JSObjectRef first;

    kind->stock = mem_alloc(BATCH * sizeof *kind->stock);
    if (!JSValueIsObject(engine.context, made) || !kind->stock) {
        mem_free(kind->stock);
        PyErr_NoMemory();
        return false;
    }
    d.className = "PyProxy";
    d.parentClass = base_class;
    d.callAsFunction = bits & PY_CALLABLE ? py_proxy_call : NULL;
    kind->bits = bits;
    kind->class = JSClassCreate(&d);
    first = JSObjectMake(engine.context, kind->class, NULL);
    kind->prototype = (JSObjectRef)engine_keep(JSObjectGetPrototype(engine.context, first));
    JSObjectSetPrototype(engine.context, kind->prototype,
                         JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)made, 0, NULL));
    kind->wrap = (JSObjectRef)engine_keep(
        JSObjectGetPropertyAtIndex(engine.context, (JSObjectRef)made, 1, NULL));
    return true;
}

static struct kind *kind_of(unsigned bits)
{
    size_t slot = (bits * 2654435761u >> 16) % KINDS;

    while (kinds[slot].class && kinds[slot].bits != bits)
        slot = (slot + 1) % KINDS;
    if (kinds[slot].class)
        return &kinds[slot];
    if (kind_count == KINDS / 2) {
        PyErr_SetString(PyExc_MemoryError, "there are too many kinds of Python objects");
        return NULL;
    }
    if (!kind_init(&kinds[slot], bits))
        return NULL;
    kind_count++;
    return &kinds[slot];
}

/* pythonStock(proxy ...): the Proxies of the targets that refill gave to JavaScript */
static JSValueRef python_stock(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self, (void)ret_thrown;
    for (size_t i = 0; i < count && i < BATCH; i++)
        if (JSValueIsObject(engine.context, arguments[i]) &&
            JSObjectGetProxyTarget((JSObjectRef)arguments[i]) == stocked->stock[i].target)
            stocked->stock[i].proxy = (JSObjectRef)arguments[i];
    return engine.undefined;
}

static bool refill(struct kind *kind)
{
    JSValueRef targets[BATCH], proxies;
    unsigned count = kind->count == 0 ? 1 : kind->count * 4 > BATCH ? BATCH : kind->count * 4;

    for (unsigned i = 0; i < count; i++) {
        kind->stock[i].target = JSObjectMake(engine.context, kind->class, NULL);
        kind->stock[i].proxy = NULL;
        targets[i] = kind->stock[i].target;
    }
    stocked = kind;
    proxies = engine_run(kind->wrap, count, targets);
    for (unsigned i = 0; i < count; i++)
        if (!kind->stock[i].proxy)
            proxies = engine.undefined;
    if (!JSValueIsObject(engine.context, proxies)) {
        PyErr_NoMemory();
        return false;
    }
    engine_drop(kind->blanks);
    kind->blanks = (JSObjectRef)engine_keep(proxies);
    kind->next = 0;
    kind->count = count;
    return true;
}

static struct blank *take_blank(unsigned bits)
{
    struct kind *kind = kind_of(bits);

    if (!kind || (kind->next == kind->count && !refill(kind)))
        return NULL;
    JSObjectSetPropertyAtIndex(engine.context, kind->blanks, kind->next, engine.undefined, NULL);
    return &kind->stock[kind->next++];
}

/* take_object may be NULL, in an alias. */
static JSObjectRef make(PyObject *take_object, int traits, unsigned bits, struct py_proxy **ret)
{
    struct py_proxy *p = mem_alloc(sizeof *p);
    JSObjectRef proxy = NULL;
    struct blank *blank;

    engine_lock();
    blank = p && cells_reserve(2) == 0 ? take_blank(bits) : NULL;
    if (!blank) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        mem_free(p);
        Py_XDECREF(take_object);
        goto done;
    }
    *p = (struct py_proxy){.object = take_object,
                           .traits = traits,
                           .kind = bits,
                           .sharers = 1,
                           .stream = interp_stream()};
    p->whole = p->family = p;
    p->target = blank->target;
    p->proxy = proxy = blank->proxy;
    JSObjectSetPrivate(p->target, p);
    cells_add(p->target, p);
    cells_add(p->proxy, p);
    *ret = p;
done:
    engine_unlock();
    return proxy;
}

JSObjectRef py_proxy_new_kind(PyObject *object, int traits, unsigned more_kinds)
{
    struct py_proxy *p;

    Py_INCREF(object); /* before report(), which can run code that lets it go */
    report(object);
    return make(object, traits, kinds_of(object) | more_kinds, &p);
}

JSObjectRef py_proxy_new(PyObject *object)
{
    return py_proxy_new_kind(object, 0, 0);
}

JSObjectRef py_proxy_new_with(PyObject *object, int traits)
{
    return py_proxy_new_kind(object, traits, 0);
}

/* ---- relatives ---- */

/* pythonCopy(proxy) -> another one of the same object */
static JSValueRef python_copy(PyObject *object, size_t count, const JSValueRef *arguments)
{
    struct py_proxy *from = py_proxy_of(arguments[0]), *p;
    JSObjectRef proxy = make(Py_NewRef(object), from->traits & ~PY_PROXY_ONCE, from->kind, &p);
    JSObjectRef bound;

    (void)count;
    if (!proxy)
        return NULL;
    p->family = from->family;
    p->family->sharers++;
    JSObjectSetPrivateProperty(engine.context, p->target, family_name, p->family->target);
    bound = py_proxy_bound(from);
    if (bound)
        JSObjectSetPrivateProperty(engine.context, p->target, bound_name, bound);
    return proxy;
}
PY_NATIVE(python_copy)

/* pythonAlias(proxy, traits, kinds, bound) -> one with these too, that lives and ends with it;
 * bound is [this, arguments ...] or undefined */
static JSValueRef python_alias(PyObject *object, size_t count, const JSValueRef *arguments)
{
    struct py_proxy *from = py_proxy_of(arguments[0]), *p;
    int traits = (int)engine_number_of(arguments[1]);
    unsigned more = (unsigned)engine_number_of(arguments[2]);
    JSObjectRef proxy = make(NULL, from->traits | traits, from->kind | more, &p);
    JSValueRef bound = arguments[3];

    (void)object, (void)count;
    if (!proxy)
        return NULL;
    p->whole = from->whole;
    p->family = from->family;
    p->sharers = 0;
    JSObjectSetPrivateProperty(engine.context, p->target, whole_name, p->whole->target);
    JSObjectSetPrivateProperty(engine.context, p->target, family_name, p->family->target);
    if (JSValueIsUndefined(engine.context, bound))
        bound = py_proxy_bound(from);
    if (bound)
        JSObjectSetPrivateProperty(engine.context, p->target, bound_name, bound);
    return proxy;
}
PY_NATIVE(python_alias)

JSObjectRef py_proxy_bound(struct py_proxy *p)
{
    JSValueRef bound = JSObjectGetPrivateProperty(engine.context, p->target, bound_name);

    return bound && JSValueIsObject(engine.context, bound) ? (JSObjectRef)bound : NULL;
}

/* pythonBound(proxy) -> [this, arguments ...] of a bound one, else undefined */
static JSValueRef python_bound(PyObject *object, size_t count, const JSValueRef *arguments)
{
    JSObjectRef bound = py_proxy_bound(py_proxy_of(arguments[0]));

    (void)object, (void)count;
    return bound ? bound : engine.undefined;
}
PY_NATIVE(python_bound)

JSObjectRef py_proxy_remembered(struct py_proxy *p, JSStringRef name, PyObject *object,
                                PyObject *method)
{
    JSValueRef found;
    struct py_proxy *child;

    if (!p->family->children)
        return NULL;
    found = JSObjectGetPrivateProperty(engine.context, p->family->target, name);
    child = found ? py_proxy_of_target(JSObjectGetProxyTarget((JSObjectRef)found)) : NULL;
    if (!child || !child->object || (method ? child->method != method : child->object != object))
        return NULL;
    return (JSObjectRef)found;
}

static void forget(struct py_proxy *family, JSStringRef name)
{
    JSValueRef found = JSObjectGetPrivateProperty(engine.context, family->target, name);
    struct py_proxy *child = found ? py_proxy_of(found) : NULL;

    for (struct py_proxy **at = &family->children; child && *at; at = &(*at)->sibling)
        if (*at == child) {
            *at = child->sibling;
            return;
        }
}

void py_proxy_remember(struct py_proxy *p, JSStringRef name, JSObjectRef child, PyObject *method)
{
    struct py_proxy *c = py_proxy_of(child);

    forget(p->family, name);
    c->method = Py_XNewRef(method);
    c->sibling = p->family->children;
    p->family->children = c;
    JSObjectSetPrivateProperty(engine.context, p->family->target, name, child);
}

PyObject *py_proxy_helper(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict(), *module; /* borrowed */

    module = PyDict_GetItemString(modules, "corral.pyproxy");
    if (!module) {
        module = PyImport_ImportModule("corral.pyproxy");
        if (!module)
            return NULL;
        Py_DECREF(module); /* sys.modules has it */
    }
    return PyObject_GetAttrString(module, name);
}

void py_proxy_open_dicts(bool is_open)
{
    dicts_open = is_open;
}

/* ---- */

/* isPython(value) -> bool */
static JSValueRef is_python(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)ret_thrown;
    return JSValueMakeBoolean(js, count > 0 && py_proxy_check(arguments[0]));
}

void py_proxy_define(void)
{
    JSClassDefinition d = kJSClassDefinitionEmpty;

    d.attributes = kJSClassAttributeNoAutomaticPrototype;
    d.className = "PyProxy";
    d.finalize = finalize;
    base_class = JSClassCreate(&d);
    whole_name = JSStringCreateWithUTF8CString("corral whole");
    family_name = JSStringCreateWithUTF8CString("corral family");
    bound_name = JSStringCreateWithUTF8CString("corral bound");
    engine_native("isPython", is_python);
    engine_native("pythonStock", python_stock);
    engine_native("pythonDestroy", python_destroy_locked);
    engine_native("pythonCopy", python_copy_native);
    engine_native("pythonAlias", python_alias_native);
    engine_native("pythonBound", python_bound_native);
    py_proxy_define_attributes();
    py_proxy_define_uses();
    py_proxy_define_views();
}

void py_proxy_open(void)
{
    make_kind = engine_internal("makeProxyKind");
}
