/* serve.c - requests and answers of ASGI applications, with no object of JavaScript between.
 *
 * An incoming request that nobody has looked at gives its parts out of its
 * head.  An answer whose status and headers are as they have to be is a lazy
 * proxy (bridge/proxy_js.c): it becomes a Response when somebody touches it, and
 * leaves as it is when nobody does.  What is unusual gets None here, and takes
 * the way through JavaScript, which knows all rules and words all errors.
 *
 * Most headers of a request are those of the one before: the last pairs are
 * kept, and are the same objects again.  Bounded: PAIRS of PAIR_MAX bytes. */
#include "realm/py/serve.h"

#include "realm/bridge/value.h"
#include "realm/exchange.h"
#include "realm/web/web.h"

enum {
    PAIRS = 256,     /* that are kept; a power of two */
    PAIR_MAX = 256,  /* bytes of one that is kept */
    PLACE_MAX = 255, /* bytes of a host and port that are kept */
    HEADERS_MAX = 256,
};

static PyObject *pairs[PAIRS]; /* (name, value), each where its hash says, or NULL */
static struct {
    char text[PLACE_MAX];
    size_t len;
    PyObject *server; /* (host, port) */
} last_place;

/* ---- requests ---- */

static bool is_same(PyObject *bytes, struct span s)
{
    return PyBytes_GET_SIZE(bytes) == (Py_ssize_t)s.len &&
           memcmp(PyBytes_AS_STRING(bytes), s.data, s.len) == 0;
}

static PyObject *new_bytes(struct span s)
{
    return PyBytes_FromStringAndSize(s.data, (Py_ssize_t)s.len);
}

static PyObject *new_text(struct span s)
{
    return PyUnicode_DecodeLatin1(s.data, (Py_ssize_t)s.len, "strict");
}

/* take_first, take_second: NULL with an exception, too. */
static PyObject *new_pair(PyObject *take_first, PyObject *take_second)
{
    PyObject *pair = take_first && take_second ? PyTuple_Pack(2, take_first, take_second) : NULL;

    Py_XDECREF(take_first);
    Py_XDECREF(take_second);
    return pair;
}

static PyObject *pair_of(struct span name, struct span value)
{
    uint32_t hash = 2166136261u;
    PyObject **place, *pair;

    if (name.len + value.len > PAIR_MAX)
        return new_pair(new_bytes(name), new_bytes(value));
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    for (size_t i = 0; i < value.len; i++)
        hash = (hash ^ (unsigned char)value.data[i]) * 16777619u;
    place = &pairs[(hash ^ hash >> 16) % PAIRS];
    pair = *place;
    if (pair && is_same(PyTuple_GET_ITEM(pair, 0), name) &&
        is_same(PyTuple_GET_ITEM(pair, 1), value))
        return Py_NewRef(pair);
    pair = new_pair(new_bytes(name), new_bytes(value));
    if (pair)
        Py_XSETREF(*place, Py_NewRef(pair));
    return pair;
}

/* The next line without its end; false: there is none. */
static bool next_line(struct span *lines, struct span *ret_line)
{
    const char *end = lines->len ? memchr(lines->data, '\n', lines->len) : NULL;

    if (!end)
        return false;
    *ret_line = (struct span){lines->data, (size_t)(end - lines->data)};
    *lines = (struct span){end + 1, lines->len - ret_line->len - 1};
    return true;
}

/* [(name, value)] as bytes; *ret_client: whose address they name first, not to be freed, or NULL.
 */
static PyObject *headers_of(struct span lines, PyObject **ret_client)
{
    PyObject *list = PyList_New(0);
    struct span name, value;

    *ret_client = NULL;
    while (list && next_line(&lines, &name) && next_line(&lines, &value)) {
        PyObject *pair = pair_of(name, value);
        if (!pair || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair); /* the list has it */
        if (list && !*ret_client && span_is(name, "cf-connecting-ip"))
            *ret_client = PyTuple_GET_ITEM(pair, 1);
    }
    return list;
}

/* The parts of an address in its normal form. */
struct address {
    bool is_tls;
    struct span place, path, query;
};

static bool split_address(struct span url, struct address *ret)
{
    static const struct span SCHEMES[] = {SPAN("http://"), SPAN("https://")};
    const char *end = url.data + url.len, *slash, *mark;

    ret->is_tls = url.len > 4 && url.data[4] == 's';
    if (url.len < SCHEMES[ret->is_tls].len ||
        memcmp(url.data, SCHEMES[ret->is_tls].data, SCHEMES[ret->is_tls].len) != 0)
        return false;
    for (const char *p = url.data; p < end; p++)
        if (*p == '#' || (unsigned char)*p > '~')
            return false;
    url.data += SCHEMES[ret->is_tls].len;
    slash = memchr(url.data, '/', (size_t)(end - url.data));
    if (!slash)
        return false;
    ret->place = (struct span){url.data, (size_t)(slash - url.data)};
    mark = memchr(slash, '?', (size_t)(end - slash));
    ret->path = (struct span){slash, (size_t)((mark ? mark : end) - slash)};
    ret->query = (struct span){mark ? mark + 1 : end, mark ? (size_t)(end - mark - 1) : 0};
    return !memchr(ret->place.data, '?', ret->place.len) &&
           !memchr(ret->place.data, '@', ret->place.len);
}

/* (host, port) of a place: "host", "host:80", "[::1]:80" */
static PyObject *server_of(struct span place, bool is_tls)
{
    size_t host = place.len;
    long port = 0;

    if (last_place.server && last_place.len == place.len &&
        memcmp(last_place.text, place.data, place.len) == 0)
        return Py_NewRef(last_place.server);
    while (host > 0 && place.data[host - 1] >= '0' && place.data[host - 1] <= '9')
        host--;
    if (host > 0 && host < place.len && place.data[host - 1] == ':' && place.len - host < 6) {
        for (size_t i = host; i < place.len; i++)
            port = port * 10 + (place.data[i] - '0');
        host--;
    } else {
        host = place.len;
        port = is_tls ? 443 : 80;
        if (memchr(place.data, ':', place.len) && place.data[place.len - 1] != ']')
            Py_RETURN_NONE;
    }
    return new_pair(new_text((struct span){place.data, host}), PyLong_FromLong(port));
}

/* As server_of, for the next request, too. */
static PyObject *kept_server_of(const struct address *a)
{
    PyObject *server = server_of(a->place, a->is_tls);

    /* With the port that goes without saying the scheme counts. */
    if (server && server != Py_None && server != last_place.server && a->place.len <= PLACE_MAX &&
        memchr(a->place.data, ':', a->place.len)) {
        memcpy(last_place.text, a->place.data, a->place.len);
        last_place.len = a->place.len;
        Py_XSETREF(last_place.server, Py_NewRef(server));
    }
    return server;
}

/* request_parts(request) -> (method, scheme, (host, port), path, its bytes, the query's, headers,
 * the client's address as bytes or None, whether there is a body); None: it is none that came in,
 * or somebody has looked at it. */
static PyObject *request_parts(PyObject *self, PyObject *request)
{
    static PyObject *schemes[2];
    const struct head *head = js_proxy_head(request);
    PyObject *server = NULL, *headers = NULL, *client, *parts = NULL;
    struct address a;

    (void)self;
    if (!head || !split_address(web_head_url(head), &a))
        Py_RETURN_NONE;
    if (!schemes[0]) {
        schemes[0] = PyUnicode_InternFromString("http");
        schemes[1] = PyUnicode_InternFromString("https");
    }
    server = kept_server_of(&a);
    if (server == Py_None)
        return server;
    headers = server ? headers_of(head->lines, &client) : NULL;
    if (headers && schemes[a.is_tls])
        parts =
            Py_BuildValue("(NOONNNOOO)", new_text(head->method), schemes[a.is_tls], server,
                          new_text(a.path), new_bytes(a.path), new_bytes(a.query), headers,
                          client ? client : Py_None, head->body_length != 0 ? Py_True : Py_False);
    Py_XDECREF(server);
    Py_XDECREF(headers);
    return parts;
}

/* ---- answers ---- */

static const uint8_t NAME_BYTES[256] = {
    ['!'] = 1,         ['#' ... '\''] = 1, ['*' ... '+'] = 1, ['-' ... '.'] = 1, ['0' ... '9'] = 1,
    ['A' ... 'Z'] = 1, ['^' ... 'z'] = 1,  ['|'] = 1,         ['~'] = 1,
};

/* Bytes of a name that is fine; else 0. */
static size_t plain_name(PyObject *name)
{
    const char *text;
    size_t len;

    if (!PyBytes_CheckExact(name))
        return 0;
    text = PyBytes_AS_STRING(name);
    len = (size_t)PyBytes_GET_SIZE(name);
    for (size_t i = 0; i < len; i++)
        if (!NAME_BYTES[(unsigned char)text[i]])
            return 0;
    return len;
}

static bool is_plain_value(PyObject *value)
{
    const char *text;
    size_t len;

    if (!PyBytes_CheckExact(value))
        return false;
    text = PyBytes_AS_STRING(value);
    len = (size_t)PyBytes_GET_SIZE(value);
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || (unsigned char)text[i] > '~')
            return false;
    return len == 0 || (text[0] > ' ' && text[len - 1] > ' ');
}

static PyObject *const *pair_items(PyObject *pair)
{
    if (PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2)
        return ((PyTupleObject *)pair)->ob_item;
    if (PyList_CheckExact(pair) && PyList_GET_SIZE(pair) == 2)
        return ((PyListObject *)pair)->ob_item;
    return NULL;
}

static char *put(char *at, PyObject *bytes)
{
    size_t len = (size_t)PyBytes_GET_SIZE(bytes);

    memcpy(at, PyBytes_AS_STRING(bytes), len);
    at[len] = '\n';
    return at + len + 1;
}

/* header_lines(headers) -> b"name\nvalue\n...", names in lower case, of a list or tuple of pairs of
 * bytes in which there is nothing to correct or to refuse; else None. */
static PyObject *header_lines(PyObject *self, PyObject *headers)
{
    bool is_list = PyList_CheckExact(headers);
    PyObject *const *items, *lines;
    Py_ssize_t count;
    size_t size = 0;
    char *at;

    (void)self;
    if (!is_list && !PyTuple_CheckExact(headers))
        Py_RETURN_NONE;
    count = Py_SIZE(headers);
    items = is_list ? ((PyListObject *)headers)->ob_item : ((PyTupleObject *)headers)->ob_item;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *const *pair = pair_items(items[i]);
        size_t len = pair && is_plain_value(pair[1]) ? plain_name(pair[0]) : 0;
        if (len == 0)
            Py_RETURN_NONE;
        size += len + (size_t)PyBytes_GET_SIZE(pair[1]) + 2;
    }
    if (count > HEADERS_MAX || size > HOST_HEAD_MAX)
        Py_RETURN_NONE;
    lines = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!lines)
        return NULL;
    at = PyBytes_AS_STRING(lines);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *const *pair = pair_items(items[i]);
        char *name = at;
        at = put(at, pair[0]);
        for (char *p = name; p < at; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p |= 0x20;
        at = put(at, pair[1]);
    }
    return lines;
}

/* ready_answer(status, lines, body, length) -> a Response; None: not of this status.  lines: of
 * header_lines; body: bytes, or an Outlet of that length, -1: not known. */
static PyObject *ready_answer(PyObject *self, PyObject *arguments)
{
    PyObject *lines, *body;
    long long length;
    long status;
    int overflow;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "O!SOL", &PyLong_Type, &body, &lines, &body, &length))
        return NULL;
    status = PyLong_AsLongAndOverflow(PyTuple_GET_ITEM(arguments, 0), &overflow);
    if (status < 200 || status > 599 || status == 204 || status == 205 || status == 304)
        Py_RETURN_NONE;
    return js_proxy_ready((uint32_t)status, lines, body, length);
}

/* ---- bodies in pieces ---- */

/* The writer of an answer hears that there is room, or that nobody takes any more. */
static void tell_writer(struct exchange *x)
{
    PyObject *type, *exception, *traceback, *wake = x->writer, *done;
    bool is_over = x->out.is_over;

    PyErr_Fetch(&type, &exception, &traceback);
    if (is_over)
        x->writer = NULL;
    else
        Py_INCREF(wake);
    done = PyObject_CallOneArg(wake, is_over ? Py_False : Py_True);
    if (!done)
        PyErr_WriteUnraisable(wake);
    Py_XDECREF(done);
    Py_DECREF(wake);
    PyErr_Restore(type, exception, traceback); /* steals */
}

static struct exchange *find_open(unsigned stream)
{
    struct exchange *x = exchange_find(stream);

    return x && !x->out.is_over ? x : NULL;
}

/* body_open(stream, wake) -> whether anybody takes it; wake(True): there is room again,
 * wake(False), once: nobody takes any more. */
static PyObject *body_open(PyObject *self, PyObject *arguments)
{
    struct exchange *x;
    unsigned stream;
    PyObject *wake;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "IO", &stream, &wake))
        return NULL;
    x = find_open(stream);
    if (!x || x->writer)
        Py_RETURN_FALSE;
    x->writer = Py_NewRef(wake);
    x->tell_writer = tell_writer;
    Py_RETURN_TRUE;
}

/* body_write(stream, bytes) -> whether the writer has to wait for wake(); None: nobody takes it. */
static PyObject *body_write(PyObject *self, PyObject *arguments)
{
    enum flow_room room = FLOW_GONE;
    struct exchange *x;
    unsigned stream;
    PyObject *bytes;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "IS", &stream, &bytes))
        return NULL;
    x = find_open(stream);
    if (x)
        room = outflow_write(
            &x->out, (struct span){PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)});
    if (room == FLOW_GONE)
        Py_RETURN_NONE;
    return PyBool_FromLong(room == FLOW_WAIT);
}

/* body_end(stream, why): it is complete, or not, because of that text.  wake is called no more. */
static PyObject *body_end(PyObject *self, PyObject *arguments)
{
    const char *why;
    struct exchange *x;
    PyObject *writer;
    unsigned stream;

    (void)self;
    if (!PyArg_ParseTuple(arguments, "Iz", &stream, &why))
        return NULL;
    x = find_open(stream);
    if (!x)
        Py_RETURN_NONE;
    writer = x->writer;
    x->writer = NULL;
    if (why)
        exchange_fail(x, HOST_BODY, span_of(why));
    else
        outflow_finish(&x->out);
    Py_XDECREF(writer);
    Py_RETURN_NONE;
}

PyMethodDef serve_functions[] = {
    {"request_parts", request_parts, METH_O, "what ASGI asks of a request that came in"},
    {"header_lines", header_lines, METH_O, "headers as they are sent"},
    {"ready_answer", ready_answer, METH_VARARGS, "a Response, made when it is touched"},
    {"body_open", body_open, METH_VARARGS, "write the body of an answer from here"},
    {"body_write", body_write, METH_VARARGS, "a piece of it"},
    {"body_end", body_end, METH_VARARGS, "its end"},
    {0},
};
