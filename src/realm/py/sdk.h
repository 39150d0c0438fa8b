/* sdk.h - the SDK's Python, which travels inside this program: its code and text for the finder, its first
 * files run.
 *
 * sdk/python/finder.py finds the modules by sdk_has and runs sdk_code, which tools/compile-sdk has made;
 * their code objects are called "<corral>/...", by which tracebacks know and skip them. */
#ifndef CORRAL_REALM_PY_SDK_H
#define CORRAL_REALM_PY_SDK_H

#include <Python.h>

#include "base/err.h"

/* Functions for `_corral`.  Name: "python/corral/load.py". */
PyObject *sdk_has(PyObject *self, PyObject *name);
/* (name, origin): a new reference to its code object; compiled here and now when that of the program was
 * made for another interpreter. */
PyObject *sdk_code(PyObject *self, PyObject *arguments);
/* A new reference to its text, or None. */
PyObject *sdk_source(PyObject *self, PyObject *name);

/* Run sdk/python/FILE in the module _corral_boot.  ERR_SYSTEM: it raised, which is on stderr. */
int sdk_run(const char *file, struct err *err) MUST_CHECK;

#endif
