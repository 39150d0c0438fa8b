/* redact.h - what of a request people who tail do not see, as at Cloudflare.
 *
 *   headers   cookie, set-cookie, and names with auth, key, secret, token or jwt in them
 *   URLs      runs of 32 and more hexadecimal digits (with '+', '-', '_' between them), and runs of 21
 *             and more of base64 with two digits, capitals and small letters each
 *
 * In their place stands REDACTED.  Pure.  ERR_NOMEM. */
#ifndef CORRAL_LIVE_REDACT_H
#define CORRAL_LIVE_REDACT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

bool redact_is_header_secret(struct span name);
int redact_url(struct buf *out, struct span url) MUST_CHECK;

#endif
