/* overtime.c - from a signal of the node's to an exception in the worker's code.
 *
 * The signal's handler only notes the number and trips Python's own signal
 * check, which may be done at any moment; that check calls `overtime` between
 * two instructions of Python, on the thread that has the loop. */
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1 /* for _PyRuntime.main_thread alone */
#include <Python.h>

#include "realm/py/overtime.h"

#include <internal/pycore_runtime.h>
#include <signal.h>

#include "realm/exchange.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/py/interp.h"

static volatile sig_atomic_t
    doomed; /* the stream that the last signal named, until it was stopped; 0: none */

enum { FRAMES_MAX = 8 }; /* of a script that is ended, in the log */

/* Exported by the library, in no public header. */
extern JSStringRef JSContextCreateBacktrace(JSContextRef context, unsigned max_frames);

static PyObject *stop;  /* corral/overtime.py: (frame) -> (exception, text), or None */
static PyObject *wake;  /* (stream) */
static PyObject *ended; /* likewise, of a call whose script was ended: never None */

static void (*wake_script)(uint32_t stream);

static volatile uint32_t unseen; /* where nobody looks */
static volatile uint32_t *runs = &unseen;

void overtime_run(uint32_t stream)
{
    *runs = stream;
    if (doomed != 0 && (uint32_t)doomed == stream)
        PyErr_SetInterruptEx(SIGXCPU);
}

void overtime_show(volatile uint32_t *word)
{
    runs = word;
}

uint32_t overtime_running(void)
{
    return *runs;
}

void overtime_wake_by(void (*function)(uint32_t stream))
{
    wake_script = function;
}

/* Reactions of promises know no context. */
uint32_t overtime_current(void)
{
    uint32_t stream = interp_stream();

    return stream ? stream : *runs;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code != SI_QUEUE)
        return; /* not the node's: code of the worker's own */
    doomed = info->si_value.sival_int;
    PyErr_SetInterruptEx(number);
}

static PyObject *raise_in(uint32_t stream, PyObject *how, PyObject *frame)
{
    struct exchange *x = exchange_find(stream);
    PyObject *found = PyObject_CallOneArg(how, frame), *exception;
    Py_ssize_t len = 0;
    const char *text;

    if (!found || found == Py_None)
        return found; /* not here, later perhaps */
    doomed = 0;
    exception = PyTuple_GetItem(found, 0); /* borrowed */
    text = exception ? PyUnicode_AsUTF8AndSize(PyTuple_GetItem(found, 1), &len) : NULL;
    if (text) {
        if (x)
            exchange_stop(x, (struct span){text, (size_t)len});
        /* Nothing to say, but what waits is sent: this code may never come back. */
        exchange_log_for(stream, LOG_WARN, SPAN(""));
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    }
    Py_DECREF(found);
    return NULL;
}

/* overtime(signal number, frame): the handler that Python knows */
static PyObject *overtime(PyObject *self, PyObject *arguments)
{
    uint32_t guilty = (uint32_t)doomed;
    PyObject *frame;

    (void)self;
    if (guilty == 0 || guilty != overtime_current() ||
        !PyArg_UnpackTuple(arguments, "overtime", 2, 2, &frame, &frame) || frame == Py_None)
        Py_RETURN_NONE;
    return raise_in(guilty, stop, frame);
}

static PyMethodDef handler = {"overtime", overtime, METH_VARARGS,
                              "a request has used up its processor time"};

static bool is_over(void)
{
    return doomed != 0 && (uint32_t)doomed == overtime_current();
}

static void stop_orphan(struct exchange *x)
{
    static const char what[] = "CpuLimitExceeded: the request has used up its processor time "
                               "(limits.cpu_ms) in a script that nobody waits for";
    JSStringRef lines = JSContextCreateBacktrace(engine.context, FRAMES_MAX); /* new */
    struct buf text = {0};

    if (buf_append(&text, what, sizeof what - 1) < 0 ||
        (JSStringGetLength(lines) > 0 &&
         (buf_append(&text, "\n", 1) < 0 || text_append(&text, lines) < 0)))
        buf_done(&text);
    x->is_stopped = true; /* behind an answer it is said once */
    exchange_log_failure(x, buf_span(&text));
    exchange_stop(x, buf_span(&text));
    buf_done(&text);
    JSStringRelease(lines);
}

static void wake_handler(uint32_t stream)
{
    PyObject *number = PyLong_FromUnsignedLong(stream);
    PyObject *done = number ? PyObject_CallOneArg(wake, number) : NULL;

    if (!done)
        PyErr_WriteUnraisable(wake);
    Py_XDECREF(done);
    Py_XDECREF(number);
}

static void on_orphaned(void)
{
    uint32_t stream = overtime_current();
    struct exchange *x = exchange_find(stream);

    /* Others run before the script has ended.  Its request is stopped again when it runs again. */
    *runs = 0;
    doomed = (int)stream;
    if (x && (!x->out.is_over || !x->is_stopped))
        stop_orphan(x);
    if (stream != 0 && wake_script)
        wake_script(stream);
    else if (stream != 0)
        wake_handler(stream);
    exchange_log_for(stream, LOG_WARN, SPAN(""));
}

void overtime_watch(void)
{
    static const struct engine_watch WATCH = {
        is_over, on_orphaned, "the request has used up its processor time (limits.cpu_ms)"};

    engine_watch(&WATCH);
}

bool overtime_has_raised(JSValueRef thrown)
{
    PyObject *frame;

    if (!engine_was_ended(thrown))
        return false;
    frame = (PyObject *)PyEval_GetFrame(); /* borrowed */
    raise_in(overtime_current(), ended, frame ? frame : Py_None);
    return true;
}

int overtime_open(struct err *err)
{
    PyObject *module = PyImport_ImportModule("_signal"), *function = NULL, *done = NULL;

    stop = interp_sdk("corral.overtime", "stop");
    ended = interp_sdk("corral.overtime", "ended");
    wake = interp_sdk("corral.overtime", "wake");
    if (module && stop && ended && wake)
        function = PyCFunction_New(&handler, NULL);
    if (function)
        done = PyObject_CallMethod(module, "signal", "iO", SIGXCPU, function);
    Py_XDECREF(module);
    Py_XDECREF(function);
    if (!done) {
        PyErr_Print();
        return err_set(err, ERR_SYSTEM, "start Python: no handler for overtime");
    }
    Py_DECREF(done);
    return 0;
}

void overtime_start(void)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    sigaction(SIGXCPU, &action, NULL);
}

void overtime_here(void)
{
    _PyRuntime.main_thread = PyThread_get_thread_ident();
}
