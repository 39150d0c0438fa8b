/* convert.c - the rules by which values cross between Python and JavaScript.
 *
 *   undefined            <-> None            null     -> None or jsnull
 *   boolean              <-> bool            string  <-> str
 *   integral number      <-> int             bigint  <-> int from 2**53 - 1 on, JsBigInt
 *   other number         <-> float
 *   PyProxy, JsProxy unwrap; everything else is wrapped in one.
 *
 * These are Pyodide's.  Strings go over as 8-bit or UTF-16, never through
 * JavaScriptCore's UTF-8 functions when they are long (see js/text.h). */
#include "realm/bridge/value.h"

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

enum { NAMES = 1024 };
#define SAFE_MAX 9007199254740991.0 /* 2**53 - 1 */

extern JSValueRef JSBigIntCreateWithInt64(JSContextRef context, int64_t number, JSValueRef *thrown);

/* Interned names -> property names; a slot is owned by whoever came last. */
static struct {
    PyObject *name;
    JSStringRef text;
    JSValueRef key; /* kept; NULL until it is asked for */
} names[NAMES];

static PyObject *null_object;     /* jsnull: always null in JavaScript */
static bool makes_nulls;          /* from a newer date on: null becomes that */
static PyTypeObject *bigint_type; /* JsBigInt: integers that are BigInt in JavaScript */
static bool makes_bigints;        /* from a newer date on: BigInt becomes that */

void bridge_set_null(PyObject *null, bool makes)
{
    null_object = null;
    makes_nulls = makes;
}

void bridge_set_bigint(PyTypeObject *type, bool makes)
{
    bigint_type = type;
    makes_bigints = makes;
}

bool bridge_is_null(PyObject *object)
{
    return object == null_object;
}

PyObject *bridge_null_to_python(void)
{
    return Py_NewRef(makes_nulls ? null_object : Py_None);
}

bool bridge_is_from_js(PyObject *object)
{
    return js_proxy_check(object) ||
           (PyExceptionInstance_Check(object) &&
            PyObject_TypeCheck(object, (PyTypeObject *)bridge_js_exception_type()));
}

/* bits: all characters or-ed, < 0x100; they are in one of the two. */
static PyObject *latin1_new(size_t len, uint16_t bits, const char *bytes, const JSChar *units)
{
    PyObject *text = PyUnicode_New((Py_ssize_t)len, bits < 0x80 ? 0x7F : 0xFF);

    if (!text || len == 0)
        return text;
    if (bytes)
        memcpy(PyUnicode_1BYTE_DATA(text), bytes, len);
    else
        text_narrow(units, len, PyUnicode_1BYTE_DATA(text));
    return text;
}

static bool has_surrogate(const JSChar *units, size_t len)
{
    enum { BLOCK = 16 };
    uint16_t found[BLOCK] = {0};
    bool has = false;
    size_t i = 0;

    for (; i + BLOCK <= len; i += BLOCK)
        for (int k = 0; k < BLOCK; k++)
            found[k] |= (units[i + (size_t)k] & 0xF800) == 0xD800;
    for (; i < len; i++)
        has |= (units[i] & 0xF800) == 0xD800;
    for (int k = 0; k < BLOCK; k++)
        has |= found[k] != 0;
    return has;
}

PyObject *bridge_units_to_python(const JSChar *units, size_t len)
{
    uint16_t bits = text_bits(units, len);

    if (bits < 0x100)
        return latin1_new(len, bits, NULL, units);
    if (!has_surrogate(units, len))
        return PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, units, (Py_ssize_t)len);
    return PyUnicode_DecodeUTF16((const char *)units, (Py_ssize_t)len * 2, "surrogatepass",
                                 &(int){-1});
}

PyObject *bridge_text_to_python(JSStringRef text)
{
    size_t len = JSStringGetLength(text);

    if (len < TEXT_SHORT) {
        char utf8[TEXT_SHORT * 3 + 1];
        size_t n = JSStringGetUTF8CString(text, utf8, sizeof utf8);
        if (n == len + 1)
            return latin1_new(len, 0x7F, utf8, NULL);
    }
    return bridge_units_to_python(JSStringGetCharactersPtr(text), len);
}

static JSStringRef wide_text(PyObject *text)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(text);
    const Py_UCS4 *points = PyUnicode_4BYTE_DATA(text);
    uint16_t *units = mem_alloc((size_t)len * 4 + 2), *out = units;
    JSStringRef result;

    if (!units) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < len; i++) {
        if (points[i] >= 0x10000) {
            *out++ = (uint16_t)(0xD7C0 + (points[i] >> 10));
            *out++ = (uint16_t)(0xDC00 + (points[i] & 0x3FF));
        } else {
            *out++ = (uint16_t)points[i];
        }
    }
    result = JSStringCreateWithCharacters(units, (size_t)(out - units));
    mem_free(units);
    return result;
}

JSStringRef bridge_text_to_js(PyObject *text)
{
    size_t len;
    JSStringRef result;

    if (PyUnicode_READY(text) < 0)
        return NULL;
    len = (size_t)PyUnicode_GET_LENGTH(text);
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        if (len < TEXT_SHORT && PyUnicode_IS_ASCII(text) && !memchr(PyUnicode_DATA(text), 0, len))
            return JSStringCreateWithUTF8CString((const char *)PyUnicode_DATA(text));
        result = text_new_latin1(PyUnicode_1BYTE_DATA(text), len);
        if (!result)
            PyErr_NoMemory();
        return result;
    case PyUnicode_2BYTE_KIND:
        return JSStringCreateWithCharacters(PyUnicode_2BYTE_DATA(text), len);
    default:
        return wide_text(text);
    }
}

JSStringRef bridge_name(PyObject *name)
{
    size_t slot = ((uintptr_t)name >> 4) % NAMES;
    JSStringRef text;

    /* The caller gets its own reference: the code of a getter may take the slot. */
    if (names[slot].name == name)
        return JSStringRetain(names[slot].text);
    text = bridge_text_to_js(name);
    if (!text || !PyUnicode_CHECK_INTERNED(name))
        return text;
    Py_XDECREF(names[slot].name);
    if (names[slot].text)
        JSStringRelease(names[slot].text);
    engine_drop(names[slot].key);
    names[slot].name = Py_NewRef(name);
    names[slot].text = text;
    names[slot].key = NULL;
    return JSStringRetain(text);
}

JSValueRef bridge_key(PyObject *name)
{
    size_t slot = ((uintptr_t)name >> 4) % NAMES;
    JSStringRef text;
    JSValueRef key;

    if (names[slot].name == name && names[slot].key)
        return names[slot].key;
    text = bridge_name(name);
    if (!text)
        return NULL;
    key = JSValueMakeString(engine.context, text);
    JSStringRelease(text);
    if (names[slot].name == name)
        names[slot].key = engine_keep(key);
    return key;
}

PyObject *bridge_number_to_python(double d)
{
    if (d >= -SAFE_MAX && d <= SAFE_MAX && d == (double)(long long)d)
        return PyLong_FromLongLong((long long)d);
    return PyFloat_FromDouble(d);
}

static PyObject *bigint_to_python(JSValueRef value)
{
    static JSObjectRef big_text;
    JSValueRef thrown = NULL, text;
    JSStringRef string;
    struct buf digits = {0};
    PyObject *result = NULL;

    if (!big_text)
        big_text = engine_internal("bigText");
    text = engine_call(big_text, 1, &value, &thrown);
    if (thrown)
        return bridge_raise(thrown);
    string = JSValueToStringCopy(engine.context, text, NULL);
    if (!string)
        return PyErr_NoMemory();
    if (text_append(&digits, string) == 0 && buf_append(&digits, "", 1) == 0)
        result = PyLong_FromString(buf_data(&digits), NULL, 16);
    else
        PyErr_NoMemory();
    buf_done(&digits);
    JSStringRelease(string);
    if (result && makes_bigints)
        Py_SETREF(result, PyObject_CallOneArg((PyObject *)bigint_type, result));
    return result;
}

PyObject *bridge_to_python(JSValueRef value, PyObject *owner)
{
    JSContextRef js = engine.context;
    PyObject *object;
    JSStringRef text;

    switch (JSValueGetType(js, value)) {
    case kJSTypeUndefined:
        Py_RETURN_NONE;
    case kJSTypeNull:
        return bridge_null_to_python();
    case kJSTypeBoolean:
        return PyBool_FromLong(JSValueToBoolean(js, value));
    case kJSTypeNumber:
        return bridge_number_to_python(engine_number_of(value));
    case kJSTypeString:
        text = JSValueToStringCopy(js, value, NULL); /* new */
        if (!text) /* a string of pieces that do not fit into memory as a whole */
            return PyErr_NoMemory();
        object = bridge_text_to_python(text);
        JSStringRelease(text);
        return object;
    case kJSTypeBigInt:
        return bigint_to_python(value);
    case kJSTypeSymbol:
        return js_proxy_symbol(value);
    default:
        break;
    }
    if (py_proxy_unwrapped(value, &object))
        return object;
    return js_proxy_new((JSObjectRef)value, owner);
}

static JSValueRef int_to_js(PyObject *number, bool is_bigint)
{
    static JSObjectRef to_bigint;
    int overflow;
    long long n = PyLong_AsLongLongAndOverflow(number, &overflow);
    JSValueRef arguments[2], thrown = NULL, result;
    PyObject *text;
    bool is_negative;
    JSStringRef string;

    if (n == -1 && PyErr_Occurred())
        return NULL;
    if (!overflow && !is_bigint && n < (long long)SAFE_MAX && n > -(long long)SAFE_MAX)
        return engine_number((double)n);
    if (!overflow)
        return JSBigIntCreateWithInt64(engine.context, n, NULL);
    text = PyNumber_ToBase(number, 16); /* new: "0x..." or "-0x...", of which BigInt() reads none */
    if (!text)
        return NULL;
    is_negative = PyUnicode_READ_CHAR(text, 0) == '-';
    if (is_negative)
        Py_SETREF(text, PyUnicode_Substring(text, 1, PyUnicode_GET_LENGTH(text)));
    string = text ? bridge_text_to_js(text) : NULL;
    Py_XDECREF(text);
    if (!string)
        return NULL;
    arguments[0] = JSValueMakeString(engine.context, string);
    arguments[1] = JSValueMakeBoolean(engine.context, is_negative);
    JSStringRelease(string);
    if (!to_bigint)
        to_bigint = engine_internal("toBigInt");
    result = engine_call(to_bigint, 2, arguments, &thrown);
    if (thrown)
        bridge_raise(thrown);
    return result;
}

JSValueRef bridge_to_js(PyObject *object)
{
    JSContextRef js = engine.context;

    if (object == Py_None)
        return engine.undefined;
    if (PyUnicode_Check(object)) {
        /* Constants of the code are interned and come again. */
        JSStringRef text = PyUnicode_CHECK_INTERNED(object) ? bridge_name(object)
                                                            : bridge_text_to_js(object); /* new */
        JSValueRef value;
        if (!text)
            return NULL;
        value = JSValueMakeString(js, text);
        JSStringRelease(text);
        return value;
    }
    if (js_proxy_check(object))
        return js_proxy_object(object);
    if (PyBool_Check(object))
        return JSValueMakeBoolean(js, object == Py_True);
    if (PyLong_Check(object))
        return int_to_js(object, bigint_type && PyObject_TypeCheck(object, bigint_type));
    if (PyFloat_Check(object))
        return engine_number(PyFloat_AS_DOUBLE(object));
    if (object == null_object)
        return JSValueMakeNull(js);
    if (PyExceptionInstance_Check(object) &&
        PyObject_TypeCheck(object, (PyTypeObject *)bridge_js_exception_type())) {
        JSValueRef error;
        Py_INCREF(object); /* its attributes may run code that lets it go */
        error = bridge_error(object);
        Py_DECREF(object);
        return error;
    }
    return py_proxy_new(object);
}
