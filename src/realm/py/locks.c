/* locks.c - a lock that a frame holds while it waits in run_sync does not stop the loop.
 *
 * `with lock: client = run_sync(connect())` reads well, and holds the lock while
 * other requests run.  The next one that wants it would stop the loop, and with
 * it what the lock waits for: for ever.  So it waits as by run_sync, too.
 *
 * Only then: what waits for a thread's lock stops the loop as in any asyncio
 * program, whose code counts on being alone between two awaits.  Who has a lock
 * is remembered in a small table when a strand takes it.  What is not found
 * there is a thread's, or was overwritten: so when strands wait at all, even
 * that is waited for in vain only for BLIND_SECONDS.
 *
 * The methods of CPython's two types of locks are replaced in their own tables,
 * as the types can be changed in no other way and are used everywhere (import,
 * functools.cached_property).
 *
 * Not every release is seen, so sdk/python/corral/sync.py looks again from time
 * to time. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/locks.h"

#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/py/sync.h"
#include "realm/strand.h"

#define TIMEOUT_MAX   4e9  /* seconds; more is an error of the lock's own */
#define BLIND_SECONDS 0.02 /* that a lock of a thread, as it seems, may stop the loop */

enum { LOCK, RLOCK, TYPES, TAKEN = 256 };
static struct {
    PyTypeObject *type;
    PyCFunctionWithKeywords acquire;
    PyCFunction release, exit;
} types[TYPES];
static PyObject *not_blocking, *wait_for, *wake, *waiters;
static struct taken {
    const PyObject *lock; /* not kept, compared only; as is: */
    const struct strand *strand;
} taken[TAKEN];

static struct taken *place_of(const PyObject *lock)
{
    return &taken[((uintptr_t)lock >> 4) % TAKEN];
}

static int type_of(PyObject *lock)
{
    return PyObject_TypeCheck(lock, types[LOCK].type) ? LOCK : RLOCK;
}

/* Seconds that the arguments ask to wait, -1 for ever; 0 when they do not, or are wrong. */
static double timeout_of(PyObject *arguments, PyObject *named)
{
    static char *names[] = {"blocking", "timeout", NULL};
    int is_blocking = 1;
    double seconds = -1;

    if (PyTuple_GET_SIZE(arguments) == 0 && !named)
        return -1;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "|pd", names, &is_blocking, &seconds)) {
        PyErr_Clear();
        return 0;
    }
    return is_blocking && (seconds == -1 || (seconds > 0 && seconds < TIMEOUT_MAX)) ? seconds : 0;
}

/* Held by a strand that waits, or may be.  -1 with an exception. */
static int is_held_by_strand(PyObject *lock, double seconds, PyObject **ret_got)
{
    double blind = seconds < 0 || seconds > BLIND_SECONDS ? BLIND_SECONDS : seconds;
    PyObject *arguments;

    /* Who has taken it itself waits for a thread to give it back, as Condition does. */
    if (place_of(lock)->lock == lock && place_of(lock)->strand != strand_self)
        return 1;
    if (!strand_has_waiting())
        return 0;
    arguments = Py_BuildValue("(Od)", Py_True, blind);
    *ret_got = arguments ? types[type_of(lock)].acquire(lock, arguments, NULL) : NULL;
    Py_XDECREF(arguments);
    return *ret_got ? *ret_got == Py_False : -1;
}

static PyObject *acquire_taken(PyObject *self, PyObject *arguments, PyObject *named, double seconds)
{
    PyObject *got = NULL;
    int is_held = sync_can_wait() ? is_held_by_strand(self, seconds, &got) : 0;

    if (is_held == 0 && !got)
        return types[type_of(self)].acquire(self, arguments, named);
    if (is_held != 1)
        return got;
    Py_XDECREF(got);
    return PyObject_CallFunction(wait_for, "Od", self, seconds);
}

static PyObject *acquire(PyObject *self, PyObject *arguments, PyObject *named)
{
    PyCFunctionWithKeywords really = types[type_of(self)].acquire;
    double seconds;
    PyObject *got;

    if (!strand_here() || !strand_is_serving())
        return really(self, arguments, named);
    seconds = timeout_of(arguments, named);
    got = really(self, seconds == 0 ? arguments : not_blocking, seconds == 0 ? named : NULL);
    if (got == Py_False && seconds != 0) {
        Py_DECREF(got);
        got = acquire_taken(self, arguments, named, seconds);
    }
    if (got == Py_True)
        *place_of(self) = (struct taken){self, strand_self};
    return got;
}

static void was_released(PyObject *lock)
{
    PyObject *done;

    if (place_of(lock)->lock == lock)
        place_of(lock)->lock = NULL;
    if (PyDict_GET_SIZE(waiters) == 0)
        return;
    done = PyObject_CallOneArg(wake, lock);
    if (!done)
        PyErr_WriteUnraisable(lock);
    Py_XDECREF(done);
}

static PyObject *release(PyObject *self, PyObject *unused)
{
    PyObject *done = types[type_of(self)].release(self, unused);

    if (done)
        was_released(self);
    return done;
}

static PyObject *leave(PyObject *self, PyObject *arguments)
{
    PyObject *done = types[type_of(self)].exit(self, arguments);

    if (done)
        was_released(self);
    return done;
}

/* The table entry of a method; NULL when the type has none that is called like this. */
static PyMethodDef *method_of(PyTypeObject *type, const char *name, int flags)
{
    PyObject *method = PyDict_GetItemString(type->tp_dict, name); /* borrowed */
    PyMethodDef *definition;

    if (!method || !Py_IS_TYPE(method, &PyMethodDescr_Type))
        return NULL;
    definition = ((PyMethodDescrObject *)method)->d_method;
    return definition->ml_flags == flags ? definition : NULL;
}

/* Nothing is changed in a type that is not as expected. */
static void replace(int which)
{
    const int named = METH_VARARGS | METH_KEYWORDS;
    PyTypeObject *type = types[which].type;
    PyMethodDef *enter = method_of(type, "__enter__", named),
                *take = method_of(type, "acquire", named),
                *give = method_of(type, "release", METH_NOARGS),
                *exit = method_of(type, "__exit__", METH_VARARGS);

    if (!enter || !take || !give || !exit || enter->ml_meth != take->ml_meth)
        return;
    types[which].acquire = (PyCFunctionWithKeywords)(void (*)(void))take->ml_meth;
    types[which].release = give->ml_meth;
    types[which].exit = exit->ml_meth;
    take->ml_meth = enter->ml_meth = (PyCFunction)(void (*)(void))acquire;
    give->ml_meth = release;
    exit->ml_meth = leave;
}

int locks_open(struct err *err)
{
    PyObject *lock = interp_sdk("_thread", "LockType"), *rlock = interp_sdk("_thread", "RLock");

    not_blocking = Py_BuildValue("(O)", Py_False);
    wait_for = interp_sdk("corral.sync", "wait_for_lock");
    wake = interp_sdk("corral.sync", "wake_one");
    waiters = interp_sdk("corral.sync", "waiters");
    if (!lock || !rlock || !not_blocking || !wait_for || !wake || !waiters) {
        PyErr_Print();
        return err_set(err, ERR_SYSTEM, "start Python: its locks are not as they were");
    }
    types[LOCK].type = (PyTypeObject *)lock;
    types[RLOCK].type = (PyTypeObject *)rlock;
    replace(LOCK);
    replace(RLOCK);
    return 0;
}
