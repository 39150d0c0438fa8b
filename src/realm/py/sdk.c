/* sdk.c - Python's way to the files that tools/embed has put into this program. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/sdk.h"

#include <string.h>

#include "realm/sdk.h"

PyObject *sdk_source(PyObject *self, PyObject *name)
{
    const char *wanted = PyUnicode_AsUTF8(name);

    (void)self;
    if (!wanted)
        return NULL;
    for (const struct sdk_file *f = sdk_files; f->name; f++)
        if (strcmp(f->name, wanted) == 0)
            return PyUnicode_DecodeUTF8(f->data, (Py_ssize_t)f->len, "strict");
    Py_RETURN_NONE;
}

int sdk_run(const char *file, struct err *err)
{
    PyObject *name = PyUnicode_FromFormat("python/%s", file), *source = NULL, *code = NULL;
    PyObject *origin = PyUnicode_FromFormat("<corral>/%s", file), *done = NULL;
    PyObject *module = PyImport_AddModule("_corral_boot"), *globals; /* both borrowed */

    if (name && origin)
        source = sdk_source(NULL, name);
    if (source && source != Py_None)
        code = Py_CompileString(PyUnicode_AsUTF8(source), PyUnicode_AsUTF8(origin), Py_file_input);
    if (code && module) {
        globals = PyModule_GetDict(module);
        PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins());
        done = PyEval_EvalCode(code, globals, globals);
    }
    if (!done) {
        PyErr_Print();
        err_set(err, ERR_SYSTEM, "start Python: sdk/python/%s failed", file);
    }
    Py_XDECREF(name);
    Py_XDECREF(origin);
    Py_XDECREF(source);
    Py_XDECREF(code);
    Py_XDECREF(done);
    return done ? 0 : ERR_SYSTEM;
}
