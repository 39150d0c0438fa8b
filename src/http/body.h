/* body.h - the body of one request, taken out of its framing.
 *
 * body_begin reads the head a second time, with llhttp, and refuses the
 * request when the two readers do not agree about it.  body_decode then eats
 * the bytes behind the head.
 *
 * Plain value, one per request; do not copy after body_begin.  Pure.
 * Errors: ERR_INVALID or ERR_LIMIT, with body.status as the answer to give. */
#ifndef CORRAL_HTTP_BODY_H
#define CORRAL_HTTP_BODY_H

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "http/chunked.h"
#include "http/head.h"

struct body {
    bool is_ended;              /* nothing of this body is missing */
    unsigned status;
    enum head_framing framing;
    int64_t left;               /* HEAD_LENGTH: bytes to come */
    struct chunked chunked;
    llhttp_t parser;
    bool is_parsed;             /* llhttp has seen the end of the message */
    char *out;                  /* where on_body puts the next bytes */
};

/* data: the head's bytes, head->len of them. */
int body_begin(struct body *b, const struct head *head, const char *data, int64_t body_max,
               struct err *err) MUST_CHECK;

/* Decode in place: *ret_used bytes are dealt with, *ret_bytes (inside data)
 * are the body's.  Stops behind the body; what follows is the next request. */
int body_decode(struct body *b, char *data, size_t len, size_t *ret_used, struct span *ret_bytes,
                struct err *err) MUST_CHECK;

/* Bytes still to come as announced; -1 when chunked. */
int64_t body_left(const struct body *b);

#endif
