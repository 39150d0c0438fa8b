/* proxy_kind.c - which Python type the proxy of a JavaScript object has.
 *
 * What Python code asks of a type (callable? awaitable? iterable? has a
 * length?) must be true of JsProxies too, so there is one Python type per
 * combination of abilities, made when first needed, all subclasses of
 * pyodide.ffi.JsProxy.  sdk/js/jsproxy.js classifies an object.  The answer is
 * remembered by the object's prototype when that is one of the language or the
 * platform; objects of a tenant's classes differ one by one, as do plain
 * objects and functions.
 *
 * Bounds: KINDS types, PROTOTYPES remembered answers. */
#include "realm/bridge/proxy.h"

#include <structmember.h>

#include "realm/bridge/away.h"
#include "realm/js/engine.h"
#include "realm/py/interp.h"

/* Exported by the library, in no public header. */

enum {
    KINDS = 4096,     /* slots: a power of two, half of it types at most; there are about forty */
    PROTOTYPES = 256, /* remembered; further ones are classified each time */
    VARIOUS = 64,
    SLOTS = 32,
    METHODS = 64,
};

static struct {
    int bits;
    PyTypeObject *type;
} kinds[KINDS]; /* by hash of their bits */
static size_t kind_count;
static JSObjectRef classify, classify_first;
static JSValueRef object_prototype, function_prototype;
static struct {
    JSValueRef prototype; /* kept */
    int bits;
} known[PROTOTYPES];
static size_t known_count;
/* Prototypes met lately whose objects differ, by address.  Nobody keeps them: another prototype at
 * the same address is asked about one by one for a while, which is right too. */
static JSValueRef various[VARIOUS];

static int ask(JSObjectRef function, JSObjectRef object)
{
    JSValueRef argument = object, thrown = NULL, answer;
    int bits;

    answer = engine_call(function, 1, &argument, &thrown);
    bits = thrown ? 0 : (int)engine_number_of(answer);
    if (py_proxy_check(object))
        bits =
            (bits & ~(ERROR_OBJECT | BUFFER | STABLE)) | (py_proxy_is_once(object) ? ONCE : DOUBLE);
    return bits;
}

int js_proxy_kind_of(JSObjectRef object, bool is_method)
{
    JSValueRef prototype = JSObjectGetPrototype(engine.context, object), *seen;
    int bits;

    if (prototype == object_prototype || JSValueIsNull(engine.context, prototype))
        return ask(classify, object);
    if (JSObjectIsFunction(engine.context, object))
        return is_method && prototype == function_prototype ? CALLABLE : ask(classify, object);
    seen = &various[((uintptr_t)prototype >> 4) % VARIOUS];
    if (*seen == prototype)
        return ask(classify, object);
    for (size_t i = 0; i < known_count; i++)
        if (known[i].prototype == prototype)
            return known[i].bits;
    bits = ask(classify_first, object);
    if (bits & STABLE && known_count < PROTOTYPES) {
        known[known_count].prototype = engine_keep(prototype);
        known[known_count++].bits = bits & ~STABLE;
    }
    if (!(bits & STABLE))
        *seen = prototype;
    return bits & ~STABLE;
}

/* ---- types ---- */

struct making {
    PyType_Slot slots[SLOTS];
    int slot_count;
    PyMethodDef methods[METHODS];
    int method_count;
};

static void add_slot(struct making *m, int slot, void *function)
{
    assert(m->slot_count < SLOTS - 1);
    m->slots[m->slot_count++] = (PyType_Slot){slot, function};
}

static void add_methods(struct making *m, const PyMethodDef *methods)
{
    for (; methods->ml_name; methods++) {
        assert(m->method_count < METHODS - 1);
        m->methods[m->method_count++] = *methods;
    }
}

static void add_array(struct making *m, int bits)
{
    add_slot(m, Py_mp_subscript, (void *)any_js_array_subscript);
    add_slot(m, Py_sq_length, (void *)any_js_proxy_length);
    add_slot(m, Py_sq_item, (void *)any_js_array_item);
    if (bits & TYPED_ARRAY) {
        add_slot(m, Py_mp_ass_subscript, (void *)any_js_typed_array_set_subscript);
        add_slot(m, Py_sq_ass_item, (void *)any_js_typed_array_set_item);
        add_methods(m, js_typed_array_methods);
        return;
    }
    add_slot(m, Py_sq_concat, (void *)any_js_array_concat);
    if (bits & ARRAY_LIKE) {
        if (bits & SET)
            add_slot(m, Py_mp_ass_subscript, (void *)any_js_proxy_set_subscript);
        add_methods(m, js_array_like_methods);
        return;
    }
    add_slot(m, Py_mp_ass_subscript, (void *)any_js_array_set_subscript);
    add_slot(m, Py_sq_ass_item, (void *)any_js_array_set_item);
    add_slot(m, Py_sq_repeat, (void *)any_js_array_repeat);
    add_slot(m, Py_sq_inplace_concat, (void *)any_js_array_extend);
    add_slot(m, Py_sq_inplace_repeat, (void *)any_js_array_become_repeated);
    add_methods(m, js_array_methods);
}

static void add_container(struct making *m, int bits)
{
    bool has_items = bits & OBJECT_MAP || !(bits & NO_ITEMS);

    if (bits & (ITERABLE | ITERATOR | OBJECT_MAP))
        add_slot(m, Py_tp_iter, (void *)any_js_proxy_iter);
    if (bits & ITERATOR)
        add_slot(m, Py_tp_iternext, (void *)any_js_proxy_next);
    if (bits & (LENGTH | OBJECT_MAP))
        add_slot(m, Py_mp_length, (void *)any_js_proxy_length);
    if (has_items || bits & (HAS | INCLUDES))
        add_slot(m, Py_sq_contains, (void *)any_js_proxy_contains);
    if (bits & SEQUENCE) {
        add_array(m, bits);
        return;
    }
    if (has_items || bits & (GET | AWAITABLE))
        add_slot(m, Py_mp_subscript, (void *)any_js_proxy_subscript);
    if (has_items || bits & SET)
        add_slot(m, Py_mp_ass_subscript, (void *)any_js_proxy_set_subscript);
}

static void add_rest(struct making *m, int bits)
{
    if (bits & AWAITABLE) {
        add_slot(m, Py_am_await, (void *)any_js_proxy_await);
        add_slot(m, Py_tp_hash, (void *)any_js_proxy_hash);
        add_slot(m, Py_tp_richcompare, (void *)any_js_proxy_compare);
    }
    if (bits & (ASYNC_ITERABLE | ASYNC_ITERATOR))
        add_slot(m, Py_am_aiter, (void *)js_proxy_aiter);
    if (bits & ASYNC_ITERATOR) {
        add_slot(m, Py_am_anext, (void *)js_proxy_anext);
        add_methods(m, js_async_methods);
    }
    if (bits & ASYNC_GENERATOR)
        add_methods(m, js_async_generator_methods);
    if (bits & DOUBLE)
        add_methods(m, js_double_methods);
    else if (bits & ONCE)
        add_methods(m, js_once_methods);
    else if (bits & BUFFER)
        add_methods(m, js_buffer_methods);
    else if (bits & CALLABLE)
        add_methods(m, js_callable_methods);
    if (!(bits & NO_VIEW))
        add_methods(m, js_view_methods);
    if (!(bits & NO_VIEW) || (bits & (ARRAY | ARRAY_LIKE) && !(bits & DOUBLE)))
        add_methods(m, js_json_methods);
}

static PyTypeObject *make_type(int bits)
{
    static PyMemberDef members[] = {
        {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct js_proxy, vectorcall), READONLY, NULL},
        {0}};
    struct making m = {.slot_count = 0};
    PyType_Spec spec = {.name = "pyodide.ffi.JsProxy", .flags = Py_TPFLAGS_DEFAULT};
    PyMethodDef *methods;
    PyObject *type, *finish, *done = NULL;

    if (bits & CALLABLE) {
        spec.flags |= Py_TPFLAGS_HAVE_VECTORCALL;
        add_slot(&m, Py_tp_members, members);
        add_slot(&m, Py_tp_call, (void *)PyVectorcall_Call);
        add_slot(&m, Py_tp_descr_get, (void *)js_proxy_descriptor);
    }
    add_container(&m, bits);
    add_rest(&m, bits);
    /* Types live for ever, and with them their methods. */
    methods = PyMem_Malloc(((size_t)m.method_count + 1) * sizeof *methods);
    if (!methods)
        return (PyTypeObject *)PyErr_NoMemory();
    memcpy(methods, m.methods, ((size_t)m.method_count + 1) * sizeof *methods);
    add_slot(&m, Py_tp_methods, methods);
    spec.slots = m.slots;
    type = PyType_FromSpecWithBases(&spec, (PyObject *)js_proxy_type);
    finish = type ? interp_sdk("corral.kinds", "finish") : NULL;
    if (finish)
        done = PyObject_CallFunction(finish, "Oi", type, bits);
    if (done) { /* it has been given a metaclass, for isinstance() with it */
        Py_SET_TYPE(type, (PyTypeObject *)Py_NewRef(done));
        /* Nobody may make an array of a symbol by changing its __class__. */
        ((PyTypeObject *)type)->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
    } else
        Py_CLEAR(type);
    Py_XDECREF(finish);
    Py_XDECREF(done);
    return (PyTypeObject *)type;
}

PyTypeObject *js_proxy_kind_type(int bits)
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

int js_proxy_kind_open(void)
{
    classify = engine_internal("classify");
    classify_first = engine_internal("classifyFirst");
    object_prototype =
        engine_keep(JSObjectGetPrototype(engine.context, JSObjectMake(engine.context, NULL, NULL)));
    function_prototype = engine_keep(JSObjectGetPrototype(engine.context, classify));
    return 0;
}
