/* realm_timer.c - src/realm/timer.c: the soonest first, equal times in order. */
#include "realm/timer.h"

#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

enum { MANY = 500 };
static struct timer timers[MANY];
static int fired[MANY], fired_count;

static void note(struct timer *timer)
{
    CHECK(timer->place == 0);
    fired[fired_count++] = (int)(timer - timers);
}

static void fires_in_order_of_time(void)
{
    fired_count = 0;
    for (int i = 0; i < MANY; i++)
        CHECK(timers_add(&timers[i], (i * 7919) % 1000, note) == 0);
    for (int i = 0; i < MANY; i += 3)
        timers_remove(&timers[i]);
    CHECK(timers_next_us() >= 0);
    CHECK(timers_run(1000));
    for (int i = 1; i < fired_count; i++)
        CHECK((fired[i - 1] * 7919) % 1000 <= (fired[i] * 7919) % 1000);
    CHECK(fired_count == MANY - (MANY + 2) / 3 && timers_next_us() == -1);
}

static void fires_equal_times_as_they_were_added(void)
{
    fired_count = 0;
    for (int i = 0; i < 20; i++)
        CHECK(timers_add(&timers[i], 5, note) == 0);
    CHECK(!timers_run(4) && timers_run(5));
    for (int i = 0; i < 20; i++)
        CHECK(fired[i] == i);
}

static void again(struct timer *timer)
{
    fired_count++;
    CHECK(timers_add(timer, 0, again) == 0);
}

static void lets_a_timer_that_starts_itself_wait_for_the_next_turn(void)
{
    fired_count = 0;
    CHECK(timers_add(&timers[0], 0, again) == 0);
    CHECK(timers_run(10) && fired_count == 1);
    timers_remove(&timers[0]);
    timers_remove(&timers[0]);
    CHECK(timers_next_us() == -1);
}

static void refuses_without_memory(void)
{
    static struct timer more[5000];
    int r = 0;

    mem_fail_after(0);
    for (int i = 0; i < 5000 && r == 0; i++)
        r = timers_add(&more[i], i, note);
    mem_fail_after(-1);
    CHECK(r == ERR_NOMEM);
    for (int i = 0; i < 5000; i++)
        timers_remove(&more[i]);
}

static const struct test tests[] = {
    {"fires_in_order_of_time", fires_in_order_of_time},
    {"fires_equal_times_as_they_were_added", fires_equal_times_as_they_were_added},
    {"lets_a_timer_that_starts_itself_wait_for_the_next_turn",
     lets_a_timer_that_starts_itself_wait_for_the_next_turn},
    {"refuses_without_memory", refuses_without_memory},
    {0},
};

int main(int argc, char **argv)
{
    return test_main("realm_timer", tests, argc, argv);
}
