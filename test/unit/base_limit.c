/* limit.c: names, and which of two counts. */
#include "base/limit.h"

#include "test.h"

static void every_limit_is_found_by_its_name(void)
{
    enum limit found;

    for (int i = 0; i < LIMITS; i++) {
        CHECK(limit_find(span_of(limit_name((enum limit)i)), &found) && found == (enum limit)i);
        CHECK(limit_min(found) > 0 && limit_min(found) < limit_max(found));
        CHECK(LIMIT_SERVE.of[i] == 0 || (LIMIT_SERVE.of[i] >= limit_min(found) && LIMIT_SERVE.of[i] <= limit_max(found)));
        CHECK(LIMIT_DEV.of[i] == 0 || (LIMIT_DEV.of[i] >= limit_min(found) && LIMIT_DEV.of[i] <= limit_max(found)));
    }
    CHECK(!limit_find(SPAN("cpu"), &found) && !limit_find(SPAN(""), &found));
}

static void the_smaller_counts_and_none_is_more_than_any(void)
{
    struct limit_set set = {{[LIMIT_CPU] = 50, [LIMIT_MEMORY] = 512}};
    const struct limit_set other = {{[LIMIT_CPU] = 100, [LIMIT_MEMORY] = 128, [LIMIT_LOG] = 7}};

    limit_least(&set, &other);
    CHECK(set.of[LIMIT_CPU] == 50 && set.of[LIMIT_MEMORY] == 128 && set.of[LIMIT_LOG] == 7);
    CHECK(set.of[LIMIT_WALL] == 0);
}

/* However wide the limit of this build is. */
static void the_heap_goes_by_the_memory_of_a_release(void)
{
    CHECK(limit_heap_bytes(&LIMIT_SERVE) == 512ULL << 20 && limit_heap_bytes(&LIMIT_DEV) == 1280ULL << 20);
    CHECK(LIMIT_SERVE.of[LIMIT_MEMORY] >= 512 && LIMIT_DEV.of[LIMIT_MEMORY] >= 1280);
    CHECK(limit_heap_bytes(&(struct limit_set){{0}}) == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"every_limit_is_found_by_its_name", every_limit_is_found_by_its_name},
        {"the_smaller_counts_and_none_is_more_than_any", the_smaller_counts_and_none_is_more_than_any},
        {"the_heap_goes_by_the_memory_of_a_release", the_heap_goes_by_the_memory_of_a_release},
        {0},
    };

    return test_main("base_limit", TESTS, argc, argv);
}
