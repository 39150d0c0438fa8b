/* sync.h - run_sync: a Python frame waits for an awaitable while everybody else goes on.
 *
 * The stacks are strands (realm/strand.h).  Here is what must be put aside when
 * one of them gives the baton away: the GIL, the engine's lock and run loop,
 * asyncio's current task, answers that somebody further down owes.
 *
 * A frame can wait when no frame of JavaScript stands beneath it on its stack,
 * as in Pyodide.  JavaScript that wants its call to be able to wait asks for a
 * promise (sync_promise), and the loop makes the call.
 *
 * Thread: a strand; run_sync refuses others in words. */
#ifndef CORRAL_REALM_PY_SYNC_H
#define CORRAL_REALM_PY_SYNC_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>

#include "base/err.h"

/* Whether run_sync would wait here. */
bool sync_can_wait(void);
/* Whether a frame on that strand waits, which may have ended since; for which request. */
struct strand;
bool sync_is_waiting(const struct strand *strand, uint32_t *ret_stream);
/* asyncio's current task, of which there is none then; NULL: there was none.  And it is put back. */
PyObject *sync_take_task(void);
void sync_put_task(PyObject *take_task);
int sync_open(struct err *err) MUST_CHECK;
/* A promise of function(*arguments, **named), which the loop calls soon; named may be NULL.
 * Undefined having thrown when there is no memory. */
JSValueRef sync_promise(PyObject *function, PyObject *arguments, PyObject *named,
                        JSValueRef *ret_thrown);
extern PyMethodDef sync_functions[]; /* of _corral */

#endif
