/* output.c - sys.stdout and sys.stderr: each line goes to the host's log.
 *
 * A line is sent when it ends, when it is flushed, or when it is longer than
 * LINE_MAX_BYTES; what is left over is sent at the end of a turn, as no more
 * may come.  Lines of stdout are LOG_INFO, of stderr LOG_ERROR.
 *
 * The host is called on the main thread only, which may be about to write what
 * it was given when another thread prints: such lines wait in `elsewhere`,
 * under the GIL, and wake the loop; so does the news of a limit that one has met. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/buf.h"
#include "realm/exchange.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/strand.h"

enum {
    LINE_MAX_BYTES = 16 * 1024,
    ELSEWHERE_MAX = 4 * 1024 * 1024, /* bytes that wait for the main thread */
};

struct output {
    PyObject_HEAD struct buf line;
    enum log_level level;
    uint32_t stream; /* whose line it is */
};

/* Before each text of another thread. */
struct label {
    uint32_t stream;
    enum log_level level;
    enum limit met; /* LIMITS: it is a line of the log */
    size_t len;
};

static struct output *outputs[2];
static struct buf elsewhere;
static size_t lost; /* bytes that did not fit in */

static void drain_elsewhere(void)
{
    char text[80];
    int n;

    while (buf_len(&elsewhere) > 0) {
        struct label label;
        memcpy(&label, buf_data(&elsewhere), sizeof label);
        buf_eat(&elsewhere, sizeof label);
        if (label.met < LIMITS)
            exchange_met(label.stream, label.met);
        else
            exchange_log_for(label.stream, label.level,
                             (struct span){buf_data(&elsewhere), label.len});
        buf_eat(&elsewhere, label.len);
    }
    if (lost == 0)
        return;
    n = snprintf(text, sizeof text, "%zu bytes of output of threads were dropped", lost);
    lost = 0;
    exchange_log_for(0, LOG_WARN, (struct span){text, (size_t)n});
}

static void send_later(const struct label *label, struct span text)
{
    char *room;

    if (buf_len(&elsewhere) + text.len > ELSEWHERE_MAX ||
        buf_reserve(&elsewhere, sizeof *label + text.len, &room) < 0) {
        lost += text.len;
    } else {
        memcpy(room, label, sizeof *label);
        memcpy(room + sizeof *label, text.data, text.len);
        buf_commit(&elsewhere, sizeof *label + text.len);
    }
    loop_wake();
}

void output_send(uint32_t stream, enum log_level level, struct span text)
{
    const struct label label = {stream, level, LIMITS, text.len};

    if (!strand_here()) {
        send_later(&label, text);
        return;
    }
    drain_elsewhere();
    exchange_log_for(stream, level, text);
}

void output_met(uint32_t stream, enum limit limit)
{
    const struct label label = {stream, LOG_WARN, limit, 0};

    if (strand_here())
        exchange_met(stream, limit);
    else
        send_later(&label, SPAN(""));
}

static void send_line(struct output *o, size_t len)
{
    output_send(o->stream, o->level, (struct span){buf_data(&o->line), len});
    buf_eat(&o->line, len);
}

static PyObject *output_write(PyObject *self, PyObject *text)
{
    struct output *o = (struct output *)self;
    Py_ssize_t len;
    const char *data, *end;
    PyObject *bytes;
    uint32_t stream;

    if (!PyUnicode_Check(text))
        return PyErr_Format(PyExc_TypeError, "write() argument must be str, not %s",
                            Py_TYPE(text)->tp_name);
    bytes = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    if (!bytes)
        return NULL;
    data = PyBytes_AS_STRING(bytes);
    len = PyBytes_GET_SIZE(bytes);
    stream = interp_stream();
    if (stream != o->stream && buf_len(&o->line) > 0)
        send_line(o, buf_len(&o->line));
    o->stream = stream;
    if (buf_append(&o->line, data, (size_t)len) < 0) {
        Py_DECREF(bytes);
        return PyErr_NoMemory();
    }
    Py_DECREF(bytes);
    while (buf_len(&o->line) > 0 && (end = memchr(buf_data(&o->line), '\n', buf_len(&o->line)))) {
        send_line(o, (size_t)(end - buf_data(&o->line)));
        buf_eat(&o->line, 1);
    }
    if (buf_len(&o->line) > LINE_MAX_BYTES)
        send_line(o, buf_len(&o->line));
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *output_flush_one(PyObject *self, PyObject *unused)
{
    struct output *o = (struct output *)self;

    (void)unused;
    if (buf_len(&o->line) > 0)
        send_line(o, buf_len(&o->line));
    Py_RETURN_NONE;
}

void output_flush(void)
{
    drain_elsewhere();
    for (int i = 0; i < 2; i++)
        if (outputs[i] && buf_len(&outputs[i]->line) > 0)
            send_line(outputs[i], buf_len(&outputs[i]->line));
}

static PyObject *output_no(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_FALSE;
}

static PyObject *output_yes(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    Py_RETURN_TRUE;
}

static PyObject *output_fileno(PyObject *self, PyObject *unused)
{
    (void)self, (void)unused;
    PyErr_SetString(PyExc_OSError, "a worker's output is no file: it goes to the log");
    return NULL;
}

static PyObject *output_writelines(PyObject *self, PyObject *lines)
{
    PyObject *iterator = PyObject_GetIter(lines), *line, *done = iterator;

    while (iterator && done && (line = PyIter_Next(iterator))) {
        done = output_write(self, line);
        Py_XDECREF(done);
        Py_DECREF(line);
    }
    Py_XDECREF(iterator);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* reconfigure(...), close(): nothing to do */
static PyObject *output_nothing(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    (void)self, (void)arguments, (void)keywords;
    Py_RETURN_NONE;
}

static PyObject *output_buffer(PyObject *self, void *unused)
{
    PyObject *buffer_of = interp_sdk("corral.output", "buffer_of"), *buffer = NULL;

    (void)unused;
    if (buffer_of)
        buffer = PyObject_CallOneArg(buffer_of, self);
    Py_XDECREF(buffer_of);
    return buffer;
}

static PyObject *output_text(PyObject *self, void *text)
{
    (void)self;
    return PyUnicode_FromString(text);
}

static PyObject *output_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_FromString(self == (PyObject *)outputs[0] ? "<stdout>" : "<stderr>");
}

static PyObject *output_bool(PyObject *self, void *value)
{
    (void)self;
    return PyBool_FromLong(value != NULL);
}

static PyObject *output_none(PyObject *self, void *unused)
{
    (void)self, (void)unused;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"write", output_write, METH_O, NULL},
    {"writelines", output_writelines, METH_O, NULL},
    {"reconfigure", (PyCFunction)(void (*)(void))output_nothing, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"close", (PyCFunction)(void (*)(void))output_nothing, METH_VARARGS | METH_KEYWORDS, NULL},
    {"flush", output_flush_one, METH_NOARGS, NULL},
    {"isatty", output_no, METH_NOARGS, NULL},
    {"readable", output_no, METH_NOARGS, NULL},
    {"seekable", output_no, METH_NOARGS, NULL},
    {"writable", output_yes, METH_NOARGS, NULL},
    {"fileno", output_fileno, METH_NOARGS, NULL},
    {0},
};

static PyGetSetDef getset[] = {
    {"buffer", output_buffer, NULL, NULL, NULL},
    {"closed", output_bool, NULL, NULL, NULL},
    {"encoding", output_text, NULL, NULL, "utf-8"},
    {"errors", output_text, NULL, NULL, "replace"},
    {"line_buffering", output_bool, NULL, NULL, "yes"},
    {"mode", output_text, NULL, NULL, "w"},
    {"name", output_name, NULL, NULL, NULL},
    {"newlines", output_none, NULL, NULL, NULL},
    {0},
};

int output_add_type(PyObject *module)
{
    static PyType_Slot slots[] = {{Py_tp_methods, methods}, {Py_tp_getset, getset}, {0, NULL}};
    static PyType_Spec spec = {
        .name = "_corral.Output",
        .basicsize = sizeof(struct output),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    static const char *const names[] = {"stdout", "stderr"};
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&spec);

    for (int i = 0; i < 2 && type; i++) {
        struct output *o = PyObject_New(struct output, type);
        if (!o)
            return -1;
        o->line = (struct buf){0};
        o->level = i == 0 ? LOG_INFO : LOG_ERROR;
        o->stream = 0;
        outputs[i] = o;
        if (PyModule_AddObjectRef(module, names[i], (PyObject *)o) < 0)
            return -1;
    }
    return type ? 0 : -1;
}
