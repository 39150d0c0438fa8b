/* herd_instance.c - src/herd/instance.c: is it busy, is it bounded, does it end. */
#include "herd_actor.h"

static void pongs_late(void)
{
    begin();
    expect(FRAME_PING, 0);
    expect(FRAME_REQUEST, 2);
    SAY(FRAME_PONG, 0, 0, "");
    answer(1);
    answer(2);
    linger_there();
}

static void silence_makes_it_busy_until_it_answers(void)
{
    int64_t now_ms = clock_now_ms();

    start_with_call(pongs_late);
    instance->is_heard = false;
    instance_tick(instance, now_ms, 30);
    CHECK(instance->ping_ms == now_ms && !instance->is_busy);
    instance_tick(instance, now_ms + 29, 30);
    CHECK(!instance->is_busy);
    instance_tick(instance, now_ms + 30, 30);
    CHECK(instance->is_busy && instance_has_room(instance));
    CHECK(!instance_is_stuck(instance, now_ms + INSTANCE_STUCK_MS - 1, INSTANCE_STUCK_MS));
    CHECK(instance_is_stuck(instance, now_ms + INSTANCE_STUCK_MS, INSTANCE_STUCK_MS));
    CHECK(send_request("GET", true) == 0);
    run_until_count(&seen.ends, 2);
    CHECK(!instance->is_busy && instance->ping_ms == 0);
    CHECK(!instance_is_stuck(instance, now_ms + INSTANCE_STUCK_MS, INSTANCE_STUCK_MS));
    stop();
}

static void pongs_at_once(void)
{
    begin();
    for (int i = 0; i < 4; i++) {
        expect(FRAME_PING, 0);
        SAY(FRAME_PONG, 0, 0, "");
    }
    expect(FRAME_REQUEST, 2);
    expect(FRAME_PING, 0);
    SAY(FRAME_PONG, 0, 0, "");
    answer(1);
    answer(2);
    linger_there();
}

static int64_t used_us;
static int64_t used(pid_t pid)
{
    (void)pid;
    return used_us;
}

/* Is there a PING at this moment?  If so, with its answer. */
static bool is_asked(int64_t now_ms)
{
    instance->is_heard = false;
    instance_tick(instance, now_ms, 30);
    if (instance->ping_ms == 0)
        return false;
    while (instance->ping_ms != 0)
        uv_run(&loop, UV_RUN_ONCE);
    return true;
}

static void who_only_waits_is_asked_less_often(void)
{
    static const int EVERY_MS[] = {30, 60, 120};
    int64_t now_ms = clock_now_ms();

    start_with_call(pongs_at_once);
    meter_fake_clock(used);
    used_us = 500;
    CHECK(is_asked(now_ms));
    for (int i = 0; i < 3; i++) {
        CHECK(instance_due(instance, now_ms, 30) == now_ms + EVERY_MS[i]);
        CHECK(!is_asked(now_ms + EVERY_MS[i] - 1));
        now_ms += EVERY_MS[i];
        used_us += i < 2 ? 900 : 1100;
        CHECK(is_asked(now_ms));
    }
    /* It has computed: it is asked as before. */
    CHECK(instance_due(instance, now_ms, 30) == now_ms + 15);
    instance->ask_ms = now_ms + 1000;
    CHECK(send_request("GET", true) == 0);
    CHECK(is_asked(now_ms + 1));
    meter_fake_clock(NULL);
    run_until_count(&seen.ends, 2);
    stop();
}

static void reads_nothing(void)
{
    hello();
    pause();
}

static void what_nobody_reads_is_bounded(void)
{
    static char bytes[FRAME_WINDOW];
    size_t n, sent = 0;

    start(reads_nothing);
    run_until(&seen.is_up);
    for (int i = 0; i < 100 && instance_has_room(instance); i++) {
        CHECK(send_request("POST", false) == 0);
        n = call_window(call);
        call_body(call, (struct span){bytes, n}, false);
        sent += n;
        if (i % 3 == 0)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(!instance_has_room(instance) && call_window(call) == 0);
    CHECK(peer_pending(&instance->kin.peer) < PEER_OUT_FULL + 64 * 1024);
    CHECK(sent >= PEER_OUT_FULL);
    stop();
    CHECK(seen.fails > 0 && seen.why == CALL_CRASHED);
}

static void stream_numbers_end(void)
{
    start(reads_nothing);
    run_until(&seen.is_up);
    instance->stream_last = INSTANCE_STREAM_LAST - 1;
    CHECK(send_request("GET", true) == 0);
    CHECK(instance->is_retiring && !instance_has_room(instance));
    stop();
}

/* It says whose a line is, and may say anything. */
static void lies_about_lines(void)
{
    begin();
    expect(FRAME_REQUEST, 2);
    SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = SPAN("one's"));
    SAY_MESSAGE(log_line, FRAME_RAISED, 2, .level = LOG_ERROR, .text = SPAN("two's"));
    SAY_MESSAGE(log_line, 0, 0, .level = LOG_INFO, .text = SPAN("nobody's"));
    SAY_MESSAGE(log_line, 0, 77, .level = LOG_INFO, .text = SPAN("never opened"));
    SAY_MESSAGE(log_line, 0, 1 | FRAME_OUTCALL_BIT, .level = LOG_INFO, .text = SPAN("an outcall's"));
    respond(1, FRAME_END, 0);
    SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = SPAN("behind the answer"));
    SAY(FRAME_DONE, 0, 1, "");
    SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = SPAN("behind its end"));
    answer(2);
    linger_there();
}

static void on_taken(void *self, void *ticket)
{
    (void)self, (void)ticket;
    seen.taken++;
}

static void on_over(void *self, void *ticket, int64_t cpu_us)
{
    (void)self, (void)ticket;
    CHECK(cpu_us == -1);
    seen.overs++;
}

static void a_line_goes_to_a_call_of_its_own_instance(void)
{
    static const struct pool_events POOL = {.taken = on_taken, .over = on_over};
    int one, two;

    start(lies_about_lines);
    run_until(&seen.is_up);
    CHECK(send_request("GET", true) == 0);
    call->pool_events = &POOL;
    call_set_ticket(call, &one);
    CHECK(send_request("GET", true) == 0);
    call->pool_events = &POOL;
    call_set_ticket(call, &two);
    run_until_count(&seen.ends, 2);
    CHECK(seen.logs == 7 && seen.raised == 1 && seen.taken == 2 && seen.overs == 2);
    CHECK(seen.tickets[0] == &one && seen.tickets[1] == &two && !seen.tickets[2]);
    CHECK(!seen.tickets[3] && !seen.tickets[4]);
    CHECK(seen.tickets[5] == &one && !seen.tickets[6]); /* waitUntil's is still the request's */
    CHECK(!seen.has_ended);
    stop();
}

static void meets_limits(void)
{
    begin();
    expect(FRAME_REQUEST, 2);
    for (int i = 0; i < 3; i++) {
        SAY_MESSAGE(met, 0, 1, .limit = LIMIT_TMP);
        SAY_MESSAGE(met, 0, 2, .limit = LIMIT_TMP);
        SAY_MESSAGE(met, 0, 2, .limit = LIMIT_MESSAGE);
        SAY_MESSAGE(met, 0, 0, .limit = LIMIT_THREADS);
    }
    answer(1);
    SAY_MESSAGE(met, 0, 1, .limit = LIMIT_MEMORY); /* it is over */
    answer(2);
    linger_there();
}

static void a_limit_is_met_once_by_each_call(void)
{
    int one, two;

    start(meets_limits);
    run_until(&seen.is_up);
    CHECK(send_request("GET", true) == 0);
    call_set_ticket(call, &one);
    CHECK(send_request("GET", true) == 0);
    call_set_ticket(call, &two);
    run_until_count(&seen.ends, 2);
    CHECK(seen.mets == 4 && !seen.has_ended);
    CHECK(seen.met[0] == LIMIT_TMP && seen.met_by[0] == &one);
    CHECK(seen.met[1] == LIMIT_TMP && seen.met_by[1] == &two);
    CHECK(seen.met[2] == LIMIT_MESSAGE && seen.met_by[2] == &two);
    CHECK(seen.met[3] == LIMIT_THREADS && !seen.met_by[3]);
    stop();
}

static void has_no_memory_for_one(void)
{
    begin();
    expect(FRAME_REQUEST, 2);
    SAY_MESSAGE(met, 0, 1, .limit = LIMIT_MEMORY);
    answer(1);
    answer(2);
    linger_there();
}

/* What fills it may stay. */
static void who_had_too_little_memory_takes_no_more(void)
{
    start(has_no_memory_for_one);
    run_until(&seen.is_up);
    CHECK(send_request("GET", true) == 0);
    CHECK(send_request("GET", true) == 0);
    CHECK(instance_has_room(instance));
    run_until_count(&seen.ends, 2);
    CHECK(seen.mets == 1 && !seen.has_ended);
    CHECK(!instance_has_room(instance));
    stop();
}

static void meets_one_that_the_node_sees_to(void)
{
    hello();
    SAY_MESSAGE(met, 0, 0, .limit = LIMIT_CPU);
    linger_there();
}

static void meets_one_that_there_is_not(void)
{
    hello();
    SAY_MESSAGE(met, 0, 0, .limit = 0x7fffffff);
    linger_there();
}

static void meets_one_for_a_call_that_never_was(void)
{
    hello();
    SAY_MESSAGE(met, 0, 77, .limit = LIMIT_TMP);
    linger_there();
}

static void lies_about_limits_end_it(void)
{
    static void (*const LIES[])(void) = {meets_one_that_the_node_sees_to, meets_one_that_there_is_not,
                                         meets_one_for_a_call_that_never_was};

    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        start(LIES[i]);
        run_until(&seen.has_ended);
        CHECK(seen.how == KIN_LIED && seen.mets == 0);
        stop();
    }
}

static void a_ticket_that_nobody_counts_goes_with_the_answer(void)
{
    int one;

    start(lies_about_lines);
    run_until(&seen.is_up);
    CHECK(send_request("GET", true) == 0);
    call_set_ticket(call, &one);
    CHECK(send_request("GET", true) == 0);
    run_until_count(&seen.ends, 2);
    CHECK(seen.tickets[0] == &one && !seen.tickets[1] && !seen.tickets[5] && !seen.tickets[6]);
    stop();
}

static void copes_without_memory(void)
{
    struct err err = {0};
    int ours, theirs, r = ERR_NOMEM, n;

    for (n = 0; r == ERR_NOMEM && n < 20; n++) {
        open_loop();
        CHECK(peer_pair(&ours, &theirs, &err) == 0);
        mem_fail_after(n);
        r = instance_open(&turn, ours, getpid(), 1, &EVENTS, NULL, &instance, &err);
        mem_fail_after(-1);
        child = 0;
        close(theirs);
        seen.has_ended = seen.is_gone = !instance;
        if (instance)
            run_until(&seen.has_ended);
        stop();
    }
    CHECK(r == 0);
    start(reads_nothing);
    run_until(&seen.is_up);
    for (n = 0, r = ERR_NOMEM; r == ERR_NOMEM && n < 20; n++) {
        mem_fail_after(n);
        r = send_request("GET", true);
        mem_fail_after(-1);
        CHECK(r == 0 || instance_is_idle(instance));
    }
    CHECK(r == 0 && n > 2);
    stop();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(silence_makes_it_busy_until_it_answers),
        T(who_only_waits_is_asked_less_often),
        T(what_nobody_reads_is_bounded),
        T(stream_numbers_end),
        T(a_line_goes_to_a_call_of_its_own_instance),
        T(a_limit_is_met_once_by_each_call),
        T(who_had_too_little_memory_takes_no_more),
        T(lies_about_limits_end_it),
        T(a_ticket_that_nobody_counts_goes_with_the_answer),
        T(copes_without_memory),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("herd_instance", TESTS, argc, argv);
}
