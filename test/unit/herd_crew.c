/* herd_crew.c - what a template says about orders that are not open changes nothing. */
#include "herd/crew.h"

#include "test.h"

static unsigned changes;

static void on_changed(void *self)
{
    (void)self;
    changes++;
}

static void a_failure_counts_once_and_only_for_an_open_order(void)
{
    static const struct crew_events EVENTS = {.changed = on_changed};
    struct spawn_failed failed = {.id = 1, .text = SPAN("again and again")};
    struct crew crew = {.name = "w", .events = &EVENTS, .last_id = 1};
    struct err err = {0};

    crew_init(&crew);
    for (int i = 0; i < 100; i++)
        CHECK(crew_spawn_failed(&crew, &failed, &err) == 0);
    CHECK(crew.backoff.failures == 0 && crew.fork_at_ms == 0 && changes == 0);
    failed.id = 2;
    CHECK(crew_spawn_failed(&crew, &failed, &err) == ERR_INVALID);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_failure_counts_once_and_only_for_an_open_order),
        {0},
    };

    return test_main("herd_crew", TESTS, argc, argv);
}
