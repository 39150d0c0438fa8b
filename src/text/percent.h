/* percent.h - percent-encoding by the URL standard's sets, and its way back.
 *
 * Bytes are taken as they are: UTF-8 in is UTF-8 encoded.  Errors: ERR_NOMEM.
 * Thread: any. */
#ifndef CORRAL_TEXT_PERCENT_H
#define CORRAL_TEXT_PERCENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* Which bytes a part of a URL may not hold; the names are the standard's. */
enum percent_set {
    PERCENT_C0 = 1, /* "C0 control": opaque paths and hosts */
    PERCENT_FRAGMENT = 2,
    PERCENT_QUERY = 4,
    PERCENT_SPECIAL_QUERY = 8, /* of http and its kind */
    PERCENT_PATH = 16,
    PERCENT_USERINFO = 32,
    PERCENT_COMPONENT = 64, /* encodeURIComponent's */
    PERCENT_FORM = 128,     /* application/x-www-form-urlencoded; a space becomes '+' */
};

/* Bit s is set in percent_sets[c] when set s encodes c. */
extern const uint8_t percent_sets[256];

static inline bool percent_must(unsigned char c, enum percent_set set)
{
    return percent_sets[c] & set;
}

int percent_encode(struct buf *out, struct span in, enum percent_set set) MUST_CHECK;
/* %XX becomes its byte, every other byte stays. */
int percent_decode(struct buf *out, struct span in) MUST_CHECK;
/* As percent_decode, and '+' becomes a space. */
int percent_decode_form(struct buf *out, struct span in) MUST_CHECK;
/* The value of a hexadecimal digit, or -1. */
int percent_digit(char c);

#endif
