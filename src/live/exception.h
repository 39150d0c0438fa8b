/* exception.h - name, message and stack of an exception, out of its text.
 *
 *     Traceback (most recent call last):              Python: a PythonError whose message is all of it, as
 *       File "src/entry.py", line 7, in on_fetch      on Cloudflare, where clients show no more than that
 *     ValueError: two
 *
 *     TypeError: x is not a function                  JavaScript: name and message are the first line
 *         at handler (src/entry.js:3:9)
 *
 * In front may stand "GET http://...: ".  The text comes from a worker and is believed in nothing:
 * what cannot be cut up is the message of an "Error".  Pure; fuzzed by test/fuzz/fuzz_exception.c. */
#ifndef CORRAL_LIVE_EXCEPTION_H
#define CORRAL_LIVE_EXCEPTION_H

#include "base/span.h"

struct exception { /* spans of the text */
    struct span name, message, stack;
};

void exception_read(struct span text, struct exception *ret);

#endif
