/* chunked.h - is this a well-formed chunked body, and where does it end?
 *
 * Looks at framing only; body.c takes the bytes out.  Stricter than the
 * grammar of RFC 9112 section 7.1: no chunk extensions, no spaces, CR LF only.
 * Trailer fields are checked and dropped.
 *
 * Plain value; {0} plus limit is ready.  Pure.
 * Errors: ERR_INVALID or ERR_LIMIT, with chunked.status as the answer. */
#ifndef CORRAL_HTTP_CHUNKED_H
#define CORRAL_HTTP_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    CHUNKED_TRAILERS_MAX = 8 * 1024,    /* bytes of all trailer lines: 431 */
    CHUNKED_DIGITS_MAX = 8,             /* of one chunk size */
};

struct chunked {
    int64_t limit;          /* bytes of the decoded body: 413 */
    int64_t total;          /* bytes announced by chunk sizes so far */
    uint64_t left;          /* bytes to come of the current chunk's data */
    uint64_t size;          /* as its digits say so far */
    uint32_t trailer_bytes;
    uint16_t status;
    uint8_t state;
    uint8_t digits;
    uint8_t name_len;
    bool is_ended;          /* the last LF has been seen */
    char name[24];          /* of the current trailer, cut */
};

/* Check some more bytes; *ret_used of them belong to this body. */
int chunked_check(struct chunked *c, const char *data, size_t len, size_t *ret_used,
                  struct err *err) MUST_CHECK;

#endif
