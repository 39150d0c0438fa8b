/* charset.h - the decoders of the Encoding standard for what is not UTF-8, piece by piece.
 *
 * The tables (the standard's indexes) are the caller's, so that this part is
 * pure.  Ill-formed input becomes U+FFFD as the standard says, or ends a fatal
 * decoding; a character that is cut in two waits for the next piece.
 *
 * Embedded: zeroes and charset_init; nothing to free.  Thread: any. */
#ifndef CORRAL_TEXT_CHARSET_H
#define CORRAL_TEXT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum charset {
    CHARSET_SINGLE, /* one byte, one character */
    CHARSET_UTF16LE,
    CHARSET_UTF16BE,
    CHARSET_GB18030, /* and GBK, whose decoder is the same */
    CHARSET_BIG5,
    CHARSET_EUC_JP,
    CHARSET_ISO_2022_JP,
    CHARSET_SHIFT_JIS,
    CHARSET_EUC_KR,
};

enum charset_table {                /* which index to look into; `bytes` are then: */
                     TABLE_SINGLE,  /* one byte from 0x80 on */
                     TABLE_GB18030, /* two, lead 0x81 to 0xFE, trail 0x40 to 0xFE, as in all below
                                     */
                     TABLE_GB18030_RANGES, /* four */
                     TABLE_BIG5,
                     TABLE_JIS0208, /* two as in EUC-JP, both from 0xA1 on */
                     TABLE_JIS0212, /* the same, behind 0x8F */
                     TABLE_SHIFT_JIS,
                     TABLE_EUC_KR,
};

/* The code point, or 0 when there is none. */
typedef uint32_t (*charset_lookup_fn)(void *self, enum charset_table table,
                                      const unsigned char *bytes);

struct charset_decoder {
    enum charset charset;
    charset_lookup_fn lookup;
    void *self;
    unsigned char held[3]; /* the start of a character, or of an escape */
    unsigned held_count;
    uint16_t lead;          /* UTF-16: a surrogate that waits for its other half */
    uint8_t mode, out_mode; /* ISO-2022-JP: its states */
    bool has_output;        /* ISO-2022-JP: something came since the last escape */
};

void charset_init(struct charset_decoder *d, enum charset charset, charset_lookup_fn lookup,
                  void *self);
/* How many UTF-16 units charset_decode can write for len bytes. */
static inline size_t charset_room(size_t len)
{
    return (len + 4) * 2;
}
/* Returns the units written, or -1 when is_fatal and the input is ill-formed.
 * is_last: no more will come.  Then, and after -1, the decoder is as new. */
long charset_decode(struct charset_decoder *d, const unsigned char *in, size_t len, bool is_last,
                    bool is_fatal, uint16_t *out);

#endif
