/* sync.c - run_sync: a Python frame waits for an awaitable while everybody else goes on.
 *
 *   run_sync(awaitable) -> a future, whose end calls `resume` in a turn of the
 *   loop -> the frame's strand runs on top of that turn until it waits again
 *   or has unwound
 *
 * Each strand has a thread state of Python's of its own (interp_begin_thread),
 * and with it its frames, exceptions and contexts.
 *
 * Called by: Python code (module _corral), bridge/proxy_py.c. */
#include "realm/py/sync.h"

#include "base/mem.h"
#include "realm/bridge/away.h"
#include "realm/bridge/value.h"
#include "realm/exchange.h"
#include "realm/js/engine.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/py/overtime.h"
#include "realm/py/worker.h"
#include "realm/strand.h"

/* What a strand puts aside while others run. */
struct aside {
    PyObject *task; /* asyncio's current one, or NULL */
    struct engine_place place;
    PyThreadState *thread;
};

static PyObject *current_tasks, *ensure_future, *cancelled_error;
static const char strand_name[] = "corral.strand";

/* ---- putting aside ---- */

static PyObject *current_task(void)
{
    PyObject *task = PyDict_GetItemWithError(current_tasks, loop_object()); /* borrowed */

    if (!task)
        PyErr_Clear();
    return Py_XNewRef(task);
}

static void set_current_task(PyObject *take_task)
{
    int r = take_task ? PyDict_SetItem(current_tasks, loop_object(), take_task)
            : PyDict_Contains(current_tasks, loop_object()) == 1
                ? PyDict_DelItem(current_tasks, loop_object())
                : 0;

    if (r < 0)
        PyErr_WriteUnraisable(NULL);
    Py_XDECREF(take_task);
}

PyObject *sync_take_task(void)
{
    PyObject *task = current_task();

    set_current_task(NULL);
    return task;
}

void sync_put_task(PyObject *take_task)
{
    set_current_task(take_task);
}

static void step_aside(struct aside *aside)
{
    aside->task = sync_take_task();
    aside->place = engine_leave(); /* runs the microtasks */
    aside->thread = PyThreadState_Swap(NULL); /* the GIL goes along: interp_begin_thread */
}

static void step_back(struct aside *aside)
{
    PyThreadState_Swap(aside->thread);
    overtime_here();
    engine_come_back(aside->place);
    set_current_task(aside->task);
}

/* ---- run_sync ---- */

bool sync_can_wait(void)
{
    return strand_here() && strand_is_serving() && engine_place.depth == 0 && !engine_has_frames();
}

/* can_run_sync() -> bool */
static PyObject *can_run_sync(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyBool_FromLong(sync_can_wait());
}

static PyObject *refuse(void)
{
    if (!strand_is_serving())
        PyErr_SetString(PyExc_RuntimeError,
                        "run_sync() cannot wait while the worker's module is loaded: nothing is "
                        "served yet. Call it in a handler.");
    else
        PyErr_SetString(PyExc_RuntimeError,
                        "Cannot stack switch because the Python entrypoint was a synchronous "
                        "function. Use pyFunc.callPromising() to fix.\n(JavaScript called this "
                        "Python code and waits for it: make the function `async def` and use "
                        "await, or let JavaScript call it with callPromising().)");
    return NULL;
}

/* ---- frames that wait ---- */

/* On the stack of the frame, in a list from the one that waits longest. */
struct waiting {
    struct waiting *next, *previous;
    const struct strand *strand;
    PyObject *callback; /* borrowed; resumes it */
    uint32_t stream;
    bool is_told; /* to give up */
};
static struct {
    struct waiting *first, *last;
    unsigned count;
} waiting;

/* How far a callback is, which a future of somebody else's may call at once, twice or from a
 * thread: the capsule's context. */
enum ticket { TICKET_NEW, TICKET_WAITS, TICKET_OVER };

static enum ticket ticket_of(PyObject *capsule)
{
    return (enum ticket)(intptr_t)PyCapsule_GetContext(capsule);
}

static void set_ticket(PyObject *capsule, enum ticket ticket)
{
    PyCapsule_SetContext(capsule, (void *)(intptr_t)ticket);
}

static void waiting_add(struct waiting *w)
{
    w->previous = waiting.last;
    *(w->previous ? &w->previous->next : &waiting.first) = w;
    waiting.last = w;
    waiting.count++;
}

static void waiting_remove(struct waiting *w)
{
    *(w->previous ? &w->previous->next : &waiting.first) = w->next;
    *(w->next ? &w->next->previous : &waiting.last) = w->previous;
    waiting.count--;
}

bool sync_is_waiting(const struct strand *strand, uint32_t *ret_stream)
{
    for (const struct waiting *w = waiting.first; w; w = w->next)
        if (w->strand == strand) {
            *ret_stream = w->stream;
            return true;
        }
    return false;
}

static bool is_abandoned(uint32_t stream)
{
    const struct exchange *x = exchange_find(stream);

    return stream != 0 && (!x || x->is_aborted);
}

/* As many wait as may: those whose client has left give up, one after the other, and unwind now. */
static bool make_room(void)
{
    struct waiting *w = waiting.first;

    for (unsigned tries = waiting.count; tries > 0 && waiting.count >= REALM_WAITING_MAX; tries--) {
        PyObject *done;
        for (w = waiting.first; w && !is_abandoned(w->stream);)
            w = w->next;
        if (!w)
            return false;
        w->is_told = true;
        done = PyObject_CallOneArg(w->callback, Py_None);
        Py_XDECREF(done);
        if (!done)
            return false;
    }
    return waiting.count < REALM_WAITING_MAX;
}

/* self: a capsule of the strand that waits for the future */
static PyObject *resume(PyObject *self, PyObject *future);
static PyMethodDef resume_method = {"resume", resume, METH_O, NULL};

static PyObject *resume(PyObject *self, PyObject *future)
{
    struct strand *strand = PyCapsule_GetPointer(self, strand_name);
    enum ticket ticket = ticket_of(self);
    struct aside aside;

    if (!strand)
        return NULL;
    if (!strand_here()) {
        PyObject *again = PyCFunction_New(&resume_method, self), *handle = NULL;
        if (again)
            handle =
                PyObject_CallMethod(loop_object(), "call_soon_threadsafe", "OO", again, future);
        Py_XDECREF(again);
        return handle;
    }
    set_ticket(self, TICKET_OVER);
    if (ticket == TICKET_WAITS) {
        step_aside(&aside);
        strand_resume(strand);
        step_back(&aside);
    }
    Py_RETURN_NONE;
}

static int refuse_to_wait(const char *why)
{
    PyErr_Format(
        PyExc_RuntimeError,
        "run_sync() cannot wait: %s in this instance of the worker. Make the handler `async "
        "def` and use await, which takes no thread.",
        why);
    return -1;
}

/* Once the future has the callback, which is of the capsule. */
static int wait_with(PyObject *capsule, PyObject *callback)
{
    struct waiting mine = {.strand = strand_self, .callback = callback, .stream = interp_stream()};
    struct err err = {0};
    struct aside aside;
    int r;

    worker_defer();
    if (waiting.count >= REALM_WAITING_MAX && !make_room())
        PyErr_Clear(); /* strand_wait says why */
    if (ticket_of(capsule) == TICKET_OVER) /* at once, or while others gave up */
        return 0;
    set_ticket(capsule, TICKET_WAITS);
    waiting_add(&mine);
    step_aside(&aside);
    r = strand_wait(&err);
    step_back(&aside);
    waiting_remove(&mine);
    if (r < 0)
        return refuse_to_wait(err.text);
    if (mine.is_told) {
        PyErr_SetString(cancelled_error,
                        "run_sync() gave up: the client of this request has left, and "
                        "others want to wait");
        return -1;
    }
    return 0;
}

static int wait_for(PyObject *future)
{
    PyObject *capsule = PyCapsule_New(strand_self, strand_name, NULL), *callback = NULL,
             *added = NULL;
    int r = -1;

    if (capsule)
        callback = PyCFunction_New(&resume_method, capsule);
    if (callback)
        added = PyObject_CallMethod(future, "add_done_callback", "O", callback);
    if (added)
        r = wait_with(capsule, callback);
    if (capsule)
        set_ticket(capsule, TICKET_OVER);
    if (added && r < 0) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        Py_XDECREF(PyObject_CallMethod(future, "remove_done_callback", "O", callback));
        PyErr_Restore(type, value, traceback); /* steals */
    }
    Py_XDECREF(capsule);
    Py_XDECREF(callback);
    Py_XDECREF(added);
    return r;
}

static bool is_awaitable(PyObject *object)
{
    const PyAsyncMethods *async = Py_TYPE(object)->tp_as_async;

    if (PyGen_CheckExact(object)) /* of a function that types.coroutine has marked */
        return ((PyCodeObject *)((PyGenObject *)object)->gi_code)->co_flags & CO_ITERABLE_COROUTINE;
    return async && async->am_await;
}

/* run_sync(awaitable) -> what comes of it */
/* In another thread: only that one waits. */
static PyObject *wait_elsewhere(PyObject *awaitable)
{
    PyObject *function, *result = NULL;

    if (!away_is_served()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "run_sync() cannot wait while the worker's module is loaded: nothing is "
                        "served yet. Call it in a handler.");
        return NULL;
    }
    function = interp_sdk("corral.elsewhere", "run_sync");
    if (function)
        result = PyObject_CallOneArg(function, awaitable);
    Py_XDECREF(function);
    return result;
}

static PyObject *run_sync(PyObject *self, PyObject *awaitable)
{
    PyObject *future, *done, *result = NULL;

    (void)self;
    if (!is_awaitable(awaitable))
        return PyErr_Format(PyExc_TypeError, "object %.200s is not awaitable",
                            Py_TYPE(awaitable)->tp_name);
    if (!strand_here())
        return wait_elsewhere(awaitable);
    if (!sync_can_wait())
        return refuse();
    future = PyObject_CallOneArg(ensure_future, awaitable);
    if (!future)
        return NULL;
    done = PyObject_CallMethod(future, "done", NULL);
    if (done && (done == Py_True || wait_for(future) == 0)) {
        result = PyObject_CallMethod(future, "result", NULL);
    } else if (future != awaitable) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        Py_XDECREF(PyObject_CallMethod(future, "cancel", NULL));
        PyErr_Restore(type, value, traceback); /* steals */
    }
    Py_XDECREF(done);
    Py_DECREF(future);
    return result;
}

/* ---- calls that may wait, from JavaScript ---- */

struct promised {
    PyObject *function, *arguments, *named;
    JSObjectRef resolve, reject; /* kept */
};
static const char promised_name[] = "corral.promised";

static void promised_free(struct promised *p)
{
    Py_XDECREF(p->function);
    Py_XDECREF(p->arguments);
    Py_XDECREF(p->named);
    engine_drop(p->resolve);
    engine_drop(p->reject);
    mem_free(p);
}

/* self: a capsule of what was promised */
static PyObject *keep_promise(PyObject *self, PyObject *unused)
{
    struct promised *p = PyCapsule_GetPointer(self, promised_name);
    PyObject *result = PyObject_Call(p->function, p->arguments, p->named);
    JSValueRef value = result ? bridge_to_js(result) : NULL, thrown = NULL;
    bool is_error = !value;

    (void)unused;
    if (is_error)
        bridge_throw(&value);
    engine_call(is_error ? p->reject : p->resolve, 1, &value, &thrown);
    Py_XDECREF(result);
    promised_free(p);
    Py_RETURN_NONE;
}
static PyMethodDef keep_promise_method = {"keep_promise", keep_promise, METH_NOARGS, NULL};

JSValueRef sync_promise(PyObject *function, PyObject *arguments, PyObject *named,
                        JSValueRef *ret_thrown)
{
    struct promised *p = mem_alloc(sizeof *p);
    PyObject *capsule = p ? PyCapsule_New(p, promised_name, NULL) : PyErr_NoMemory(),
             *callback = NULL, *handle = NULL;
    JSObjectRef promise = NULL;

    if (capsule)
        callback = PyCFunction_New(&keep_promise_method, capsule);
    if (callback)
        promise = JSObjectMakeDeferredPromise(engine.context, &p->resolve, &p->reject, ret_thrown);
    if (promise) {
        p->function = Py_NewRef(function);
        p->arguments = Py_NewRef(arguments);
        p->named = Py_XNewRef(named);
        engine_keep(p->resolve);
        engine_keep(p->reject);
        handle = PyObject_CallMethod(loop_object(), "call_soon", "O", callback);
        if (!handle)
            promised_free(p);
    } else {
        mem_free(p);
    }
    Py_XDECREF(capsule);
    Py_XDECREF(callback);
    Py_XDECREF(handle);
    if (handle)
        return promise;
    return promise || !callback ? bridge_throw(ret_thrown) : engine.undefined;
}

/* ---- life ---- */

PyMethodDef sync_functions[] = {
    {"run_sync", run_sync, METH_O,
     "run_sync(awaitable) -> what comes of it; other requests go on meanwhile"},
    {"can_run_sync", can_run_sync, METH_NOARGS,
     "can_run_sync() -> whether run_sync() can wait here"},
    {0},
};

int sync_open(struct err *err)
{
    current_tasks = interp_sdk("_asyncio", "_current_tasks");
    ensure_future = interp_sdk("asyncio", "ensure_future");
    cancelled_error = interp_sdk("asyncio", "CancelledError");
    if (current_tasks && ensure_future && cancelled_error)
        return 0;
    PyErr_Print();
    return err_set(err, ERR_SYSTEM, "start Python: asyncio is not as it was");
}
