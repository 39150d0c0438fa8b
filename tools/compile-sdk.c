/* compile-sdk.c - OUT FILE...: the bytecode of sdk/python/X.py to OUT/sdk/python/X.pyc.
 *
 * A process with Python runs a hundred files of the SDK before it can do anything: to compile them anew each
 * time took half of its start.  Linked with the library that will run them, so that the bytecode is its own;
 * the magic number in front says so once more (src/realm/py/sdk.c). */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <marshal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef PYTHON_HOME
#define PYTHON_HOME L"/usr"
#endif

static _Noreturn void fail(const char *file, const char *what)
{
    if (PyErr_Occurred())
        PyErr_Print();
    fprintf(stderr, "compile-sdk: %s: %s\n", file, what);
    exit(1);
}

static void start(void)
{
    PyConfig config;
    PyStatus status;

    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    status = PyConfig_SetString(&config, &config.home, PYTHON_HOME);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        fail("Python", status.err_msg);
}

/* What a traceback says: "<corral>/python/corral/loop.py"; of the two that run first, without a folder. */
static void put_origin(const char *file, char *room, size_t size)
{
    const char *name = file + strlen("sdk/");
    const char *rest = name + strlen("python/");

    snprintf(room, size, "<corral>/%s",
             strcmp(rest, "finder.py") == 0 || strcmp(rest, "boot.py") == 0 ? rest : name);
}

static char *read_all(const char *file)
{
    FILE *f = fopen(file, "rb");
    char *text = NULL;
    struct stat st;

    if (!f || fstat(fileno(f), &st) < 0 || !(text = calloc(1, (size_t)st.st_size + 1)) ||
        fread(text, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        fail(file, strerror(errno));
    fclose(f);
    return text;
}

static void make_folders(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            fail(path, strerror(errno));
        *at = '/';
    }
}

static void compile_one(const char *out, const char *file)
{
    char origin[4096], path[4096], *text = read_all(file);
    PyObject *code, *bytes;
    FILE *f;

    put_origin(file, origin, sizeof origin);
    code = Py_CompileString(text, origin, Py_file_input);
    bytes = code ? PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION) : NULL;
    if (!bytes)
        fail(file, "does not compile");
    snprintf(path, sizeof path, "%s/%sc", out, file);
    make_folders(path);
    f = fopen(path, "wb");
    if (!f)
        fail(path, strerror(errno));
    PyMarshal_WriteLongToFile(PyImport_GetMagicNumber(), f, Py_MARSHAL_VERSION);
    if (fwrite(PyBytes_AS_STRING(bytes), 1, (size_t)PyBytes_GET_SIZE(bytes), f) !=
            (size_t)PyBytes_GET_SIZE(bytes) ||
        fclose(f) != 0)
        fail(path, strerror(errno));
    Py_DECREF(bytes);
    Py_DECREF(code);
    free(text);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage", "compile-sdk OUT sdk/python/FILE...");
    start();
    for (int i = 2; i < argc; i++)
        if (strncmp(argv[i], "sdk/python/", 11) == 0)
            compile_one(argv[1], argv[i]);
    return Py_FinalizeEx() < 0;
}
