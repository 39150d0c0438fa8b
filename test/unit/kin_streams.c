/* kin_streams.c - src/kin/streams.c against a plain array, through growth and removal. */
#include "kin/streams.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

static void finds_what_was_added(void)
{
    struct streams s = {0};
    int values[100];

    CHECK(streams_get(&s, 1) == NULL && streams_any(&s) == NULL);
    for (uint32_t i = 1; i <= 100; i++)
        CHECK(streams_add(&s, i, &values[i - 1]) == 0);
    for (uint32_t i = 1; i <= 100; i++)
        CHECK(streams_get(&s, i) == &values[i - 1]);
    CHECK(s.count == 100 && streams_get(&s, 101) == NULL && streams_get(&s, 0) == NULL);
    streams_done(&s);
}

/* Rising numbers, some of which stay for long: the way of real calls. */
static void keeps_the_long_lived_among_the_short(void)
{
    static bool is_open[20001];
    struct streams s = {0};
    size_t open = 0;

    srand(1);
    memset(is_open, 0, sizeof is_open);
    for (uint32_t id = 1; id <= 20000; id++) {
        uint32_t end;
        CHECK(streams_add(&s, id, &is_open[id]) == 0);
        is_open[id] = true;
        open++;
        for (int k = 0; k < 2; k++) {
            end = 1 + (uint32_t)rand() % id;
            if (id - end > 300 && id % 1000 != 0)
                continue;
            streams_remove(&s, end);
            open -= is_open[end];
            is_open[end] = false;
        }
        CHECK(s.count == open);
    }
    for (uint32_t id = 1; id <= 20000; id++)
        CHECK(streams_get(&s, id) == (is_open[id] ? &is_open[id] : NULL));
    while (streams_any(&s)) {
        bool *any = streams_any(&s);
        streams_remove(&s, (uint32_t)(any - is_open));
    }
    CHECK(s.count == 0);
    streams_done(&s);
}

static void closes_the_hole_that_a_removal_leaves(void)
{
    struct streams s = {0};
    int a, b, c;

    /* All three at home in slot 1 of a table of 16. */
    CHECK(streams_add(&s, 1, &a) == 0 && streams_add(&s, 17, &b) == 0 &&
          streams_add(&s, 33, &c) == 0);
    streams_remove(&s, 1);
    CHECK(streams_get(&s, 17) == &b && streams_get(&s, 33) == &c);
    streams_remove(&s, 33);
    streams_remove(&s, 33);
    CHECK(streams_get(&s, 17) == &b && s.count == 1);
    streams_done(&s);
}

static void is_unchanged_without_memory(void)
{
    struct streams s = {0};
    int value;

    for (uint32_t i = 1; i <= 8; i++)
        CHECK(streams_add(&s, i, &value) == 0);
    mem_fail_after(0);
    CHECK(streams_add(&s, 9, &value) == ERR_NOMEM);
    mem_fail_after(-1);
    CHECK(s.count == 8 && !streams_get(&s, 9) && streams_get(&s, 8) == &value);
    streams_done(&s);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"finds_what_was_added", finds_what_was_added},
        {"keeps_the_long_lived_among_the_short", keeps_the_long_lived_among_the_short},
        {"closes_the_hole_that_a_removal_leaves", closes_the_hole_that_a_removal_leaves},
        {"is_unchanged_without_memory", is_unchanged_without_memory},
        {0},
    };

    return test_main("kin_streams", TESTS, argc, argv);
}
