/* sdk.c - Python's way to the files that tools/embed has put into this program. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/sdk.h"

#include <marshal.h>
#include <stdio.h>
#include <string.h>

#include "realm/sdk.h"

enum { MAGIC = 4 }; /* bytes in front of bytecode, least significant first */

static const struct sdk_file *find(const char *name)
{
    for (const struct sdk_file *f = sdk_files; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

PyObject *sdk_has(PyObject *self, PyObject *name)
{
    const char *wanted = PyUnicode_AsUTF8(name);

    (void)self;
    return wanted ? PyBool_FromLong(find(wanted) != NULL) : NULL;
}

PyObject *sdk_source(PyObject *self, PyObject *name)
{
    const char *wanted = PyUnicode_AsUTF8(name);
    const struct sdk_file *f = wanted ? find(wanted) : NULL;

    (void)self;
    if (f)
        return PyUnicode_DecodeUTF8(f->data, (Py_ssize_t)f->len, "strict");
    if (!wanted)
        return NULL;
    Py_RETURN_NONE;
}

/* Bytecode of another interpreter than the one that runs is passed by. */
static const struct sdk_file *find_code(const char *name)
{
    char file[256];
    const struct sdk_file *f;
    uint32_t magic = 0;

    if (snprintf(file, sizeof file, "%sc", name) >= (int)sizeof file)
        return NULL;
    f = find(file);
    if (!f || f->len <= MAGIC)
        return NULL;
    for (int i = 0; i < MAGIC; i++)
        magic |= (uint32_t)(unsigned char)f->data[i] << 8 * i;
    return magic == (uint32_t)PyImport_GetMagicNumber() ? f : NULL;
}

PyObject *sdk_code(PyObject *self, PyObject *arguments)
{
    const char *name, *origin;
    const struct sdk_file *f;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "ss", &name, &origin))
        return NULL;
    f = find_code(name);
    if (f)
        return PyMarshal_ReadObjectFromString(f->data + MAGIC, (Py_ssize_t)f->len - MAGIC);
    f = find(name);
    if (f)
        return Py_CompileString(f->data, origin, Py_file_input);
    return PyErr_Format(PyExc_ImportError, "the SDK has no file '%s'", name);
}

int sdk_run(const char *file, struct err *err)
{
    PyObject *name = PyUnicode_FromFormat("python/%s", file);
    PyObject *origin = PyUnicode_FromFormat("<corral>/%s", file);
    PyObject *arguments = name && origin ? PyTuple_Pack(2, name, origin) : NULL;
    PyObject *code = arguments ? sdk_code(NULL, arguments) : NULL, *done = NULL;
    PyObject *module = PyImport_AddModule("_corral_boot"), *globals; /* both borrowed */

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
    Py_XDECREF(arguments);
    Py_XDECREF(code);
    Py_XDECREF(done);
    return done ? 0 : ERR_SYSTEM;
}
