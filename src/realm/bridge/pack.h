/* pack.h - whole structures across the border: words that one language writes and the other reads.
 *
 * A word is [tag, argument], and behind DOUBLE the double itself.  sdk/js/pack.js is JavaScript's
 * half and has the same tags.  WORDS of them wait, shared by both languages, for the next
 * structure; whoever finds them in use, or too few, has memory of its own. */
#ifndef CORRAL_REALM_BRIDGE_PACK_H
#define CORRAL_REALM_BRIDGE_PACK_H

#include <stdint.h>

#include "realm/bridge/value.h"

enum pack_tag {
    PACK_UNDEFINED,
    PACK_NULL,
    PACK_FALSE,
    PACK_TRUE,
    PACK_INT,    /* the argument */
    PACK_DOUBLE, /* the next word */
    PACK_TEXT,   /* to Python: so many characters of the text beside the words */
    PACK_OTHER,  /* a value beside the words, by its index; to JavaScript also texts */
    PACK_LIST,   /* so many values follow */
    PACK_DICT,   /* so many keys and values */
    PACK_SET,
    PACK_SEEN, /* that container again: the n-th that was (to JavaScript: the n-th SHARED one) */
    PACK_BUFFER = 13, /* as OTHER: to Python as a memoryview */
    PACK_SHARED = 16, /* with LIST, DICT and SET: it may come again */
    PACK_CHECKED = 32 /* with DICT: keys may be the same as property names */
};

union word {
    struct {
        int32_t tag, arg;
    };
    double number;
};

enum { PACK_WORDS = 8192, PACK_WORDS_MAX = 1 << 27 };

/* The words that wait, taken until pack_give; NULL when they are in use. */
union word *pack_take(void);
void pack_give(void);

/* ---- to_js.c, to_py.c: functions of the module _corral ---- */
PyObject *bridge_function_to_js(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                                PyObject *names);
extern const char bridge_to_js_doc[];
PyObject *bridge_set_dicts(PyObject *self, PyObject *are_objects);
PyObject *bridge_function_plain_to_py(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
extern const char bridge_plain_to_py_doc[];
PyObject *bridge_method_to_py(PyObject *self, PyObject *const *arguments, Py_ssize_t count,
                              PyObject *names);

/* ---- buffer_py.c ---- */
/* A typed array (or nested arrays of them) with a copy of what Python's buffer holds. */
JSValueRef bridge_buffer_to_js(PyObject *object);

#endif
