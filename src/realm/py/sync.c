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
#include "realm/bridge/value.h"
#include "realm/js/engine.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/py/worker.h"
#include "realm/strand.h"

/* What a strand puts aside while others run. */
struct aside {
    PyObject *task; /* asyncio's current one, or NULL */
    struct engine_place place;
    PyThreadState *thread;
};

static PyObject *current_tasks, *ensure_future;
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

static void step_aside(struct aside *aside)
{
    aside->task = current_task();
    set_current_task(NULL);
    aside->place = engine_leave(); /* runs the microtasks */
    aside->thread = PyEval_SaveThread();
}

static void step_back(struct aside *aside)
{
    PyEval_RestoreThread(aside->thread);
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

/* is_loop_thread() -> whether this is the main thread, or one that stands in for it */
static PyObject *is_loop_thread(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyBool_FromLong(strand_here());
}

static PyObject *refuse(void)
{
    if (!strand_here())
        PyErr_SetString(PyExc_RuntimeError,
                        "run_sync() waits on the event loop's thread only: in another thread use "
                        "asyncio.run_coroutine_threadsafe(coroutine, loop).result()");
    else if (!strand_is_serving())
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

/* self: a capsule of the strand that waits for the future */
static PyObject *resume(PyObject *self, PyObject *future)
{
    struct strand *strand = PyCapsule_GetPointer(self, strand_name);
    struct aside aside;

    (void)future;
    if (!strand)
        return NULL;
    step_aside(&aside);
    strand_resume(strand);
    step_back(&aside);
    Py_RETURN_NONE;
}
static PyMethodDef resume_method = {"resume", resume, METH_O, NULL};

static int wait_for(PyObject *future)
{
    PyObject *capsule = PyCapsule_New(strand_self, strand_name, NULL), *callback = NULL,
             *added = NULL;
    struct err err = {0};
    struct aside aside;
    int r = -1;

    if (capsule)
        callback = PyCFunction_New(&resume_method, capsule);
    if (callback)
        added = PyObject_CallMethod(future, "add_done_callback", "O", callback);
    if (added) {
        worker_defer();
        step_aside(&aside);
        r = strand_wait(&err);
        step_back(&aside);
        if (r < 0) {
            Py_XDECREF(PyObject_CallMethod(future, "remove_done_callback", "O", callback));
            PyErr_Format(PyExc_RuntimeError,
                         "run_sync() cannot wait: %s in this instance of the worker. Make the "
                         "handler `async "
                         "def` and use await, which takes no thread.",
                         err.text);
        }
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
static PyObject *run_sync(PyObject *self, PyObject *awaitable)
{
    PyObject *future, *done, *result = NULL;

    (void)self;
    if (!is_awaitable(awaitable))
        return PyErr_Format(PyExc_TypeError, "object %.200s is not awaitable",
                            Py_TYPE(awaitable)->tp_name);
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
    {"is_loop_thread", is_loop_thread, METH_NOARGS, NULL},
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
    if (current_tasks && ensure_future)
        return 0;
    PyErr_Print();
    return err_set(err, ERR_SYSTEM, "start Python: asyncio is not as it was");
}
