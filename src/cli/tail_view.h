/* tail_view.h - trace events as people read them, in the words of wrangler.
 *
 *     GET http://hello.main.example/ - Ok @ 1/2/2026, 3:04:05 PM
 *       (log) a line of the worker's
 *     ValueError: two
 *     Traceback (most recent call last): ...
 *
 * Control characters of strangers are shown as \u001b, so that they cannot play with the terminal.
 * Pure, but for the time zone.  ERR_NOMEM. */
#ifndef CORRAL_CLI_TAIL_VIEW_H
#define CORRAL_CLI_TAIL_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* out: for stdout; errors: for stderr, where exceptions go. */
int tail_view_print(const json_t *event, bool is_coloured, struct buf *out,
                    struct buf *errors) MUST_CHECK;

#endif
