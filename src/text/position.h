/* position.h - from an offset in a text to the line and column a person sees, and back.
 *
 * Lines and columns count from 1; a column counts characters (UTF-8 code
 * points), not bytes.  Pure; any bytes are fine. */
#ifndef CORRAL_TEXT_POSITION_H
#define CORRAL_TEXT_POSITION_H

#include <stddef.h>

#include "base/span.h"

struct position {
    int line, column;
    struct span source;     /* the whole line, without its end; inside the text */
};

/* An offset beyond the end means the end. */
struct position position_of(struct span text, size_t at);
/* The offset of a line and column; the end of that line when it is shorter. */
size_t position_offset(struct span text, int line, int column);

#endif
