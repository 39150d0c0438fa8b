/* buf.c - a byte queue in one piece of memory.
 *
 * Appending moves the unread bytes to the start of the block before it grows
 * the block, so a queue that is drained regularly never grows. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
    BUF_FIRST = 256,            /* bytes of the first block */
    BUF_KEEP = 64 * 1024,       /* an empty buffer keeps at most this much */
};

void buf_init(struct buf *b) { *b = (struct buf){0}; }

void buf_done(struct buf *b)
{
    mem_free(b->mem);
    *b = (struct buf){0};
}

int buf_reserve(struct buf *b, size_t n, char **ret_room)
{
    size_t len = buf_len(b), cap = b->cap ? b->cap : BUF_FIRST;
    char *mem;

    if (n > SIZE_MAX / 4 || len > SIZE_MAX / 4)
        return ERR_NOMEM;
    if (b->cap - b->tail >= n && b->mem) {
        *ret_room = b->mem + b->tail;
        return 0;
    }
    if (b->head > 0) {
        memmove(b->mem, b->mem + b->head, len);
        b->head = 0;
        b->tail = len;
    }
    while (cap < len + n)
        cap *= 2;
    if (cap > b->cap) {
        mem = mem_resize(b->mem, cap);
        if (!mem)
            return ERR_NOMEM;
        b->mem = mem;
        b->cap = cap;
    }
    *ret_room = b->mem + b->tail;
    return 0;
}

void buf_commit(struct buf *b, size_t n) { b->tail += n; }

int buf_append(struct buf *b, const void *p, size_t n)
{
    char *room;
    int r;

    if (n == 0)
        return 0;
    if (b->cap - b->tail >= n) { /* nearly always, and parsers append a few bytes at a time */
        memcpy(b->mem + b->tail, p, n);
        b->tail += n;
        return 0;
    }
    r = buf_reserve(b, n, &room);
    if (r < 0)
        return r;
    memcpy(room, p, n);
    b->tail += n;
    return 0;
}

int buf_print(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    char *room;
    int n, r;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return ERR_INVALID;
    r = buf_reserve(b, (size_t)n + 1, &room);
    if (r < 0)
        return r;
    va_start(ap, fmt);
    vsnprintf(room, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->tail += (size_t)n;
    return 0;
}

void buf_eat(struct buf *b, size_t n)
{
    b->head += n;
    if (b->head < b->tail)
        return;
    b->head = b->tail = 0;
    if (b->cap > BUF_KEEP)
        buf_done(b);
}

char *buf_detach(struct buf *b)
{
    char *room, *out;
    size_t len = buf_len(b);

    if (buf_reserve(b, 1, &room) < 0)
        return NULL;
    memmove(b->mem, b->mem + b->head, len);
    out = b->mem;
    out[len] = '\0';
    *b = (struct buf){0};
    return out;
}
