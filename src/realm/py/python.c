/* python.c - one configuration of CPython for every process that has one.
 *
 * `site` is not imported: it would run the .pth files of whatever is installed
 * on the machine. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/python.h"

#ifndef PYTHON_HOME
#define PYTHON_HOME L"/usr"
#endif

int python_start(struct err *err)
{
    PyPreConfig before;
    PyConfig config;
    PyStatus status;

    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status))
        return err_set(err, ERR_SYSTEM, "start Python: %s", status.err_msg);
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 0;
    config.pathconfig_warnings = 0;
    status = PyConfig_SetString(&config, &config.home, PYTHON_HOME);
    if (!PyStatus_Exception(status))
        status = PyConfig_SetString(&config, &config.program_name, L"/usr/bin/python3");
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return err_set(err, ERR_SYSTEM, "start Python: %s", status.err_msg);
    return 0;
}
