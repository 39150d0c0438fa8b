/* realm_cells.c - src/realm/bridge/cells.c: what is in is found, what was taken out is not. */
#include "realm/bridge/cells.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

enum { MANY = 5000 };

static const void *address(unsigned n)
{
    return (const void *)(uintptr_t)(0x10000 + (uintptr_t)n * 16);
}

static struct py_proxy *owner(unsigned n)
{
    return (struct py_proxy *)(uintptr_t)(n + 1);
}

static void finds_what_is_in_and_nothing_else(void)
{
    static unsigned char is_in[MANY];
    unsigned seed = 1;

    CHECK(!cells_find(address(0)));
    for (int round = 0; round < 40 * MANY; round++) {
        unsigned n = (unsigned)rand_r(&seed) % MANY;
        if (is_in[n]) {
            cells_remove(address(n), owner(n));
        } else {
            CHECK(cells_reserve(1) == 0);
            cells_add(address(n), owner(n));
        }
        is_in[n] = !is_in[n];
    }
    for (unsigned n = 0; n < MANY; n++)
        CHECK(cells_find(address(n)) == (is_in[n] ? owner(n) : NULL));
    for (unsigned n = 0; n < MANY; n++)
        cells_remove(address(n), owner(n));
    for (unsigned n = 0; n < MANY; n++)
        CHECK(!cells_find(address(n)));
}

static void leaves_a_cell_to_its_next_owner(void)
{
    CHECK(cells_reserve(2) == 0);
    cells_add(address(1), owner(1));
    cells_add(address(1), owner(2));
    cells_remove(address(1), owner(1));
    CHECK(cells_find(address(1)) == owner(2));
    cells_remove(address(1), owner(2));
    CHECK(!cells_find(address(1)));
}

static void keeps_what_it_has_when_memory_is_short(void)
{
    int r = 0;

    CHECK(cells_reserve(1) == 0);
    cells_add(address(7), owner(7));
    for (unsigned n = 100; r == 0 && n < 10 * MANY; n++) {
        mem_fail_after(0);
        r = cells_reserve(1);
        if (r == 0)
            cells_add(address(n), owner(n));
    }
    mem_fail_after(-1);
    CHECK(r < 0 && cells_find(address(7)) == owner(7) && cells_find(address(100)) == owner(100));
}

static const struct test tests[] = {
    {"finds_what_is_in_and_nothing_else", finds_what_is_in_and_nothing_else},
    {"leaves_a_cell_to_its_next_owner", leaves_a_cell_to_its_next_owner},
    {"keeps_what_it_has_when_memory_is_short", keeps_what_it_has_when_memory_is_short},
    {0},
};

int main(int argc, char **argv)
{
    return test_main("realm_cells", tests, argc, argv);
}
