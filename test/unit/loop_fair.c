/* loop_fair.c - src/loop/fair.c and the late items of turn.c: who is dear waits, and not for ever. */
#include "loop/fair.h"

#include "base/clock.h"
#include "test.h"

enum { MANY = 8, MOST = 256 * 1024, DEAR_US = 300 };

struct reader {
    struct fair fair;
    unsigned reads;
};

/* Time is what a read is said to take: the processor may be anybody's in between. */
static uint64_t now_ns = 1000 * 1000;

__attribute__((visibility("default"))) uint64_t uv_hrtime(void) { return now_ns; }

static uv_loop_t loop;
static struct turn turn;
static uv_idle_t idle;
static struct reader readers[MANY];
static unsigned burn_us;
static bool is_closed;

static void read_late(struct turn_item *item)
{
    struct reader *reader = RING_OF(item, struct reader, fair.late);
    uint64_t start_ns = uv_hrtime();

    reader->reads++;
    now_ns += burn_us * 1000ull;
    fair_account(&reader->fair, fair_quantum(&reader->fair), start_ns);
}

static void on_idle(uv_idle_t *handle) { (void)handle; }

static void begin(void)
{
    struct err err = {0};

    uv_loop_init(&loop);
    CHECK(turn_open(&turn, &loop, &err) == 0);
    uv_idle_init(&loop, &idle);
    uv_idle_start(&idle, on_idle);
    burn_us = 0;
    clock_fake(1000);
    for (unsigned i = 0; i < MANY; i++) {
        readers[i].reads = 0;
        fair_init(&readers[i].fair, MOST, read_late);
    }
}

static void on_closed(void *self)
{
    (void)self;
    is_closed = true;
}

static void finish(void)
{
    clock_fake(-1);
    is_closed = false;
    for (unsigned i = 0; i < MANY; i++)
        fair_done(&readers[i].fair);
    uv_close((uv_handle_t *)&idle, NULL);
    turn_close(&turn, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
}

/* A read of n bytes that took so long. */
static void account(struct reader *reader, size_t n, unsigned us)
{
    uint64_t start_ns = uv_hrtime();

    now_ns += us * 1000ull;
    fair_account(&reader->fair, n, start_ns);
}

static void a_cheap_one_is_heard_at_once(void)
{
    begin();
    for (int i = 0; i < 100; i++) {
        account(&readers[0], MOST, 5);
        CHECK(fair_is_due(&readers[0].fair, &turn) && fair_quantum(&readers[0].fair) == MOST);
    }
    finish();
}

static void a_dear_one_is_heard_at_the_end_of_the_turn_a_little_at_a_time(void)
{
    begin();
    account(&readers[0], 64 * 1024, 20 * FAIR_READ_US);
    CHECK(fair_quantum(&readers[0].fair) == FAIR_LEAST);
    CHECK(!fair_is_due(&readers[0].fair, &turn));
    CHECK(!fair_is_due(&readers[0].fair, &turn) && readers[0].reads == 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(readers[0].reads == 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(readers[0].reads == 1);
    finish();
}

static void many_small_reads_make_a_dear_one_too(void)
{
    begin();
    for (int i = 0; i < FAIR_SHARE_US / (FAIR_READ_US / 2) && readers[0].fair.heavy_until_ms == 0; i++)
        account(&readers[0], 100, FAIR_READ_US / 2);
    CHECK(!fair_is_due(&readers[0].fair, &turn));
    /* The same in ten times the time is nothing. */
    for (int i = 0; i < 100; i++) {
        clock_fake(2000 + i * 10);
        account(&readers[1], 100, FAIR_READ_US / 2);
    }
    CHECK(fair_is_due(&readers[1].fair, &turn));
    finish();
}

static void dear_ones_share_what_a_turn_has_for_them(void)
{
    unsigned total = 0, least = 1000, most = 0;

    begin();
    burn_us = DEAR_US;
    for (unsigned i = 0; i < MANY; i++)
        account(&readers[i], MOST, 10000);
    for (unsigned n = 0; n < 20; n++) {
        unsigned before = 0, after = 0;
        for (unsigned i = 0; i < MANY; i++) {
            CHECK(!fair_is_due(&readers[i].fair, &turn));
            before += readers[i].reads;
        }
        uv_run(&loop, UV_RUN_NOWAIT);
        for (unsigned i = 0; i < MANY; i++)
            after += readers[i].reads;
        CHECK(after > before && after - before <= FAIR_TURN_US / DEAR_US + 1);
    }
    for (unsigned i = 0; i < MANY; i++) {
        total += readers[i].reads;
        least = readers[i].reads < least ? readers[i].reads : least;
        most = readers[i].reads > most ? readers[i].reads : most;
    }
    CHECK(total >= 20 && most - least <= 1);
    finish();
}

static void who_gets_cheap_gets_everything_back(void)
{
    begin();
    account(&readers[0], MOST, 100 * FAIR_READ_US);
    for (int i = 0; i < 10; i++)
        account(&readers[0], fair_quantum(&readers[0].fair), 1);
    CHECK(fair_quantum(&readers[0].fair) == MOST);
    CHECK(!fair_is_due(&readers[0].fair, &turn));
    clock_fake(1000 + FAIR_HEAVY_MS);
    CHECK(fair_is_due(&readers[0].fair, &turn));
    finish();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_cheap_one_is_heard_at_once),
        T(a_dear_one_is_heard_at_the_end_of_the_turn_a_little_at_a_time),
        T(many_small_reads_make_a_dear_one_too),
        T(dear_ones_share_what_a_turn_has_for_them),
        T(who_gets_cheap_gets_everything_back),
        {0},
    };

    return test_main("loop_fair", TESTS, argc, argv);
}
