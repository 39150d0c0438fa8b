/* locks.h - a lock that a frame holds while it waits in run_sync does not stop the loop.
 *
 * And whose a lock is: to Python all strands are the main thread.
 *
 * Thread: any. */
#ifndef CORRAL_REALM_PY_LOCKS_H
#define CORRAL_REALM_PY_LOCKS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/err.h"

int locks_open(struct err *err) MUST_CHECK;
extern PyMethodDef locks_functions[]; /* of _corral */

#endif
