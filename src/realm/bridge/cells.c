/* cells.c - a hash table with open addressing, at most half full; removing moves back what follows,
 * so that there are no marks of what was. */
#include "realm/bridge/cells.h"

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum { CELLS_MIN = 1024 };

static struct cell {
    const void *cell; /* NULL: free */
    struct py_proxy *p;
} * cells;
static size_t count, cap; /* cap is a power of two */

static size_t home_of(const void *cell)
{
    return (size_t)(((uintptr_t)cell >> 4) * 0x9E3779B97F4A7C15u >> 20) & (cap - 1);
}

static struct cell *place_of(const void *cell)
{
    size_t i = home_of(cell);

    while (cells[i].cell && cells[i].cell != cell)
        i = (i + 1) & (cap - 1);
    return &cells[i];
}

int cells_reserve(unsigned n)
{
    struct cell *old = cells;
    size_t old_cap = cap, wanted = cap ? cap : CELLS_MIN;

    while ((count + n) * 2 > wanted)
        wanted *= 2;
    if (wanted == cap)
        return 0;
    cells = mem_alloc(wanted * sizeof *cells);
    if (!cells) {
        cells = old;
        return ERR_NOMEM;
    }
    cap = wanted;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].cell)
            *place_of(old[i].cell) = old[i];
    mem_free(old);
    return 0;
}

void cells_add(const void *cell, struct py_proxy *p)
{
    struct cell *place = place_of(cell);

    count += !place->cell;
    *place = (struct cell){cell, p};
}

struct py_proxy *cells_find(const void *cell)
{
    return count ? place_of(cell)->p : NULL;
}

void cells_remove(const void *cell, const struct py_proxy *p)
{
    struct cell *place = count ? place_of(cell) : NULL;
    size_t hole, i;

    if (!place || !place->cell || place->p != p)
        return;
    hole = i = (size_t)(place - cells);
    for (;;) {
        i = (i + 1) & (cap - 1);
        if (!cells[i].cell)
            break;
        /* It may move back unless its home lies behind the hole. */
        if (((i - home_of(cells[i].cell)) & (cap - 1)) >= ((i - hole) & (cap - 1))) {
            cells[hole] = cells[i];
            hole = i;
        }
    }
    cells[hole] = (struct cell){0};
    count--;
}
