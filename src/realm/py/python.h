/* python.h - CPython, started as we want it: the same for the realm and for the TOML helper. */
#ifndef CORRAL_REALM_PY_PYTHON_H
#define CORRAL_REALM_PY_PYTHON_H

#include "base/err.h"

/* Isolated: no environment, no site, nothing written to disk, signals left alone.  Once
 * per process.  ERR_SYSTEM. */
int python_start(struct err *err) MUST_CHECK;

#endif
