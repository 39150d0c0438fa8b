/* egress.c - whole HTTP requests that Python's clients send: an outcall "exchange" as a Python
 * object.
 *
 *   sent --connected--> --head--> --bytes--> has_all
 *     +---------- error: what the node says -------+
 *
 * Bytes that come wait in `in`, and are credited when they are read.  Whoever
 * waits for a change gives a future, which the next change settles: nothing of
 * Python's is called from here.
 *
 * Invariants
 *   1. outcall is NULL from its last word on.
 *   2. It is used on strands only: outcalls write to the instance's socket.
 *      The last reference may go on another thread (egress.py has it let go on
 *      the loop's): then the outcall is left to the end of its request.
 *   3. It refers to no Python object that could lead back to it. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "realm/py/egress.h"

#include "base/mem.h"
#include "realm/bridge/value.h"
#include "realm/js/engine.h"
#include "realm/outcall.h"
#include "realm/py/interp.h"
#include "realm/py/loop.h"
#include "realm/strand.h"

enum {
    ARGUMENTS_MAX = 6,
    HEADERS_MAX = 256,
    ROUNDS_MAX = 16, /* as in fetch.js */
};

struct sending {
    PyObject_HEAD struct outcall *outcall;
    PyObject *waiters; /* a list of futures, or NULL */
    PyObject *head;    /* (status, reason, version, headers, length), or NULL */
    PyObject *error;   /* str, or NULL */
    struct buf in;
    bool is_connected, has_all;
};

static PyTypeObject *sending_type;

/* ---- what the outcall says ---- */

static void change(struct sending *s)
{
    PyObject *waiters = s->waiters;

    s->waiters = NULL;
    for (Py_ssize_t i = 0; waiters && i < PyList_GET_SIZE(waiters); i++) {
        PyObject *waiter = PyList_GET_ITEM(waiters, i); /* borrowed */
        PyObject *done = loop_settle(waiter, Py_None, false);
        if (!done)
            PyErr_WriteUnraisable(waiter);
        Py_XDECREF(done);
    }
    Py_XDECREF(waiters);
}

static void fail(struct sending *s, PyObject *take_text)
{
    s->outcall = NULL;
    if (!take_text) {
        PyErr_Clear();
        take_text = PyUnicode_FromString("reset 0\nout of memory");
    }
    Py_XSETREF(s->error, take_text);
    change(s);
}

static void on_told(void *self, struct span text)
{
    fail(self, PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.len, "replace"));
}

static void on_failed(void *self, JSValueRef error)
{
    PyObject *exception = bridge_js_exception(error), *text = NULL;

    if (exception)
        text = PyObject_GetAttrString(exception, "message");
    fail(self, text ? PyUnicode_FromFormat("ended 0\n%S", text) : NULL);
    Py_XDECREF(text);
    Py_XDECREF(exception);
}

static void on_connected(void *self)
{
    struct sending *s = self;

    s->is_connected = true;
    change(s);
}

static void on_room(void *self)
{
    change(self);
}

static PyObject *pairs_of(const struct host_pair *pairs, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);

    for (size_t i = 0; list && i < count; i++) {
        PyObject *pair = Py_BuildValue("(y#y#)", pairs[i].name.data, (Py_ssize_t)pairs[i].name.len,
                                       pairs[i].value.data, (Py_ssize_t)pairs[i].value.len);
        if (pair)
            PyList_SET_ITEM(list, (Py_ssize_t)i, pair); /* steals */
        else
            Py_CLEAR(list);
    }
    return list;
}

static struct span result_of(const struct realm_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->result_count; i++)
        if (span_is(reply->results[i].name, name))
            return reply->results[i].value;
    return SPAN("");
}

static void on_reply(void *self, const struct realm_reply *reply)
{
    struct sending *s = self;
    struct span reason = result_of(reply, "statusText"), version = result_of(reply, "httpVersion");
    PyObject *headers = pairs_of(reply->headers, reply->header_count);

    s->is_connected = true;
    if (headers)
        s->head = Py_BuildValue("(Iy#y#NL)", reply->status, reason.data, (Py_ssize_t)reason.len,
                                version.data, (Py_ssize_t)version.len, headers,
                                (long long)(reply->is_end ? 0 : reply->body_length));
    if (!s->head) {
        struct outcall *o = s->outcall;
        fail(s, NULL);
        outcall_drop(o);
        return;
    }
    if (!reply->is_end) /* else on_bytes follows */
        change(s);
}

static void on_bytes(void *self, struct span bytes, bool is_end)
{
    struct sending *s = self;
    struct outcall *o = s->outcall;

    if (is_end)
        s->outcall = NULL;
    if (buf_append(&s->in, bytes.data, bytes.len) < 0) {
        fail(s, NULL);
        if (!is_end)
            outcall_drop(o);
        return;
    }
    s->has_all = is_end;
    change(s);
}

static const struct outcall_ear EAR = {.reply = on_reply,
                                       .bytes = on_bytes,
                                       .failed = on_failed,
                                       .told = on_told,
                                       .connected = on_connected,
                                       .room = on_room,
                                       .has_credit = true};

/* ---- opening ---- */

/* Fill pairs from a sequence of pairs of bytes; they stay valid as long as it does. */
static Py_ssize_t take_pairs(PyObject *fast, struct host_pair *pairs, Py_ssize_t max)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(fast);

    if (count > max) {
        PyErr_Format(PyExc_ValueError, "A request may have at most %zd headers.", max);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PySequence_Fast_GET_ITEM(fast, i); /* borrowed */
        struct span *parts[2] = {&pairs[i].name, &pairs[i].value};
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "headers must be tuples of two");
            return -1;
        }
        for (Py_ssize_t k = 0; k < 2; k++) {
            char *data;
            Py_ssize_t len;
            if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(pair, k), &data, &len) < 0)
                return -1;
            *parts[k] = (struct span){data, (size_t)len};
        }
    }
    return count;
}

/* "http://host:port" */
static struct span origin_of(struct span url)
{
    const char *at = url.len > 8 ? memchr(url.data + 8, '/', url.len - 8) : NULL;

    return at ? (struct span){url.data, (size_t)(at - url.data)} : url;
}

/* A worker that asks its own address gets its own request again: fetch.js says more.  Returns how
 * many rounds that makes, 0 for other addresses. */
static unsigned rounds_of(uint32_t request, struct span url)
{
    const struct exchange *x = exchange_find(request);
    struct span own = x ? origin_of(x->head->url) : SPAN(""), to = origin_of(url);

    if (own.len == 0 || own.len != to.len || strncasecmp(own.data, to.data, own.len) != 0)
        return 0;
    return head_rounds(x->head) + 1;
}

static int open_call(struct sending *s, struct host_outcall *call, struct host_pair *headers)
{
    JSValueRef thrown = NULL;
    unsigned rounds;
    char line[32];

    call->request = interp_stream();
    rounds = rounds_of(call->request, call->arguments[1].value);
    if (rounds > ROUNDS_MAX) {
        PyErr_Format(PyExc_ValueError, "This worker has asked its own address %d times in a row.",
                     ROUNDS_MAX);
        return -1;
    }
    if (rounds > 0) {
        snprintf(line, sizeof line, "corral; rounds=%u", rounds);
        headers[call->header_count++] = (struct host_pair){SPAN("CDN-Loop"), span_of(line)};
    }
    s->outcall = outcall_open_heard(call, &EAR, s, &thrown);
    if (s->outcall)
        return 0;
    bridge_raise(thrown);
    return -1;
}

/* Sending(arguments, headers, length): both lists of pairs of bytes; method and url come first */
static PyObject *sending_new(PyTypeObject *type, PyObject *given, PyObject *named)
{
    struct host_pair pairs[ARGUMENTS_MAX], headers[HEADERS_MAX + 1];
    struct host_outcall call = {.binding = SPAN(""), .method = SPAN("exchange")};
    PyObject *first, *second, *fast = NULL, *more = NULL;
    Py_ssize_t argument_count = -1, header_count = -1;
    struct sending *s = NULL;
    long long length;

    (void)named;
    if (!PyArg_ParseTuple(given, "OOL", &first, &second, &length))
        return NULL;
    if (!strand_here())
        return PyErr_Format(PyExc_RuntimeError, "this is not the event loop's thread");
    fast = PySequence_Fast(first, "arguments must be a list");
    if (fast)
        argument_count = take_pairs(fast, pairs, ARGUMENTS_MAX);
    if (argument_count >= 0)
        more = PySequence_Fast(second, "headers must be a list");
    if (more)
        header_count = take_pairs(more, headers, HEADERS_MAX);
    if (header_count >= 0 && argument_count < 2)
        PyErr_SetString(PyExc_TypeError, "method and url are missing");
    else if (header_count >= 0)
        s = (struct sending *)type->tp_alloc(type, 0);
    if (s) {
        buf_init(&s->in);
        call.arguments = pairs;
        call.argument_count = (size_t)argument_count;
        call.headers = headers;
        call.header_count = (size_t)header_count;
        call.body_length = length;
        if (open_call(s, &call, headers) < 0)
            Py_CLEAR(s);
    }
    Py_XDECREF(fast);
    Py_XDECREF(more);
    return (PyObject *)s;
}

static void sending_dealloc(PyObject *self)
{
    struct sending *s = (struct sending *)self;
    PyTypeObject *type = Py_TYPE(self);

    if (s->outcall && strand_here())
        outcall_drop(s->outcall);
    else if (s->outcall)
        return; /* its ear may still hear: leaked rather than freed */
    Py_XDECREF(s->waiters);
    Py_XDECREF(s->head);
    Py_XDECREF(s->error);
    buf_done(&s->in);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- methods ---- */

static struct sending *here(PyObject *self)
{
    if (strand_here())
        return (struct sending *)self;
    PyErr_SetString(PyExc_RuntimeError, "this is not the event loop's thread");
    return NULL;
}

/* wait(future): settled by the next change */
static PyObject *sending_wait(PyObject *self, PyObject *future)
{
    struct sending *s = here(self);

    if (s && !s->waiters)
        s->waiters = PyList_New(0);
    if (!s || !s->waiters || PyList_Append(s->waiters, future) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* read(max) -> bytes; b"" at the end; None: none now, or failed */
static PyObject *sending_read(PyObject *self, PyObject *limit)
{
    struct sending *s = here(self);
    Py_ssize_t max = s ? PyNumber_AsSsize_t(limit, PyExc_OverflowError) : -1;
    size_t len;
    PyObject *bytes;

    if (!s || (max == -1 && PyErr_Occurred()))
        return NULL;
    len = buf_len(&s->in);
    if (len == 0 && !s->has_all)
        Py_RETURN_NONE;
    if (max >= 0 && len > (size_t)max)
        len = (size_t)max;
    bytes = PyBytes_FromStringAndSize(len ? buf_data(&s->in) : "", (Py_ssize_t)len);
    if (!bytes || len == 0)
        return bytes;
    buf_eat(&s->in, len);
    if (s->outcall)
        outcall_credit(s->outcall, len);
    return bytes;
}

/* write(bytes) -> 0: more; 1: when there is room; 2: nobody takes it */
static PyObject *sending_write(PyObject *self, PyObject *object)
{
    struct sending *s = here(self);
    enum flow_room room = FLOW_GONE;
    Py_buffer bytes;

    if (!s || PyObject_GetBuffer(object, &bytes, PyBUF_SIMPLE) < 0)
        return NULL;
    if (s->outcall)
        room = outflow_write(&s->outcall->out, (struct span){bytes.buf, (size_t)bytes.len});
    PyBuffer_Release(&bytes);
    return PyLong_FromLong(room);
}

/* room() -> as write() */
static PyObject *sending_room(PyObject *self, PyObject *unused)
{
    struct sending *s = here(self);

    (void)unused;
    return s ? PyLong_FromLong(s->outcall ? outflow_room(&s->outcall->out) : FLOW_GONE) : NULL;
}

static PyObject *sending_finish(PyObject *self, PyObject *unused)
{
    struct sending *s = here(self);

    (void)unused;
    if (!s)
        return NULL;
    if (s->outcall)
        outflow_finish(&s->outcall->out);
    Py_RETURN_NONE;
}

/* cancel(): nobody waits any more; what has come may still be read, and then it has failed */
static PyObject *sending_cancel(PyObject *self, PyObject *unused)
{
    struct sending *s = here(self);
    struct outcall *o = s ? s->outcall : NULL;

    (void)unused;
    if (!s)
        return NULL;
    if (o) {
        fail(s, PyUnicode_FromString("cancelled 0\nThe request was cancelled."));
        outcall_drop(o);
    }
    Py_RETURN_NONE;
}

static PyObject *get_connected(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct sending *)self)->is_connected);
}

static PyObject *get_head(PyObject *self, void *unused)
{
    PyObject *head = ((struct sending *)self)->head;

    (void)unused;
    return Py_NewRef(head ? head : Py_None);
}

static PyObject *get_error(PyObject *self, void *unused)
{
    PyObject *error = ((struct sending *)self)->error;

    (void)unused;
    return Py_NewRef(error ? error : Py_None);
}

static PyObject *get_open(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct sending *)self)->outcall != NULL);
}

/* egress_room() -> None: a request may be sent now; else a promise that it may */
static PyObject *egress_room(PyObject *self, PyObject *unused)
{
    JSValueRef thrown = NULL, promise;

    (void)self, (void)unused;
    if (outcall_room() > 0)
        Py_RETURN_NONE;
    promise = engine_call(engine_internal("roomForCall"), 0, NULL, &thrown);
    return thrown ? bridge_raise(thrown) : bridge_to_python(promise, NULL);
}

PyMethodDef egress_functions[] = {
    {"egress_room", egress_room, METH_NOARGS,
     "egress_room() -> None: a request may be sent now; else a promise that it may"},
    {0},
};

int egress_add_types(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"wait", sending_wait, METH_O, NULL},
        {"read", sending_read, METH_O, NULL},
        {"write", sending_write, METH_O, NULL},
        {"room", sending_room, METH_NOARGS, NULL},
        {"finish", sending_finish, METH_NOARGS, NULL},
        {"cancel", sending_cancel, METH_NOARGS, NULL},
        {0},
    };
    static PyGetSetDef values[] = {
        {"connected", get_connected, NULL, NULL, NULL},
        {"head", get_head, NULL, NULL, NULL},
        {"error", get_error, NULL, NULL, NULL},
        {"open", get_open, NULL, NULL, NULL},
        {0},
    };
    static PyType_Slot slots[] = {
        {Py_tp_new, (void *)sending_new},
        {Py_tp_dealloc, (void *)sending_dealloc},
        {Py_tp_methods, methods},
        {Py_tp_getset, values},
        {0, NULL},
    };
    static PyType_Spec spec = {
        .name = "_corral.Sending",
        .basicsize = sizeof(struct sending),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };

    sending_type = (PyTypeObject *)PyType_FromSpec(&spec);
    return sending_type ? PyModule_AddObjectRef(module, "Sending", (PyObject *)sending_type) : -1;
}
