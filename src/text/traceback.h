/* traceback.h - where in the worker's own files an error happened.
 *
 *     Traceback (most recent call last):
 *       File "src/entry.py", line 7, in on_fetch        Python: the last one counts
 *
 *     TypeError: x is not a function
 *         at handler (src/entry.js:3:9)               JavaScript: the first one
 *
 * Python's frames win when there are both.  Only relative names count: absolute
 * ones are of libraries.  The text comes from a worker: the place is a claim, and
 * the name may be any bytes.  Pure; fuzzed by test/fuzz/fuzz_traceback.c. */
#ifndef CORRAL_TEXT_TRACEBACK_H
#define CORRAL_TEXT_TRACEBACK_H

#include <stdbool.h>

#include "base/span.h"

struct traceback_place {
    struct span file;       /* inside the text; not empty */
    int line;               /* from 1 */
};

enum { TRACEBACK_LINE_MAX = 1000 * 1000 };      /* greater numbers are none */

/* false: it names no such place. */
bool traceback_place(struct span text, struct traceback_place *ret_place);

#endif
