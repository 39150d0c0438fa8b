/* gate.c - is this argument a path or descriptor of memory's?  Else the original runs, at once.
 *
 * The answer errs on one side: "may be" for whatever is odd (double slashes, dots, text that is not
 * ASCII), and Python looks again.  It costs some ten nanoseconds, on calls that take hundreds.
 *
 * A path that leads into memory through a real symbolic link is not seen here: it stays real. */
#include "realm/py/gate.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "realm/py/reopen.h"

struct gate {
    PyObject *original, *replacement;
    int paths; /* how many arguments, from the first on, may name something; -1: always
                  the replacement */
    PyMethodDef method;
};

static const char *const ROOTS[] = {"/tmp", "/session"};

static struct folder {
    char *path;
    size_t len;
} real[GATE_REAL_MAX]; /* below ROOTS, and real all the same */
static size_t real_count;
static bool is_relative_ours; /* a relative path may lead into memory */
static unsigned char descriptors[GATE_DESCRIPTORS];
static int descriptor_count;

static bool is_below(const char *path, size_t len, const char *folder, size_t folder_len)
{
    return len >= folder_len && memcmp(path, folder, folder_len) == 0 &&
           (len == folder_len || path[folder_len] == '/');
}

/* Does it have "//", "/./" or "/../" in it, or end in "/." or "/.."? */
static bool is_odd(const char *path, size_t len)
{
    const char *end = path + len, *at = path;

    for (;;) {
        at = memchr(at, '/', (size_t)(end - at));
        if (!at || ++at == end)
            return false;
        if (*at == '/')
            return true;
        if (*at != '.')
            continue;
        if (at + 1 == end || at[1] == '/')
            return true;
        if (at[1] == '.' && (at + 2 == end || at[2] == '/'))
            return true;
    }
}

static bool may_be_path(const char *path, size_t len)
{
    if (len == 0)
        return true; /* ENOENT, where the box would say that nothing may be written */
    if (path[0] != '/')
        return is_relative_ours || (len >= 2 && path[0] == '.' && path[1] == '.') ||
               is_odd(path, len);
    if (is_odd(path, len))
        return true;
    for (size_t i = 0; i < sizeof ROOTS / sizeof ROOTS[0]; i++) {
        if (!is_below(path, len, ROOTS[i], strlen(ROOTS[i])))
            continue;
        for (size_t k = 0; k < real_count; k++)
            if (is_below(path, len, real[k].path, real[k].len))
                return false;
        return true;
    }
    return false;
}

static bool may_be_descriptor(PyObject *number)
{
    int overflow;
    long n;

    if (descriptor_count == 0)
        return false;
    n = PyLong_AsLongAndOverflow(number, &overflow);
    return n >= 0 && n < GATE_DESCRIPTORS && descriptors[n];
}

/* 1: may be; 0: is not; -1: exception. */
static int may_be_ours(PyObject *argument)
{
    PyObject *path;
    int r;

    if (PyUnicode_Check(argument)) {
        if (PyUnicode_READY(argument) < 0)
            return -1;
        if (!PyUnicode_IS_COMPACT_ASCII(argument))
            return 1;
        return may_be_path((const char *)PyUnicode_1BYTE_DATA(argument),
                           (size_t)PyUnicode_GET_LENGTH(argument));
    }
    if (PyLong_Check(argument))
        return may_be_descriptor(argument);
    if (PyBytes_Check(argument))
        return may_be_path(PyBytes_AS_STRING(argument), (size_t)PyBytes_GET_SIZE(argument));
    if (argument == Py_None)
        return is_relative_ours;
    path = PyOS_FSPath(argument);
    if (!path) { /* the original says so, in its own words */
        PyErr_Clear();
        return 0;
    }
    r = may_be_ours(path);
    Py_DECREF(path);
    return r;
}

static int concerns_memory(const struct gate *gate, PyObject *const *args, Py_ssize_t count,
                           PyObject *names)
{
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    int r = 0;

    if (gate->paths < 0 || (count == 0 && named == 0 && is_relative_ours))
        return 1;
    for (Py_ssize_t i = 0; i < count && i < gate->paths && r == 0; i++)
        r = may_be_ours(args[i]);
    for (Py_ssize_t i = 0; i < named && r == 0 && (descriptor_count > 0 || count < gate->paths);
         i++)
        if (PyLong_Check(args[count + i])) /* dir_fd */
            r = may_be_descriptor(args[count + i]);
        else if (count < gate->paths)
            r = may_be_ours(args[count + i]);
    return r;
}

static PyObject *gate_call(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    const struct gate *gate = PyModule_GetState(self);
    int r = concerns_memory(gate, args, count, names);

    if (r < 0)
        return NULL;
    return PyObject_Vectorcall(r ? gate->replacement : gate->original, args, (size_t)count, names);
}

static int gate_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct gate *gate = PyModule_GetState(self);

    if (gate) {
        Py_VISIT(gate->original);
        Py_VISIT(gate->replacement);
    }
    return 0;
}

static PyModuleDef gate_definition = {PyModuleDef_HEAD_INIT, .m_name = "gate",
                                      .m_size = sizeof(struct gate), .m_traverse = gate_traverse};

/* gate(original, replacement, paths) -> a builtin function that cannot be told from the original.
 * What it is bound to is a module, as with every function of a module written in C.  Gates live as
 * long as the process. */
static PyObject *make_gate(PyObject *self, PyObject *args)
{
    PyObject *original, *replacement, *module = NULL, *home, *made = NULL;
    const PyMethodDef *method;
    struct gate *gate;
    int paths;

    (void)self;
    if (!PyArg_ParseTuple(args, "O!Oi", &PyCFunction_Type, &original, &replacement, &paths))
        return NULL;
    method = ((PyCFunctionObject *)original)->m_ml;
    home = PyObject_GetAttrString(original, "__module__");
    module = home ? PyModule_Create(&gate_definition) : NULL;
    if (module && PyObject_SetAttrString(module, "__name__", home) == 0) {
        gate = PyModule_GetState(module);
        gate->original = Py_NewRef(original);
        gate->replacement = Py_NewRef(replacement);
        gate->paths = paths;
        gate->method = (PyMethodDef){method->ml_name, (PyCFunction)(void (*)(void))gate_call,
                                     METH_FASTCALL | METH_KEYWORDS, method->ml_doc};
        made = PyCFunction_NewEx(&gate->method, module, home);
        Py_XINCREF(made == NULL ? NULL : module); /* the method lies in its state */
    }
    Py_XDECREF(home);
    Py_XDECREF(module);
    return made;
}

/* gate_real(path): what lies below it is real, also when that is below a folder in memory */
static PyObject *add_real(PyObject *self, PyObject *path)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(path, &len);

    (void)self;
    if (!text)
        return NULL;
    if (real_count == GATE_REAL_MAX)
        Py_RETURN_FALSE; /* slower: Python looks at each path */
    real[real_count].path = mem_copy(text, (size_t)len);
    if (!real[real_count].path)
        return PyErr_NoMemory();
    real[real_count++].len = (size_t)len;
    Py_RETURN_TRUE;
}

static PyObject *set_relative(PyObject *self, PyObject *is_ours)
{
    (void)self;
    is_relative_ours = is_ours == Py_True;
    Py_RETURN_NONE;
}

/* gate_descriptor(number, is_ours) -> whether it can be watched */
static PyObject *set_descriptor(PyObject *self, PyObject *args)
{
    int number, is_ours;

    (void)self;
    if (!PyArg_ParseTuple(args, "ip", &number, &is_ours))
        return NULL;
    if (number < 0 || number >= GATE_DESCRIPTORS)
        Py_RETURN_FALSE;
    descriptor_count += is_ours - descriptors[number];
    descriptors[number] = (unsigned char)is_ours;
    Py_RETURN_TRUE;
}

/* reopen(path, descriptor) -> whether the loader finds the descriptor at this path, until reopened() */
static PyObject *reopen(PyObject *self, PyObject *args)
{
    static char kept[256]; /* longer than any path of native.py's */
    const char *path;
    int fd;

    (void)self;
    if (!PyArg_ParseTuple(args, "si", &path, &fd))
        return NULL;
    if (strlen(path) >= sizeof kept)
        Py_RETURN_FALSE;
    strcpy(kept, path);
    return PyBool_FromLong(reopen_begin(kept, fd));
}

static PyObject *reopened(PyObject *self, PyObject *args)
{
    (void)self, (void)args;
    reopen_end();
    Py_RETURN_NONE;
}

PyMethodDef gate_functions[] = {
    {"gate", make_gate, METH_VARARGS,
     "gate(original, replacement, paths): see src/realm/py/gate.c"},
    {"gate_real", add_real, METH_O, "gate_real(folder): it stays real"},
    {"gate_relative", set_relative, METH_O,
     "gate_relative(bool): may relative paths be in memory?"},
    {"gate_descriptor", set_descriptor, METH_VARARGS, "gate_descriptor(number, is_ours)"},
    {"reopen", reopen, METH_VARARGS, "reopen(path, descriptor): see src/realm/py/reopen.h"},
    {"reopened", reopened, METH_NOARGS, "reopened()"},
    {0},
};
