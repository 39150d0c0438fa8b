/* keeper_call.c - src/keeper/call.c: one call, its credit, its ends; and stores that lie. */
#include "keeper_actor.h"

/* ---- a good store ---- */

static void gives_back_what_comes(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "a", 0, &err) == 0 && ask(1, "a", 5, &err) == 0);
    CHECK(seen[0].heads == 0 && store_call_window(seen[1].call) == 0);
    run_until(&overs, 2);
    CHECK(seen[0].heads == 1 && seen[0].ends == 1 && seen[0].status == 200);
    CHECK(atoi(seen[0].text) == pid_of("a"));
    CHECK(seen[1].body == 5 && seen[1].ends == 1 && seen[1].fails == 0);
    finish();
}

static void an_empty_body_may_end_before_there_is_a_process(void)
{
    struct outcall_head head = {.method = SPAN("query"), .body_length = -1};
    char folder[256];
    struct err err = {0};

    begin();
    snprintf(folder, sizeof folder, "%s/d1/a", root);
    CHECK(keeper_call(keeper, folder, &head, false, &CALL, &seen[0], &seen[0].call, &err) == 0);
    store_call_body(seen[0].call, SPAN(""), true);
    run_until(&overs, 1);
    CHECK(seen[0].heads == 1 && seen[0].ends == 1 && seen[0].body == 0 && seen[0].fails == 0);
    finish();
}

static void credit_goes_both_ways(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "a", 3 * 1024 * 1024 + 7, &err) == 0);
    run_until(&overs, 1);
    CHECK(seen[0].body == 3 * 1024 * 1024 + 7 && seen[0].fails == 0 && seen[0].writable > 4);
    finish();
}

static void play_pour(const char *folder)
{
    static const char MUCH[FRAME_BODY_MAX];
    size_t window = FRAME_WINDOW;
    struct frame f;

    (void)folder;
    hello();
    f = hear();
    reply(1, 0, -1);
    for (int left = 32; left > 0; left--) {
        while (window < sizeof MUCH) {
            struct credit credit;
            struct err err;
            f = hear();
            if (f.type == FRAME_PING)
                SAY(FRAME_PONG, 0, 0, "");
            else if (f.type == FRAME_CREDIT && credit_get(&f, &credit, &err) == 0)
                window += credit.bytes;
            else
                _exit(93);
        }
        say_frame(FRAME_BODY, left == 1 ? FRAME_END : 0, 1, MUCH, sizeof MUCH);
        window -= sizeof MUCH;
    }
    for (;;)
        (void)hear();
}

static void nothing_comes_without_credit(void)
{
    struct err err = {0};
    unsigned never = 0;

    config.idle_ms = 40;    /* it is asked for PONGs each 40 ms, and has all the time for them */
    begin();
    seen[0].is_kept = true;
    CHECK(ask(0, "pour", 0, &err) == 0);
    while (seen[0].body < FRAME_WINDOW && never++ < 100000)
        uv_run(&loop, UV_RUN_ONCE);
    run_for(100);
    CHECK(seen[0].body == FRAME_WINDOW && seen[0].ends == 0 && seen[0].fails == 0);
    seen[0].is_kept = false;
    store_call_credit(seen[0].call, FRAME_WINDOW);
    run_until(&overs, 1);
    CHECK(seen[0].body == 32 * FRAME_BODY_MAX && seen[0].fails == 0);
    finish();
}

/* Counts the RESETs, and says how many when it is asked for it. */
static void play_count(const char *folder)
{
    char count = '0';

    (void)folder;
    hello();
    for (;;) {
        struct frame f = hear();
        count += f.type == FRAME_RESET;
        if (f.type == FRAME_OUTCALL)
            reply(f.stream, 0, -1);
        if (f.type == FRAME_OUTCALL && (f.flags & FRAME_END))
            say_frame(FRAME_BODY, FRAME_END, f.stream, &count, 1);
    }
}

static void aborted_calls_are_reset_and_silent(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "count", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(strcmp(seen[0].text, "0") == 0);
    seen[1].is_dropped = true; /* once it is answered */
    CHECK(ask(1, "count", 1, &err) == 0);
    seen[1].to_send = 0;
    CHECK(ask(2, "count", 1, &err) == 0); /* as soon as it is sent */
    store_call_abort(seen[2].call);
    run_until(&overs, 2);
    CHECK(ask(3, "count", 0, &err) == 0);
    run_until(&overs, 3);
    CHECK(seen[1].heads == 1 && seen[1].fails == 0 && seen[2].heads == 0 && seen[2].fails == 0);
    CHECK(strcmp(seen[3].text, "2") == 0);
    CHECK(store_named("count")->count == 0 && store_named("count")->streams.count == 0);
    finish();
}

static void one_that_waits_can_be_aborted(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "a", 10, &err) == 0 && ask(1, "a", 0, &err) == 0);
    store_call_abort(seen[0].call);
    run_until(&overs, 1);
    CHECK(seen[0].heads == 0 && seen[0].fails == 0 && seen[1].ends == 1);
    finish();
}

static void play_refuse(const char *folder)
{
    (void)folder;
    hello();
    for (;;) {
        struct frame f = hear();
        if (f.type == FRAME_OUTCALL)
            SAY_MESSAGE(reset, 0, f.stream, .reason = RESET_FAILED,
                        .text = SPAN("no such method\nmore"));
    }
}

static void a_store_may_refuse_a_call(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "refuse", 0, &err) == 0 && ask(1, "refuse", 1000, &err) == 0);
    run_until(&overs, 2);
    CHECK(strcmp(seen[0].text, "no such method\nmore") == 0 && seen[0].fails == 1);
    CHECK(seen[1].fails == 1 && store_named("refuse")->state == STORE_UP);
    finish();
}

static void only_allowed_moves(void)
{
    unsigned calls = 0, stores = 0;

    for (int from = 0; from < STORE_CALL_STATES; from++)
        for (int to = 0; to < STORE_CALL_STATES; to++)
            calls += store_call_may_move((enum store_call_state)from, (enum store_call_state)to);
    for (int from = 0; from < STORE_STATES; from++)
        for (int to = 0; to < STORE_STATES; to++)
            stores += store_may_move((enum store_state)from, (enum store_state)to);
    CHECK(calls == 6 && stores == 8);
    CHECK(!store_call_may_move(STORE_CALL_ANSWERED, STORE_CALL_WAITS));
    CHECK(!store_may_move(STORE_ENDING, STORE_GONE) && !store_may_move(STORE_LEAVING, STORE_UP));
}

/* ---- liars ---- */

static void open_call(void)
{
    hello();
    expect(FRAME_OUTCALL, 1);
}

#define LIE(name, ...)                                                                             \
    static void play_##name(const char *folder)                                                    \
    {                                                                                              \
        (void)folder;                                                                              \
        __VA_ARGS__;                                                                               \
        for (;;)                                                                                   \
            (void)hear();                                                                          \
    }

static const char BIG[FRAME_BODY_MAX];

LIE(lie_no_hello, SAY(FRAME_PONG, 0, 0, ""))
LIE(lie_role, SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_INSTANCE))
LIE(lie_version, SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION + 1, .role = ROLE_STORE))
LIE(lie_hello_twice, open_call(); hello())
LIE(lie_pong, open_call(); SAY(FRAME_PONG, 0, 0, ""))
LIE(lie_unknown, open_call(); say("\0\0\0\0\x7f\0\0\0\0\0\0\0", 12))
LIE(lie_huge, open_call(); say("\xff\xff\xff\x7f\x12\0\0\0\1\0\0\0", 12))
LIE(lie_stream_0, open_call(); SAY(FRAME_BODY, 0, 0, "x"))
LIE(lie_stream_2, open_call(); reply(2, 0, -1))
LIE(lie_outcall_bit, open_call(); reply(FRAME_OUTCALL_BIT | 1, 0, -1))
LIE(lie_outcall, open_call(); SAY_MESSAGE(outcall_head, FRAME_END, 1, .method = SPAN("query")))
LIE(lie_response, open_call(); SAY_MESSAGE(response, 0, 1, .status = 200, .body_length = -1))
LIE(lie_spawned, open_call(); SAY_MESSAGE(spawned, 0, 0, .id = 1, .pid = 1))
LIE(lie_two_replies, open_call(); reply(1, 0, -1); reply(1, 0, -1))
LIE(lie_status, open_call(); SAY_MESSAGE(reply, 0, 1, .status = 99, .body_length = -1))
LIE(lie_length, open_call(); reply(1, 0, -2))
LIE(lie_no_length, open_call(); reply(1, 0, 0))
LIE(lie_end_length, open_call(); reply(1, FRAME_END, 5))
LIE(lie_body_first, open_call(); SAY(FRAME_BODY, 0, 1, "x"))
LIE(lie_too_long, open_call(); reply(1, 0, 3); SAY(FRAME_BODY, 0, 1, "four"))
LIE(lie_too_short, open_call(); reply(1, 0, 5); SAY(FRAME_BODY, FRAME_END, 1, "four"))
LIE(lie_flood, open_call(); reply(1, 0, -1);
    for (int i = 0; i < 5; i++) say_frame(FRAME_BODY, 0, 1, BIG, sizeof BIG))
LIE(lie_finished, open_call(); reply(1, 0, -1);
    SAY(FRAME_BODY, FRAME_END | FRAME_FINISHED, 1, "x"))
LIE(lie_credit, open_call(); SAY_MESSAGE(credit, 0, 1, .bytes = UINT32_MAX))
LIE(lie_cut_reply, open_call(); SAY(FRAME_REPLY, 0, 1, "\310\0"))
LIE(lie_cut_reset, open_call(); SAY(FRAME_RESET, 0, 1, "\010"))
LIE(lie_reset, open_call(); SAY_MESSAGE(reset, 0, 1, .reason = RESET_EXCEPTION))
LIE(lie_log, open_call(); SAY_MESSAGE(log_line, 0, 0, .level = 9, .text = SPAN("x")))
LIE(lie_late_failed, open_call(); reply(1, 0, -1); SAY_MESSAGE(failed, 0, 0, .text = SPAN("x")))

#define LIAR(name, said, up) {{#name, play_##name}, said, up}

static const struct {
    struct script script;
    const char *said;
    bool is_up;
} LIARS[] = {
    LIAR(lie_no_hello, "PONG frame before HELLO", false),
    LIAR(lie_role, "in role 3", false),
    LIAR(lie_version, "HELLO of version", false),
    LIAR(lie_hello_twice, "HELLO frame from a store", true),
    LIAR(lie_pong, "PONG without PING", true),
    LIAR(lie_unknown, "frame of unknown type 127", true),
    LIAR(lie_huge, "BODY frame of 2147483647 bytes is over 65536", true),
    LIAR(lie_stream_0, "BODY frame for stream 0 that is not open", true),
    LIAR(lie_stream_2, "REPLY frame for stream 2 that is not open", true),
    LIAR(lie_outcall_bit, "that is not open", true),
    LIAR(lie_outcall, "OUTCALL frame from a store", true),
    LIAR(lie_response, "RESPONSE frame from a store", true),
    LIAR(lie_spawned, "SPAWNED frame from a store", true),
    LIAR(lie_two_replies, "a second REPLY on stream 1", true),
    LIAR(lie_status, "REPLY with status 99", true),
    LIAR(lie_length, "REPLY with a body of -2 bytes", true),
    LIAR(lie_no_length, "REPLY with a body of 0 bytes", true),
    LIAR(lie_end_length, "REPLY with a body of 5 bytes", true),
    LIAR(lie_body_first, "BODY before REPLY on stream 1", true),
    LIAR(lie_too_long, "BODY is not as long as its REPLY said", true),
    LIAR(lie_too_short, "BODY is not as long as its REPLY said", true),
    LIAR(lie_flood, "65536 bytes of BODY with credit for 0", true),
    LIAR(lie_finished, "BODY frame that is finished", true),
    LIAR(lie_credit, "CREDIT of 4294967295 bytes", true),
    LIAR(lie_cut_reply, "REPLY message", true),
    LIAR(lie_cut_reset, "RESET message", true),
    LIAR(lie_reset, "RESET for reason 4", true),
    LIAR(lie_log, "LOG of level 9", true),
    LIAR(lie_late_failed, "FAILED from a store that works", true),
};
enum { LIARS_COUNT = sizeof LIARS / sizeof *LIARS };

static void liars_are_ended_alone(void)
{
    struct err err = {0};
    char text[700];

    begin();
    CHECK(ask(LIARS_COUNT, "good", 0, &err) == 0);
    run_until(&overs, 1);
    snprintf(text, sizeof text, "%s", seen[LIARS_COUNT].text);
    for (unsigned i = 0; i < LIARS_COUNT; i++) {
        log_text[0] = '\0';
        seen[i].is_kept = true;
        CHECK(ask(i, LIARS[i].script.name, 0, &err) == 0);
        run_until(&overs, i + 2);
        CHECK(seen[i].fails == 1);
        CHECK(strstr(seen[i].text, LIARS[i].is_up
                                       ? "Internal error in D1 DB storage caused object to be reset."
                                       : "Internal error while starting up D1 DB storage"));
        if (!strstr(log_text, LIARS[i].said))
            printf("  '%s' is not in: %s\n", LIARS[i].said, log_text);
        CHECK(strstr(log_text, LIARS[i].said) != NULL);
    }
    CHECK(ask(LIARS_COUNT + 1, "good", 0, &err) == 0);
    run_until(&overs, LIARS_COUNT + 2);
    CHECK(strcmp(seen[LIARS_COUNT + 1].text, text) == 0); /* the same process as before */
    finish();
}

/* Frames for a call that is over are late, not lies. */
static void play_late(const char *folder)
{
    (void)folder;
    open_call();
    reply(1, FRAME_END, 0);
    SAY_MESSAGE(credit, 0, 1, .bytes = 1);
    SAY(FRAME_BODY, 0, 1, "x");
    expect(FRAME_OUTCALL, 2);
    say_pid(2);
    for (;;)
        (void)hear();
}

static void late_frames_are_dropped(void)
{
    struct err err = {0};

    begin();
    CHECK(ask(0, "late", 0, &err) == 0);
    run_until(&overs, 1);
    CHECK(ask(1, "late", 0, &err) == 0);
    run_until(&overs, 2);
    CHECK(seen[0].heads == 1 && seen[0].fails == 0 && seen[1].ends == 1 && seen[1].fails == 0);
    finish();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"gives_back_what_comes", gives_back_what_comes},
        {"an_empty_body_may_end_before_there_is_a_process",
         an_empty_body_may_end_before_there_is_a_process},
        {"credit_goes_both_ways", credit_goes_both_ways},
        {"nothing_comes_without_credit", nothing_comes_without_credit},
        {"aborted_calls_are_reset_and_silent", aborted_calls_are_reset_and_silent},
        {"one_that_waits_can_be_aborted", one_that_waits_can_be_aborted},
        {"a_store_may_refuse_a_call", a_store_may_refuse_a_call},
        {"only_allowed_moves", only_allowed_moves},
        {"liars_are_ended_alone", liars_are_ended_alone},
        {"late_frames_are_dropped", late_frames_are_dropped},
        {NULL, NULL},
    };
    struct script scripts[LIARS_COUNT + 4] = {
        {"pour", play_pour}, {"count", play_count}, {"refuse", play_refuse}, {"late", play_late}};

    for (unsigned i = 0; i < LIARS_COUNT; i++)
        scripts[i + 4] = LIARS[i].script;
    act(scripts, sizeof scripts / sizeof *scripts, argc, argv);
    return test_main("keeper_call", TESTS, argc, argv);
}
