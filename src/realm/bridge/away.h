/* away.h - what other threads than the loop's do with JavaScript: see proxy_away.c.
 *
 * Each any_f is f on the loop's thread and on those that stand in for it, and everywhere else a
 * step that the loop does, while the caller waits without the GIL.  RuntimeError: the worker's
 * module is loaded still, or the loop does not come round.  Thread: any, with the GIL. */
#ifndef CORRAL_REALM_BRIDGE_AWAY_H
#define CORRAL_REALM_BRIDGE_AWAY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

void away_serve(void); /* from now on the loop runs */
bool away_is_served(void);

PyObject *any_js_proxy_str(PyObject *self);
PyObject *any_js_proxy_iter(PyObject *self);
PyObject *any_js_proxy_next(PyObject *self);
PyObject *any_js_proxy_await(PyObject *self);
PyObject *any_js_proxy_getattr(PyObject *self, PyObject *name);
int any_js_proxy_setattr(PyObject *self, PyObject *name, PyObject *value);
PyObject *any_js_proxy_compare(PyObject *self, PyObject *other, int operation);
PyObject *any_js_proxy_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                                  PyObject *names);
PyObject *any_js_proxy_signed_vectorcall(PyObject *self, PyObject *const *arguments, size_t count,
                                         PyObject *names);
PyObject *any_js_proxy_subscript(PyObject *self, PyObject *key);
int any_js_proxy_set_subscript(PyObject *self, PyObject *key, PyObject *item);
int any_js_proxy_contains(PyObject *self, PyObject *key);
int any_js_proxy_truth(PyObject *self);
Py_ssize_t any_js_proxy_length(PyObject *self);
Py_hash_t any_js_proxy_hash(PyObject *self);
PyObject *any_js_array_subscript(PyObject *self, PyObject *key);
PyObject *any_js_array_item(PyObject *self, Py_ssize_t index);
PyObject *any_js_array_concat(PyObject *self, PyObject *other);
PyObject *any_js_array_extend(PyObject *self, PyObject *other);
PyObject *any_js_array_repeat(PyObject *self, Py_ssize_t times);
PyObject *any_js_array_become_repeated(PyObject *self, Py_ssize_t times);
int any_js_array_set_subscript(PyObject *self, PyObject *key, PyObject *item);
int any_js_array_set_item(PyObject *self, Py_ssize_t index, PyObject *item);
int any_js_typed_array_set_subscript(PyObject *self, PyObject *key, PyObject *item);
int any_js_typed_array_set_item(PyObject *self, Py_ssize_t index, PyObject *item);

/* For functions of which only some calls need JavaScript; the first two from other threads alone.
 */
PyObject *away_binary(binaryfunc f, PyObject *self, PyObject *other);
PyObject *away_fast(_PyCFunctionFastWithKeywords f, PyObject *self, PyObject *const *arguments,
                    Py_ssize_t count, PyObject *names);
PyObject *away_call(PyObject *function, PyObject *arguments, PyObject *named);

#endif
