/* gate.h - functions of Python that files of this process's own memory pass through.
 *
 * A gate is a builtin function with the name, docstring and signature of the one that it stands for.
 * It calls that one, unless an argument names something that may be in memory: then it calls a
 * function of sdk/python/corral/memory/, which looks closely and may call the original after all.
 *
 * Thread: any, under the GIL. */
#ifndef CORRAL_REALM_PY_GATE_H
#define CORRAL_REALM_PY_GATE_H

#include <Python.h>

enum {
    GATE_DESCRIPTORS = 1024,    /* those from here on are none of ours */
    GATE_REAL_MAX = 512,        /* real folders below those in memory */
};

extern PyMethodDef gate_functions[];

#endif
