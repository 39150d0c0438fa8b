/* buf.h - bytes that grow at the end and are eaten at the front.
 *
 * Embedded: buf_init (or zeroes) and buf_done.  The unread bytes are
 * buf_data(b)[0 .. buf_len(b)); any append may move them.
 *
 * Errors: append and reserve return 0 or ERR_NOMEM and leave the buffer as it
 * was.  Thread: one owner. */
#ifndef CORRAL_BASE_BUF_H
#define CORRAL_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct buf {
    char *mem;
    size_t head;        /* first unread byte */
    size_t tail;        /* first free byte */
    size_t cap;
};

void buf_init(struct buf *b);
void buf_done(struct buf *b);

/* "" when nothing was ever put: never NULL, which is not for arithmetic or memcpy. */
static inline const char *buf_data(const struct buf *b) { return b->mem ? b->mem + b->head : ""; }
static inline size_t buf_len(const struct buf *b) { return b->tail - b->head; }
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){buf_data(b), buf_len(b)};
}

/* Room for n more bytes at the tail; *ret_room is valid until the next call. */
int buf_reserve(struct buf *b, size_t n, char **ret_room) MUST_CHECK;
/* Say that n reserved bytes were written. */
void buf_commit(struct buf *b, size_t n);
int buf_append(struct buf *b, const void *p, size_t n) MUST_CHECK;
int buf_print(struct buf *b, const char *fmt, ...) MUST_CHECK
    __attribute__((format(printf, 2, 3)));
/* Drop n bytes at the front; an empty buffer that grew large gives its memory back. */
void buf_eat(struct buf *b, size_t n);
/* Hand out the unread bytes, NUL-terminated, and forget them; NULL when out of memory. */
char *buf_detach(struct buf *b);

#endif
