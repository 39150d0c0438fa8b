/* loop.c - the asyncio event loop of the instance.
 *
 * Ready handles wait in a ring; those with a time in the realm's heap of
 * timers, from which they move to the ring.  loop_run takes what is ready at
 * its start, so that a task which always yields starves nobody.
 *
 * Invariants: the ring and the heap each hold one reference to a handle;
 * clearing a handle (run or cancelled) drops callback, arguments and context
 * at once, so what they hold does not live until the collector comes.
 *
 * The GIL guards ring and heap; the descriptor wakes the instance's poll when
 * another thread has added something: call_soon_threadsafe does so always, the
 * others too when it is not the loop's thread that calls them, where asyncio's
 * own loops would sleep on.  Called by asyncio, realm.c and worker.c. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/overtime.h"
#include "realm/py/loop.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "realm/exchange.h"
#include "realm/py/interp.h"
#include "realm/py/sync.h"
#include "realm/strand.h"
#include "realm/timer.h"

#define METHOD(f) ((PyCFunction)(void (*)(void))(f))

struct handle {
    PyObject_HEAD PyObject *callback; /* NULL once run or cancelled */
    PyObject *argument;               /* the only one, or a tuple, or NULL */
    PyObject *context;
    struct timer timer;
    double when;
    bool is_tuple, is_cancelled;
};

static struct {
    struct handle **items;
    size_t head, count, cap; /* cap is a power of two */
} ring;
static struct {
    PyObject **objects;
    size_t count, cap;
} let_go;
static PyTypeObject *handle_type;
static PyObject *the_loop, *future_type, *promised_type, *task_type, *loop_keyword, *set_running;
static int wake_fd = -1;
static bool is_woken; /* wake_fd is readable; guarded by the GIL */
static bool is_debug;

/* ---- handles ---- */

static void handle_clear_parts(struct handle *h)
{
    Py_CLEAR(h->callback);
    Py_CLEAR(h->argument);
    Py_CLEAR(h->context);
}

static int handle_clear(PyObject *self)
{
    handle_clear_parts((struct handle *)self);
    return 0;
}

static int handle_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct handle *h = (struct handle *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(h->callback);
    Py_VISIT(h->argument);
    Py_VISIT(h->context);
    return 0;
}

static void handle_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    handle_clear_parts((struct handle *)self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *handle_cancel(PyObject *self, PyObject *unused)
{
    struct handle *h = (struct handle *)self;
    bool waits = h->timer.place != 0;

    (void)unused;
    h->is_cancelled = true;
    handle_clear_parts(h);
    if (waits) {
        timers_remove(&h->timer);
        Py_DECREF(self); /* the heap's reference; the caller holds one */
    }
    Py_RETURN_NONE;
}

static PyObject *handle_cancelled(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct handle *)self)->is_cancelled);
}

static PyObject *handle_when(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyFloat_FromDouble(((struct handle *)self)->when);
}

static PyObject *handle_repr(PyObject *self)
{
    struct handle *h = (struct handle *)self;
    const char *kind = h->when > 0 ? "TimerHandle" : "Handle";

    if (!h->callback)
        return PyUnicode_FromFormat("<%s %s>", kind, h->is_cancelled ? "cancelled" : "done");
    return PyUnicode_FromFormat("<%s %R>", kind, h->callback);
}

static struct handle *handle_new(PyObject *const *arguments, Py_ssize_t count, PyObject *context)
{
    struct handle *h = PyObject_GC_New(struct handle, handle_type);

    if (!h)
        return NULL;
    h->callback = Py_NewRef(arguments[0]);
    h->argument = NULL;
    h->timer = (struct timer){0};
    h->when = 0;
    h->is_tuple = count > 2;
    h->is_cancelled = false;
    h->context = context && context != Py_None ? Py_NewRef(context) : PyContext_CopyCurrent();
    if (count == 2)
        h->argument = Py_NewRef(arguments[1]);
    if (count > 2) {
        h->argument = PyTuple_New(count - 1);
        for (Py_ssize_t i = 1; h->argument && i < count; i++)
            PyTuple_SET_ITEM(h->argument, i - 1, Py_NewRef(arguments[i])); /* steals */
    }
    PyObject_GC_Track(h);
    if (!h->context || (h->is_tuple && !h->argument))
        Py_CLEAR(h);
    return h;
}

/* ---- the ring ---- */

static int ring_put(struct handle *take_h)
{
    if (ring.count == ring.cap) {
        size_t cap = ring.cap ? ring.cap * 2 : 64;
        struct handle **grown = mem_alloc(cap * sizeof *grown);
        if (!grown) {
            Py_DECREF(take_h);
            PyErr_NoMemory();
            return -1;
        }
        for (size_t i = 0; i < ring.count; i++)
            grown[i] = ring.items[(ring.head + i) & (ring.cap - 1)];
        mem_free(ring.items);
        ring.items = grown;
        ring.head = 0;
        ring.cap = cap;
    }
    ring.items[(ring.head + ring.count++) & (ring.cap - 1)] = take_h;
    return 0;
}

static struct handle *ring_take(void)
{
    struct handle *h = ring.items[ring.head];

    ring.head = (ring.head + 1) & (ring.cap - 1);
    ring.count--;
    return h;
}

static struct handle *ring_take_last(void)
{
    return ring.items[(ring.head + --ring.count) & (ring.cap - 1)];
}

static void report(struct handle *h, PyObject *callback)
{
    PyObject *type, *exception, *traceback, *context = NULL, *message, *done = NULL;

    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback)
        PyException_SetTraceback(exception, traceback);
    message = PyUnicode_FromFormat("Exception in callback %R", callback);
    if (message)
        context = Py_BuildValue("{s:O,s:O,s:O}", "message", message, "exception",
                                exception ? exception : Py_None, "handle", h);
    if (context)
        done = PyObject_CallMethod(the_loop, "call_exception_handler", "O", context);
    if (!done) {
        PyErr_Clear();
        exchange_log(LOG_ERROR, SPAN("the event loop's exception handler failed itself"));
    }
    Py_XDECREF(done);
    Py_XDECREF(context);
    Py_XDECREF(message);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
}

/* A task that SystemExit or KeyboardInterrupt ends has it as its outcome, which is told to
 * whoever waits for the task, and raises it here once more. */
static bool is_told_by_task(PyObject *callback)
{
    if (!PyErr_ExceptionMatches(PyExc_SystemExit) &&
        !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        return false;
    if (strcmp(Py_TYPE(callback)->tp_name, "TaskStepMethWrapper") == 0)
        return true;
    return PyCFunction_Check(callback) && PyCFunction_GetSelf(callback) &&
           PyObject_TypeCheck(PyCFunction_GetSelf(callback), (PyTypeObject *)task_type);
}

static void run_handle(struct handle *h)
{
    PyObject *callback = h->callback, *argument = h->argument, *context = h->context, *result;

    if (!callback)
        return;
    h->callback = h->argument = h->context = NULL; /* ours now */
    if (PyContext_Enter(context) < 0) {
        report(h, callback);
        Py_CLEAR(callback);
        Py_CLEAR(argument);
    } else {
        PyObject *type, *exception, *traceback;
        overtime_run(interp_stream());
        if (!argument)
            result = PyObject_CallNoArgs(callback);
        else if (h->is_tuple)
            result = PyObject_Call(callback, argument, NULL);
        else
            result = PyObject_CallOneArg(callback, argument);
        if (!result && is_told_by_task(callback))
            PyErr_Clear();
        else if (!result)
            report(h, callback);
        /* Inside of its context: a task that ends here unheard is told of with its request. */
        PyErr_Fetch(&type, &exception, &traceback);
        Py_CLEAR(callback);
        Py_CLEAR(argument);
        Py_XDECREF(result);
        PyErr_Restore(type, exception, traceback); /* steals */
        PyContext_Exit(context);
    }
    Py_DECREF(context);
}

/* In debug mode: what takes long is told of. */
static void run_timed(struct handle *h)
{
    PyObject *callback = Py_XNewRef(h->callback), *limit, *done = NULL;
    int64_t since_us = clock_now_us();
    double seconds;

    run_handle(h);
    seconds = (double)(clock_now_us() - since_us) / 1e6;
    limit = PyObject_GetAttrString(the_loop, "slow_callback_duration");
    if (callback && limit && seconds >= PyFloat_AsDouble(limit) && !PyErr_Occurred())
        done = PyObject_CallMethod(the_loop, "_report_slow", "Od", callback, seconds);
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(callback);
    Py_XDECREF(done);
    Py_XDECREF(limit);
    Py_XDECREF(callback);
}

void loop_run(void)
{
    if (is_woken) {
        eventfd_t ignored;
        is_woken = false;
        eventfd_read(wake_fd, &ignored);
    }
    for (size_t n = ring.count; n > 0 && ring.count > 0; n--) {
        struct handle *h = ring_take();
        if (is_debug)
            run_timed(h);
        else
            run_handle(h);
        Py_DECREF(h);
    }
    while (let_go.count > 0)
        Py_DECREF(let_go.objects[--let_go.count]);
}

void loop_wake(void)
{
    if (wake_fd >= 0 && !is_woken)
        is_woken = eventfd_write(wake_fd, 1) == 0;
}

bool loop_is_wanted(void)
{
    return is_woken;
}

static void wake_from_elsewhere(void)
{
    if (!strand_here())
        loop_wake();
}

bool loop_is_ready(void)
{
    return ring.count > 0;
}

void loop_let_go(PyObject *take_object)
{
    if (let_go.count == let_go.cap) {
        size_t cap = let_go.cap ? let_go.cap * 2 : 64;
        PyObject **grown = mem_resize(let_go.objects, cap * sizeof *grown);
        if (!grown)
            return; /* it is never freed, which is safe */
        let_go.objects = grown;
        let_go.cap = cap;
    }
    let_go.objects[let_go.count++] = take_object;
}

static void fire(struct timer *timer)
{
    struct handle *h = (struct handle *)(void *)((char *)timer - offsetof(struct handle, timer));

    if (ring_put(h) < 0) /* the heap's reference goes over */
        PyErr_Clear();
}

/* ---- the loop's methods ---- */

/* The value of the keyword `context`, the only one these methods know. */
static int get_context(PyObject *const *arguments, Py_ssize_t count, PyObject *names,
                       Py_ssize_t least, PyObject **ret_context)
{
    *ret_context = NULL;
    if (count < least) {
        PyErr_SetString(PyExc_TypeError, "missing 1 required positional argument: 'callback'");
        return -1;
    }
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "context") != 0) {
            PyErr_Format(PyExc_TypeError, "unexpected keyword argument '%U'",
                         PyTuple_GET_ITEM(names, i));
            return -1;
        }
        *ret_context = arguments[count + i];
    }
    return 0;
}

static PyObject *call_soon(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                           PyObject *names)
{
    PyObject *context;
    struct handle *h;

    (void)self;
    if (get_context(arguments, count, names, 1, &context) < 0)
        return NULL;
    h = handle_new(arguments, count, context);
    if (!h || ring_put((struct handle *)Py_NewRef((PyObject *)h)) < 0)
        return NULL;
    wake_from_elsewhere();
    return (PyObject *)h;
}

static PyObject *call_soon_threadsafe(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                      PyObject *names)
{
    PyObject *handle = call_soon(self, arguments, count, names);

    if (handle)
        loop_wake();
    return handle;
}

static PyObject *call_at_us(PyObject *const *arguments, Py_ssize_t count, PyObject *names,
                            double when_us)
{
    PyObject *context;
    struct handle *h;

    if (get_context(arguments, count, names, 2, &context) < 0)
        return NULL;
    h = handle_new(arguments + 1, count - 1, context);
    if (!h)
        return NULL;
    h->when = when_us / 1e6;
    if (!(when_us > 0)) /* -inf and nan, too */
        when_us = 0;
    if (when_us > 9e18)
        when_us = 9e18;
    if (timers_add(&h->timer, (int64_t)when_us, fire) < 0) {
        Py_DECREF(h);
        return PyErr_NoMemory();
    }
    Py_INCREF(h); /* the heap's */
    wake_from_elsewhere();
    return (PyObject *)h;
}

static PyObject *call_later(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                            PyObject *names)
{
    double delay = count > 0 ? PyFloat_AsDouble(arguments[0]) : 0;

    (void)self;
    if (delay == -1 && PyErr_Occurred())
        return NULL;
    return call_at_us(arguments, count, names,
                      (double)clock_now_us() + (delay > 0 ? delay : 0) * 1e6);
}

static PyObject *call_at(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                         PyObject *names)
{
    double when = count > 0 ? PyFloat_AsDouble(arguments[0]) : 0;

    (void)self;
    if (when == -1 && PyErr_Occurred())
        return NULL;
    return call_at_us(arguments, count, names, when * 1e6);
}

static PyObject *loop_time(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyFloat_FromDouble((double)clock_now_us() / 1e6);
}

static PyObject *vectorcall_on_loop(PyObject *type, PyObject *first);

/* With then() and its like, for Python code. */
static PyObject *create_future(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return vectorcall_on_loop(promised_type, NULL);
}

static PyObject *get_debug(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyBool_FromLong(is_debug);
}

static PyObject *set_debug(PyObject *self, PyObject *enabled)
{
    (void)self;
    is_debug = enabled == Py_True;
    Py_RETURN_NONE;
}

static PyObject *yes(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_TRUE;
}

static PyObject *no(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_FALSE;
}

/* ---- tasks and futures ---- */

static PyObject *vectorcall_on_loop(PyObject *type, PyObject *first)
{
    PyObject *arguments[2] = {first, the_loop};

    return first ? PyObject_Vectorcall(type, arguments, 1, loop_keyword)
                 : PyObject_Vectorcall(type, arguments + 1, 0, loop_keyword);
}

PyObject *loop_object(void)
{
    return the_loop;
}

PyObject *loop_new_future(void)
{
    return vectorcall_on_loop(future_type, NULL);
}

PyObject *loop_new_task(PyObject *take_coroutine)
{
    PyObject *task = vectorcall_on_loop(task_type, take_coroutine);

    Py_DECREF(take_coroutine);
    return task;
}

PyObject *loop_start_task(PyObject *take_coroutine)
{
    size_t before = ring.count;
    PyObject *task = loop_new_task(take_coroutine), *outer;
    struct handle *h;

    if (!task || is_debug || !strand_here() || ring.count != before + 1)
        return task;
    h = ring_take_last();
    outer = sync_take_task();
    run_handle(h);
    sync_put_task(outer);
    Py_DECREF(h);
    return task;
}

static PyObject *start_task(PyObject *self, PyObject *coroutine)
{
    (void)self;
    return loop_start_task(Py_NewRef(coroutine));
}

/* No future takes a StopIteration, whoever waits for it would wait for ever: a RuntimeError, as out
 * of a coroutine (PEP 479).  New. */
static PyObject *exception_for(PyObject *exception)
{
    PyObject *error;

    if (!PyErr_GivenExceptionMatches(exception, PyExc_StopIteration))
        return Py_NewRef(exception);
    error = PyObject_CallFunction(PyExc_RuntimeError, "s", "promise raised StopIteration");
    if (error)
        PyException_SetCause(error, Py_NewRef(exception)); /* steals */
    return error;
}

PyObject *loop_settle(PyObject *future, PyObject *value, bool is_error)
{
    PyObject *is_done = PyObject_CallMethod(future, "done", NULL), *exception, *set;
    int done = is_done ? PyObject_IsTrue(is_done) : -1;

    Py_XDECREF(is_done);
    if (done)
        return done > 0 ? Py_NewRef(Py_None) : NULL;
    if (!is_error)
        return PyObject_CallMethod(future, "set_result", "O", value);
    exception = exception_for(value);
    set = exception ? PyObject_CallMethod(future, "set_exception", "O", exception) : NULL;
    Py_XDECREF(exception);
    return set;
}

/* ---- life ---- */

static PyMethodDef handle_methods[] = {
    {"cancel", handle_cancel, METH_NOARGS, NULL},
    {"cancelled", handle_cancelled, METH_NOARGS, NULL},
    {"when", handle_when, METH_NOARGS, NULL},
    {0},
};

static PyMethodDef loop_methods[] = {
    {"call_soon", METHOD(call_soon), METH_FASTCALL | METH_KEYWORDS,
     "call_soon($self, callback, /, *args, context=None)\n--\n\nCall it in the next turn."},
    {"call_soon_threadsafe", METHOD(call_soon_threadsafe), METH_FASTCALL | METH_KEYWORDS,
     "call_soon_threadsafe($self, callback, /, *args, context=None)\n--\n\ncall_soon() from any "
     "thread."},
    {"call_later", METHOD(call_later), METH_FASTCALL | METH_KEYWORDS,
     "call_later($self, delay, callback, /, *args, context=None)\n--\n\nCall it after so many "
     "seconds."},
    {"call_at", METHOD(call_at), METH_FASTCALL | METH_KEYWORDS,
     "call_at($self, when, callback, /, *args, context=None)\n--\n\nCall it at a time of time()."},
    {"time", loop_time, METH_NOARGS, "time($self, /)\n--\n\nSeconds of the loop's clock."},
    {"create_future", create_future, METH_NOARGS,
     "create_future($self, /)\n--\n\nA Future of this loop."},
    {"is_running", yes, METH_NOARGS, "is_running($self, /)\n--\n\nYes."},
    {"is_closed", no, METH_NOARGS, "is_closed($self, /)\n--\n\nNo."},
    {"get_debug", get_debug, METH_NOARGS, "get_debug($self, /)\n--\n\nWhether debugging is on."},
    {"_set_debug", set_debug, METH_O, NULL},
    {"_start_task", start_task, METH_O, "A task whose first step has run."},
    {0},
};

int loop_add_types(PyObject *module)
{
    static PyType_Slot handle_slots[] = {
        {Py_tp_dealloc, (void *)handle_dealloc}, {Py_tp_traverse, (void *)handle_traverse},
        {Py_tp_clear, (void *)handle_clear},     {Py_tp_repr, (void *)handle_repr},
        {Py_tp_methods, handle_methods},         {0, NULL},
    };
    static PyType_Spec handle_spec = {
        .name = "_corral.Handle",
        .basicsize = sizeof(struct handle),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = handle_slots,
    };
    static PyType_Slot loop_slots[] = {{Py_tp_methods, loop_methods}, {0, NULL}};
    static PyType_Spec loop_spec = {
        .name = "_corral.Loop",
        .basicsize = sizeof(PyObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = loop_slots,
    };
    PyObject *loop_type = PyType_FromSpec(&loop_spec);

    handle_type = (PyTypeObject *)PyType_FromSpec(&handle_spec);
    if (!handle_type || !loop_type)
        return -1;
    if (PyModule_AddObjectRef(module, "Handle", (PyObject *)handle_type) < 0)
        return -1;
    return PyModule_AddObject(module, "Loop", loop_type); /* steals */
}

static void set_running_loop(void)
{
    PyObject *done = PyObject_CallOneArg(set_running, the_loop);

    if (!done)
        PyErr_Clear();
    Py_XDECREF(done);
}

int loop_open(struct err *err)
{
    PyObject *module = PyImport_ImportModule("corral.loop");

    if (module) {
        the_loop = PyObject_GetAttrString(module, "loop");
        future_type = PyObject_GetAttrString(module, "Future");
        promised_type = PyObject_GetAttrString(module, "PyodideFuture");
        task_type = PyObject_GetAttrString(module, "Task");
        set_running = PyObject_GetAttrString(module, "set_running_loop");
        loop_keyword = Py_BuildValue("(s)", "loop");
        Py_DECREF(module);
    }
    if (!module || !the_loop || !future_type || !promised_type || !task_type || !set_running ||
        !loop_keyword) {
        PyErr_Print();
        return err_set(err, ERR_SYSTEM, "start Python: the event loop was not made");
    }
    set_running_loop();
    return 0;
}

void loop_after_fork(void)
{
    set_running_loop();
}

int loop_start(struct err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return err_errno(err, errno, "make the event loop's wake-up descriptor");
    if (wake_fd >= 0)
        close(wake_fd);
    wake_fd = fd;
    is_woken = false;
    return 0;
}

int loop_wake_fd(void)
{
    return wake_fd;
}
