/* packages.c - CPython and the SDK's finder, for the packager.
 *
 * `_corral` has the SDK's files and enter_box there, no more: the modules of the SDK that need
 * a realm fail on their first import of `js`, as they should.  The process ends by
 * _exit: there is nothing to tidy up, threads that still wait for an index included. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "realm/packages.h"
#include "realm/py/python.h"
#include "realm/py/sdk.h"

enum { PATHS_MAX = 64 };

static int (*box_enter)(const struct packages_walls *walls, struct err *err);

/* A list of paths, borrowed from its strings. */
static int paths_of(PyObject *list, const char *ret[PATHS_MAX + 1])
{
    Py_ssize_t n = PyList_Size(list);

    if (n < 0)
        return -1;
    if (n > PATHS_MAX) {
        PyErr_SetString(PyExc_ValueError, "a box with too many paths");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        ret[i] = PyUnicode_AsUTF8(PyList_GET_ITEM(list, i) /* borrowed */);
        if (!ret[i])
            return -1;
    }
    ret[n] = NULL;
    return 0;
}

/* It may go on in a child, which has this thread alone, and nothing of Python's runs beside it. */
static PyObject *enter_box(PyObject *self, PyObject *arguments)
{
    const char *reads[PATHS_MAX + 1], *owns[PATHS_MAX + 1], *writes[PATHS_MAX + 1];
    struct packages_walls walls = {.reads = reads, .owns = owns, .writes = writes};
    PyObject *list[3]; /* borrowed */
    struct err err = {0};
    pid_t before = getpid();
    int has_local_sockets, r;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "O!O!O!p", &PyList_Type, &list[0], &PyList_Type, &list[1],
                          &PyList_Type, &list[2], &has_local_sockets) ||
        paths_of(list[0], reads) < 0 || paths_of(list[1], owns) < 0 ||
        paths_of(list[2], writes) < 0)
        return NULL;
    walls.has_local_sockets = has_local_sockets;
    PyOS_BeforeFork();
    r = box_enter(&walls, &err);
    if (getpid() == before)
        PyOS_AfterFork_Parent();
    else
        PyOS_AfterFork_Child();
    if (r == 0)
        Py_RETURN_NONE;
    return PyErr_Format(PyExc_RuntimeError, "%s", err.text);
}

static PyMethodDef functions[] = {
    {"sdk_has", sdk_has, METH_O, "is there such a file of the SDK?"},
    {"sdk_code", sdk_code, METH_VARARGS, "sdk_code(file, origin): a file of the SDK, compiled"},
    {"sdk_source", sdk_source, METH_O, "the text of a file of the SDK, or None"},
    {"enter_box", enter_box, METH_VARARGS,
     "(paths to read, likewise those of the node's user, paths to write, local sockets too?): "
     "leave the rest of the machine, for "
     "ever"},
    {0},
};

static PyObject *make_module(void)
{
    static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_corral",
                                            .m_size = -1, .m_methods = functions};

    return PyModule_Create(&definition);
}

int packages_main(int (*enter)(const struct packages_walls *walls, struct err *err))
{
    struct err err = {0};
    int failed = 1;

    box_enter = enter;
    /* Whoever asked is gone: nobody reads the answer. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* An index that hangs up and a file that may not grow are errors, not the end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (PyImport_AppendInittab("_corral", make_module) < 0)
        err_nomem(&err);
    else if (python_start(&err) == 0 && sdk_run("finder.py", &err) == 0)
        failed = PyRun_SimpleString("import packager\npackager.serve()\n") != 0;
    if (err.text[0])
        fprintf(stderr, "corral-worker packages: %s\n", err.text);
    fflush(stderr);
    _exit(failed);
}
