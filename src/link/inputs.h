/* inputs.h - what the bundler says that it read: nothing but the stage may be among it.
 *
 * A box that is only a filter lets the bundler read other files: what it made of them nobody gets.
 * Pure; fuzzed by test/fuzz/fuzz_link.c.  Inside link/. */
#ifndef CORRAL_LINK_INPUTS_H
#define CORRAL_LINK_INPUTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* `meta`: the bundler's metafile; `stage`: the name of its folder; `place`: of a file below it, as
 * "/in/.ours/x": is it among them?  ERR_INVALID: an import has led outside, or to another machine,
 * who imports it in `detail`; ERR_SYSTEM: it is no metafile; ERR_NOMEM. */
int inputs_check(struct span meta, const char *stage, const char *place, bool *ret_has,
                 struct buf *detail, struct err *err) MUST_CHECK;

#endif
