/* streams.c - open addressing with linear probes and no tombstones.
 *
 * Invariant: every entry can be reached from its home slot (id & mask) without
 * crossing a free slot; remove shifts entries back to keep it so. */
#include "kin/streams.h"

#include <assert.h>

#include "base/mem.h"

enum { STREAMS_FIRST = 16 };

void streams_init(struct streams *s) { *s = (struct streams){0}; }

void streams_done(struct streams *s)
{
    mem_free(s->slots);
    *s = (struct streams){0};
}

static void put(struct streams *s, uint32_t id, void *value)
{
    size_t mask = s->size - 1, i = id & mask;

    while (s->slots[i].id != 0)
        i = (i + 1) & mask;
    s->slots[i] = (struct streams_slot){id, value};
    s->count++;
}

static int grow(struct streams *s)
{
    struct streams bigger = {.size = s->size ? s->size * 2 : STREAMS_FIRST};

    bigger.slots = mem_alloc(bigger.size * sizeof *bigger.slots);
    if (!bigger.slots)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->size; i++)
        if (s->slots[i].id != 0)
            put(&bigger, s->slots[i].id, s->slots[i].value);
    mem_free(s->slots);
    *s = bigger;
    return 0;
}

int streams_add(struct streams *s, uint32_t id, void *value)
{
    int r;

    assert(id != 0 && !streams_get(s, id));
    if ((s->count + 1) * 2 > s->size) {
        r = grow(s);
        if (r < 0)
            return r;
    }
    put(s, id, value);
    return 0;
}

/* The slot of id, or the free slot where the search ended; size when there is no table. */
static size_t find(const struct streams *s, uint32_t id)
{
    size_t mask = s->size - 1, i = id & mask;

    if (s->size == 0 || id == 0)
        return s->size;
    while (s->slots[i].id != 0 && s->slots[i].id != id)
        i = (i + 1) & mask;
    return i;
}

void *streams_get(const struct streams *s, uint32_t id)
{
    size_t i = find(s, id);

    return i < s->size && s->slots[i].id == id ? s->slots[i].value : NULL;
}

void streams_remove(struct streams *s, uint32_t id)
{
    size_t mask = s->size - 1, hole = find(s, id);

    if (hole >= s->size || s->slots[hole].id != id)
        return;
    for (size_t i = (hole + 1) & mask; s->slots[i].id != 0; i = (i + 1) & mask) {
        size_t home = s->slots[i].id & mask;
        /* It may move back if its home is not between the hole (excluded) and where it is. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole] = (struct streams_slot){0};
    s->count--;
}

void *streams_any(const struct streams *s)
{
    if (s->count > 0)
        for (size_t i = 0; i < s->size; i++)
            if (s->slots[i].id != 0)
                return s->slots[i].value;
    return NULL;
}
