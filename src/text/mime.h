/* mime.h - the MIME type in a Content-Type header, by the MIME Sniffing and Fetch standards.
 *
 * A type is kept serialised: "text/plain;charset=utf-8", names in lower case,
 * each parameter once (the first wins), values quoted only where they must be.
 *
 * Errors: ERR_NOMEM.  Pure; fuzzed by test/fuzz/fuzz_mime.c. */
#ifndef CORRAL_TEXT_MIME_H
#define CORRAL_TEXT_MIME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { MIME_PARAMS_MAX = 32 };      /* of one type; further ones are dropped */

/* Append what a Content-Type header means to out, which is empty: several values
 * may stand there, joined by commas; the last valid one counts.  Nothing is
 * appended when there is none. */
int mime_extract(struct span header, struct buf *out) MUST_CHECK;
/* Of a serialised type: "text/plain". */
struct span mime_essence(struct span type);
/* Append the parameter's value to out.  1, or 0 when there is no such parameter. */
int mime_param(struct span type, struct span name, struct buf *out) MUST_CHECK;

#endif
