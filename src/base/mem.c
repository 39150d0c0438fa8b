/* mem.c - the heap behind a countdown that tests can arm. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static long countdown = -1;

void mem_fail_after(long n) { countdown = n; }

static int is_shut(void) { return countdown >= 0 && countdown-- == 0; }

void *mem_alloc(size_t n)
{
    if (is_shut())
        return NULL;
    return calloc(1, n);
}

void *mem_resize(void *p, size_t n)
{
    if (is_shut())
        return NULL;
    return realloc(p, n);
}

char *mem_copy(const char *p, size_t n)
{
    char *copy = is_shut() ? NULL : malloc(n + 1);

    if (!copy)
        return NULL;
    if (n > 0)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

char *mem_strdup(const char *s) { return mem_copy(s, strlen(s)); }

void mem_free(void *p) { free(p); }
