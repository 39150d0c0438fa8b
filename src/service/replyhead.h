/* replyhead.h - the head of a server's answer, line by line, as libcurl hands it over.
 *
 * Lines come with their CR LF or without: the status line, fields, an empty
 * line; interim answers (1xx) come the same way before, trailers after.
 * A server is hostile: what could not be passed on as it is, is refused, and
 * so is a length that two readers could understand in two ways.
 *
 * Embedded: zeroes, replyhead_done.  Pure; fuzzed by test/fuzz/fuzz_replyhead.c. */
#ifndef CORRAL_SERVICE_REPLYHEAD_H
#define CORRAL_SERVICE_REPLYHEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/message.h"

enum {
    REPLYHEAD_BYTES_MAX = 128 * 1024, /* names and values together */
    REPLYHEAD_FIELDS_MAX = 256,
    REPLYHEAD_REASON_MAX = 256,       /* bytes of status text; the rest is cut off */
    REPLYHEAD_HEARD_MAX = 512 * 1024, /* bytes of all lines: interim answers and trailers, of
                                         which libcurl keeps a copy, count too */
    REPLYHEAD_LINES_MAX = 2048,
};

struct replyhead {
    uint32_t status; /* 0: no status line yet */
    struct buf reason;
    struct buf fields; /* as pairs_add writes them, names in lower case */
    bool is_exact;     /* set by the owner: names as they came, those of the connection, too */
    bool is_upgrade;   /* set by the owner: a 101 is an answer, with the fields that make it one */
    uint32_t count;
    size_t heard;   /* bytes of lines so far */
    uint32_t lines; /* so far */
    bool has_length;
    int64_t length; /* what Content-Length says, when has_length */
    bool is_whole;  /* the final answer's head is complete */
};

void replyhead_done(struct replyhead *h);
/* Is this, or will it be, the 101 that was asked for? */
bool replyhead_is_switch(const struct replyhead *h);
/* 1: the head is whole with this line; 0: more follows; ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int replyhead_line(struct replyhead *h, struct span line, struct err *err) MUST_CHECK;

#endif
