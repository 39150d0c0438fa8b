/* overtime.h - code that has used up its processor time is stopped, and what runs beside it goes
 * on.
 *
 * The node sees that a request is over its limit, and sends SIGXCPU with the
 * number of its stream.  When it is that request's code that runs at this moment, or
 * next, it gets a CpuLimitExceeded, like any signal's exception between two
 * instructions.
 *
 * Only code of the worker is interrupted: our own, asyncio's and the import
 * system's could be left half done.  The node repeats the signal, and after a
 * grace it ends the process.
 *
 * A script of JavaScript is ended wherever it runs (engine_watch).  Python code that has
 * called it gets the CpuLimitExceeded; where none has, in reactions of promises
 * and in timers, the request is stopped from here.  They belong to the request
 * whose code ran last.
 *
 * The node learns whose code runs by looking at the word of overtime_show.
 *
 * Thread: the one that has the loop. */
#ifndef CORRAL_REALM_PY_OVERTIME_H
#define CORRAL_REALM_PY_OVERTIME_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Watch scripts, from now on. */
void overtime_watch(void);
/* A call of JavaScript has thrown this; true: because it was ended, and there is a Python exception. */
bool overtime_has_raised(JSValueRef thrown);

/* Code of this request runs from now on, 0: of none. */
void overtime_run(uint32_t stream);
uint32_t overtime_current(void);
/* The same to who knows no contexts of Python. */
uint32_t overtime_running(void);
/* In the place of the task that waits for a script that was ended: a worker without Python. */
void overtime_wake_by(void (*wake)(uint32_t stream));
/* ... and is said here: the node looks at it. */
void overtime_show(volatile uint32_t *word);

/* In the zygote; in the instance. */
int overtime_open(struct err *err) MUST_CHECK;
void overtime_start(void);
/* This thread is the one that Python takes for the main one, from now on. */
void overtime_here(void);

#endif
