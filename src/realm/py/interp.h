/* interp.h - CPython, started once: isolated, silent on disk, quiet about signals.
 *
 * Its modules are the standard library, Debian's packages and sdk/python out
 * of this program; sys.stdout and sys.stderr are lines of the worker's log.
 *
 * Thread: strands (realm/strand.h).  Errors: interp_open ERR_SYSTEM. */
#ifndef CORRAL_REALM_PY_INTERP_H
#define CORRAL_REALM_PY_INTERP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/span.h"

typedef struct _object PyObject;

/* Nothing is collected until interp_freeze. */
int interp_open(struct err *err) MUST_CHECK;
/* All that there is now stays, and no collection looks at it any more: in whoever is forked, a
 * look at an object is a copy of its page.  ERR_NOMEM. */
int interp_freeze(struct err *err) MUST_CHECK;
const char *interp_version(void);           /* "3.11.2" */
/* Where the standard library is: "/usr/lib/python3.11".  ERR_SYSTEM. */
int interp_library(char *room, size_t size, struct err *err) MUST_CHECK;

/* The GIL: given away while we wait, if there is a second Python thread to want it. */
void interp_resume(void);
void interp_suspend(void);
bool interp_has_threads(void);

/* A strand's hooks.  Python takes all of them for the same thread, with its threading.local and its
 * event loop; who has the baton has the GIL, or has given it away by interp_suspend. */
void interp_begin_thread(void);
void interp_end_thread(void);

void interp_fork_before(void);
void interp_fork_parent(void);
void interp_fork_child(void);

/* Each request has a context of its own, a copy of that which top-level code has left: in it a
 * variable says which request the running code belongs to, for its output. */
PyObject *interp_enter_stream(uint32_t stream);     /* the context; NULL with an exception */
void interp_leave_stream(PyObject *take_context);
uint32_t interp_stream(void);

/* sdk/python's module.name, imported; NULL with an exception. */
PyObject *interp_sdk(const char *module, const char *name);
/* The whole traceback as the caller wants it shown; "..." on failure. */
PyObject *interp_format(PyObject *exception);

/* output.c */
int output_add_type(PyObject *module) MUST_CHECK;
void output_flush(void);    /* what was written without a line's end, or on other threads */
/* To the host's log, from any thread that holds the GIL. */
void output_send(uint32_t stream, enum log_level level, struct span text);
/* The code of a request, 0: of none, has met a limit; from any thread. */
void output_met(uint32_t stream, enum limit limit);

#endif
