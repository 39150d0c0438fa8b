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
    CHECK(!instance_is_stuck(instance, now_ms + INSTANCE_STUCK_MS - 1));
    CHECK(instance_is_stuck(instance, now_ms + INSTANCE_STUCK_MS));
    CHECK(send_request("GET", true) == 0);
    run_until_count(&seen.ends, 2);
    CHECK(!instance->is_busy && instance->ping_ms == 0);
    CHECK(!instance_is_stuck(instance, now_ms + INSTANCE_STUCK_MS));
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
        T(what_nobody_reads_is_bounded),
        T(stream_numbers_end),
        T(copes_without_memory),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("herd_instance", TESTS, argc, argv);
}
