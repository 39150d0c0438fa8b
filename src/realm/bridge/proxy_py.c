/* proxy_py.c - a Python object as JavaScript sees it: PyProxy.
 *
 * A C-API object whose private data is a reference.  Its properties are the
 * Python object's attributes (and items, for whole numbers on sequences); what
 * every PyProxy can do comes from the prototypes in sdk/js/bridge.js, chosen
 * by what the object is: callable, iterable, awaitable.
 *
 * Finalizers run inside JavaScript's collector, where Python must not: they
 * put the reference on a list, which py_proxy_turn empties on the loop, and
 * py_proxy_new, so that code which never comes back to the loop has it too.
 *
 * The collector goes by the size of what it knows.  A proxy is a few bytes to
 * it and may hold megabytes of Python, so every proxy reports what it holds.
 *
 * The list is a singly linked chain of cells allocated with the proxy, so that
 * a finalizer never allocates. */
#include "realm/bridge/value.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/sync.h"
#include "realm/web/web.h"

enum { CALLABLE = 1, ITERABLE = 2, AWAITABLE = 4, ASYNC_ITERABLE = 8, KINDS = 16 };
enum {
    REPORT = 64 * 1024, /* bytes that are told to the collector together */
    /* Guesses, in bytes: */
    WEIGHT = 512,
    ITEM_WEIGHT = 64,
    EXCEPTION_WEIGHT = 4096,
};

/* Exported by the library, in no public header. */
extern void JSReportExtraMemoryCost(JSContextRef context, size_t bytes);

struct cell {
    PyObject *object; /* NULL once destroyed */
    union {
        struct cell *next; /* once let go */
        char *type_name;   /* once destroyed; may be NULL */
    };
    int traits;
};

static JSClassRef plain_class, callable_class;
static JSObjectRef prototypes[KINDS];
static struct cell *let_go;

static void finalize(JSObjectRef proxy)
{
    struct cell *cell = JSObjectGetPrivate(proxy);

    if (!cell->object) {
        mem_free(cell->type_name);
        mem_free(cell);
        return;
    }
    cell->next = let_go;
    let_go = cell;
}

void py_proxy_turn(void)
{
    while (let_go) {
        struct cell *cell = let_go;
        let_go = cell->next;
        Py_DECREF(cell->object);
        mem_free(cell);
    }
}

static struct cell *cell_of(JSValueRef value)
{
    if (!value || !JSValueIsObjectOfClass(engine.context, value, plain_class))
        return NULL;
    return JSObjectGetPrivate((JSObjectRef)value);
}

bool py_proxy_check(JSValueRef value)
{
    return cell_of(value) != NULL;
}

PyObject *py_proxy_object(JSValueRef value)
{
    struct cell *cell = cell_of(value);

    return cell ? cell->object : NULL;
}

PyObject *py_proxy_unwrapped(JSValueRef value)
{
    struct cell *cell = cell_of(value);

    return cell && !(cell->traits & PY_PROXY_KEPT) ? cell->object : NULL;
}

bool py_proxy_is_once(JSValueRef value)
{
    struct cell *cell = cell_of(value);

    return cell && cell->traits & PY_PROXY_ONCE;
}

static JSValueRef throw_destroyed(const struct cell *cell, JSValueRef *ret_thrown)
{
    if (cell->traits & PY_PROXY_ONCE)
        return engine_throw(ret_thrown, "Error", "OnceProxy can only be called once");
    return engine_throw(ret_thrown, "Error",
                        "Object has already been destroyed\nThe object was of type \"%s\"",
                        cell->type_name ? cell->type_name : "object");
}

/* The object of a proxy that is about to be used: new, as its own code may destroy the proxy;
 * or NULL having thrown. */
static PyObject *object_in(const struct cell *cell, JSValueRef *ret_thrown)
{
    if (!cell->object)
        throw_destroyed(cell, ret_thrown);
    else if (bridge_has_stack())
        return Py_NewRef(cell->object);
    else
        engine_throw(ret_thrown, "RangeError", "Maximum call stack size exceeded.");
    return NULL;
}

/* The same (new) of what `this` of a method of ours is, which may be anything. */
static PyObject *object_of(size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct cell *cell = count > 0 ? cell_of(arguments[0]) : NULL;

    if (cell)
        return object_in(cell, ret_thrown);
    engine_throw(ret_thrown, "TypeError", "this is no object of Python");
    return NULL;
}

PyObject *py_proxy_unwrap(JSValueRef proxy)
{
    struct cell *cell = cell_of(proxy);
    JSValueRef thrown = NULL;

    if (!cell)
        return PyErr_Format(PyExc_TypeError, "this is no object of Python");
    if (cell->object)
        return Py_NewRef(cell->object);
    throw_destroyed(cell, &thrown);
    return bridge_raise(thrown);
}

int py_proxy_destroy(JSValueRef proxy)
{
    struct cell *cell = cell_of(proxy);
    PyObject *object = cell ? cell->object : NULL;
    JSValueRef thrown = NULL;

    if (!object) {
        if (cell && !(cell->traits & PY_PROXY_ONCE))
            return 0;
        if (!cell)
            PyErr_SetString(PyExc_TypeError, "this is no object of Python");
        else
            engine_throw(&thrown, "Error", "OnceProxy has already been destroyed");
        if (thrown)
            bridge_raise(thrown);
        return -1;
    }
    cell->object = NULL;
    cell->type_name = mem_strdup(Py_TYPE(object)->tp_name);
    Py_DECREF(object);
    return 0;
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

JSObjectRef py_proxy_new(PyObject *object)
{
    return py_proxy_new_with(object, 0);
}

JSObjectRef py_proxy_new_with(PyObject *object, int traits)
{
    PyTypeObject *type = Py_TYPE(object);
    struct cell *cell = mem_alloc(sizeof *cell);
    JSObjectRef proxy;
    int kind = 0;

    if (!cell) {
        PyErr_NoMemory();
        return NULL;
    }
    cell->object = Py_NewRef(object); /* before report(), which can run code that lets it go */
    report(object);
    cell->next = NULL;
    cell->traits = traits;
    if (PyCallable_Check(object))
        kind |= CALLABLE;
    if (!PyType_Check(object) && (type->tp_iter || PySequence_Check(object)))
        kind |= ITERABLE;
    if ((type->tp_as_async && type->tp_as_async->am_await) || PyGen_CheckExact(object))
        kind |= AWAITABLE;
    if (!PyType_Check(object) && type->tp_as_async && type->tp_as_async->am_aiter)
        kind |= ASYNC_ITERABLE;
    proxy = JSObjectMake(engine.context, kind & CALLABLE ? callable_class : plain_class, cell);
    JSObjectSetPrototype(engine.context, proxy, prototypes[kind]);
    return proxy;
}

static PyObject *item_of(PyObject *object, JSStringRef name)
{
    const JSChar *c = JSStringGetCharactersPtr(name);
    size_t len = JSStringGetLength(name);
    Py_ssize_t index = 0;

    if (len == 0 || len > 10 || !PySequence_Check(object) || PyUnicode_Check(object))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (c[i] < '0' || c[i] > '9')
            return NULL;
        index = index * 10 + (c[i] - '0');
    }
    return PySequence_GetItem(object, index);
}

/* Names that the prototypes answer for. */
static bool is_ours(JSStringRef name)
{
    static const char *const ours[] = {"toString", "constructor", "then",   "catch",
                                       "finally",  "destroy",     "toJSON", "valueOf"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (JSStringIsEqualToUTF8CString(name, ours[i]))
            return true;
    return false;
}

/* The attribute or item of that name; NULL when there is none. */
static JSValueRef property_of(PyObject *object, JSStringRef name, JSValueRef *ret_thrown)
{
    PyObject *text, *found;
    JSValueRef value;

    found = item_of(object, name);
    if (!found) {
        PyErr_Clear();
        text = bridge_text_to_python(name);
        found = text ? PyObject_GetAttr(object, text) : NULL;
        Py_XDECREF(text);
    }
    if (!found && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        if (JSStringIsEqualToUTF8CString(name, "length") && PySequence_Check(object)) {
            Py_ssize_t n = PyObject_Length(object);
            if (n >= 0)
                return engine_number((double)n);
            PyErr_Clear(); /* it has items and no length: undefined, then */
        }
        return NULL;
    }
    value = found ? bridge_to_js(found) : NULL;
    Py_XDECREF(found);
    return value ? value : bridge_throw(ret_thrown);
}

static JSValueRef get_property(JSContextRef js, JSObjectRef proxy, JSStringRef name,
                               JSValueRef *ret_thrown)
{
    ENGINE_CALLED();
    JSValueRef value;
    PyObject *object;

    (void)js;
    if (is_ours(name))
        return NULL;
    object = object_in(JSObjectGetPrivate(proxy), ret_thrown);
    if (!object)
        return engine.undefined;
    engine_lock();
    value = property_of(object, name, ret_thrown);
    Py_DECREF(object);
    engine_unlock();
    return value;
}

static bool set_property(JSContextRef js, JSObjectRef proxy, JSStringRef name, JSValueRef value,
                         JSValueRef *ret_thrown)
{
    ENGINE_CALLED();
    PyObject *object = object_in(JSObjectGetPrivate(proxy), ret_thrown), *text, *converted;

    (void)js;
    if (!object)
        return true;
    engine_lock();
    text = bridge_text_to_python(name);
    converted = text ? bridge_to_python(value, NULL) : NULL;
    if (!converted || PyObject_SetAttr(object, text, converted) < 0)
        bridge_throw(ret_thrown);
    Py_DECREF(object);
    Py_XDECREF(text);
    Py_XDECREF(converted);
    engine_unlock();
    return true;
}

/* The arguments as a tuple, `first` before them unless it is NULL. */
static PyObject *tuple_of(JSValueRef first, size_t count, const JSValueRef *arguments)
{
    size_t before = first ? 1 : 0;
    PyObject *tuple = PyTuple_New((Py_ssize_t)(before + count));

    for (size_t i = 0; tuple && i < before + count; i++) {
        PyObject *argument = bridge_to_python(i < before ? first : arguments[i - before], NULL);
        if (!argument)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, argument); /* steals */
    }
    return tuple;
}

/* The engine puts the global object in the place of an undefined `this`. */
static JSValueRef this_of(JSObjectRef self)
{
    return self && self != engine.global ? self : engine.undefined;
}

static JSValueRef call(JSContextRef js, JSObjectRef proxy, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct cell *cell = JSObjectGetPrivate(proxy);
    PyObject *function = object_in(cell, ret_thrown), *tuple, *result = NULL;
    int traits = cell->traits;
    JSValueRef value = NULL;

    (void)js;
    if (!function)
        return engine.undefined;
    if (Py_EnterRecursiveCall(" in a call from JavaScript")) {
        Py_DECREF(function);
        return bridge_throw(ret_thrown);
    }
    if (cell->traits & PY_PROXY_ONCE && py_proxy_destroy(proxy) < 0)
        tuple = NULL;
    else
        tuple =
            tuple_of(cell->traits & PY_PROXY_TAKES_THIS ? this_of(self) : NULL,
                     count, arguments);
    if (tuple && traits & PY_PROXY_PROMISES)
        value = sync_promise(function, tuple, NULL, ret_thrown);
    else if (tuple)
        result = PyObject_CallObject(function, tuple);
    if (result)
        value = bridge_to_js(result);
    Py_XDECREF(tuple);
    Py_XDECREF(result);
    Py_DECREF(function);
    Py_LeaveRecursiveCall();
    return value ? value : bridge_throw(ret_thrown);
}
ENGINE_LOCKED(call)

/* isPython(value) -> bool */
static JSValueRef is_python(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)count, (void)ret_thrown;
    return JSValueMakeBoolean(js, py_proxy_check(arguments[0]));
}

/* pythonIsSame(a, b): one object, or one object's method twice (which Python makes anew each time)
 */
static JSValueRef is_same(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *a = Py_XNewRef(py_proxy_object(arguments[0])),
             *b = Py_XNewRef(py_proxy_object(arguments[1]));
    bool is = a && a == b;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!is && a && b && Py_TYPE(a) == Py_TYPE(b) && (PyMethod_Check(a) || PyCFunction_Check(a))) {
        int equal = PyObject_RichCompareBool(a, b, Py_EQ);
        if (equal < 0)
            PyErr_Clear();
        is = equal == 1;
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return JSValueMakeBoolean(js, is);
}

static JSValueRef text_of(PyObject *text, JSValueRef *ret_thrown)
{
    JSValueRef value = text ? bridge_to_js(text) : NULL;

    Py_XDECREF(text);
    return value ? value : bridge_throw(ret_thrown);
}

/* pythonText(proxy) -> str(object), pythonRepr(proxy) -> repr(object) */
static JSValueRef python_text(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object;
    JSValueRef value;

    (void)js, (void)function, (void)self;
    if (count == 0 || !py_proxy_check(arguments[0]))
        return text_value(SPAN("[object PyProxy]"));
    object = object_of(count, arguments, ret_thrown);
    if (!object)
        return engine.undefined;
    value = text_of(PyObject_Str(object), ret_thrown);
    Py_DECREF(object);
    return value;
}

static JSValueRef python_repr(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object = Py_XNewRef(py_proxy_object(arguments[0]));
    JSValueRef value;

    (void)js, (void)function, (void)self, (void)count;
    if (!object)
        return text_value(SPAN("[destroyed PyProxy]"));
    value = text_of(PyObject_Repr(object), ret_thrown);
    Py_DECREF(object);
    return value;
}

/* pythonBytes(value) -> a Uint8Array with a copy of a bytes-like object, else undefined */
static JSValueRef python_bytes(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object = py_proxy_object(arguments[0]);
    Py_buffer view;
    JSValueRef bytes;

    (void)js, (void)function, (void)self, (void)count;
    if (!object || !PyObject_CheckBuffer(object))
        return engine.undefined;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
        return bridge_throw(ret_thrown);
    bytes = web_new_bytes((struct span){view.len ? view.buf : "", (size_t)view.len});
    PyBuffer_Release(&view);
    return bytes;
}
ENGINE_LOCKED(python_bytes)

/* pythonIterator(proxy) -> PyProxy of iter(object) */
static JSValueRef python_iterator(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                  size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *object = object_of(count, arguments, ret_thrown), *iterator;
    JSValueRef value;

    (void)js, (void)function, (void)self;
    if (!object)
        return engine.undefined;
    iterator = PyObject_GetIter(object);
    value = iterator ? py_proxy_new(iterator) : NULL;
    Py_DECREF(object);
    Py_XDECREF(iterator);
    return value ? value : bridge_throw(ret_thrown);
}
ENGINE_LOCKED(python_iterator)

/* pythonNext(iterator) -> [value], or undefined at the end */
static JSValueRef python_next(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    PyObject *iterator = object_of(count, arguments, ret_thrown), *item;
    JSValueRef value;

    (void)function, (void)self;
    if (!iterator)
        return engine.undefined;
    item = PyIter_Next(iterator);
    Py_DECREF(iterator);
    value = item ? bridge_to_js(item) : NULL;
    if (!item && !PyErr_Occurred())
        return engine.undefined;
    Py_XDECREF(item);
    return value ? JSObjectMakeArray(js, 1, &value, NULL) : bridge_throw(ret_thrown);
}
ENGINE_LOCKED(python_next)

static PyObject *helper(const char *name)
{
    PyObject *module = PyImport_ImportModule("corral.bridge");
    PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;

    Py_XDECREF(module);
    return found;
}

/* pythonSteps(proxy) -> PyProxy of the steps of an asynchronous iterable */
static JSValueRef python_steps(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    static PyObject *type;
    PyObject *object = object_of(count, arguments, ret_thrown), *steps;
    JSValueRef value;

    (void)js, (void)function, (void)self;
    if (!object)
        return engine.undefined;
    if (!type)
        type = helper("Steps");
    steps = type ? PyObject_CallOneArg(type, object) : NULL;
    value = steps ? py_proxy_new(steps) : NULL;
    Py_DECREF(object);
    Py_XDECREF(steps);
    return value ? value : bridge_throw(ret_thrown);
}
ENGINE_LOCKED(python_steps)

/* pythonThen(proxy, resolve, reject): run it as a task, settle with what comes of it */
static JSValueRef python_then(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    static PyObject *subscribe;
    PyObject *object = object_of(count, arguments, ret_thrown), *resolve, *reject, *done = NULL;

    (void)js, (void)function, (void)self;
    if (!object)
        return engine.undefined;
    if (!subscribe)
        subscribe = helper("subscribe");
    resolve = bridge_to_python(arguments[1], NULL);
    reject = bridge_to_python(arguments[2], NULL);
    if (subscribe && resolve && reject)
        done = PyObject_CallFunctionObjArgs(subscribe, object, resolve, reject, NULL);
    Py_DECREF(object);
    Py_XDECREF(resolve);
    Py_XDECREF(reject);
    Py_XDECREF(done);
    return done ? engine.undefined : bridge_throw(ret_thrown);
}

/* pythonDestroy(proxy): let the object go now, whoever still holds the proxy */
static JSValueRef python_destroy(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)js, (void)function, (void)self;
    if (py_proxy_destroy(count > 0 ? arguments[0] : NULL) < 0)
        return bridge_throw(ret_thrown);
    return engine.undefined;
}

void py_proxy_define(void)
{
    JSClassDefinition d = kJSClassDefinitionEmpty;

    d.attributes = kJSClassAttributeNoAutomaticPrototype;
    d.className = "PyProxy";
    d.getProperty = get_property;
    d.setProperty = set_property;
    d.finalize = finalize;
    plain_class = JSClassCreate(&d);
    d = kJSClassDefinitionEmpty; /* finalize and the rest come from the parent */
    d.attributes = kJSClassAttributeNoAutomaticPrototype;
    d.className = "PyProxy";
    d.parentClass = plain_class;
    d.callAsFunction = call_locked;
    callable_class = JSClassCreate(&d);
    engine_native("isPython", is_python);
    engine_native("pythonIsSame", is_same);
    engine_native("pythonText", python_text);
    engine_native("pythonRepr", python_repr);
    engine_native("pythonBytes", python_bytes_locked);
    engine_native("pythonIterator", python_iterator_locked);
    engine_native("pythonNext", python_next_locked);
    engine_native("pythonSteps", python_steps_locked);
    engine_native("pythonThen", python_then);
    engine_native("pythonDestroy", python_destroy);
}

void py_proxy_open(void)
{
    JSObjectRef list = engine_internal("proxyPrototypes");

    for (unsigned i = 0; i < KINDS; i++)
        prototypes[i] =
            (JSObjectRef)engine_keep(JSObjectGetPropertyAtIndex(engine.context, list, i, NULL));
}
