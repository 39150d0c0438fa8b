/* toml.h - the sub-command `corral-worker toml`: TOML on stdin, JSON on stdout.
 *
 *     {"ok": {...}}
 *     {"error": {"message": "...", "line": 3, "column": 8}}   line 0: not known
 *     {"error": {"message": "...", "path": ["vars", "X"]}}    a value JSON cannot say
 *
 * Dates and times become strings in ISO 8601; integers beyond 64 bits become
 * floating point; inf and nan are errors.  Starts a CPython of its own, isolated
 * from the environment, in a process that does nothing else and ends with
 * toml_main: the node runs it for each wrangler.toml. */
#ifndef CORRAL_REALM_TOML_H
#define CORRAL_REALM_TOML_H

#include "base/err.h"

/* `enter` is called when all files of Python are read, before a byte of the text is: the way into a
 * box.  When it fails the text is not read.
 * The exit code: 0 when an answer was written, be it an error. */
int toml_main(int (*enter)(struct err *err));

#endif
