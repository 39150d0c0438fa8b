/* mem.h - the only door to the heap, so that tests can shut it.
 *
 * mem_fail_after(n) makes the n-th following allocation fail, once; a test
 * walks n = 0, 1, 2 ... until the code under test succeeds, and so visits
 * every out-of-memory path.  n < 0 turns it off.
 *
 * Thread: any, but mem_fail_after belongs to a test's set-up only. */
#ifndef CORRAL_BASE_MEM_H
#define CORRAL_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);              /* zeroed; NULL when out of memory */
void *mem_resize(void *p, size_t n);    /* as realloc; on NULL p is still yours, unchanged */
char *mem_copy(const char *p, size_t n); /* n bytes and a NUL behind them */
char *mem_strdup(const char *s);
void mem_free(void *p);                 /* NULL is a no-op */
void mem_fail_after(long n);

#endif
