/* heap.h - the node gives back what its heap does not use any more.
 *
 * glibc learns from every large block that is freed: the next one of that size comes from the heap,
 * and up to twice as much of it stays when it is free (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD: up to 32
 * and 64 MiB).  And what lies below one small block that lives stays in any case.  So one flood of
 * frames or of transfers would make the node larger for good.  Here large blocks always come
 * from the kernel and go there, and what is resident without being used is looked at now and then, and given back when
 * it is much.
 *
 * Embedded: heap_open, heap_close.  Loop thread only. */
#ifndef CORRAL_LOOP_HEAP_H
#define CORRAL_LOOP_HEAP_H

#include <stdint.h>
#include <uv.h>

enum {
    HEAP_MAP_FROM = 4 << 20, /* bytes: blocks of this size are mapped by themselves.  Smaller ones come
                                and go with every body that passes: mapping those costs a tenth of the node's time */
    HEAP_TOP = 4 << 20,      /* bytes: the heap's free end is given back from here on */
    HEAP_SPARE = 6 << 20,    /* bytes: resident and unused; more, twice in a row, is given back */
    HEAP_KEPT = 1 << 20,     /* ... but for so much at the heap's end */
    HEAP_LOOK_MS = 1000,     /* between two looks, 20 us each */
};

struct heap {
    uv_timer_t timer;
    unsigned often; /* looks in a row that found too much */
    unsigned given; /* how often something was given back */
};

/* The timer does not keep the loop alive.  Before the first large block, while there is one thread.
 */
void heap_open(struct heap *heap, uv_loop_t *loop);
void heap_close(struct heap *heap);
/* What the timer does. */
void heap_look(struct heap *heap);
/* Bytes that are resident and that no block uses; the stacks of threads and the program's own data
 * count. */
int64_t heap_spare(void);

#endif
