/* worker.c - the tenant's module: loaded once, its handlers called for every request.
 *
 * sdk/python/corral/load.py imports the module, finds the handlers and words
 * every failure; here a request becomes a call, and what comes of the call an
 * answer.  A coroutine runs as an asyncio.Task, as current_task, timeouts and
 * anyio expect one; a task that does not suspend is finished within
 * worker_fetch, without a callback.
 *
 *   call -> not awaitable  -> deliver
 *        -> coroutine -> task, one run of the loop -> done?    -> deliver
 *                                                  -> suspended: deliver from its done callback
 *   deliver -> awaitable -> once more, in a coroutine that waits until it is none
 *
 * The request and ctx are lazy proxies: JavaScript objects only when touched. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/worker.h"

#include "base/mem.h"
#include "realm/bridge/value.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/web/web.h"

struct handler {
    PyObject *function;
    Py_ssize_t count;       /* of positional arguments that it takes, 1 to 3 */
};
static struct handler fetch, warm;
static PyObject *dispatch; /* the handlers of other events: corral/entry.py */
static PyObject *env, *name_done, *name_result, *name_add_done_callback;

/* ---- loading ---- */

static char *text_of(PyObject *dict, const char *key)
{
    PyObject *value = PyDict_GetItemString(dict, key); /* borrowed */
    const char *text = value && PyUnicode_Check(value) ? PyUnicode_AsUTF8(value) : NULL;

    if (!text)
        PyErr_Clear();
    return mem_strdup(text ? text : "");
}

static int number_of(PyObject *dict, const char *key)
{
    PyObject *value = PyDict_GetItemString(dict, key); /* borrowed */
    long n = value && PyLong_Check(value) ? PyLong_AsLong(value) : 0;

    if (PyErr_Occurred())
        PyErr_Clear();
    return (int)n;
}

enum { INTERNAL = 5 };  /* FAILURE_INTERNAL of the wire */

static int fill_failure(PyObject *dict, struct realm_failure *ret)
{
    ret->kind = number_of(dict, "kind");
    ret->text = text_of(dict, "text");
    ret->hint = text_of(dict, "hint");
    ret->traceback = text_of(dict, "traceback");
    ret->file = text_of(dict, "file");
    ret->module = text_of(dict, "module");
    ret->line = number_of(dict, "line");
    ret->column = number_of(dict, "column");
    return ERR_INVALID;
}

static int fail_internally(struct realm_failure *ret)
{
    PyObject *type, *exception, *traceback, *text = NULL;
    const char *words = NULL;

    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (exception)
        text = interp_format(exception);
    if (text)
        words = PyUnicode_AsUTF8(text);
    ret->kind = INTERNAL;
    ret->text = mem_strdup("the worker could not be loaded: Corral itself failed");
    ret->hint = mem_strdup("");
    ret->traceback = mem_strdup(words ? words : "");
    ret->file = mem_strdup("");
    ret->module = mem_strdup("");
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
    return ERR_INVALID;
}

static PyObject *make_env(struct span values, struct span bindings)
{
    JSValueRef texts[] = {text_value(values.len ? values : SPAN("{}")),
                          text_value(bindings.len ? bindings : SPAN("{}"))};
    JSValueRef thrown = NULL, value;

    value = engine_call(engine_internal("makeEnv"), 2, texts, &thrown);
    return thrown ? bridge_raise(thrown) : bridge_to_python(value, NULL);
}

static int take_names(void)
{
    name_done = PyUnicode_InternFromString("done");
    name_result = PyUnicode_InternFromString("result");
    name_add_done_callback = PyUnicode_InternFromString("add_done_callback");
    return name_done && name_result && name_add_done_callback ? 0 : -1;
}

/* Whatever a template calls is imported here, once for all: what it imports itself is in no memory
 * that it shares. */
int worker_open(struct err *err)
{
    static const char *const MODULES[] = {"workers", "corral.load"};

    for (size_t i = 0; i < sizeof MODULES / sizeof *MODULES; i++) {
        PyObject *module = PyImport_ImportModule(MODULES[i]);

        if (!module) {
            PyErr_Print();
            return err_set(err, ERR_SYSTEM, "start Python: %s could not be imported", MODULES[i]);
        }
        Py_DECREF(module);
    }
    return 0;
}

int worker_load(const struct realm_bundle *bundle, uint32_t *ret_handlers,
                struct realm_failure *ret_failure)
{
    PyObject *load = interp_sdk("corral.load", "load"), *loaded = NULL;
    int r;

    env = load && take_names() == 0 ? make_env(bundle->env, bundle->bindings) : NULL;
    if (env)
        loaded = PyObject_CallFunction(load, "sssssOs#K", bundle->name, bundle->folder, bundle->main,
                                       bundle->compatibility_date, bundle->compatibility_flags, env,
                                       bundle->packages.data, (Py_ssize_t)bundle->packages.len,
                                       (unsigned long long)bundle->tmp_bytes);
    Py_XDECREF(load);
    output_flush();
    if (!loaded)
        return fail_internally(ret_failure);
    if (PyDict_Check(loaded)) {
        r = fill_failure(loaded, ret_failure);
    } else if (PyArg_ParseTuple(loaded, "OnOnOI", &fetch.function, &fetch.count, &warm.function,
                                &warm.count, &dispatch, ret_handlers)) {
        Py_INCREF(fetch.function);
        Py_INCREF(warm.function);
        Py_INCREF(dispatch);
        r = 0;
    } else {
        r = fail_internally(ret_failure);
    }
    Py_DECREF(loaded);
    return r;
}

static void run_sdk(const char *name)
{
    PyObject *function = interp_sdk("corral.load", name);
    PyObject *done = function ? PyObject_CallNoArgs(function) : NULL;

    if (!done)
        PyErr_WriteUnraisable(function);
    Py_XDECREF(function);
    Py_XDECREF(done);
}

void worker_settle(void)
{
    run_sdk("settle");
}

void worker_start(void)
{
    run_sdk("seed");
}

/* ---- answering ---- */

static void fail_with_text(struct exchange *x, enum host_failure why, PyObject *text)
{
    Py_ssize_t len = 0;
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
    const char *words = bytes ? PyBytes_AS_STRING(bytes) : "out of memory";
    struct span said;

    len = bytes ? PyBytes_GET_SIZE(bytes) : (Py_ssize_t)strlen(words);
    said = (struct span){words, (size_t)len};
    PyErr_Clear();
    if (x->on_quiet)
        web_fail_event(x, said);
    else
        exchange_fail(x, why, said);
    Py_XDECREF(bytes);
    Py_XDECREF(text);
}

/* The Python exception that is set ends the exchange. */
static void fail_with_exception(struct exchange *x)
{
    PyObject *type, *exception, *traceback;

    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback)
        PyException_SetTraceback(exception, traceback);
    fail_with_text(x, HOST_EXCEPTION, interp_format(exception));
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
}

static void fail_with_result(struct exchange *x, PyObject *result)
{
    PyObject *describe = interp_sdk("corral.errors", "describe_result"), *text = NULL;

    if (describe)
        text = PyObject_CallOneArg(describe, result);
    Py_XDECREF(describe);
    if (text)
        fail_with_text(x, HOST_BAD_RESULT, text);
    else
        fail_with_exception(x);
}

/* The SDK's own Response classes hold the JavaScript one. */
static PyObject *unwrap(PyObject *take_result)
{
    PyObject *inner;

    if (js_proxy_check(take_result) || take_result == Py_None)
        return take_result;
    inner = PyObject_GetAttrString(take_result, "js_object");
    if (!inner) {       /* pyodide.http's response */
        PyErr_Clear();
        inner = PyObject_GetAttrString(take_result, "js_response");
    }
    if (!inner) {
        PyErr_Clear();
        return take_result;
    }
    Py_DECREF(take_result);
    return inner;
}

/* result is awaitable but no coroutine (a promise, a future), or what a coroutine returned is
 * awaitable again: wait for it, and for what comes of it, in one. */
static PyObject *wrap_awaitable(PyObject *take_result)
{
    PyObject *wait_for = interp_sdk("corral.bridge", "wait_for"), *coroutine = NULL;

    if (wait_for)
        coroutine = PyObject_CallOneArg(wait_for, take_result);
    Py_XDECREF(wait_for);
    Py_DECREF(take_result);
    return coroutine;
}

static bool is_awaitable(PyObject *object)
{
    return Py_TYPE(object)->tp_as_async && Py_TYPE(object)->tp_as_async->am_await;
}

static int deliver_later(struct exchange *x, PyObject *task);

/* result: new, or NULL with an exception.  Ends the handler's hold: x may be gone after. */
static void deliver(struct exchange *x, PyObject *take_result)
{
    uint32_t stream = x->stream;
    enum web_delivery delivery = WEB_NO_RESPONSE;
    PyObject *given;

    if (!take_result) {
        fail_with_exception(x);
        exchange_release(x);
        return;
    }
    if (is_awaitable(take_result)) {    /* `return fetch(...)` in a coroutine, without await */
        PyObject *coroutine = wrap_awaitable(take_result);
        PyObject *task = coroutine ? loop_new_task(coroutine) : NULL;
        if (!task || deliver_later(x, task) < 0)
            deliver(x, NULL);
        Py_XDECREF(task);
        return;
    }
    if (x->on_quiet) {      /* an event: its record has what came of it */
        Py_DECREF(take_result);
        exchange_release(x);
        return;
    }
    given = Py_NewRef(take_result);
    take_result = unwrap(take_result);
    if (js_proxy_check(take_result) && js_proxy_answer(take_result, x)) {
        delivery = WEB_DELIVERED;
    } else if (js_proxy_check(take_result)) {
        JSObjectRef value = js_proxy_object(take_result);
        if (value)
            delivery = web_deliver(x, value);
    }
    x = exchange_find(stream);
    if (x && delivery == WEB_NO_RESPONSE)
        fail_with_result(x, given);
    Py_DECREF(given);
    Py_DECREF(take_result);
    x = exchange_find(stream);
    if (x)
        exchange_release(x);
}

/* self: the stream's number */
static PyObject *task_ended(PyObject *self, PyObject *task)
{
    struct exchange *x = exchange_find((uint32_t)PyLong_AsUnsignedLongMask(self));
    PyObject *result = PyObject_CallMethodNoArgs(task, name_result);

    if (x)
        deliver(x, result);
    else
        Py_XDECREF(result);
    PyErr_Clear();
    Py_RETURN_NONE;
}

static PyMethodDef task_ended_method = {"task_ended", task_ended, METH_O, NULL};

static int deliver_later(struct exchange *x, PyObject *task)
{
    PyObject *number = PyLong_FromUnsignedLong(x->stream), *callback = NULL, *done = NULL;

    if (number)
        callback = PyCFunction_New(&task_ended_method, number);
    if (callback)
        done = PyObject_CallMethodOneArg(task, name_add_done_callback, callback);
    Py_XDECREF(number);
    Py_XDECREF(callback);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Tasks whose first step this strand is running, in loop_run, to deliver what comes of them. */
struct owed {
    struct owed *outer;
    uint32_t stream;
    PyObject *task; /* borrowed; NULL: nothing is owed any more */
};
static _Thread_local struct owed *owed;

void worker_defer(void)
{
    for (struct owed *o = owed; o; o = o->outer) {
        struct exchange *x = o->task ? exchange_find(o->stream) : NULL;
        if (x && deliver_later(x, o->task) < 0)
            deliver(x, NULL);
        o->task = NULL;
    }
}

static void run_task(struct exchange *x, PyObject *take_coroutine)
{
    uint32_t stream = x->stream;
    PyObject *task = loop_new_task(take_coroutine), *is_done;
    struct owed mine = {owed, stream, task};

    if (!task) {
        deliver(x, NULL);
        return;
    }
    owed = &mine;
    loop_run();
    owed = mine.outer;
    if (!mine.task) {
        Py_DECREF(task);
        return;
    }
    is_done = PyObject_CallMethodNoArgs(task, name_done);
    x = exchange_find(stream);      /* still there: the handler's hold has not ended */
    if (is_done == Py_True)
        deliver(x, PyObject_CallMethodNoArgs(task, name_result));
    else if (!is_done || deliver_later(x, task) < 0)
        deliver(x, NULL);
    Py_XDECREF(is_done);
    Py_DECREF(task);
}

static void call(struct exchange *x, const struct handler *handler)
{
    PyObject *own = interp_enter_stream(x->stream), *arguments[3] = {0}, *result = NULL;
    uint32_t stream = x->stream;

    arguments[0] = js_proxy_lazy_request(x->head);
    arguments[1] = Py_XNewRef(env);
    if (handler->count > 2)
        arguments[2] = js_proxy_lazy_context(stream);
    if (own && arguments[0] && arguments[1] && (handler->count < 3 || arguments[2]))
        result = PyObject_Vectorcall(handler->function, arguments, (size_t)handler->count, NULL);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(arguments[i]);
    if (result && PyCoro_CheckExact(result))
        run_task(x, result);
    else
        deliver(x, result);
    if (own)
        interp_leave_stream(own);
}

static PyObject *open_event(struct exchange *x, const struct realm_event *event)
{
    JSValueRef thrown = NULL, object;

    object = web_open_event(x, event->kind, event->payload, &thrown);
    return object ? bridge_to_python(object, NULL) : bridge_raise(thrown);
}

void worker_event(struct exchange *x, const struct realm_event *event)
{
    PyObject *own = interp_enter_stream(x->stream), *result = NULL;
    PyObject *object = own ? open_event(x, event) : NULL;
    PyObject *context = object ? js_proxy_lazy_context(x->stream) : NULL;

    if (context)
        result = PyObject_CallFunction(dispatch, "s#s#OOO", event->kind.data,
                                       (Py_ssize_t)event->kind.len,
                                       event->entrypoint.len ? event->entrypoint.data : "",
                                       (Py_ssize_t)event->entrypoint.len, object, env, context);
    Py_XDECREF(object);
    Py_XDECREF(context);
    if (result && PyCoro_CheckExact(result))
        run_task(x, result);
    else
        deliver(x, result);
    if (own)
        interp_leave_stream(own);
}

void worker_fetch(struct exchange *x)
{
    call(x, &fetch);
}

void worker_warm(struct exchange *x)
{
    call(x, &warm);
}
