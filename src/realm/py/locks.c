/* locks.c - a lock that a frame holds while it waits in run_sync does not stop the loop.
 *
 * `with lock: client = run_sync(connect())` reads well, and holds the lock while
 * other requests run.  The next one that wants it would stop the loop, and with
 * it what the lock waits for: for ever.  So it waits as by run_sync, too.
 *
 * What waits for a thread's lock stops the loop, too, for a moment: code counts on
 * being alone between two awaits.  But the thread may wait for the loop, as when
 * it fetches, so that after ALONE_SECONDS it is waited for in the same way.  Who has a lock
 * is remembered in a small table when a strand takes it.  What is not found
 * there is a thread's, or was overwritten: so when strands wait at all, even
 * that is waited for in vain only for BLIND_SECONDS.
 *
 * The methods of CPython's two types of locks are replaced in their own tables,
 * as the types can be changed in no other way and are used everywhere (import,
 * functools.cached_property).
 *
 * Not every release is seen, so sdk/python/corral/sync.py looks again from time
 * to time.
 *
 * An RLock belongs to a thread, and to Python all strands are one: the main one.
 * A coroutine that holds one over an await may go on on another strand, and what
 * a request awaits may take it again.  So those of strands belong to the first;
 * their owner is written into them.  Two requests are kept apart all the same:
 * what another one holds that waits in run_sync is not had. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/locks.h"

#include <pthread.h>

#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/py/sync.h"
#include "realm/strand.h"

#define TIMEOUT_MAX   4e9    /* seconds; more is an error of the lock's own */
#define ALONE_SECONDS 0.004  /* that a thread's lock may stop the loop; */
#define SLICE_SECONDS 0.0005 /* until it looks for the first time whether the loop is wanted */
#define BLIND_SECONDS 0.02   /* that a lock of a thread, as it seems, may stop the loop */

enum { LOCK, RLOCK, TYPES, TAKEN = 1024, PLACES = 8 };
static struct {
    PyTypeObject *type;
    PyCFunctionWithKeywords acquire;
    PyCFunction release, exit;
} types[TYPES];
static struct { /* of RLock alone */
    PyCFunction is_owned, release_save, acquire_restore;
} rlocks;
/* CPython's own; has_owners says that it looks like this. */
struct rlock {
    PyObject_HEAD void *lock;
    unsigned long owner, count;
};
static bool has_owners;
static _Thread_local bool is_still; /* this thread starts another, and lets nobody in meanwhile */
static unsigned long everybody; /* the first strand's */
static PyObject *not_blocking, *wait_for, *wake, *waiters;
static struct taken {
    const PyObject *lock; /* not kept, compared only; as is: */
    const struct strand *strand;
} taken[TAKEN];

/* A lock is in one of PLACES; those that are released leave theirs, so there is mostly room. */
static struct taken *places_of(const PyObject *lock)
{
    uint32_t hash = (uint32_t)((uintptr_t)lock >> 4) * 2654435761u >> 16;

    return &taken[hash % (TAKEN / PLACES) * PLACES];
}

static struct taken *find(const PyObject *lock)
{
    struct taken *places = places_of(lock);

    for (int i = 0; i < PLACES; i++)
        if (places[i].lock == lock)
            return &places[i];
    return NULL;
}

static void remember(const PyObject *lock)
{
    struct taken *place = find(lock), *places = places_of(lock);

    for (int i = 0; !place && i < PLACES; i++)
        if (!places[i].lock)
            place = &places[i];
    *(place ? place : places) = (struct taken){lock, strand_self};
}

/* Another strand has it, as far as is known. */
static const struct strand *other_holder(const PyObject *lock)
{
    const struct taken *t = find(lock);

    return t && t->strand != strand_self ? t->strand : NULL;
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

/* ---- owners of RLocks ---- */

static unsigned long thread_ident(void)
{
    return strand_here() ? everybody : (unsigned long)pthread_self();
}

/* For modules like sqlite3, which refuse what was made in another thread; the interpreter itself
 * calls its own. */
unsigned long PyThread_get_thread_ident(void)
{
    return thread_ident();
}

static struct rlock *rlock_of(PyObject *lock)
{
    return has_owners && strand_here() && PyObject_TypeCheck(lock, types[RLOCK].type)
               ? (struct rlock *)lock
               : NULL;
}

/* Around CPython's own functions, which ask for the thread. */
static void make_mine(PyObject *lock)
{
    struct rlock *r = rlock_of(lock);

    if (r && r->count > 0 && r->owner == everybody)
        r->owner = (unsigned long)pthread_self();
}
static void make_everybodys(PyObject *lock)
{
    struct rlock *r = rlock_of(lock);

    if (r && r->count > 0 && r->owner == (unsigned long)pthread_self())
        r->owner = everybody;
}

/* A strand that waits for another request has it. */
static bool is_of_other_request(PyObject *lock)
{
    const struct rlock *r = rlock_of(lock);
    const struct strand *holder;
    uint32_t stream;

    if (!r || r->count == 0 || r->owner != everybody)
        return false;
    holder = other_holder(lock);
    return holder && sync_is_waiting(holder, &stream) && stream != interp_stream();
}

/* CPython's acquire with arguments that do not make it wait. */
static PyObject *try(PyObject *lock, PyObject *arguments, PyObject *named)
{
    const bool is_apart = is_of_other_request(lock) && sync_can_wait();
    struct rlock *r = (struct rlock *)lock;
    PyObject *got;

    if (is_apart) { /* not even on the first strand */
        r->owner = 0;
        got = types[RLOCK].acquire(lock, arguments, named);
        r->owner = everybody;
        return got;
    }
    make_mine(lock);
    got = types[type_of(lock)].acquire(lock, arguments, named);
    make_everybodys(lock);
    return got;
}

/* Held by a strand that waits, or may be.  -1 with an exception. */
static int is_held_by_strand(PyObject *lock, double seconds, PyObject **ret_got)
{
    double blind = seconds < 0 || seconds > BLIND_SECONDS ? BLIND_SECONDS : seconds;
    PyObject *arguments;

    /* Who has taken it itself waits for a thread to give it back, as Condition does. */
    if (other_holder(lock))
        return 1;
    if (!strand_has_waiting())
        return 0;
    arguments = Py_BuildValue("(Od)", Py_True, blind);
    *ret_got = arguments ? types[type_of(lock)].acquire(lock, arguments, NULL) : NULL;
    Py_XDECREF(arguments);
    make_everybodys(lock);
    return *ret_got ? *ret_got == Py_False : -1;
}

/* It cannot wait as by run_sync, and so nobody could give it back. */
static bool is_lost(PyObject *lock, double seconds)
{
    const struct strand *holder = seconds < 0 ? other_holder(lock) : NULL;
    uint32_t stream;

    return holder && sync_is_waiting(holder, &stream);
}

/* A thread has it, or will give it back.  The loop stands still meanwhile, but not for long, and
 * not when a thread has put something into it: what this lock waits for may itself wait for the
 * loop, as a pool's threads do that ask it to fetch. */
static PyObject *acquire_of_thread(PyObject *self, double seconds)
{
    double slice = SLICE_SECONDS, left = seconds, alone = 0;
    PyObject *arguments, *got;

    do {
        slice = left < 0 || left > slice ? slice : left;
        arguments = Py_BuildValue("(Od)", Py_True, slice);
        got = arguments ? types[type_of(self)].acquire(self, arguments, NULL) : NULL;
        Py_XDECREF(arguments);
        make_everybodys(self);
        if (got != Py_False)
            return got;
        alone += slice;
        left = seconds < 0 ? seconds : seconds - alone;
        if (seconds >= 0 && left <= 0)
            return got;
        Py_DECREF(got);
        slice *= 2;
    } while (!loop_is_wanted() && alone < ALONE_SECONDS);
    return PyObject_CallFunction(wait_for, "Od", self, left);
}

static PyObject *acquire_taken(PyObject *self, PyObject *arguments, PyObject *named, double seconds)
{
    const bool can_wait = !is_still && sync_can_wait();
    PyObject *got = NULL;
    int is_held = can_wait ? is_held_by_strand(self, seconds, &got) : 0;

    if (!can_wait && is_lost(self, seconds)) {
        PyErr_SetString(
            PyExc_RuntimeError,
            "this lock is held by a request that waits in run_sync(), and JavaScript, which "
            "called this code, cannot wait until it is released: make the function `async "
            "def`, or use asyncio.Lock");
        return NULL;
    }
    if (is_held == 0 && !got && can_wait)
        return acquire_of_thread(self, seconds);
    if (is_held == 0 && !got) {
        got = types[type_of(self)].acquire(self, arguments, named);
        make_everybodys(self);
        return got;
    }
    if (is_held != 1)
        return got;
    Py_XDECREF(got);
    return PyObject_CallFunction(wait_for, "Od", self, seconds);
}

static PyObject *acquire(PyObject *self, PyObject *arguments, PyObject *named)
{
    const struct rlock *r;
    double seconds;
    PyObject *got;

    if (!strand_here() || !strand_is_serving())
        return types[type_of(self)].acquire(self, arguments, named);
    seconds = timeout_of(arguments, named);
    got = try(self, seconds == 0 ? arguments : not_blocking, seconds == 0 ? named : NULL);
    if (got == Py_False && seconds != 0) {
        Py_DECREF(got);
        got = acquire_taken(self, arguments, named, seconds);
    }
    r = rlock_of(self);
    if (got == Py_True && !(r && r->count > 1))
        remember(self);
    return got;
}

static void was_released(PyObject *lock)
{
    const struct rlock *r = rlock_of(lock);
    struct taken *t = r && r->count > 0 ? NULL : find(lock);
    PyObject *done;

    if (r && r->count > 0)
        return;
    if (t)
        t->lock = NULL;
    if (PyDict_GET_SIZE(waiters) == 0)
        return;
    done = PyObject_CallOneArg(wake, lock);
    if (!done)
        PyErr_WriteUnraisable(lock);
    Py_XDECREF(done);
}

static PyObject *release(PyObject *self, PyObject *unused)
{
    PyObject *done;

    make_mine(self);
    done = types[type_of(self)].release(self, unused);
    make_everybodys(self);
    if (done)
        was_released(self);
    return done;
}

static PyObject *leave(PyObject *self, PyObject *arguments)
{
    PyObject *done;

    make_mine(self);
    done = types[type_of(self)].exit(self, arguments);
    make_everybodys(self);
    if (done)
        was_released(self);
    return done;
}

/* ---- what Condition wants of an RLock ---- */

static PyObject *is_owned(PyObject *self, PyObject *unused)
{
    PyObject *is;

    make_mine(self);
    is = rlocks.is_owned(self, unused);
    make_everybodys(self);
    return is;
}

static PyObject *release_save(PyObject *self, PyObject *unused)
{
    PyObject *state;

    make_mine(self);
    state = rlocks.release_save(self, unused);
    if (state)
        was_released(self);
    return state;
}

static PyObject *acquire_restore(PyObject *self, PyObject *arguments)
{
    struct rlock *r = strand_is_serving() ? rlock_of(self) : NULL;
    unsigned long count, owner;
    PyObject *got;

    if (!r)
        return rlocks.acquire_restore(self, arguments);
    if (!PyArg_ParseTuple(arguments, "(kk):_acquire_restore", &count, &owner))
        return NULL;
    got = PyObject_CallMethod(self, "acquire", NULL);
    if (!got)
        return NULL;
    Py_DECREF(got);
    r->count += count - 1;
    Py_RETURN_NONE;
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

/* Whether an RLock is as struct rlock has it; then theirs are everybody's. */
static void open_owners(void)
{
    const struct {
        const char *name;
        int flags;
        PyCFunction ours, *ret_really;
    } methods[] = {{"_is_owned", METH_NOARGS, is_owned, &rlocks.is_owned},
                   {"_release_save", METH_NOARGS, release_save, &rlocks.release_save},
                   {"_acquire_restore", METH_VARARGS, acquire_restore, &rlocks.acquire_restore}};
    PyTypeObject *type = types[RLOCK].type;
    PyObject *lock = types[RLOCK].acquire ? PyObject_CallNoArgs((PyObject *)type) : NULL,
             *got = NULL;
    const struct rlock *r = (struct rlock *)lock;
    bool is_known;

    everybody = (unsigned long)pthread_self();
    if (lock)
        got = PyObject_CallMethod(lock, "acquire", NULL);
    is_known =
        got && (size_t)type->tp_basicsize >= sizeof *r && r->count == 1 && r->owner == everybody;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        is_known = is_known && method_of(type, methods[i].name, methods[i].flags);
    for (size_t i = 0; is_known && i < sizeof methods / sizeof *methods; i++) {
        PyMethodDef *method = method_of(type, methods[i].name, methods[i].flags);
        *methods[i].ret_really = method->ml_meth;
        method->ml_meth = methods[i].ours;
    }
    has_owners = is_known;
    if (got)
        Py_XDECREF(PyObject_CallMethod(lock, "release", NULL));
    Py_XDECREF(got);
    Py_XDECREF(lock);
    PyErr_Clear();
}

/* get_ident() -> of this thread, or of the main one when this stands in for it */
static PyObject *get_ident(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    return PyLong_FromUnsignedLong(thread_ident());
}

/* stand_still(bool) -> what it was. Until it is called anew this thread waits for locks as in plain
 * Python: for what another thread will give back without any turn of the loop. */
static PyObject *stand_still(PyObject *self, PyObject *is)
{
    const bool was = is_still;
    int now = PyObject_IsTrue(is);

    (void)self;
    if (now < 0)
        return NULL;
    is_still = now;
    return PyBool_FromLong(was);
}

PyMethodDef locks_functions[] = {
    {"stand_still", stand_still, METH_O, "stand_still(bool): whether locks are waited for alone"},
    {"get_ident", get_ident, METH_NOARGS,
     "get_ident() -> a number of this thread; the main one's where another stands in for it"},
    {0},
};

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
    open_owners();
    return 0;
}
