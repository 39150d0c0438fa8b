/* loop.h - the asyncio event loop of the instance.
 *
 * A Python type written in C (_corral.Loop), of which sdk/python/corral/loop.py
 * makes the full asyncio.AbstractEventLoop; there is one, and it is always the
 * running one.  It does not wait by itself: realm_turn runs what is ready.
 *
 * Thread: the main one; call_soon_threadsafe from any that holds the GIL. */
#ifndef CORRAL_REALM_PY_LOOP_H
#define CORRAL_REALM_PY_LOOP_H

#include <stdbool.h>

#include "base/err.h"

typedef struct _object PyObject;

int loop_add_types(PyObject *module) MUST_CHECK;    /* to _corral; -1 with an exception */
int loop_open(struct err *err) MUST_CHECK;          /* make the loop, declare it running */
void loop_after_fork(void);         /* asyncio ties the running loop to a process id */
int loop_start(struct err *err) MUST_CHECK;         /* this process's own wake-up descriptor */
int loop_wake_fd(void);             /* -1 before loop_start */

/* Run what was ready when it was called. */
void loop_run(void);
bool loop_is_ready(void);
void loop_wake(void);               /* from any thread that holds the GIL: a turn is wanted */
bool loop_is_wanted(void);          /* by a thread, since it last turned */

PyObject *loop_object(void);        /* borrowed */
PyObject *loop_new_future(void);    /* asyncio.Future on this loop */
/* set_result or set_exception, unless it is done; None, or NULL with an exception */
PyObject *loop_settle(PyObject *future, PyObject *value, bool is_error);
PyObject *loop_new_task(PyObject *take_coroutine);  /* asyncio.Task */
/* The same, and its first step runs at once, in the middle of the one that calls this. */
PyObject *loop_start_task(PyObject *take_coroutine);
/* Py_DECREF at the next turn: for finalizers that run inside JavaScript's collector. */
void loop_let_go(PyObject *take_object);

#endif
