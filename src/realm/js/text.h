/* text.h - strings across JavaScript's border: UTF-16 and Latin-1 inside, UTF-8 outside.
 *
 * The UTF-8 functions of JavaScriptCore's C API cost up to 15 times more than
 * its UTF-16 ones on long strings, so we convert ourselves.  Ill-formed input
 * becomes U+FFFD by the Encoding Standard's rules, both ways.
 *
 * Errors: ERR_NOMEM.  Thread: the realm's (one scratch buffer). */
#ifndef CORRAL_REALM_JS_TEXT_H
#define CORRAL_REALM_JS_TEXT_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/* Below so many characters the library's own UTF-8 functions are worth their price: they make and
 * read 8-bit strings, which are compared and looked up without a copy. */
enum { TEXT_SHORT = 96 };

JSStringRef text_new(struct span utf8); /* NULL when out of memory */
JSStringRef text_new_latin1(const unsigned char *data, size_t len);
JSValueRef text_value(struct span utf8); /* a string; undefined when out of memory */

/* Append as UTF-8. */
int text_append(struct buf *out, JSStringRef string) MUST_CHECK;
/* String(value) appended as UTF-8; *ret_thrown may be set by its toString. */
int text_append_value(struct buf *out, JSValueRef value, JSValueRef *ret_thrown) MUST_CHECK;

/* Both for bytes that should be UTF-8, as headers, whatever they are: those that are not are U+DC80 to
 * U+DCFF in the string, as by Python's surrogateescape, and bytes again in the buffer. */
JSValueRef text_value_escaped(struct span bytes);
int text_append_escaped(struct buf *out, JSValueRef value, JSValueRef *ret_thrown) MUST_CHECK;

/* UTF-8 to UTF-16.  Room for len units is always enough.  Returns the units
 * written, or -1 when is_fatal and the input is ill-formed. */
long text_decode(const unsigned char *in, size_t len, uint16_t *out, bool is_fatal);
/* UTF-16 to UTF-8.  Room for len * 3 bytes is always enough.  Returns bytes. */
size_t text_encode(const uint16_t *in, size_t len, char *out);
/* Latin-1 to UTF-16 and back (the caller knows that it fits): len units. */
void text_widen(const unsigned char *restrict in, size_t len, uint16_t *restrict out);
void text_narrow(const uint16_t *restrict in, size_t len, unsigned char *restrict out);
/* All units or-ed: < 0x80 is ASCII, < 0x100 Latin-1. */
uint16_t text_bits(const uint16_t *in, size_t len);
/* How many bytes at the end are the start of a character cut in two (0 to 3). */
size_t text_cut(const unsigned char *in, size_t len);

#endif
