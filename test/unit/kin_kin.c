/* kin_kin.c - src/kin/kin.c: processes that die, flood, lie, or are somebody else. */
#include <sys/prctl.h>

#include "herd_actor.h"

static void dies_in_the_middle(void)
{
    begin();
    respond(1, 0, 100);
    say("\x40\0\0\0\x12", 5);
    _exit(0);
}

static void hangs_up(void)
{
    begin();
    close(side);
    pause();
}

static void a_death_fails_the_calls(void)
{
    start_with_call(dies_in_the_middle);
    run_until(&seen.has_ended);
    CHECK(seen.fails == 1 && seen.why == CALL_CRASHED && seen.heads == 1 && seen.how == KIN_DIED);
    CHECK(strcmp(seen.text, "the process that ran this request ended") == 0);
    stop();
}

static void one_that_hangs_up_is_killed(void)
{
    start_with_call(hangs_up);
    run_until(&seen.has_ended);
    CHECK(seen.fails == 1 && seen.why == CALL_CRASHED);
    CHECK(stop() == -1);
}

static void never_says_done(void)
{
    begin();
    respond(1, FRAME_END, 0);
    linger_there();
}

static void a_kill_says_why(void)
{
    start_with_call(never_says_done);
    run_until_count(&seen.ends, 1);
    CHECK(send_request("GET", true) == 0);
    kin_kill(&instance->kin, "it took too long");
    CHECK(seen.fails == 0 && !instance_has_room(instance));
    run_until(&seen.has_ended);
    CHECK(seen.fails == 1 && seen.how == KIN_KILLED);
    CHECK(strstr(seen.text, "was ended: it took too long") != NULL);
    CHECK(stop() == -1);
}

static void logs_a_flood(void)
{
    static char text[60 * 1000];

    memset(text, 'x', sizeof text);
    begin();
    for (int i = 0; i < 100; i++)
        SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = {text, sizeof text});
    answer(1);
    linger_there();
}

static void a_flood_of_logs_is_cut_with_one_word(void)
{
    clock_fake(1000);
    start_with_call(logs_a_flood);
    run_until_count(&seen.ends, 1);
    CHECK(seen.warnings == 1 && seen.log_bytes <= RATION_BYTES + 100 && seen.logs == 18);
    clock_fake(-1);
    stop();
}

static void logs_without_end(void)
{
    begin();
    for (int i = 0; i < 20000; i++)
        SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = {"", 0});
    answer(1);
    linger_there();
}

/* Empty lines: as many as a ration has; the rest is read a little at a time, and what stands behind it comes. */
static void lines_beyond_the_ration_wait_and_the_answer_comes(void)
{
    int64_t start_ms = clock_now_ms();

    clock_fake(1000);
    start_with_call(logs_without_end);
    run_until_count(&seen.warnings, 1);
    CHECK(kin_is_resting(&instance->kin) && seen.ends == 0);
    run_until_count(&seen.ends, 1);
    CHECK(seen.warnings == 1 && seen.logs == RATION_BYTES / RATION_LINE + 1);
    clock_fake(-1);
    CHECK(clock_now_ms() - start_ms >= 5 * TURN_REST_MS);
    stop();
}

static void logs_a_little(void)
{
    begin();
    for (int i = 0; i < 3; i++)
        SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = {"x", 1});
    answer(1);
    linger_there();
}

/* Others of its account have said nearly all that there is to say: it is not its fault, and it is read as ever. */
static void all_of_an_account_have_a_ration_together(void)
{
    struct ration all = {.start_ms = 1000, .used = RATION_ALL_BYTES - RATION_LINE - 1};

    clock_fake(1000);
    start_with_call(logs_a_little);
    instance->kin.all = &all;
    run_until_count(&seen.ends, 1);
    CHECK(seen.logs == 2 && seen.warnings == 1 && all.is_over);
    CHECK(!kin_is_resting(&instance->kin) && kin_hears_log(&instance->kin));
    clock_fake(-1);
    stop();
}

/* Those that lie: each is ended, with these words */

static void no_hello(void) { SAY(FRAME_PONG, 0, 0, ""); }
static void hello_of_a_template(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_TEMPLATE);
}
static void hello_of_the_future(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION + 1, .role = ROLE_INSTANCE);
}
static void hello_twice(void)
{
    begin();
    hello();
}
static void unknown_frame(void)
{
    begin();
    say("\0\0\0\0\x7f\0\0\0\1\0\0\0", 12);
}
static void huge_frame(void)
{
    begin();
    say("\xff\xff\xff\x7f\x12\0\0\0\1\0\0\0", 12);
}
static void two_heads(void)
{
    begin();
    respond(1, 0, -1);
    respond(1, 0, -1);
}
static void status_99(void)
{
    begin();
    SAY_MESSAGE(response, 0, 1, .status = 99);
}
static void negative_length(void)
{
    begin();
    respond(1, 0, -2);
}
static void cut_message(void)
{
    begin();
    SAY(FRAME_RESPONSE, 0, 1, "\xc8\0\0\0\0");
}
static void body_first(void)
{
    begin();
    SAY(FRAME_BODY, 0, 1, "x");
}
static void flood(void)
{
    static char bytes[FRAME_BODY_MAX];

    begin();
    respond(1, 0, -1);
    for (int i = 0; i < 5; i++)
        say_frame(FRAME_BODY, 0, 1, bytes, sizeof bytes);
}
static void longer_than_said(void)
{
    begin();
    respond(1, 0, 3);
    SAY(FRAME_BODY, 0, 1, "four");
}
static void body_of_204(void)
{
    begin();
    SAY_MESSAGE(response, 0, 1, .status = 204, .body_length = -1);
    SAY(FRAME_BODY, 0, 1, "x");
}
static void ends_before_its_length(void)
{
    begin();
    respond(1, FRAME_END, 5);
}
static void behind_the_end(void)
{
    begin();
    respond(1, 0, 5);
    SAY(FRAME_BODY, FRAME_END, 1, "hello");
    SAY(FRAME_BODY, 0, 1, "more");
}
static void reset_behind_the_end(void)
{
    begin();
    respond(1, FRAME_END, 0);
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_EXCEPTION);
}
static void finished_without_end(void)
{
    begin();
    respond(1, 0, 5);
    SAY(FRAME_BODY, FRAME_FINISHED, 1, "hello");
}
static void done_too_early(void)
{
    begin();
    SAY(FRAME_DONE, 0, 1, "");
}
static void stream_of_the_future(void)
{
    begin();
    answer(2);
}
static void credit_without_end(void)
{
    begin();
    SAY_MESSAGE(credit, 0, 1, .bytes = 0xffffffff);
}
static void pong_unasked(void)
{
    begin();
    SAY(FRAME_PONG, 0, 0, "");
}
static void request_to_the_node(void)
{
    begin();
    SAY_MESSAGE(request, 0, 1, .body_length = 0);
}
static void reset_as_the_node_says_it(void)
{
    begin();
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_CLIENT_GONE);
}
static void log_of_level_7(void)
{
    begin();
    SAY_MESSAGE(log_line, 0, 1, .level = 7);
}
static void credit_of_nothing_for_ever(void)
{
    static char frames[4096][16];

    begin();
    for (size_t i = 0; i < 4096; i++)
        memcpy(frames[i], "\4\0\0\0\x13\0\0\0\1\0\0\0\0\0\0\0", 16);
    for (;;)
        say(frames, sizeof frames);
}
static void empty_pieces_for_ever(void)
{
    begin();
    respond(1, 0, -1);
    for (;;)
        SAY(FRAME_BODY, 0, 1, "");
}
static void start_of_an_event(void)
{
    begin();
    say("\0\0\0\1\x1a\1\0\0\1\0\0\0", 12); /* 16 MiB are announced, as an event may have */
    linger_there();
}
static void start_of_an_answer_before_hello(void)
{
    say("\0\0\4\0\x11\0\0\0\1\0\0\0", 12);
    linger_there();
}
static void fork_order(void)
{
    begin();
    SAY_MESSAGE(spawned, 0, 0, .id = 1, .pid = 1);
}

_Static_assert(WIRE_VERSION == 9, "the words of two lies name it");

#define FLOODS "it floods the node with frames that say nothing"

static void liars_are_ended(void)
{
    static const struct {
        void (*script)(void);
        const char *why;
        bool is_before_up;
    } LIES[] = {
        {no_hello, "PONG frame before HELLO", true},
        {hello_of_a_template, "HELLO of version 9 in role 2", true},
        {hello_of_the_future, "HELLO of version 10 in role 3", true},
        {hello_twice, "HELLO frame from an instance", false},
        {unknown_frame, "frame of unknown type 127", false},
        {huge_frame, "BODY frame of 2147483647 bytes is over 65536", false},
        {two_heads, "a second RESPONSE on stream 1", false},
        {status_99, "RESPONSE with status 99", false},
        {negative_length, "RESPONSE with a body of -2 bytes", false},
        {cut_message, "RESPONSE message: 'status_text' is cut or malformed", false},
        {body_first, "BODY before RESPONSE on stream 1", false},
        {flood, "65536 bytes of BODY with credit for 0", false},
        {longer_than_said, "BODY is longer than its RESPONSE said", false},
        {body_of_204, "BODY is longer than its RESPONSE said", false},
        {ends_before_its_length, "RESPONSE ends before its body of 5 bytes", false},
        {behind_the_end, "BODY behind the end of stream 1", false},
        {reset_behind_the_end, "RESET behind the end of stream 1", false},
        {finished_without_end, "BODY frame that is finished and has no end", false},
        {done_too_early, "DONE before the end of stream 1", false},
        {stream_of_the_future, "RESPONSE frame for stream 2 that is not open", false},
        {credit_without_end, "CREDIT of 4294967295 bytes on top of 262144", false},
        {pong_unasked, "PONG without PING", false},
        {request_to_the_node, "REQUEST frame from an instance", false},
        {reset_as_the_node_says_it, "RESET for reason 1", false},
        {log_of_level_7, "LOG of level 7", false},
        {fork_order, "SPAWNED frame from an instance", false},
        {credit_of_nothing_for_ever, FLOODS, false},
        {empty_pieces_for_ever, FLOODS, false},
        {start_of_an_event, "the start of frame EVENT, which is not for it to send", false},
        {start_of_an_answer_before_hello, "RESPONSE frame before HELLO", true},
    };

    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        if (LIES[i].is_before_up)
            start(LIES[i].script);
        else
            start_with_call(LIES[i].script);
        run_until(&seen.has_ended);
        CHECK(seen.how == KIN_LIED);
        CHECK(strcmp(seen.ended, LIES[i].why) == 0);
        if (strcmp(seen.ended, LIES[i].why) != 0)
            printf("    '%s' and not '%s'\n", seen.ended, LIES[i].why);
        /* A call has one end: a failure, or the end that came before the lie. */
        CHECK(seen.ends + seen.fails == !LIES[i].is_before_up);
        stop();
    }
}

static void lets_a_grandchild_speak(void)
{
    int ready[2];
    char byte;

    if (pipe(ready) < 0)
        _exit(99);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[1]);
        if (read(ready[0], &byte, 1) == 0)
            _exit(0); /* its parent ended before it asked to end with it */
        hello();
        pause();
    }
    if (write(ready[1], "x", 1) != 1)
        _exit(99);
    pause();
}

static void a_stranger_is_refused_and_left_alone(void)
{
    char want[64];

    start(lets_a_grandchild_speak);
    run_until(&seen.has_ended);
    CHECK(!seen.is_up && seen.how == KIN_LIED);
    snprintf(want, sizeof want, " is a child of %d, not of %d", (int)child, (int)getpid());
    CHECK(strstr(seen.ended, want) != NULL);
    stop();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_death_fails_the_calls),
        T(one_that_hangs_up_is_killed),
        T(a_kill_says_why),
        T(a_flood_of_logs_is_cut_with_one_word),
        T(lines_beyond_the_ration_wait_and_the_answer_comes),
        T(all_of_an_account_have_a_ration_together),
        T(liars_are_ended),
        T(a_stranger_is_refused_and_left_alone),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("kin_kin", TESTS, argc, argv);
}
