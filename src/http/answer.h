/* answer.h - write an HTTP/1.1 answer that a client cannot misread.
 *
 * answer_begin, any number of answer_field, answer_end; then the body: raw, or
 * through answer_chunk and answer_last_chunk when answer_end says so.  No
 * value can break out of its line, whatever the worker put there, and the
 * framing is ours alone: what the worker says about it is dropped.
 *
 * Plain value; writes to a buffer of the caller.  Pure.
 * Errors: ERR_NOMEM; ERR_INVALID for a header that cannot be written.  The
 * buffer then holds half a head: cut it back to where it was. */
#ifndef CORRAL_HTTP_ANSWER_H
#define CORRAL_HTTP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum answer_connection { ANSWER_KEEP, ANSWER_CLOSE };

enum answer_framing {
    ANSWER_BODILESS,    /* HEAD, 204, 304: no byte may follow */
    ANSWER_LENGTH,      /* as many bytes as announced */
    ANSWER_CHUNKED,
    ANSWER_TO_CLOSE,    /* HTTP/1.0, length unknown: ends with the connection */
    ANSWER_SWITCHED,    /* 101: from here on the bytes are another protocol's */
};

struct answer {
    unsigned status;            /* 200 to 599; or 101 to WebSocket */
    struct span text;           /* "" or unwritable: the standard words */
    uint8_t minor;              /* of the request's version */
    bool is_head;               /* the request's method was HEAD */
    int64_t body_length;        /* -1: not known */
    enum answer_connection connection;  /* wanted; answer_end may turn it to CLOSE */
    struct span date;           /* for the Date header */
    /* Result of answer_end. */
    enum answer_framing framing;
    /* Seen among the fields. */
    bool has_date;
    int64_t said_length;        /* Content-Length as the worker set it, or -1 */
};

int answer_begin(struct answer *a, struct buf *out) MUST_CHECK;
int answer_field(struct answer *a, struct buf *out, struct span name, struct span value) MUST_CHECK;
int answer_end(struct answer *a, struct buf *out) MUST_CHECK;

/* bytes.len > 0. */
int answer_chunk(struct buf *out, struct span bytes) MUST_CHECK;
int answer_last_chunk(struct buf *out) MUST_CHECK;

#endif
