/* packages.c - CPython and the SDK's finder, for the packager.
 *
 * `_corral` has one function there, sdk_source: the modules of the SDK that need
 * a realm fail on their first import of `js`, as they should.  The process ends by
 * _exit: there is nothing to tidy up, threads that still wait for an index included. */
#include <Python.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "realm/packages.h"
#include "realm/py/python.h"
#include "realm/py/sdk.h"

static PyMethodDef functions[] = {
    {"sdk_source", sdk_source, METH_O, "the text of a file of the SDK, or None"},
    {0},
};

static PyObject *make_module(void)
{
    static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "_corral",
                                            .m_size = -1, .m_methods = functions};

    return PyModule_Create(&definition);
}

int packages_main(void)
{
    struct err err = {0};
    int failed = 1;

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
