/* herd_meter.c - src/herd/meter.c: one clock shared out among calls. */
#include "herd/meter.h"

#include <time.h>
#include <unistd.h>

#include "test.h"

static int64_t now_us;
static unsigned looks;

static int64_t fake(pid_t pid)
{
    looks++;
    return pid == 7 ? now_us : -1;
}

static void shares_evenly(void)
{
    const struct meter_rule rule = {.is_measured = true};
    struct meter_call a, b;
    struct meter m;

    meter_fake_clock(fake);
    now_us = 500000;
    meter_init(&m, &rule);
    meter_call_init(&a), meter_call_init(&b);
    meter_begin(&m, &a, 7);
    CHECK(meter_used(&m, &a) == 0);
    now_us += 1000;
    meter_begin(&m, &b, 7);     /* a alone had 1000 */
    now_us += 600;
    meter_look(&m, 7);
    CHECK(meter_used(&m, &a) == 1300 && meter_used(&m, &b) == 300);
    now_us += 400;
    CHECK(meter_end(&m, &a, 7) == 1500);
    CHECK(meter_end(&m, &a, 7) == -1 && meter_used(&m, &a) == -1);
    now_us += 100;
    CHECK(meter_end(&m, &b, 7) == 600 && m.count == 0);
    now_us += 5000;             /* nobody was there */
    meter_begin(&m, &a, 7);
    CHECK(meter_end(&m, &a, 7) == 0 && m.total_us == 2100);
    meter_fake_clock(NULL);
}

static void reads_the_clock_once_in_a_turn(void)
{
    uint64_t turn = 1;
    const struct meter_rule rule = {.is_measured = true, .turn = &turn};
    struct meter_call a, b;
    struct meter m;

    meter_fake_clock(fake);
    now_us = looks = 0;
    meter_init(&m, &rule);
    meter_call_init(&a), meter_call_init(&b);
    meter_begin(&m, &a, 7);
    meter_begin(&m, &b, 7);
    meter_look(&m, 7);
    CHECK(looks == 1);
    turn++, now_us += 1000;
    CHECK(meter_end(&m, &a, 7) == 500 && meter_end(&m, &b, 7) == 500 && looks == 2);
    meter_begin(&m, &a, 7);     /* in the turn in which the last one ended */
    turn++, now_us += 300;
    CHECK(meter_end(&m, &a, 7) == 300 && looks == 3 && m.total_us == 1300);
    turn++;
    meter_begin(&m, &b, 8);     /* its process is gone */
    CHECK(meter_used(&m, &b) == -1 && looks == 4);
    meter_begin(&m, &a, 7);     /* that was no reading */
    CHECK(meter_used(&m, &a) == 0 && looks == 5);
    meter_fake_clock(NULL);
}

static void costs_nothing_where_nobody_asks(void)
{
    const struct meter_rule rule = {0};
    struct meter_call a;
    struct meter m;

    meter_fake_clock(fake);
    looks = 0;
    meter_init(&m, &rule);
    meter_call_init(&a);
    meter_begin(&m, &a, 7);
    CHECK(meter_used(&m, &a) == -1 && meter_end(&m, &a, 7) == -1);
    meter_init(&m, NULL);
    meter_begin(&m, &a, 7);
    CHECK(meter_end(&m, &a, 7) == -1 && looks == 0);
    meter_fake_clock(NULL);
}

static void finds_those_over_the_limit(void)
{
    const struct meter_rule rule = {.limit_us = 1000, .is_measured = true};
    struct meter_call a, b, c;
    struct meter m;
    int64_t used;

    meter_fake_clock(fake);
    meter_init(&m, &rule);
    meter_call_init(&a), meter_call_init(&b), meter_call_init(&c);
    meter_begin(&m, &a, 7);
    meter_begin(&m, &b, 7);
    now_us += 1800;
    meter_look(&m, 7);
    CHECK(meter_take_over(&m, &used) == NULL);
    meter_begin(&m, &c, 7);
    now_us += 600;              /* a and b: 1100, c: 200 */
    meter_look(&m, 7);
    CHECK(meter_take_over(&m, &used) == &b && used == 1100 && m.count == 2); /* the last of those over it */
    CHECK(meter_end(&m, &a, 7) == 1100 && meter_take_over(&m, &used) == NULL && m.count == 1);
    now_us += 700;
    meter_restart(&m, &c);      /* counts anew from the last look */
    meter_look(&m, 7);
    CHECK(meter_take_over(&m, &used) == NULL && meter_end(&m, &c, 7) == 700);
    meter_fake_clock(NULL);
}

static void copes_with_a_process_that_is_gone(void)
{
    const struct meter_rule rule = {.limit_us = 1000, .is_measured = true};
    struct meter_call a;
    struct meter m;

    meter_fake_clock(fake);
    meter_init(&m, &rule);
    meter_call_init(&a);
    meter_begin(&m, &a, 8);
    CHECK(meter_used(&m, &a) == -1);
    meter_begin(&m, &a, 7);
    CHECK(meter_end(&m, &a, 8) == 0);
    meter_fake_clock(NULL);
}

static void reads_the_clock_of_a_process(void)
{
    int64_t before = meter_clock_us(getpid()), own;
    struct timespec t;

    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    while ((own = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000) < before + 2000);
    CHECK(before >= 0 && meter_clock_us(getpid()) >= own);
    CHECK(meter_clock_us(0) == -1);
}

static void one_that_was_stopped_has_used_it_alone(void)
{
    const struct meter_rule rule = {.is_measured = true, .limit_us = 1000};
    struct meter_call early, guilty, late;
    struct meter m;
    int64_t used = 0;

    meter_fake_clock(fake);
    now_us = 0;
    meter_init(&m, &rule);
    meter_call_init(&early), meter_call_init(&guilty), meter_call_init(&late);
    meter_begin(&m, &early, 7);
    now_us += 100;
    meter_begin(&m, &guilty, 7);
    now_us += 1600;
    meter_begin(&m, &late, 7);
    now_us += 900;
    meter_look(&m, 7);
    CHECK(meter_used(&m, &early) == 1200 && meter_used(&m, &guilty) == 1100 && meter_used(&m, &late) == 300);
    CHECK(meter_over(&m, &used) == &guilty && used == 1100 && m.count == 3);
    meter_stop(&m, &guilty);
    CHECK(meter_used(&m, &early) == 100 && meter_used(&m, &late) == 0 && meter_used(&m, &guilty) == 0);
    CHECK(!meter_over(&m, &used) && !meter_late(&m));
    now_us += 3 * METER_GRACE_US;
    meter_look(&m, 7);
    CHECK(!meter_late(&m));         /* just so much */
    now_us += 3;
    meter_look(&m, 7);
    CHECK(meter_late(&m) == &guilty && m.stopped == 1);
    meter_restart(&m, &guilty);     /* no way out */
    CHECK(meter_late(&m) == &guilty);
    CHECK(meter_end(&m, &guilty, 7) == METER_GRACE_US + 1 && m.stopped == 0 && !meter_late(&m));
    meter_fake_clock(NULL);
}

static struct meter_call *named[4];

static struct meter_call *find(void *self, uint32_t stream)
{
    (void)self;
    return stream < 4 ? named[stream] : NULL;
}

/* A meter that asks a word of ours. */
static void ask(struct meter *m, const struct meter_rule *rule, const uint32_t *word)
{
    meter_fake_clock(fake);
    now_us = 0;
    meter_init(m, rule);
    meter_ask(m, (struct witness){word}, find, NULL);
}

static void charges_the_one_whose_code_runs(void)
{
    const struct meter_rule rule = {.limit_us = 1000, .is_measured = true};
    struct meter_call a, b;
    struct meter m;
    uint32_t word = 0;
    int64_t used;

    ask(&m, &rule, &word);
    meter_call_init(&a), meter_call_init(&b);
    named[1] = &a, named[2] = &b;
    a.stream = 1, b.stream = 2;
    meter_begin(&m, &a, 7);
    meter_begin(&m, &b, 7);
    word = 1;
    now_us += 900;
    meter_look(&m, 7);
    CHECK(meter_used(&m, &a) == 900 && meter_used(&m, &b) == 0 && !meter_over(&m, &used));
    word = 0;                   /* it does not say */
    now_us += 100;
    meter_look(&m, 7);
    CHECK(meter_used(&m, &a) == 950 && meter_used(&m, &b) == 50);
    word = 77;                  /* nobody that there is */
    now_us += 20;
    meter_look(&m, 7);
    CHECK(meter_used(&m, &a) == 960 && meter_used(&m, &b) == 60);
    word = 1;
    now_us += 100;
    meter_look(&m, 7);
    /* Not the one that began last. */
    CHECK(meter_over(&m, &used) == &a && used == 1060 && meter_used(&m, &b) == 60);
    CHECK(meter_end(&m, &a, 7) == 1060 && !meter_over(&m, &used));
    named[1] = NULL;
    now_us += 500;              /* what is left to do for the one that has just ended */
    meter_look(&m, 7);
    CHECK(meter_used(&m, &b) == 60);
    now_us += 10;               /* but not for long */
    meter_look(&m, 7);
    CHECK(meter_end(&m, &b, 7) == 70);
    meter_fake_clock(NULL);
}

static void looks_the_more_often_the_nearer_the_limit_is(void)
{
    const struct meter_rule rule = {.limit_us = 30 * 1000 * 1000, .is_measured = true};
    struct meter_call a;
    struct meter m;
    uint32_t word = 1;

    ask(&m, &rule, &word);
    meter_call_init(&a);
    named[1] = &a;
    a.stream = 1;
    meter_begin(&m, &a, 7);
    CHECK(m.due_ms == 0);
    m.due_ms = 10;
    now_us += 20000;
    meter_look(&m, 7);
    meter_pace(&m, 10);
    CHECK(m.due_ms == 10 + METER_BUSY_MS);
    meter_look(&m, 7);          /* it has not computed */
    meter_pace(&m, 200);
    CHECK(m.due_ms == 200 + METER_REST_MS);
    now_us += 29600 * 1000;     /* 380 ms are left, of which eight processors make 47 */
    meter_look(&m, 7);
    meter_pace(&m, 1000);
    CHECK(m.due_ms == 1047);
    now_us += 379 * 1000;
    meter_look(&m, 7);
    meter_pace(&m, 2000);
    CHECK(m.due_ms == 2000 + METER_MS);
    meter_fake_clock(NULL);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"shares_evenly", shares_evenly},
        {"one_that_was_stopped_has_used_it_alone", one_that_was_stopped_has_used_it_alone},
        {"reads_the_clock_once_in_a_turn", reads_the_clock_once_in_a_turn},
        {"costs_nothing_where_nobody_asks", costs_nothing_where_nobody_asks},
        {"finds_those_over_the_limit", finds_those_over_the_limit},
        {"copes_with_a_process_that_is_gone", copes_with_a_process_that_is_gone},
        {"reads_the_clock_of_a_process", reads_the_clock_of_a_process},
        {"charges_the_one_whose_code_runs", charges_the_one_whose_code_runs},
        {"looks_the_more_often_the_nearer_the_limit_is", looks_the_more_often_the_nearer_the_limit_is},
        {0},
    };

    return test_main("herd_meter", TESTS, argc, argv);
}
