/* lines.h - whole lines out of a stream of bytes.
 *
 * A line longer than LINES_MAX comes in pieces.  Embedded: zeroes, lines_done.
 * The line given to `take` has no newline and is valid during the call. */
#ifndef CORRAL_HERD_LINES_H
#define CORRAL_HERD_LINES_H

#include "base/buf.h"
#include "base/span.h"

enum { LINES_MAX = 8 * 1024 };

struct lines {
    struct buf rest;    /* the start of a line */
};

void lines_done(struct lines *lines);
void lines_add(struct lines *lines, struct span bytes, void (*take)(void *self, struct span line),
               void *self);
/* No more is coming: give out a last line without newline. */
void lines_flush(struct lines *lines, void (*take)(void *self, struct span line), void *self);

#endif
