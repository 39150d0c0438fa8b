/* interp.c - CPython, started once: isolated, silent on disk, quiet about signals.
 *
 * The folders that `site` would add (python.c) are added here. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/interp.h"

#include <stdio.h>
#include <string.h>

#include "realm/bridge/value.h"
#include "realm/exchange.h"
#include "realm/py/overtime.h"
#include "realm/stacks.h"
#include "realm/py/egress.h"
#include "realm/py/gate.h"
#include "realm/py/locks.h"
#include "realm/py/loop.h"
#include "realm/py/python.h"
#include "realm/py/serve.h"
#include "realm/py/sdk.h"
#include "realm/py/sync.h"
#include "realm/realm.h"

static PyObject *stream_variable;
static PyThreadState *first_thread;
static PyObject *outermost; /* the first thread's context, in which top-level code runs */
static long strand_threads; /* states of strands beside the first: of threads that are ours */
static _Thread_local PyThreadState *away;         /* ours while the GIL is given away */
static _Thread_local PyThreadState *strand_state; /* of this thread as a strand */

static PyObject *write_log(PyObject *self, PyObject *arguments)
{
    const char *text;
    Py_ssize_t len;
    int level;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "is#", &level, &text, &len))
        return NULL;
    if (level < LOG_DEBUG || level > HOST_RAISED)
        return PyErr_Format(PyExc_ValueError, "there is no level %d", level);
    output_send(interp_stream(), (enum log_level)level, (struct span){text, (size_t)len});
    Py_RETURN_NONE;
}

/* met(name of a limit) */
static PyObject *met_limit(PyObject *self, PyObject *name)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(name, &len);
    enum limit limit;

    (void)self;
    if (!text)
        return NULL;
    if (!limit_find((struct span){text, (size_t)len}, &limit) || !(LIMITS_INSIDE & 1u << limit))
        return PyErr_Format(PyExc_ValueError, "there is no limit %R", name);
    output_met(interp_stream(), limit);
    Py_RETURN_NONE;
}

static PyObject *current_stream(PyObject *self, PyObject *nothing)
{
    (void)self, (void)nothing;
    return PyLong_FromUnsignedLong(interp_stream());
}

/* request_line() -> "GET http://..." of the request that this code runs for, or "" */
static PyObject *request_line(PyObject *self, PyObject *unused)
{
    const struct exchange *x = exchange_find(interp_stream());
    PyObject *method, *url, *line = NULL;

    (void)self, (void)unused;
    if (!x)
        return PyUnicode_FromString("");
    method = PyUnicode_DecodeUTF8(x->head->method.data, (Py_ssize_t)x->head->method.len, "replace");
    url = PyUnicode_DecodeUTF8(x->head->url.data, (Py_ssize_t)x->head->url.len, "replace");
    if (method && url)
        line = PyUnicode_FromFormat("%U %U", method, url);
    Py_XDECREF(method);
    Py_XDECREF(url);
    return line;
}

/* make_thread_room(): a thread is about to begin */
static PyObject *make_thread_room(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    stacks_make_room();
    Py_RETURN_NONE;
}

/* thread_count() -> of Python's threads, also of those that are about to begin, without this one.
 * Those that stand in for it are none. (_thread._count() knows a thread only from its first
 * instruction on.) */
static PyObject *thread_count(PyObject *self, PyObject *unused)
{
    PyThreadState *state = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    long count = -1 - strand_threads;

    (void)self, (void)unused;
    for (; state; state = PyThreadState_Next(state))
        count++;
    return PyLong_FromLong(count);
}

static PyMethodDef functions[] = {
    {"sdk_has", sdk_has, METH_O, "is there such a file of the SDK?"},
    {"sdk_code", sdk_code, METH_VARARGS, "sdk_code(file, origin): a file of the SDK, compiled"},
    {"sdk_source", sdk_source, METH_O, "the text of a file of the SDK, or None"},
    {"stream", current_stream, METH_NOARGS, "the number of the running request; 0: none runs"},
    {"log", write_log, METH_VARARGS, "log(level, text): to the log of the running request"},
    {"met", met_limit, METH_O, "met(name): the running request has met this limit"},
    {"thread_count", thread_count, METH_NOARGS, "how many there are beside this one"},
    {"make_thread_room", make_thread_room, METH_NOARGS, "a thread is about to begin"},
    {"request_line", request_line, METH_NOARGS, "whose code runs: method and URL, or nothing"},
    {0},
};

static PyObject *make_module(void)
{
    static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_corral",
                                            .m_size = -1, .m_methods = functions};
    PyObject *module = PyModule_Create(&definition);

    if (!module || PyModule_AddFunctions(module, bridge_functions) < 0 ||
        PyModule_AddFunctions(module, sync_functions) < 0 ||
        PyModule_AddFunctions(module, locks_functions) < 0 ||
        PyModule_AddFunctions(module, gate_functions) < 0 ||
        PyModule_AddFunctions(module, serve_functions) < 0 || output_add_type(module) < 0 ||
        loop_add_types(module) < 0 || egress_add_types(module) < 0 ||
        PyModule_AddFunctions(module, egress_functions) < 0 ||
        PyModule_AddIntConstant(module, "THREADS_MAX", REALM_THREADS_MAX) < 0 ||
        PyModule_AddIntConstant(module, "THREAD_STACK", REALM_THREAD_STACK) < 0)
        return NULL;
    return module;
}

static int run_boot(struct err *err)
{
    int r = sdk_run("finder.py", err);

    return r < 0 ? r : sdk_run("boot.py", err);
}

static int keep_outermost(void)
{
    PyObject *copy = PyContext_CopyCurrent(); /* for which the thread gets one */

    Py_XDECREF(copy);
    outermost = Py_XNewRef(first_thread->context);
    return copy ? 0 : -1;
}

int interp_open(struct err *err)
{
    if (PyImport_AppendInittab("_corral", make_module) < 0)
        return err_nomem(err);
    if (python_start(err) < 0)
        return err->code;
    PyGC_Disable();
    first_thread = strand_state = PyThreadState_Get();
    stream_variable = PyContextVar_New("corral_request", NULL);
    if (!stream_variable || keep_outermost() < 0)
        return err_nomem(err);
    return run_boot(err);
}

int interp_freeze(struct err *err)
{
    PyObject *gc = PyImport_ImportModule("gc"), *done;

    PyGC_Enable();
    done = gc ? PyObject_CallMethod(gc, "freeze", NULL) : NULL;
    Py_XDECREF(gc);
    if (!done)
        return err_nomem(err);
    Py_DECREF(done);
    return 0;
}

int interp_library(char *room, size_t size, struct err *err)
{
    PyObject *module = PyImport_ImportModule("os");
    PyObject *file = module ? PyObject_GetAttrString(module, "__file__") : NULL;
    const char *path = file ? PyUnicode_AsUTF8(file) : NULL;
    const char *name = path ? strrchr(path, '/') : NULL;
    int n = name ? snprintf(room, size, "%.*s", (int)(name - path), path) : -1;

    PyErr_Clear();
    Py_XDECREF(file);
    Py_XDECREF(module);
    return n > 0 && (size_t)n < size
               ? 0
               : err_set(err, ERR_SYSTEM, "Python does not say where its library is");
}

const char *interp_version(void)
{
    static char version[32];

    if (!version[0])
        snprintf(version, sizeof version, "%.*s", (int)strcspn(Py_GetVersion(), " +"),
                 Py_GetVersion());
    return version;
}

void interp_resume(void)
{
    if (away)
        PyEval_RestoreThread(away);
    away = NULL;
}

bool interp_has_threads(void)
{
    PyThreadState *first = PyInterpreterState_ThreadHead(PyInterpreterState_Get());

    return first && PyThreadState_Next(first);
}

void interp_suspend(void)
{
    if (interp_has_threads())
        away = PyEval_SaveThread();
}

static PyThreadState *new_state(void)
{
    PyThreadState *thread = PyThreadState_New(first_thread->interp);

    if (!thread)
        Py_FatalError("no memory for a thread's state");
    strand_threads++;
    thread->dict = Py_XNewRef(first_thread->dict);
    thread->context = Py_NewRef(outermost);
    thread->context_ver++;
    thread->coroutine_origin_tracking_depth = first_thread->coroutine_origin_tracking_depth;
    thread->async_gen_firstiter = Py_XNewRef(first_thread->async_gen_firstiter);
    thread->async_gen_finalizer = Py_XNewRef(first_thread->async_gen_finalizer);
    return thread;
}

/* The GIL comes and goes with the baton: it is nobody's in particular while no state is the current
 * one (until CPython 3.12; later PyThreadState_Swap itself gives it away).  Given away and taken
 * again it would be had in between by threads that compute, 1 ms each. */
void interp_begin_thread(void)
{
    if (!strand_state)
        strand_state = new_state();
    PyThreadState_Swap(strand_state);
    overtime_here();
    if (!bridge_stack_floor)
        bridge_measure_stack();
    away = PyEval_SaveThread();
}

void interp_end_thread(void)
{
    interp_resume();
    if (strand_state == first_thread) {
        PyThreadState_Swap(NULL);
        return;
    }
    strand_threads--;
    PyThreadState_Clear(strand_state);
    PyThreadState_Swap(NULL);
    PyThreadState_Delete(strand_state);
    strand_state = NULL;
}

void interp_fork_before(void)
{
    interp_resume();
    PyOS_BeforeFork();
}

void interp_fork_parent(void)
{
    PyOS_AfterFork_Parent();
}

void interp_fork_child(void)
{
    PyOS_AfterFork_Child();
    loop_after_fork();
}

/* A copy: what a plain handler sets, decimal's precision say, is no other request's. */
PyObject *interp_enter_stream(uint32_t stream)
{
    PyObject *number = PyLong_FromUnsignedLong(stream), *token = NULL,
             *context = number ? PyContext_CopyCurrent() : NULL;

    if (context && PyContext_Enter(context) < 0)
        Py_CLEAR(context);
    if (context) {
        token = PyContextVar_Set(stream_variable, number);
        if (!token) {
            PyContext_Exit(context);
            Py_CLEAR(context);
        }
    }
    Py_XDECREF(token);
    Py_XDECREF(number);
    return context;
}

void interp_leave_stream(PyObject *take_context)
{
    if (PyContext_Exit(take_context) < 0)
        PyErr_Clear();
    Py_DECREF(take_context);
}

uint32_t interp_stream(void)
{
    PyObject *number = NULL;
    uint32_t stream = 0;

    if (!stream_variable || !_PyThreadState_UncheckedGet())
        return 0;
    if (PyContextVar_Get(stream_variable, NULL, &number) == 0 && number)
        stream = (uint32_t)PyLong_AsUnsignedLongMask(number);
    Py_XDECREF(number);
    return stream;
}

PyObject *interp_sdk(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name), *found = NULL;

    if (module) {
        found = PyObject_GetAttrString(module, name);
        Py_DECREF(module);
    }
    return found;
}

PyObject *interp_format(PyObject *exception)
{
    static PyObject *format;
    PyObject *text = NULL;

    if (!format)
        format = interp_sdk("corral.errors", "format_exception");
    if (format)
        text = PyObject_CallOneArg(format, exception);
    if (!text) {
        PyErr_Clear();
        text = PyUnicode_FromFormat("Traceback (most recent call last):\n%s: (cannot be shown)",
                                    Py_TYPE(exception)->tp_name);
    }
    return text;
}
