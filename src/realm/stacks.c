/* stacks.c - one mapping of nothing, which gets smaller. */
#include "realm/stacks.h"

#include <stddef.h>
#include <sys/mman.h>

#include "realm/realm.h"

enum { STACKS_ONE = REALM_THREAD_STACK + 64 * 1024 /* with its guard, and what stands above it */ };

static struct {
    char *from;
    size_t left;
} stacks;

void stacks_reserve(void)
{
    size_t size = (size_t)(REALM_THREADS_MAX + REALM_WAITING_MAX) * STACKS_ONE;
    void *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (place == MAP_FAILED)
        return; /* then stacks are taken off the worker's memory */
    stacks.from = place;
    stacks.left = size;
}

void stacks_make_room(void)
{
    if (stacks.left == 0)
        return;
    stacks.left -= STACKS_ONE;
    munmap(stacks.from + stacks.left, STACKS_ONE);
}
