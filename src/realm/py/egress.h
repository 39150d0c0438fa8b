/* egress.h - whole HTTP requests that Python's clients send: _corral.Sending.
 *
 * For sdk/python/corral/egress.py, which says what becomes of it.  Thread: a strand. */
#ifndef CORRAL_REALM_PY_EGRESS_H
#define CORRAL_REALM_PY_EGRESS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/err.h"

int egress_add_types(PyObject *module) MUST_CHECK; /* to _corral; -1 with an exception */
extern PyMethodDef egress_functions[];             /* of _corral */

#endif
