/* quote.h - a text in quotes, as JavaScript's JSON.stringify writes it.
 *
 * What is no UTF-8 becomes U+FFFD.  Errors: ERR_NOMEM.  Thread: any. */
#ifndef CORRAL_TEXT_QUOTE_H
#define CORRAL_TEXT_QUOTE_H

#include "base/buf.h"
#include "base/span.h"

int quote_json(struct buf *out, struct span text) MUST_CHECK;

#endif
