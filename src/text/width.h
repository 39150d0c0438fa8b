/* width.h - how many columns of a terminal a text takes.
 *
 * By Unicode's East Asian Width as the C library knows it: wide and fullwidth
 * characters take two columns, combining marks none.  Emoji that are joined or
 * have a skin colour count as one, as terminals of today draw them.  Ambiguous
 * characters take one.  What is no UTF-8 counts as U+FFFD for each bad byte.
 *
 * Pure; the locale of the process does not matter.  Thread: any. */
#ifndef CORRAL_TEXT_WIDTH_H
#define CORRAL_TEXT_WIDTH_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* The character at the start of `text`, which is not empty; *ret_len: its bytes.  U+FFFD and 1 for a
 * byte that begins none. */
uint32_t width_next(struct span text, size_t *ret_len);

/* Columns of a text without line breaks and control characters. */
size_t width_of(struct span text);
/* The longest front of it, in bytes, that takes at most `columns`; a joined emoji stays whole. */
size_t width_cut(struct span text, size_t columns);

#endif
