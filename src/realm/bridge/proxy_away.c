/* proxy_away.c - JavaScript objects in other threads: each step is done by the thread of the loop.
 *
 * Frameworks run plain functions in threads: FastAPI its `def` endpoints, Django
 * its views.  What these want of env is JavaScript, which belongs to the loop's
 * thread.  So what they do with a JsProxy is put into the loop and waited for,
 * without the GIL: a look at an attribute, a call, an item.  That costs some ten
 * microseconds, and happens between two turns of the loop, as everything of
 * other requests does.  What is promised they wait for with run_sync().
 *
 * A step is counted twice: by who waits, and by the loop's handle.  So who has
 * waited for too long can leave; and what the step holds it keeps itself.
 *
 * any_f() is f() from any thread, for the slots of the types of proxy_kind.c and
 * for the functions of bridge.c.  Invariant: f() runs on a strand alone. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/mem.h"
#include "realm/bridge/away.h"
#include "realm/bridge/proxy.h"
#include "realm/py/interp.h"
#include "realm/strand.h"

enum { AWAY_WAIT_US = 20 * 1000 * 1000 }; /* for a loop that does not come round */

union function {
    unaryfunc unary;
    binaryfunc binary;
    ssizeargfunc index;
    objobjargproc set;
    ssizeobjargproc set_index;
    lenfunc length;
    inquiry ask;
    objobjproc has;
    hashfunc hash;
    richcmpfunc compare;
    _PyCFunctionFastWithKeywords fast;
};

enum shape {
    DO_UNARY,
    DO_BINARY,
    DO_INDEX,
    DO_SET,
    DO_SET_INDEX,
    DO_LENGTH,
    DO_ASK,
    DO_HAS,
    DO_HASH,
    DO_COMPARE,
    DO_FAST,
    DO_CALL
};

struct step {
    enum shape shape;
    union function f;
    PyObject *objects[3]; /* what it is given: kept, some NULL */
    Py_ssize_t number;    /* likewise; then what came of it, when that is no object */
    PyObject *result;
    PyObject *type, *value, *traceback; /* of what it raised */
    PyThread_type_lock over;
    bool is_over;
    int count; /* of who has it; guarded by the GIL, as is all */
};

static bool is_serving;

void away_serve(void)
{
    is_serving = true;
}

bool away_is_served(void)
{
    return is_serving;
}

static void step_unref(struct step *s)
{
    if (--s->count > 0)
        return;
    for (size_t i = 0; i < sizeof s->objects / sizeof *s->objects; i++)
        Py_XDECREF(s->objects[i]);
    Py_XDECREF(s->result);
    Py_XDECREF(s->type);
    Py_XDECREF(s->value);
    Py_XDECREF(s->traceback);
    if (s->over)
        PyThread_free_lock(s->over);
    mem_free(s);
}

static void capsule_gone(PyObject *capsule)
{
    step_unref(PyCapsule_GetPointer(capsule, NULL));
}

static void step_do(struct step *s)
{
    PyObject *a = s->objects[0], *b = s->objects[1], *c = s->objects[2];

    switch (s->shape) {
    case DO_UNARY:
        s->result = s->f.unary(a);
        break;
    case DO_BINARY:
        s->result = s->f.binary(a, b);
        break;
    case DO_INDEX:
        s->result = s->f.index(a, s->number);
        break;
    case DO_SET:
        s->number = s->f.set(a, b, c);
        break;
    case DO_SET_INDEX:
        s->number = s->f.set_index(a, s->number, b);
        break;
    case DO_LENGTH:
        s->number = s->f.length(a);
        break;
    case DO_ASK:
        s->number = s->f.ask(a);
        break;
    case DO_HAS:
        s->number = s->f.has(a, b);
        break;
    case DO_HASH:
        s->number = s->f.hash(a);
        break;
    case DO_COMPARE:
        s->result = s->f.compare(a, b, (int)s->number);
        break;
    case DO_FAST:
        s->result = s->f.fast(a, ((PyTupleObject *)b)->ob_item, s->number, c);
        break;
    case DO_CALL:
        s->result = PyObject_Call(a, b, c);
        break;
    }
    PyErr_Fetch(&s->type, &s->value, &s->traceback);
}

/* In the loop. */
static PyObject *on_loop(PyObject *capsule, PyObject *unused)
{
    struct step *s = PyCapsule_GetPointer(capsule, NULL);

    (void)unused;
    step_do(s);
    s->is_over = true;
    PyThread_release_lock(s->over);
    Py_RETURN_NONE;
}

static PyMethodDef on_loop_method = {"a step of another thread", on_loop, METH_NOARGS, NULL};

static PyObject *put_into_loop(struct step *s)
{
    PyObject *loop = interp_sdk("corral.loop", "loop"), *handle = NULL;
    PyObject *capsule = loop ? PyCapsule_New(s, NULL, capsule_gone) : NULL, *function;

    if (capsule) {
        s->count++;
        function = PyCFunction_New(&on_loop_method, capsule);
        if (function)
            handle = PyObject_CallMethod(loop, "call_soon_threadsafe", "O", function);
        Py_XDECREF(function);
    }
    Py_XDECREF(capsule);
    Py_XDECREF(loop);
    return handle;
}

/* false: with an exception */
static bool step_wait(struct step *s)
{
    PyObject *handle = put_into_loop(s);

    if (!handle)
        return false;
    Py_BEGIN_ALLOW_THREADS(void) PyThread_acquire_lock_timed(s->over, AWAY_WAIT_US, 0);
    Py_END_ALLOW_THREADS if (!s->is_over)
    {
        Py_XDECREF(PyObject_CallMethod(handle, "cancel", NULL));
        PyErr_SetString(PyExc_RuntimeError,
                        "JavaScript objects belong to the event loop's thread, and it has not come "
                        "round for 20 s: it computes, or waits for this thread (make the function "
                        "`async def`, or await what this thread does)");
    }
    else if (s->type)
    {
        PyErr_Restore(s->type, s->value, s->traceback); /* steals */
        s->type = s->value = s->traceback = NULL;
    }
    Py_DECREF(handle);
    return !PyErr_Occurred();
}

/* NULL: with an exception.  Borrowed objects. */
static struct step *step_new(enum shape shape, union function f, PyObject *a, PyObject *b,
                             PyObject *c, Py_ssize_t number)
{
    struct step *s;

    if (!is_serving) {
        (void)bridge_is_main_thread();
        return NULL;
    }
    s = mem_alloc(sizeof *s);
    if (!s) {
        PyErr_NoMemory();
        return NULL;
    }
    *s = (struct step){.shape = shape,
                       .f = f,
                       .objects = {Py_XNewRef(a), Py_XNewRef(b), Py_XNewRef(c)},
                       .number = number,
                       .over = PyThread_allocate_lock(),
                       .count = 1};
    if (s->over && PyThread_acquire_lock(s->over, NOWAIT_LOCK))
        return s;
    step_unref(s);
    PyErr_NoMemory();
    return NULL;
}

static PyObject *give(enum shape shape, union function f, PyObject *a, PyObject *b, PyObject *c,
                      Py_ssize_t number)
{
    struct step *s = step_new(shape, f, a, b, c, number);
    PyObject *result = NULL;

    if (!s)
        return NULL;
    if (step_wait(s)) {
        result = s->result;
        s->result = NULL;
    }
    step_unref(s);
    return result;
}

static Py_ssize_t tell(enum shape shape, union function f, PyObject *a, PyObject *b, PyObject *c,
                       Py_ssize_t number)
{
    struct step *s = step_new(shape, f, a, b, c, number);
    Py_ssize_t result = -1;

    if (!s)
        return -1;
    if (step_wait(s))
        result = s->number;
    step_unref(s);
    return result;
}

/* The arguments are on the stack of a thread that may leave. */
static PyObject *give_fast(_PyCFunctionFastWithKeywords f, PyObject *self,
                           PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    Py_ssize_t total = count + (names ? PyTuple_GET_SIZE(names) : 0);
    PyObject *all = PyTuple_New(total), *result;

    if (!all)
        return NULL;
    for (Py_ssize_t i = 0; i < total; i++)
        PyTuple_SET_ITEM(all, i, Py_NewRef(arguments[i])); /* steals */
    result = give(DO_FAST, (union function){.fast = f}, self, all, names, count);
    Py_DECREF(all);
    return result;
}

#define ANY_UNARY(name)                                                                            \
    PyObject *any_##name(PyObject *self)                                                           \
    {                                                                                              \
        if (strand_here())                                                                         \
            return name(self);                                                                     \
        return give(DO_UNARY, (union function){.unary = name}, self, NULL, NULL, 0);               \
    }
#define ANY_BINARY(name)                                                                           \
    PyObject *any_##name(PyObject *self, PyObject *other)                                          \
    {                                                                                              \
        if (strand_here())                                                                         \
            return name(self, other);                                                              \
        return give(DO_BINARY, (union function){.binary = name}, self, other, NULL, 0);            \
    }
#define ANY_INDEX(name)                                                                            \
    PyObject *any_##name(PyObject *self, Py_ssize_t index)                                         \
    {                                                                                              \
        if (strand_here())                                                                         \
            return name(self, index);                                                              \
        return give(DO_INDEX, (union function){.index = name}, self, NULL, NULL, index);           \
    }
#define ANY_SET(name)                                                                              \
    int any_##name(PyObject *self, PyObject *key, PyObject *item)                                  \
    {                                                                                              \
        if (strand_here())                                                                         \
            return name(self, key, item);                                                          \
        return (int)tell(DO_SET, (union function){.set = name}, self, key, item, 0);               \
    }
#define ANY_SET_INDEX(name)                                                                        \
    int any_##name(PyObject *self, Py_ssize_t index, PyObject *item)                               \
    {                                                                                              \
        if (strand_here())                                                                         \
            return name(self, index, item);                                                        \
        return (int)tell(DO_SET_INDEX, (union function){.set_index = name}, self, item, NULL,      \
                         index);                                                                   \
    }

ANY_UNARY(js_proxy_str)
ANY_UNARY(js_proxy_iter)
ANY_UNARY(js_proxy_next)
ANY_BINARY(js_proxy_subscript)
ANY_BINARY(js_array_subscript)
ANY_BINARY(js_array_concat)
ANY_BINARY(js_array_extend)
ANY_INDEX(js_array_item)
ANY_INDEX(js_array_repeat)
ANY_INDEX(js_array_become_repeated)
ANY_SET(js_proxy_setattr)
ANY_SET(js_proxy_set_subscript)
ANY_SET(js_array_set_subscript)
ANY_SET(js_typed_array_set_subscript)
ANY_SET_INDEX(js_array_set_item)
ANY_SET_INDEX(js_typed_array_set_item)

Py_ssize_t any_js_proxy_length(PyObject *self)
{
    if (strand_here())
        return js_proxy_length(self);
    return tell(DO_LENGTH, (union function){.length = js_proxy_length}, self, NULL, NULL, 0);
}

int any_js_proxy_truth(PyObject *self)
{
    if (strand_here())
        return js_proxy_truth(self);
    return (int)tell(DO_ASK, (union function){.ask = js_proxy_truth}, self, NULL, NULL, 0);
}

int any_js_proxy_contains(PyObject *self, PyObject *key)
{
    if (strand_here())
        return js_proxy_contains(self, key);
    return (int)tell(DO_HAS, (union function){.has = js_proxy_contains}, self, key, NULL, 0);
}

Py_hash_t any_js_proxy_hash(PyObject *self)
{
    if (strand_here())
        return js_proxy_hash(self);
    return tell(DO_HASH, (union function){.hash = js_proxy_hash}, self, NULL, NULL, 0);
}

PyObject *any_js_proxy_compare(PyObject *self, PyObject *other, int operation)
{
    if (strand_here())
        return js_proxy_compare(self, other, operation);
    return give(DO_COMPARE, (union function){.compare = js_proxy_compare}, self, other, NULL,
                operation);
}

/* Its methods are C's own, and know only themselves: they are bound to the way back. */
PyObject *any_js_proxy_getattr(PyObject *self, PyObject *name)
{
    PyObject *found, *bound = NULL, *bind;

    if (strand_here())
        return js_proxy_getattr(self, name);
    found = give(DO_BINARY, (union function){.binary = js_proxy_getattr}, self, name, NULL, 0);
    if (!found || !PyCFunction_Check(found))
        return found;
    bind = interp_sdk("corral.elsewhere", "bind");
    if (bind)
        bound = PyObject_CallOneArg(bind, found);
    Py_XDECREF(bind);
    Py_DECREF(found);
    return bound;
}

static PyObject *vectorcall(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                            PyObject *names)
{
    return js_proxy_vectorcall(self, arguments, (size_t)count, names);
}

static PyObject *signed_vectorcall(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                   PyObject *names)
{
    return js_proxy_signed_vectorcall(self, arguments, (size_t)count, names);
}

PyObject *any_js_proxy_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                                  PyObject *names)
{
    if (strand_here())
        return js_proxy_vectorcall(self, arguments, count, names);
    return give_fast(vectorcall, self, arguments, PyVectorcall_NARGS(count), names);
}

PyObject *any_js_proxy_signed_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                                         PyObject *names)
{
    if (strand_here())
        return js_proxy_signed_vectorcall(self, arguments, count, names);
    return give_fast(signed_vectorcall, self, arguments, PyVectorcall_NARGS(count), names);
}

/* A promise awaited by a thread's own loop. */
PyObject *any_js_proxy_await(PyObject *self)
{
    PyObject *function, *result = NULL;

    if (strand_here())
        return js_proxy_await(self);
    if (!is_serving) {
        (void)bridge_is_main_thread();
        return NULL;
    }
    function = interp_sdk("corral.elsewhere", "awaited");
    if (function)
        result = PyObject_CallOneArg(function, self);
    Py_XDECREF(function);
    return result;
}

PyObject *away_call(PyObject *function, PyObject *arguments, PyObject *named)
{
    if (strand_here())
        return PyObject_Call(function, arguments, named);
    return give(DO_CALL, (union function){.unary = NULL}, function, arguments, named, 0);
}

PyObject *away_fast(_PyCFunctionFastWithKeywords f, PyObject *self, PyObject *const *arguments,
                    Py_ssize_t count, PyObject *names)
{
    return give_fast(f, self, arguments, count, names);
}

PyObject *away_binary(binaryfunc f, PyObject *self, PyObject *other)
{
    return give(DO_BINARY, (union function){.binary = f}, self, other, NULL, 0);
}
