/* proxy_js.c - a JavaScript object as Python sees it: JsProxy, its life and its attributes.
 *
 * proxy_kind.c decides of which type a proxy is, proxy_ops.c and proxy_array.c
 * hold what the types can do.
 *
 * A lazy proxy (request, ctx, an application's answer) holds what its object
 * will be made from; most handlers never look at ctx, and many never at the
 * request.
 *
 * Attributes: those of the Python type first (new, to_py, js_id ...), then the
 * JavaScript object's properties, of whatever name.  The import system writes
 * a few names into what it takes for a module; those are kept in the notes. */
#include "realm/bridge/proxy.h"

#include "base/mem.h"
#include "realm/bridge/away.h"
#include "realm/bridge/bridge.h"
#include "realm/js/engine.h"
#include "realm/py/interp.h"
#include "realm/web/web.h"

PyTypeObject *js_proxy_type;
static JSObjectRef close_iterator, dir, own_names, put_property;

struct values {
    JSValueRef *values;
    size_t count, cap;
};
/* What other threads let go: only the main one may touch JavaScript.  And iterators of asynchronous
 * loops that were left, which wait for the loop of the realm to be closed. */
static struct values let_go, left;

bool bridge_is_main_thread(void)
{
    if (strand_here())
        return true;
    PyErr_SetString(PyExc_RuntimeError,
                    "JavaScript objects cannot be used in another thread while the worker's "
                    "module is loaded: do it in a handler");
    return false;
}

static struct js_proxy *proxy_alloc(int bits)
{
    PyTypeObject *type = js_proxy_kind_type(bits);
    struct js_proxy *p = type ? PyObject_New(struct js_proxy, type) : NULL;

    if (p) {
        p->bits = bits;
        p->value = NULL;
        p->owner = NULL;
        p->spare = NULL;
        p->notes = NULL;
        p->vectorcall = bits & SIGNED ? any_js_proxy_signed_vectorcall : any_js_proxy_vectorcall;
        p->head = NULL;
        p->ready = NULL;
        p->stream = 0;
    }
    return p;
}

PyObject *js_proxy_of_kind(JSObjectRef object, int bits)
{
    struct js_proxy *p = proxy_alloc(bits);

    if (p)
        p->value = engine_keep(object);
    return (PyObject *)p;
}

PyObject *js_proxy_same(PyObject *proxy, int bits)
{
    JSObjectRef object = js_proxy_object(proxy);
    PyObject *same = object ? js_proxy_of_kind(object, bits) : NULL;

    if (same)
        ((struct js_proxy *)same)->owner = Py_XNewRef(((struct js_proxy *)proxy)->owner);
    return same;
}

PyObject *js_proxy_new(JSObjectRef object, PyObject *owner)
{
    bool is_method = owner && ((struct js_proxy *)owner)->value != engine.global;
    int bits = js_proxy_kind_of(object, is_method);
    PyObject *p;

    if (bits & ERROR_OBJECT)
        return bridge_js_exception(object);
    p = js_proxy_of_kind(object, bits);
    if (p && is_method && bits & CALLABLE)
        ((struct js_proxy *)p)->owner = Py_NewRef(owner);
    return p;
}

PyObject *js_proxy_symbol(JSValueRef symbol)
{
    return js_proxy_of_kind((JSObjectRef)symbol, SYMBOL);
}

PyObject *js_proxy_plain(JSObjectRef object)
{
    return js_proxy_of_kind(object, js_proxy_kind_of(object, false));
}

/* The bits of a view of an object that has these. */
static int view_bits(int bits, int wanted)
{
    if (bits & NO_VIEW)
        return wanted & JSON && bits & (ARRAY | ARRAY_LIKE | ITERATOR) ? bits | JSON : bits;
    return (bits & (AWAITABLE | ASYNC_ITERABLE | ASYNC_ITERATOR)) | OBJECT_MAP | wanted;
}

PyObject *js_proxy_view(PyObject *proxy, enum js_proxy_view view)
{
    static const int wanted[] = {
        [VIEW_OBJECT_MAP] = 0, [VIEW_HEREDITARY_MAP] = HEREDITARY, [VIEW_JSON] = JSON};
    JSObjectRef object = js_proxy_object(proxy);

    if (!object)
        return NULL;
    return js_proxy_of_kind(object, view_bits(js_proxy_kind_of(object, false), wanted[view]));
}

/* What was found inside a view is seen the same way. */
PyObject *js_proxy_inherit(PyObject *proxy, PyObject *take_found)
{
    int wanted = js_proxy_bits(proxy) & (HEREDITARY | JSON), bits, seen_bits;
    PyObject *seen;

    if (!wanted || !take_found || !js_proxy_check(take_found))
        return take_found;
    bits = js_proxy_bits(take_found);
    seen_bits = view_bits(bits, wanted);
    if (seen_bits == bits)
        return take_found;
    seen = js_proxy_of_kind((JSObjectRef)((struct js_proxy *)take_found)->value, seen_bits);
    Py_DECREF(take_found);
    return seen;
}

bool js_proxy_is_view(PyObject *proxy)
{
    return js_proxy_bits(proxy) & OBJECT_MAP;
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

PyObject *js_proxy_ready(uint32_t status, PyObject *lines, PyObject *body, int64_t length)
{
    struct ready *ready = mem_alloc(sizeof *ready);
    struct js_proxy *p = ready ? proxy_alloc(0) : NULL;

    if (!p) {
        mem_free(ready);
        return PyErr_NoMemory();
    }
    *ready = (struct ready){status, false, Py_NewRef(lines), Py_NewRef(body), length};
    p->ready = ready;
    return (PyObject *)p;
}

static void ready_free(struct ready *ready)
{
    if (!ready)
        return;
    Py_DECREF(ready->lines);
    Py_XDECREF(ready->body);
    mem_free(ready);
}

static struct span bytes_span(PyObject *bytes)
{
    return (struct span){PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
}

bool js_proxy_answer(PyObject *proxy, struct exchange *x)
{
    struct ready *ready = ((struct js_proxy *)proxy)->ready;
    uint32_t stream = x->stream;
    PyObject *body, *done;

    if (!ready || ready->is_sent)
        return false;
    ready->is_sent = true;
    body = ready->body; /* ours now: it may hold what holds the proxy */
    ready->body = NULL;
    if (PyBytes_CheckExact(body)) {
        web_answer(x, ready->status, bytes_span(ready->lines), bytes_span(body));
    } else {
        web_begin_answer(x, ready->status, bytes_span(ready->lines), ready->length);
        done = PyObject_CallMethod(body, "leads_to", "I", (unsigned)stream);
        if (!done) {
            PyErr_WriteUnraisable(body);
            x = exchange_find(stream); /* nobody will write it: its client is not kept waiting */
            if (x && !x->out.is_over)
                exchange_fail(x, HOST_BODY, SPAN("nothing writes its body"));
        }
        Py_XDECREF(done);
    }
    Py_DECREF(body);
    return true;
}

const struct head *js_proxy_head(PyObject *object)
{
    return js_proxy_check(object) ? ((struct js_proxy *)object)->head : NULL;
}

static JSObjectRef make_answer(const struct ready *r)
{
    PyObject *stream = NULL;
    JSValueRef body = JSValueMakeNull(engine.context);
    JSObjectRef made;

    if (!r->is_sent && PyBytes_CheckExact(r->body)) {
        body = web_body_value(bytes_span(r->body));
    } else if (!r->is_sent) {
        stream = PyObject_GetAttrString(r->body, "stream");
        body = stream ? bridge_to_js(stream) : NULL;
        if (!body) {
            Py_XDECREF(stream);
            return NULL;
        }
    }
    made = web_make_answer(r->status, bytes_span(r->lines), body, r->is_sent);
    Py_XDECREF(stream);
    return made;
}

static JSObjectRef make(const struct js_proxy *p)
{
    if (p->head)
        return web_make_request(p->head);
    return p->ready ? make_answer(p->ready) : web_make_context(p->stream);
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
        JSObjectRef made = make(p);
        if (!made)
            return PyErr_Occurred() ? NULL : (JSObjectRef)PyErr_NoMemory();
        p->value = engine_keep(made);
        head_unref(p->head);
        p->head = NULL;
        ready_free(p->ready);
        p->ready = NULL;
    }
    return (JSObjectRef)p->value;
}

static void values_add(struct values *v, JSValueRef value)
{
    if (!value)
        return;
    if (v->count == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 64;
        JSValueRef *grown = mem_resize(v->values, cap * sizeof *grown);
        if (!grown)
            return; /* it stays kept for ever, which is safe */
        v->values = grown;
        v->cap = cap;
    }
    v->values[v->count++] = value;
}

void bridge_turn(void)
{
    while (let_go.count > 0)
        engine_drop(let_go.values[--let_go.count]);
    while (left.count > 0) {
        JSValueRef iterator = left.values[--left.count];
        engine_run(close_iterator, 1, &iterator);
        engine_drop(iterator);
    }
    py_proxy_turn();
}

static void proxy_free(struct js_proxy *p, bool is_main_thread)
{
    PyTypeObject *type = Py_TYPE(p);

    if (p->bits & CLOSES)
        values_add(&left, p->value);
    else if (is_main_thread)
        engine_drop(p->value);
    else
        values_add(&let_go, p->value);
    head_unref(p->head);
    ready_free(p->ready);
    PyObject_Free(p);
    Py_DECREF(type);
}

/* A method is mostly made for one call and then for the next: `o.f()` in a loop.  So its owner
 * keeps the last one, without being kept by it. */
static struct js_proxy *proxy_end(struct js_proxy *p)
{
    struct js_proxy *owner = (struct js_proxy *)p->owner;
    bool is_main_thread = strand_here();

    if (p->spare)
        proxy_free(p->spare, is_main_thread);
    p->spare = NULL;
    Py_CLEAR(p->notes);
    p->owner = NULL;
    if (owner && is_main_thread && !owner->spare && !(p->bits & SIGNED))
        owner->spare = p;
    else
        proxy_free(p, is_main_thread);
    return owner;
}

/* Owners may have owners (`f.bind.bind ...`), more than the stack has room for. */
static void proxy_dealloc(PyObject *self)
{
    struct js_proxy *owner = proxy_end((struct js_proxy *)self);

    while (owner && Py_REFCNT(owner) == 1) {
        Py_SET_REFCNT((PyObject *)owner, 0);
        owner = proxy_end(owner);
    }
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

/* `from_` and its like, for properties whose name is a word of Python: with one underscore less
 * (new), also when they have more; NULL for all others. */
static PyObject *without_underscore(PyObject *name)
{
    static const char *const words[] = {
        "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
        "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
        "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
        "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
    Py_ssize_t len = PyUnicode_GET_LENGTH(name), bare = len;
    const char *text;

    if (len < 3 || PyUnicode_READ_CHAR(name, len - 1) != '_' || !PyUnicode_IS_ASCII(name))
        return NULL;
    text = (const char *)PyUnicode_DATA(name);
    while (bare > 0 && text[bare - 1] == '_')
        bare--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == (size_t)bare && memcmp(words[i], text, (size_t)bare) == 0) {
            PyObject *found = PyUnicode_Substring(name, 0, len - 1);
            if (found)
                PyUnicode_InternInPlace(&found);
            return found;
        }
    return NULL;
}

/* What the import system writes into modules. */
static bool is_modules(PyObject *name)
{
    static const char *const names[] = {"__loader__", "__name__", "__package__", "__path__",
                                        "__spec__"};

    if (PyUnicode_GET_LENGTH(name) < 8 || PyUnicode_READ_CHAR(name, 0) != '_' ||
        PyUnicode_READ_CHAR(name, 1) != '_')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0)
            return true;
    return false;
}

PyObject *js_proxy_notes(PyObject *self)
{
    struct js_proxy *p = (struct js_proxy *)self;

    if (!p->notes)
        p->notes = PyDict_New();
    return p->notes;
}

/* Whose properties the attributes are: a symbol itself is no object. */
static JSObjectRef property_holder(PyObject *self)
{
    JSObjectRef object = js_proxy_object(self);

    if (object && js_proxy_bits(self) & SYMBOL)
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

/* Whether it has a property of that name: 1 or 0; -1 with an exception.  The engine's own question
 * leaves what a Proxy's trap throws to whoever runs JavaScript next. */
static int has_property(JSObjectRef object, PyObject *name)
{
    static JSObjectRef plain_has;
    JSValueRef arguments[2], thrown = NULL, has;

    if (!plain_has)
        plain_has = engine_internal("plainHas");
    arguments[0] = object;
    arguments[1] = bridge_key(name);
    if (!arguments[1])
        return -1;
    has = engine_call(plain_has, 2, arguments, &thrown);
    if (!thrown)
        return JSValueToBoolean(engine.context, has);
    bridge_raise(thrown);
    return -1;
}

static PyObject *no_attribute(JSObjectRef object, PyObject *name)
{
    if (object == engine.global) /* sdk/python/corral/hints.py knows this text */
        return PyErr_Format(PyExc_AttributeError, "JavaScript has no global '%U'", name);
    PyErr_SetObject(PyExc_AttributeError, name);
    return NULL;
}

static PyObject *get_property(PyObject *self, PyObject *name)
{
    const struct head *head = ((struct js_proxy *)self)->head;
    PyObject *result = head && bridge_is_main_thread() ? head_property(head, name) : NULL;
    JSObjectRef object = result ? NULL : property_holder(self);
    JSStringRef text = object ? bridge_name(name) : NULL; /* new */
    JSValueRef thrown = NULL, value;
    int has;

    if (!text)
        return result;
    value = JSObjectGetProperty(engine.context, object, text, &thrown);
    JSStringRelease(text);
    if (thrown)
        return bridge_raise(thrown);
    if (JSValueIsUndefined(engine.context, value)) {
        has = has_property(object, name);
        if (has == 0)
            return no_attribute(object, name);
        return has < 0 ? NULL : Py_NewRef(Py_None);
    }
    result = method_again((struct js_proxy *)self, value);
    return result ? result : bridge_to_python(value, self);
}

/* For `from x import *`: all the names that a module of JavaScript has of its own. */
static PyObject *all_names(PyObject *self)
{
    JSValueRef object = js_proxy_object(self), thrown = NULL, names;
    PyObject *array, *list;

    if (!object)
        return NULL;
    names = engine_call(own_names, 1, &object, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    array = bridge_to_python(names, NULL);
    list = array ? PySequence_List(array) : NULL;
    Py_XDECREF(array);
    return list;
}

/* An attribute of a proxy with a signature (corral/signatures.py). */
static PyObject *signed_attribute(PyObject *self, PyObject *name, PyObject *take_found)
{
    PyObject *function = interp_sdk("corral.signatures", "attribute"), *result = NULL;
    PyObject *signature = PyDict_GetItemString(js_proxy_notes(self), "_sig"); /* borrowed */

    if (function && signature)
        result = PyObject_CallFunctionObjArgs(function, signature, name, take_found, NULL);
    Py_XDECREF(function);
    Py_DECREF(take_found);
    return result;
}

static PyObject *property_of(PyObject *self, PyObject *name)
{
    PyObject *bare = without_underscore(name), *result;

    if (!bare)
        return get_property(self, name);
    result = get_property(self, bare);
    Py_DECREF(bare);
    return result;
}

PyObject *js_proxy_getattr(PyObject *self, PyObject *name)
{
    struct js_proxy *p = (struct js_proxy *)self;
    PyObject *result;

    /* __getattribute__ called by hand takes anything for a name. */
    if (!PyUnicode_Check(name) || _PyType_Lookup(Py_TYPE(self), name))
        return PyObject_GenericGetAttr(self, name);
    if (p->notes) {
        result = is_modules(name) ? PyDict_GetItemWithError(p->notes, name) : NULL;
        if (result || PyErr_Occurred())
            return Py_XNewRef(result);
    }
    /* dict() and its like take what has keys() for a mapping. */
    if (p->bits & (ARRAY | TYPED_ARRAY) && PyUnicode_CompareWithASCIIString(name, "keys") == 0) {
        PyErr_SetObject(PyExc_AttributeError, name);
        return NULL;
    }
    result = property_of(self, name);
    if (result && p->bits & SIGNED)
        return signed_attribute(self, name, result);
    if (!result && p->notes && PyUnicode_CompareWithASCIIString(name, "__all__") == 0 &&
        PyErr_ExceptionMatches(PyExc_AttributeError) &&
        PyDict_GetItemString(p->notes, "__name__")) {
        PyErr_Clear();
        return all_names(self);
    }
    return result;
}

static void delete_property(JSObjectRef object, PyObject *name, JSValueRef *ret_thrown)
{
    JSStringRef text = bridge_name(name); /* new */

    if (!text)
        return;
    if (!JSObjectDeleteProperty(engine.context, object, text, ret_thrown) && !*ret_thrown)
        engine_throw(ret_thrown, "TypeError", "Unable to delete property.");
    JSStringRelease(text);
}

/* In strict mode, other than JSObjectSetProperty: a frozen object refuses. */
static void set_property(JSObjectRef object, PyObject *name, PyObject *value,
                         JSValueRef *ret_thrown)
{
    JSValueRef arguments[3];

    arguments[0] = object;
    arguments[2] = bridge_to_js(value);
    arguments[1] = arguments[2] ? bridge_key(name) : NULL; /* last: conversions may run code */
    if (arguments[1])
        engine_call(put_property, 3, arguments, ret_thrown);
}

int js_proxy_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    JSValueRef thrown = NULL;
    JSObjectRef object;
    PyObject *bare;

    if (!PyUnicode_Check(name)) /* __setattr__ called by hand */
        return PyObject_GenericSetAttr(self, name, value);
    if (is_modules(name)) {
        PyObject *notes = js_proxy_notes(self);
        if (!notes)
            return -1;
        return value ? PyDict_SetItem(notes, name, value) : PyDict_DelItem(notes, name);
    }
    object = property_holder(self);
    if (!object)
        return -1;
    bare = without_underscore(name);
    if (value)
        set_property(object, bare ? bare : name, value, &thrown);
    else
        delete_property(object, bare ? bare : name, &thrown);
    Py_XDECREF(bare);
    if (thrown)
        bridge_raise(thrown);
    return PyErr_Occurred() ? -1 : 0;
}

PyObject *js_proxy_str(PyObject *self)
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

/* == is identity; < and its like are JavaScript's, for dates and what else has an order there. */
PyObject *js_proxy_compare(PyObject *self, PyObject *other, int operation)
{
    static JSObjectRef compare;
    JSValueRef arguments[3];

    if (!js_proxy_check(other))
        Py_RETURN_NOTIMPLEMENTED;
    arguments[0] = js_proxy_object(self);
    arguments[1] = arguments[0] ? js_proxy_object(other) : NULL;
    if (!arguments[1])
        return NULL;
    if (operation == Py_EQ || operation == Py_NE) {
        bool is_same = JSValueIsStrictEqual(engine.context, arguments[0], arguments[1]);
        return PyBool_FromLong(is_same == (operation == Py_EQ));
    }
    if (!compare)
        compare = engine_internal("compare");
    arguments[2] = engine_number(operation);
    return PyBool_FromLong(JSValueToBoolean(engine.context, engine_run(compare, 3, arguments)));
}

static PyObject *proxy_dir(PyObject *self, PyObject *unused)
{
    JSValueRef object, thrown = NULL, names;
    PyObject *type_names = NULL, *list = NULL, *all = NULL, *sorted = NULL;

    if (!strand_here())
        return away_binary(proxy_dir, self, unused);
    object = js_proxy_object(self);
    if (!object)
        return NULL;
    names = engine_call(dir, 1, &object, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    type_names = PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__dir__", "O", self);
    list = bridge_to_python(names, NULL);
    all = type_names && list ? PySet_New(type_names) : NULL;
    if (all && _PySet_Update(all, list) == 0)
        sorted = PySequence_List(all);
    if (sorted && PyList_Sort(sorted) < 0)
        Py_CLEAR(sorted);
    Py_XDECREF(type_names);
    Py_XDECREF(list);
    Py_XDECREF(all);
    return sorted;
}

/* A function of JavaScript in a class of Python is a method. */
PyObject *js_proxy_descriptor(PyObject *self, PyObject *object, PyObject *type)
{
    JSObjectRef function;
    JSValueRef receiver;
    PyObject *owner, *method;

    (void)type;
    if (!object || object == Py_None)
        return Py_NewRef(self);
    function = js_proxy_object(self);
    receiver = function ? bridge_to_js(object) : NULL;
    if (!receiver)
        return NULL;
    if (!JSValueIsObject(engine.context, receiver))
        return Py_NewRef(self);
    owner = js_proxy_plain((JSObjectRef)receiver);
    method = owner ? js_proxy_of_kind(function, js_proxy_bits(self)) : NULL;
    if (method)
        ((struct js_proxy *)method)->owner = Py_NewRef(owner);
    Py_XDECREF(owner);
    return method;
}

JSObjectRef js_proxy_self(PyObject *proxy)
{
    struct js_proxy *owner = (struct js_proxy *)((struct js_proxy *)proxy)->owner;

    return owner ? (JSObjectRef)owner->value : NULL;
}

static PyMethodDef dir_method[] = {{"__dir__", proxy_dir, METH_NOARGS, NULL}, {0}};

int js_proxy_open(void)
{
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, (void *)proxy_dealloc},
        {Py_tp_getattro, (void *)any_js_proxy_getattr},
        {Py_tp_setattro, (void *)any_js_proxy_setattr},
        {Py_tp_repr, (void *)any_js_proxy_str},
        {Py_tp_str, (void *)any_js_proxy_str},
        {Py_tp_richcompare, (void *)any_js_proxy_compare},
        {Py_tp_hash, (void *)PyObject_HashNotImplemented},
        {Py_nb_bool, (void *)any_js_proxy_truth},
        {Py_tp_methods, NULL},
        {Py_tp_getset, NULL},
        {0, NULL},
    };
    static PyType_Spec spec = {
        .name = "pyodide.ffi.JsProxy",
        .basicsize = sizeof(struct js_proxy),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    PyObject *method;

    if (js_proxy_kind_open() < 0)
        return -1;
    dir = engine_internal("dir");
    own_names = engine_internal("ownNames");
    close_iterator = engine_internal("closeIterator");
    put_property = engine_internal("setProperty");
    slots[8].pfunc = js_proxy_methods;
    slots[9].pfunc = js_proxy_getset;
    js_proxy_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!js_proxy_type)
        return -1;
    method = PyDescr_NewMethod(js_proxy_type, dir_method);
    if (!method || PyObject_SetAttrString((PyObject *)js_proxy_type, "__dir__", method) < 0)
        return -1;
    Py_DECREF(method);
    return 0;
}
