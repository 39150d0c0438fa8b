/* serve.h - requests and answers of ASGI applications, with no object of JavaScript between. */
#ifndef CORRAL_REALM_PY_SERVE_H
#define CORRAL_REALM_PY_SERVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef serve_functions[]; /* of _corral, for sdk/python/workers/_serve.py */

#endif
