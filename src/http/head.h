/* head.h - the head of one HTTP/1.1 request, read strictly.
 *
 * Give head_scan the same growing bytes until it answers; it remembers how far
 * it came, so a head that trickles in costs no more than one that is whole.
 * The result does not depend on where the bytes were cut.  It points into the
 * bytes by offset, so they may move between calls.
 *
 * What is ambiguous is refused, never guessed: head.c lists the rules.
 *
 * Ownership: plain value, head_init before each request.  Pure.
 * Errors: ERR_INVALID or ERR_LIMIT, with head.status as the answer to give. */
#ifndef CORRAL_HTTP_HEAD_H
#define CORRAL_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    HEAD_LINE_MAX = 16 * 1024,  /* bytes of the request line: 414 */
    HEAD_BYTES_MAX = 64 * 1024, /* bytes of the whole head: 431 */
    HEAD_FIELDS_MAX = 128,      /* header lines: 431 */
};

struct head_part {              /* bytes of the head */
    uint16_t at, len;
};

struct head_field {
    struct head_part name, value;
    bool is_hop;                /* speaks of this connection only: not passed on */
};

enum head_framing { HEAD_NO_BODY, HEAD_LENGTH, HEAD_CHUNKED };

struct head {
    /* How far the scan came. */
    uint32_t line_at;           /* first byte of the line that is not whole yet */
    uint32_t seen;              /* bytes already searched for its end */
    uint8_t stage;
    bool has_blank;             /* one empty line before the request was skipped */
    /* The result, once head_scan has returned 1. */
    uint32_t len;               /* bytes of the head, blank line included */
    struct head_part method, target;
    struct head_part host;      /* len 0: HTTP/1.0 without Host */
    struct head_part path;      /* of the target: "/a?b", "?b" or "" */
    uint8_t minor;              /* 0 or 1 */
    bool is_keep_alive;         /* as the client asks */
    bool is_expecting;          /* Expect: 100-continue */
    enum head_framing framing;
    int64_t body_length;        /* HEAD_LENGTH; 0 without a body, -1 when chunked */
    /* Scratch and headers. */
    uint8_t hosts, lengths, codings, asks_close, asks_keep_alive, asks_upgrade;
    uint16_t field_count;
    unsigned status;            /* after an error: 400 and so on */
    struct head_field fields[HEAD_FIELDS_MAX];
};

void head_init(struct head *h);

/* 1: whole; 0: more bytes are needed; negative: refused. body_max in bytes. */
int head_scan(struct head *h, const char *data, size_t len, int64_t body_max,
              struct err *err) MUST_CHECK;

static inline struct span head_part(const char *data, struct head_part part)
{
    return (struct span){data + part.at, part.len};
}

/* Append the absolute URL: SCHEME://HOST/path?query.  ERR_NOMEM. */
int head_url(const struct head *h, const char *data, struct span scheme, struct span default_host,
             struct buf *out) MUST_CHECK;

#endif
