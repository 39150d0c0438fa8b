/* lines.c - split at newlines, keep the rest.
 *
 * Without memory for the rest it is given out at once: a line in two pieces is
 * better than a line lost. */
#include "herd/lines.h"

void lines_done(struct lines *lines) { buf_done(&lines->rest); }

void lines_flush(struct lines *lines, void (*take)(void *self, struct span line), void *self)
{
    if (buf_len(&lines->rest) > 0)
        take(self, buf_span(&lines->rest));
    buf_eat(&lines->rest, buf_len(&lines->rest));
}

/* One piece that ends a line or fills it up. */
static void finish(struct lines *lines, struct span piece,
                   void (*take)(void *self, struct span line), void *self)
{
    if (buf_len(&lines->rest) == 0) {
        take(self, piece);
        return;
    }
    if (buf_append(&lines->rest, piece.data, piece.len) < 0) {
        lines_flush(lines, take, self);
        take(self, piece);
        return;
    }
    lines_flush(lines, take, self);
}

void lines_add(struct lines *lines, struct span bytes, void (*take)(void *self, struct span line),
               void *self)
{
    while (bytes.len > 0) {
        const char *newline = memchr(bytes.data, '\n', bytes.len);
        size_t len = newline ? (size_t)(newline - bytes.data) : bytes.len;
        size_t room = LINES_MAX - buf_len(&lines->rest);
        struct span piece = {bytes.data, len < room ? len : room};

        if (len >= room && len > piece.len)
            newline = NULL;
        if (newline || len >= room)
            finish(lines, piece, take, self);
        else if (buf_append(&lines->rest, piece.data, piece.len) < 0)
            finish(lines, piece, take, self);
        bytes.data += piece.len + (newline ? 1 : 0);
        bytes.len -= piece.len + (newline ? 1 : 0);
    }
}
